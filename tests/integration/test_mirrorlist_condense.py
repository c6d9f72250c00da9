"""mirrorlist_condense as a user runs it, on logs as they come."""

from __future__ import annotations

import lzma
import shutil
from datetime import date, timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from ansible_collections.fedora_infra.dnf_counting.tests.support.condensing import (
    Place,
    lines,
)
from ansible_collections.fedora_infra.dnf_counting.tests.support.modules import statuses

GOLDEN = Path(__file__).parents[1] / "data" / "golden"
GOLDEN_DAYS = {"since": "2021-09-24", "until": "2021-10-13"}


@pytest.fixture(name="place")
def _place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_golden_logs_give_the_rows_people_know(place: Place) -> None:
    place.src = GOLDEN / "combined-http"
    planned = place.run(check=True, **GOLDEN_DAYS)
    assert planned["summary"] == {"due": 20, "missing": 1}
    assert not place.data_dir.exists()
    assert not place.csv_dir.exists()
    result = place.run(**GOLDEN_DAYS)
    assert result["changed"]
    assert result["summary"] == {"made": 20, "missing": 1}
    expected = (GOLDEN / "expected" / "mirrorsdata-all.csv").read_bytes()
    assert place.content()["mirrorsdata-all.csv"] == expected
    assert place.content()["mirrorsdata-2021.csv"] == expected
    with lzma.open(GOLDEN / "expected" / "mirrorlist-clients.txt.xz", "rt") as text:
        clients = {tuple(one.split()) for one in text}
    found = {
        row
        for path in place.data_dir.glob("*.parquet")
        for row in zip(*(c.to_pylist() for c in pq.read_table(path).columns), strict=True)
    }
    assert found == clients
    again = place.run(**GOLDEN_DAYS)
    assert not again["changed"]
    assert again["summary"] == {"missing": 1, "unchanged": 20}
    for unit in result["units"][1:-1]:
        assert unit["lines"] == unit["requests"] + sum(unit["rejects"].values())
        assert unit["rows"] <= unit["requests"]


def test_the_order_of_days_plays_no_role(place: Place, tmp_path: Path) -> None:
    place.src = GOLDEN / "combined-http"
    days = [str(date(2021, 9, 25) + timedelta(days=n)) for n in (3, 1, 18, 0, 2, 17)]
    for day in days:
        place.run(day)
    at_once = Place(tmp_path / "at-once")
    at_once.src = place.src
    at_once.run(*days)
    assert place.content() == at_once.content()
    assert [row for row in place.rows() if row < "2021-10"] == [
        "2021-09-24", "2021-09-25", "2021-09-26", "2021-09-27",
    ]  # fmt: skip


def test_a_date_that_a_log_made_again_no_longer_holds_goes(place: Place) -> None:
    place.write("2021-09-28", lines(5, "2021-09-27") + lines(5, "2021-09-20"))
    place.run("2021-09-28")
    assert list(place.rows()) == ["2021-09-20", "2021-09-27"]
    place.write("2021-09-28", lines(6, "2021-09-27"))
    result = place.run("2021-09-28")
    assert "no client of 2021-09-20 is left" in result["units"][-1]["reasons"]
    assert list(place.rows()) == ["2021-09-27"]
    assert list(place.daily("fedora")) == ["2021-09-27 33"]


def test_the_day_that_has_only_begun_has_no_row_yet(place: Place) -> None:
    place.write("2021-09-28", lines(5, "2021-09-27") + lines(5, "2021-09-28"))
    place.run("2021-09-28")
    assert list(place.rows()) == ["2021-09-27"]


def test_history_is_kept_where_the_day_of_a_date_is_not_there(place: Place) -> None:
    place.csv_dir.mkdir()
    fuller = ",0" * 34 + ",500" + ",0" * 49  # 500 clients of Fedora
    history = f"2021-09-26{fuller}\n2021-09-27{fuller}\n"
    (place.csv_dir / "mirrorsdata-all.csv").write_text(history)
    (place.csv_dir / "mirrorsdata-2020.csv").write_text("2020-01-01,3\n")
    place.write("2021-09-28", lines(90, "2021-09-27"))
    place.run("2021-09-28")
    assert place.rows() == {
        "2020-01-01": {"epel4": 3},
        "2021-09-26": {"fedora": 500},
        "2021-09-27": {"fedora": 500},
    }
    # with the log of that day all its clients are known
    place.write("2021-09-27", lines(3, "2021-09-26"))
    place.run("2021-09-27", "2021-09-28")
    assert place.rows()["2021-09-27"] == {"f33": 89, "fedora": 89, "x86_64": 89}
    assert place.rows()["2021-09-26"] == {"fedora": 500}


def test_removed_days_keep_their_rows_and_removed_files_come_back(place: Place) -> None:
    place.write("2021-09-27", lines(5, "2021-09-26"))
    place.write("2021-09-28", lines(7, "2021-09-27"))
    place.run("2021-09-27", "2021-09-28")
    before = place.content()
    shutil.rmtree(place.csv_dir)
    place.run("2021-09-28")
    assert place.content() == before
    for path in place.data_dir.glob("*.parquet"):
        path.unlink()
    shutil.rmtree(place.src)
    assert not place.run("2021-09-27", "2021-09-28")["changed"]
    assert place.content() == before


def test_a_damaged_day_is_made_again_or_named(place: Place) -> None:
    for rotated, before in (("2021-09-28", "2021-09-27"), ("2021-09-29", "2021-09-28")):
        place.write(rotated, lines(5, before))
    place.run("2021-09-28", "2021-09-29")
    before_damage = place.content()
    damaged = place.data_dir / "2021-09-28.parquet"
    damaged.write_bytes(damaged.read_bytes()[:300])
    named = place.run("2021-09-29")
    assert "2021-09-28.parquet: expected a condensed day" in str(named["warnings"])
    assert place.content() == before_damage
    place.run("2021-09-28")
    assert place.content() == before_damage
    assert "warnings" not in place.run("2021-09-28")


def test_days_without_logs_change_nothing(place: Place) -> None:
    result = place.run("2021-09-28")
    assert statuses(result) == {"2021-09-28": "missing", "csv": "unchanged"}
    assert not place.data_dir.exists()
    assert not place.csv_dir.exists()
