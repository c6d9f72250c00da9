"""Reading totals.csv week by week."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._base.errors import (
    SourceError,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._totals import csv_reader
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._totals.csv_reader import (
    weeks_of_csv,
)
from ansible_collections.fedora_infra.dnf_counting.tests.support.totals_files import (
    HEADER,
    Row,
    write_csv,
)

WEEK = 2699
GOOD = "2021-09-27,2021-10-03,5,F,1,,x,1,r,a\r\n"


def test_weeks_are_whole_whatever_the_blocks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "totals.csv"
    rows = [
        Row(week, n, repo_tag=f'odd "{n}",\n2021-10-04,x' if n % 7 == 0 else f"r-{n}")
        for week in range(WEEK, WEEK + 5)
        for n in range(1, 60)
    ]
    write_csv(path, rows)
    whole = [(week.week, week.rows.to_pydict()) for week in weeks_of_csv(path)]
    assert [week for week, _rows in whole] == list(range(WEEK, WEEK + 5))
    assert all(sum(rows["hits"]) == sum(range(60)) for _week, rows in whole)
    monkeypatch.setattr(csv_reader, "_BLOCK_BYTES", (500,))
    assert [(week.week, week.rows.to_pydict()) for week in weeks_of_csv(path)] == whole


def test_incident_corrupt_line_a_row_larger_than_a_block(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "totals.csv"
    huge = Row(WEEK + 1, 3, repo_tag='x"y,\n' * 1000)
    write_csv(path, [Row(WEEK, 2), huge, Row(WEEK + 2, 4)])
    monkeypatch.setattr(csv_reader, "_BLOCK_BYTES", (500, 50_000))
    weeks = list(weeks_of_csv(path))
    assert [week.week for week in weeks] == [WEEK, WEEK + 1, WEEK + 2]
    assert weeks[1].rows["repo_tag"][0].as_py() == huge.repo_tag


def test_nulls_and_empty_texts_are_texts(tmp_path: Path) -> None:
    path = tmp_path / "totals.csv"
    write_csv(path, [Row(WEEK, 1, "NULL", "", "NA", "", repo_tag="null")])
    (week,) = weeks_of_csv(path)
    assert week.rows.to_pylist()[0] == {
        "hits": 1,
        "os_name": "NULL",
        "os_version": "",
        "os_variant": "NA",
        "os_arch": "",
        "sys_age": 1,
        "repo_tag": "null",
        "repo_arch": "x86_64",
    }


def test_a_header_alone_has_no_weeks(tmp_path: Path) -> None:
    path = tmp_path / "totals.csv"
    write_csv(path, [])
    assert list(weeks_of_csv(path)) == []


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param("", "Empty CSV", id="empty"),
        pytest.param("host,timestamp\r\n1,2\r\n", "the columns 'host, timestamp'", id="raw-hits"),
        pytest.param(f"{HEADER},host\r\n{GOOD[:-2]},h\r\n", "the columns", id="a-column-more"),
        pytest.param(
            f"{HEADER}\r\n{GOOD}{GOOD.replace('09-27', '09-20')}", "after that of", id="descending"
        ),
        pytest.param(f"{HEADER}\r\n{GOOD.replace('09-27', '09-28')}", "week_start", id="tuesday"),
        pytest.param(f"{HEADER}\r\n{GOOD.replace('10-03', '10-04')}", "week_end", id="8-days"),
        pytest.param(f"{HEADER}\r\n{GOOD.replace(',5,', ',5.5,')}", "conversion", id="hits"),
        pytest.param(f"{HEADER}\r\n{GOOD}2021-09-27,2021-10", "Expected 10 columns", id="torn"),
    ],
)
def test_other_files_are_refused(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "totals.csv"
    path.write_text(content, newline="")
    with pytest.raises(SourceError, match=message):
        list(weeks_of_csv(path))


def test_an_earlier_system_appended_rows_of_older_weeks(tmp_path: Path) -> None:
    path = tmp_path / "totals.csv"
    write_csv(path, [Row(WEEK, 1), Row(WEEK + 1, 2)])
    rows = path.read_bytes()
    path.write_bytes(rows + rows.split(b"\r\n", 1)[1])
    runs = [
        (week.week, week.rows["hits"].to_pylist()) for week in weeks_of_csv(path, ascending=False)
    ]
    assert runs == [(WEEK, [1]), (WEEK + 1, [2])] * 2


def test_the_line_of_a_bad_row_is_named_in_any_block(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "totals.csv"
    path.write_text(f"{HEADER}\r\n{GOOD * 40}{GOOD.replace(',5,', ',five,')}", newline="")
    monkeypatch.setattr(csv_reader, "_BLOCK_BYTES", (500,))
    with pytest.raises(SourceError, match=r"totals\.csv, line 42: .*invalid value 'five'"):
        list(weeks_of_csv(path))


def test_a_symbolic_link_is_not_followed(tmp_path: Path) -> None:
    write_csv(tmp_path / "real.csv", [Row(WEEK, 1)])
    (tmp_path / "totals.csv").symlink_to("real.csv")
    with pytest.raises(SourceError, match="symbolic link"):
        list(weeks_of_csv(tmp_path / "totals.csv"))
