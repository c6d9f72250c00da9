"""countme_totals as an operator runs it: its file, in a process of its own."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._base.days_and_weeks import (
    rotation_days,
)
from ansible_collections.fedora_infra.dnf_counting.tests.support.modules import (
    MODULES,
    run_module,
    statuses,
)
from ansible_collections.fedora_infra.dnf_counting.tests.support.raw_day_files import (
    by_rotation_day,
    weekly_hits,
    write_raw_day,
    write_raw_days,
)
from ansible_collections.fedora_infra.dnf_counting.tests.support.totals_site import (
    WEEK,
    Site,
)

CHECKOUT = Path(__file__).parents[2]
GOLDEN = CHECKOUT / "tests" / "data" / "golden"


def test_second_run_is_unchanged_and_check_mode_agrees_with_both(site: Site) -> None:
    before = site.files()
    planned = site.run(check=True)
    assert site.files() == before
    assert planned["changed"]
    first = site.run()
    assert first["changed"]
    assert statuses(first) == {
        "2021-W39": "made",
        "2021-W40": "made",
        "2021-W41": "waiting",
        "totals.csv": "made",
    }
    assert {n for n, s in statuses(planned).items() if s == "due"} == {
        n for n, s in statuses(first).items() if s == "made"
    }
    assert first["newest_complete_week"] == "2021-W40"
    assert first["hits"] == 20
    files = site.files()
    assert not site.run(check=True)["changed"]
    second = site.run()
    assert not second["changed"]
    assert second["newest_complete_week"] == "2021-W40"
    locks = {str(site.totals / ".writing")}
    assert {k: v for k, v in site.files().items() if k not in locks} == {
        k: v for k, v in files.items() if k not in locks
    }


def test_diff_mode_says_why(site: Site) -> None:
    assert "2021-W39: a new week" in site.run(check=True, diff=True)["diff"]["after"]


def test_days_hashed_in_part_block_their_week(site: Site) -> None:
    """Addresses in one file and their hashes in another would count a client twice."""
    site.run()
    before = site.hits()
    day = rotation_days(WEEK)[3]
    write_raw_day(site.raw, day, by_rotation_day(weekly_hits(WEEK))[day], version=2, hashed=True)
    result = site.run()
    assert statuses(result)["2021-W39"] == "blocked"
    assert "one hash_hosts" in result["units"][0]["reasons"][0]
    assert site.hits() == before


def test_a_trimmed_week_that_lacked_a_day_is_counted_again_with_what_it_had(site: Site) -> None:
    """A day that never came must not keep a week from being corrected."""
    never, late = rotation_days(WEEK)[3], rotation_days(WEEK)[5]
    (site.raw / f"{never}.parquet").unlink()
    site.run()
    assert site.hits()[str(WEEK)] == 8
    (site.raw / ".trimmed.json").write_text(json.dumps({"through": str(rotation_days(WEEK)[-1])}))
    rows = by_rotation_day(weekly_hits(WEEK))
    write_raw_day(site.raw, late, [*rows[late], *rows[never]], version=2)
    assert statuses(site.run())["2021-W39"] == "made"
    assert site.hits()[str(WEEK)] == 10


def test_named_weeks_are_recounted_whatever_their_age(site: Site) -> None:
    site.run()
    with sqlite3.connect(site.db) as other:
        other.execute("UPDATE countme_totals SET hits = hits + 1")
    other.close()
    result = site.run(weeks=["2021-09-27"])
    assert statuses(result) == {"2021-W39": "made", "totals.csv": "made"}
    assert site.hits()[str(WEEK)] == 10
    again = site.run(weeks=["2021-W39", str(WEEK)])
    assert statuses(again) == {"2021-W39": "unchanged", "totals.csv": "unchanged"}


def test_absent_deletes_the_week_and_present_counts_it_again(site: Site) -> None:
    site.run()
    before = site.csv.read_bytes()
    planned = site.run(state="absent", weeks=["2021-W40"], check=True)
    assert statuses(planned) == {"2021-W40": "due"}
    assert site.csv.read_bytes() == before
    deleted = site.run(state="absent", weeks=["2021-W40", "2019-W01"])
    assert statuses(deleted) == {"2021-W40": "made", "2019-W01": "unchanged"}
    assert list(site.hits()) == [str(WEEK)]
    assert b"2021-10-04" not in site.csv.read_bytes()
    assert site.query("SELECT weeknum FROM weeks") == [(WEEK,)]
    assert not site.run(state="absent", weeks=["2021-W40"])["changed"]
    site.run()
    assert site.csv.read_bytes() == before


def test_absent_takes_no_history(site: Site) -> None:
    options = {"state": "absent", "weeks": ["2021-W40"], "history_csv": "old.csv"}
    assert "option history_csv" in site.run(**options, ok=False)["msg"]
    assert not site.totals.exists()


def test_absent_wants_weeks(site: Site) -> None:
    assert "weeks" in site.run(state="absent", ok=False)["msg"]


def test_a_file_of_the_old_system_is_continued(site: Site) -> None:
    totals = pytest.importorskip("mirrors_countme.totals").totals
    raw = site.root / "old-raw.db"
    with sqlite3.connect(raw) as connection:
        connection.execute(
            "CREATE TABLE countme_raw (timestamp INTEGER, host, os_name, os_version, os_variant,"
            " os_arch, sys_age INTEGER, repo_tag, repo_arch)"
        )
        rows = [
            *weekly_hits(WEEK - 1, systems=40),
            *weekly_hits(WEEK, systems=3),
            *weekly_hits(WEEK + 1),
        ]
        connection.executemany("INSERT INTO countme_raw VALUES (?,?,?,?,?,?,?,?,?)", rows)
    connection.close()
    site.totals.mkdir()
    with site.csv.open("w", newline="") as out:
        totals(countme_totals=str(site.db), countme_raw=str(raw), csv_dump=out)
    result = site.run()
    assert statuses(result) == {
        "2021-W39": "unchanged",
        "2021-W40": "made",
        "2021-W41": "waiting",
        "totals.csv": "made",
    }
    assert "earlier system" in result["units"][0]["reasons"][0]
    assert site.hits() == {str(WEEK - 1): 40, str(WEEK): 3, str(WEEK + 1): 10}
    named = site.run(weeks=["2021-W39"])
    assert statuses(named)["2021-W39"] == "made"
    assert site.hits()[str(WEEK)] == 10


def test_suspect_weeks_are_judged_again_when_the_rule_changes(tmp_path: Path) -> None:
    site = Site(tmp_path)
    sizes = [100, 100, 100, 85, 100]
    rows = [r for n, size in enumerate(sizes) for r in weekly_hits(WEEK + n, systems=size)]
    write_raw_days(site.raw, rows)
    assert not any(unit.get("suspect") for unit in site.run()["units"])
    assert site.run(suspect_percent=10, check=True)["changed"]
    result = site.run(suspect_percent=10)
    assert [u["name"] for u in result["units"] if u.get("suspect")] == ["2021-W42"]
    assert statuses(result)["totals.csv"] == "unchanged"
    assert not site.run(suspect_percent=10)["changed"]


def test_a_damaged_raw_day_is_named_and_the_others_go_on(site: Site) -> None:
    bad = site.raw / f"{rotation_days(WEEK)[2]}.parquet"
    bad.write_bytes(b"PAR1 is not enough")
    result = site.run()
    assert statuses(result) == {
        "2021-W39": "blocked",
        "2021-W40": "made",
        "2021-W41": "waiting",
        "totals.csv": "made",
    }
    assert str(bad) in result["units"][0]["reasons"][0]
    failed = site.run(weeks=["2021-W39"], ok=False)
    assert "2021-W39" in failed["msg"]


def test_a_new_log_host_without_raw_days_is_no_failure(tmp_path: Path) -> None:
    site = Site(tmp_path)
    for check in (True, False):
        result = site.run(check=check)
        assert not result["changed"]
        assert statuses(result) == {"raw": "missing"}
        assert str(site.raw) in result["units"][0]["reasons"][0]
    assert not site.files()
    assert "option raw_dir" in site.run(weeks=["2021-W39"], check=True, ok=False)["msg"]


def test_history_comes_to_a_new_log_host_before_its_raw_days(tmp_path: Path) -> None:
    site = Site(tmp_path)
    result = site.run(history_csv=GOLDEN / "expected" / "totals.csv")
    assert statuses(result) == {"totals.csv": "made", "raw": "missing"}
    assert site.hits()
    again = site.run(history_csv=GOLDEN / "expected" / "totals.csv")
    assert not again["changed"]


@pytest.mark.parametrize("check", [True, False])
def test_a_history_that_cannot_be_read_makes_nothing(tmp_path: Path, check: bool) -> None:
    site = Site(tmp_path)
    failed = site.run(history_csv=tmp_path / "nowhere.csv", check=check, ok=False)
    assert "nowhere.csv: expected a readable regular file" in failed["msg"]
    assert not site.files()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        pytest.param({"weeks": ["2021-09-28"]}, "option weeks", id="not-a-monday"),
        pytest.param({"totals_csv": "/dev/null/totals.csv"}, "/dev/null", id="unwritable"),
    ],
)
def test_bad_settings_are_explained(site: Site, options: dict[str, Any], message: str) -> None:
    failed = site.run(**options, ok=False)
    assert message in failed["msg"]


def test_examples_of_the_documentation_run(site: Site) -> None:
    site.run()
    namespace: dict[str, Any] = {}
    source = (MODULES / "countme_totals.py").read_text()
    exec(source[source.index("EXAMPLES") : source.index("RETURN")], namespace)
    for task in yaml.safe_load(namespace["EXAMPLES"]):
        options = task["fedora_infra.dnf_counting.countme_totals"]
        options |= {"raw_dir": site.raw, "totals_db": site.db, "totals_csv": site.csv}
        options["weeks"] = [str(week) for week in options.get("weeks", []) if week != "2021-W38"]
        run_module("countme_totals", **options)


def test_it_runs_through_ansible_from_the_checkout(site: Site) -> None:
    options = {"raw_dir": site.raw, "totals_db": site.db, "totals_csv": site.csv}
    arguments = json.dumps({name: str(value) for name, value in options.items()})
    finished = subprocess.run(
        [
            Path(sys.executable).with_name("ansible"),
            "localhost",
            "-m",
            "fedora_infra.dnf_counting.countme_totals",
            "-a",
            arguments,
        ],
        capture_output=True,
        text=True,
        check=False,
        cwd=CHECKOUT,
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert '"newest_complete_week": "2021-W40"' in finished.stdout
