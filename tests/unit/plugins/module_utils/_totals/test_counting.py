"""Counting one week with DuckDB; that it is exact is shown by the parity tests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._base.days_and_weeks import (
    WEEK_SECONDS,
    week_start_timestamp,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._base.errors import (
    SourceError,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._hits.statistics import (
    COUNTME,
    STATISTICS,
    UNIQUE,
    Hits,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._totals.counting import (
    Limits,
    WeekCounter,
    runs_of,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._totals.database import (
    TotalsRow,
)
from ansible_collections.fedora_infra.dnf_counting.tests.support.raw_day_files import (
    Row,
    hit,
    weekly_hits,
    write_raw_day,
)

WEEK = 2699
START = week_start_timestamp(WEEK)


def counted(
    folder: Path, files: Sequence[Sequence[Row]], *, key_hash: str | None = None
) -> list[tuple[Any, ...]]:
    paths = [
        write_raw_day(folder, date(2021, 9, 28 + number), rows) for number, rows in enumerate(files)
    ]
    options = {} if key_hash is None else {"key_hash": lambda _keys: key_hash}
    with WeekCounter(Limits(folder / "spill", workers=1), **options) as counter:
        blocks = counter.count_week(WEEK, paths, STATISTICS)
        return sorted(row for block in blocks for row in block)


def hits_by_age(rows: Sequence[tuple[Any, ...]]) -> dict[str, int]:
    return {row[6]: row[0] for row in rows}


def test_incident_double_count_a_hit_in_two_files_counts_once(tmp_path: Path) -> None:
    same = [hit(START + 90_000), hit(START + 90_030)]
    rows = counted(tmp_path, [same, [*same, hit(START + 90_059)]])
    assert hits_by_age(rows) == {"1": 3, "-1": 1}


def test_an_address_counts_once_a_day_whatever_its_hits(tmp_path: Path) -> None:
    times = [START, START + 86_399, START + 86_400, START + 7 * 86_400 - 1, START + 7 * 86_400]
    rows = counted(tmp_path, [[hit(time, sys_age=-1) for time in times]])
    assert hits_by_age(rows) == {"-1": 3}


def test_a_new_statistic_needs_its_entry_only(tmp_path: Path) -> None:
    """Addresses of a whole week, by age: nothing but a Statistic says how to count them."""
    weekly = replace(
        UNIQUE,
        name="weekly",
        keep=Hits.WITH_COUNTME,
        key=COUNTME.key,
        window_seconds=WEEK_SECONDS,
    )
    times = [START, START + 86_400, START + 2 * 86_400]
    rows = [hit(time, host, sys_age=2) for time in times for host in ("192.0.2.1", "192.0.2.2")]
    rows += [hit(START, "192.0.2.3", sys_age=-1)]
    path = write_raw_day(tmp_path, date(2021, 9, 28), rows)
    with WeekCounter(Limits(tmp_path / "spill", workers=1)) as counter:
        (block,) = [*counter.count_week(WEEK, [path], [weekly])]
    assert hits_by_age(block) == {"2": 2}
    (row,) = block
    assert TotalsRow(*row).repo_tag == "fedora-34"


def test_colliding_numbers_of_keys_change_nothing(tmp_path: Path) -> None:
    rows = [[*weekly_hits(WEEK), hit(START, repo_tag="epel-8"), hit(START, repo_tag="fedora-35")]]
    assert counted(tmp_path / "a", rows, key_hash="7") == counted(tmp_path / "b", rows)


def test_folders_with_patterns_in_their_names_hold_no_patterns(tmp_path: Path) -> None:
    (tmp_path / "2021-09-28.parquet").write_bytes(b"not this one")
    assert counted(tmp_path / "[a-z]*'", [weekly_hits(WEEK)])


def test_a_damaged_raw_day_is_named(tmp_path: Path) -> None:
    rows = [hit(START + n, f"192.0.2.{n % 250}") for n in range(3000)]
    good = write_raw_day(tmp_path, date(2021, 9, 28), rows)
    bad = write_raw_day(tmp_path, date(2021, 9, 29), rows)
    content = bytearray(bad.read_bytes())
    content[4:2000] = b"\xff" * 1996
    bad.write_bytes(content)
    with (
        WeekCounter(Limits(tmp_path / "spill", workers=1)) as counter,
        pytest.raises(SourceError, match=r"2021-09-29\.parquet.*run countme_raw"),
    ):
        list(counter.count_week(WEEK, [good, bad], STATISTICS))


def test_a_raw_day_that_is_a_link_is_refused(tmp_path: Path) -> None:
    target = write_raw_day(tmp_path / "elsewhere", date(2021, 9, 28), weekly_hits(WEEK))
    link = tmp_path / "2021-09-28.parquet"
    link.symlink_to(target)
    with (
        WeekCounter(Limits(tmp_path / "spill", workers=1)) as counter,
        pytest.raises(SourceError, match="a symbolic link"),
    ):
        list(counter.count_week(WEEK, [link], STATISTICS))


def test_incident_polluter_the_largest_address_is_found(tmp_path: Path) -> None:
    rows = [hit(START + n * 7, f"198.51.100.{n % 200}") for n in range(20_000)]
    rows += [hit(START + n * 29, "203.0.113.9") for n in range(5_000)]
    path = write_raw_day(tmp_path, date(2021, 9, 28), rows)
    with WeekCounter(Limits(tmp_path / "spill", workers=1)) as counter:
        assert counter.largest_client(WEEK, [path], at_least=2_000) == 5_000
        assert counter.largest_client(WEEK, [path], at_least=6_000) == 0


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [
        pytest.param([], [], id="none"),
        pytest.param([5], [(5, 5)], id="one"),
        pytest.param([1, 2, 3, 7, 9], [(1, 3), (7, 7), (9, 9)], id="runs"),
        pytest.param([1, 2, 10, 12, 90, 92], [(1, 2), (10, 12), (90, 92)], id="small-gaps-closed"),
    ],
)
def test_runs(numbers: list[int], expected: list[tuple[int, int]]) -> None:
    assert runs_of(numbers, at_most=3) == expected
