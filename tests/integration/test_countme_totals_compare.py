"""Two files of totals compared: each difference with its likely cause."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._base.days_and_weeks import (
    rotation_days,
)
from ansible_collections.fedora_infra.dnf_counting.tests.support.modules import (
    run_module,
    statuses,
)
from ansible_collections.fedora_infra.dnf_counting.tests.support.raw_day_files import write_raw_day
from ansible_collections.fedora_infra.dnf_counting.tests.support.totals_files import (
    Row,
    write_totals,
)

WEEK = 2699


def compared(folder: Path, old: list[Row], new: list[Row], **options: Any) -> dict[str, Any]:
    before, after = write_totals(folder / "old", old), write_totals(folder / "new", new)
    report = folder / "report" / "differences.csv"
    report.parent.mkdir(exist_ok=True)
    given = {"old_db": before.db, "new_db": after.db, "report": report}
    return run_module("countme_totals_compare", **given, **options)


def causes(folder: Path) -> dict[tuple[str, str, str], str]:
    with (folder / "report" / "differences.csv").open(encoding="utf-8", newline="") as text:
        return {
            (row["os_version"], row["old_hits"], row["new_hits"]): row["likely_cause"]
            for row in csv.DictReader(text)
        }


def test_each_difference_has_its_likely_cause(tmp_path: Path) -> None:
    old = [
        Row(WEEK, 100, os_version="31"),
        Row(WEEK, 100, os_version="32"),
        Row(WEEK, 100, os_version="33"),
        Row(WEEK, 100, os_version="34"),
        Row(WEEK, 100, os_version="35", sys_age=-1),
        Row(WEEK, 7, os_version="36"),
    ]
    new = [
        Row(WEEK, 100, os_version="31"),
        Row(WEEK, 109, os_version="32"),
        Row(WEEK, 50, os_version="33"),
        Row(WEEK, 93, os_version="34"),
        Row(WEEK, 50, os_version="35", sys_age=-1),
        Row(WEEK, 8, os_version="37"),
        Row(WEEK + 1, 5, os_version="31"),
    ]
    result = compared(tmp_path, old, new)
    assert statuses(result) == {
        "2021-W39": "differs",
        "2021-W40": "differs",
        "differences.csv": "made",
    }
    assert (result["changed"], result["differences"]) == (True, 7)
    changed = "log changed since, or in part counted twice by the earlier system"
    assert causes(tmp_path) == {
        ("32", "100", "109"): "late log counted",
        ("33", "100", "50"): "counted twice by the earlier system",
        ("34", "100", "93"): changed,
        ("35", "100", "50"): changed,  # distinct addresses are never counted twice
        ("36", "7", "0"): changed,
        ("37", "0", "8"): "late log counted",
        ("31", "0", "5"): "week not counted by the earlier system",
    }
    week = result["units"][0]
    assert (week["old_rows"], week["new_rows"]) == (6, 6)
    assert (week["old_hits"], week["new_hits"]) == (407, 360)
    assert week["causes"]["late log counted"] == 2
    assert week["reasons"][0].startswith("6 of 6 rows differ (")


def test_what_has_shrunk_is_put_down_to_the_logs_that_are_missing(tmp_path: Path) -> None:
    for day in rotation_days(WEEK)[:6]:
        write_raw_day(tmp_path / "raw", day, [])
    old = [Row(WEEK, 100), Row(WEEK, 100, sys_age=2)]
    new = [Row(WEEK, 50), Row(WEEK, 101, sys_age=2)]
    compared(tmp_path, old, new, raw_dir=tmp_path / "raw")
    assert {*causes(tmp_path).values()} == {
        "log missing (2021-10-03 to 2021-10-04)",
        "late log counted",
    }


def test_a_kind_of_rows_that_was_not_counted_is_told_from_late_logs(tmp_path: Path) -> None:
    compared(tmp_path, [Row(WEEK, 9)], [Row(WEEK, 9), Row(WEEK, 4, sys_age=-1)])
    expected = "rows of this kind not counted by the earlier system"
    assert causes(tmp_path) == {("34", "0", "4"): expected}


def test_equal_totals_are_said_to_be_equal_and_nothing_is_written_twice(tmp_path: Path) -> None:
    rows = [Row(WEEK, 9), Row(WEEK, 4, sys_age=-1)]
    planned = compared(tmp_path, rows, rows, check=True)
    assert statuses(planned) == {"2021-W39": "equal", "differences.csv": "due"}
    assert not list((tmp_path / "report").iterdir())
    first = compared(tmp_path, rows, rows)
    assert (first["changed"], first["differences"]) == (True, 0)
    assert first["units"][0]["reasons"] == ["2 rows, all equal"]
    assert compared(tmp_path, rows, rows)["changed"] is False


def test_hostile_request_values_are_no_formulas_in_the_report(tmp_path: Path) -> None:
    compared(tmp_path, [], [Row(WEEK, 9, os_version="=HYPERLINK(0)", repo_tag='a,"b"\n')])
    assert [*causes(tmp_path)] == [("'=HYPERLINK(0)", "0", "9")]


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    there = write_totals(tmp_path, [Row(WEEK, 1)])
    options = {"old_db": tmp_path / "none.db", "new_db": there.db}
    result = run_module("countme_totals_compare", ok=False, **options)
    assert "none.db: expected a file of totals, found no file" in result["msg"]
