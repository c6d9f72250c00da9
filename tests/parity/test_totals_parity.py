"""Totals equal, row by row, those of the tools that are replaced."""

from __future__ import annotations

import csv
import io
import lzma
import sqlite3
import tempfile
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._totals.plan import (
    TotalsSettings,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._totals.stage import TOTALS
from ansible_collections.fedora_infra.dnf_counting.tests.support.raw_day_files import (
    Row,
    by_rotation_day,
    hit,
    write_raw_day,
    write_raw_days,
)
from ansible_collections.fedora_infra.dnf_counting.tests.support.stages import outcome_of
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

GOLDEN = Path(__file__).parents[1] / "data" / "golden" / "expected"
NOW = datetime(2021, 10, 14, tzinfo=UTC)


@pytest.fixture(scope="module")
def golden_rows() -> list[Row]:
    with lzma.open(GOLDEN / "raw.csv.xz") as packed:
        lines = csv.reader(io.TextIOWrapper(packed, "utf-8", newline=""))
        next(lines)
        return [(int(r[0]), *r[1:6], int(r[6]), *r[7:]) for r in lines]  # type: ignore[misc]


def sorted_rows(path: Path) -> list[bytes]:
    """The rows as they are written; line ends within quotes don't end a row."""
    rows: list[bytes] = []
    for line in path.read_bytes().split(b"\r\n"):
        if rows and rows[-1].count(b'"') % 2:
            rows[-1] += b"\r\n" + line
        else:
            rows.append(line)
    return sorted(rows)


def totals_settings(folder: Path, **options: Any) -> TotalsSettings:
    return TotalsSettings(
        raw_dir=folder / "raw",
        totals_db=folder / "totals.db",
        totals_csv=folder / "totals.csv",
        now=NOW,
        workers=1,
        **options,
    )


def test_golden_totals_in_one_go(tmp_path: Path, golden_rows: list[Row]) -> None:
    write_raw_days(tmp_path / "raw", golden_rows)
    outcome_of(TOTALS, totals_settings(tmp_path))
    assert sorted_rows(tmp_path / "totals.csv") == sorted_rows(GOLDEN / "totals.csv")


def test_golden_totals_day_by_day(tmp_path: Path, golden_rows: list[Row]) -> None:
    """The log of each day comes in its turn, and two come late."""
    days = sorted(by_rotation_day(golden_rows).items())
    late = [days.pop(3), days.pop(8)]
    for day, rows in [*days, *late]:
        write_raw_day(tmp_path / "raw", day, rows)
        outcome_of(TOTALS, totals_settings(tmp_path))
    assert sorted_rows(tmp_path / "totals.csv") == sorted_rows(GOLDEN / "totals.csv")


# The oracle. Rows may lie in the file of any day, and in several.

totals = pytest.importorskip("mirrors_countme.totals").totals

FIRST_DAY = date(2020, 2, 4)
WEEK_2614 = 345600 + 2614 * 604800
Placed = tuple[Row, frozenset[int]]
"""A hit and the numbers of the days in whose files it is."""


def oracle_totals(folder: Path, rows: Sequence[Row]) -> list[bytes]:
    raw, database = folder / "oracle-raw.db", folder / "oracle.db"
    with sqlite3.connect(raw) as connection:
        connection.execute(
            "CREATE TABLE countme_raw (timestamp INTEGER NOT NULL, host TEXT NOT NULL, os_name TEXT"
            " NOT NULL, os_version TEXT NOT NULL, os_variant TEXT NOT NULL, os_arch TEXT NOT NULL,"
            " sys_age INTEGER NOT NULL, repo_tag TEXT NOT NULL, repo_arch TEXT NOT NULL)"
        )
        connection.executemany(
            "INSERT INTO countme_raw VALUES (?,?,?,?,?,?,?,?,?)", dict.fromkeys(rows)
        )
    connection.close()
    with (folder / "oracle.csv").open("w", encoding="utf-8", newline="") as out:
        totals(countme_totals=str(database), countme_raw=str(raw), csv_dump=out)
    return sorted_rows(folder / "oracle.csv")


def write_placed(raw_dir: Path, placed: Sequence[Placed], days: Sequence[int]) -> None:
    for number in days:
        rows = [row for row, numbers in placed if number in numbers]
        write_raw_day(raw_dir, FIRST_DAY + timedelta(days=number), rows)


def our_totals(folder: Path) -> list[bytes]:
    """An empty CSV file where nothing is counted yet, as the oracle's."""
    csv_file = folder / "totals.csv"
    if not csv_file.exists():
        csv_file.write_bytes((GOLDEN / "totals.csv").read_bytes().split(b"\n")[0] + b"\n")
    return sorted_rows(csv_file)


DAYS = range(16)
TIMES = st.one_of(
    st.integers(WEEK_2614 - 8 * 86400, WEEK_2614 + 30 * 86400),
    st.builds(
        lambda week, offset: WEEK_2614 + week * 604800 + offset,
        st.integers(-1, 4),
        st.sampled_from([-601, -600, -1, 0, 1, 599, 600, 601, 86399, 86400]),
    ),
    st.sampled_from([-(10**9), -1, 0, 345599, 345600, 345601, 10**9]),
)
TEXTS = st.one_of(
    st.sampled_from(["", "Fedora", "fedora-34", 'a "quoted", one', "line\nend\r", "\r\n", "=1+1"]),
    st.text(max_size=4),
    st.sampled_from(["\0", "a\0b", " ", "ä", "\U0001f600", "'; DROP TABLE countme_totals; --"]),
)
ROWS: st.SearchStrategy[Row] = st.tuples(
    TIMES,
    st.sampled_from(["192.0.2.1", "192.0.2.2", "2001:db8::1"]),
    TEXTS,
    st.sampled_from(["", "34"]),
    st.sampled_from(["", "workstation"]),
    st.sampled_from(["", "x86_64"]),
    st.one_of(st.integers(-2, 5), st.sampled_from([-(2**63), 2**63 - 1])),
    TEXTS,
    st.sampled_from(["", "x86_64"]),
)
PLACED = st.lists(
    st.tuples(ROWS, st.frozensets(st.sampled_from(DAYS), min_size=1, max_size=2)), max_size=30
)
BEFORE, AFTER = frozenset({7}), frozenset({14})
over = (hit(WEEK_2614 + 604800 + 601), AFTER), (hit(WEEK_2614 + 604800 + 601, sys_age=-1), AFTER)

examples: list[list[Placed]] = [
    [],
    [(hit(WEEK_2614), BEFORE), *over],  # countme alone in a week before the first unique hit
    [(hit(WEEK_2614, sys_age=-1), BEFORE), *over],  # unique addresses alone
    [(hit(WEEK_2614), BEFORE), (hit(-5, sys_age=-1), BEFORE), *over],
    [(hit(WEEK_2614), BEFORE | AFTER), *over],  # a hit in two files
    [(hit(WEEK_2614, sys_age=-7), BEFORE), *over],
    [(hit(WEEK_2614), BEFORE), over[0]],  # over for one kind only
    [(hit(WEEK_2614), BEFORE), over[1]],
    [(hit(WEEK_2614), BEFORE), (hit(2 * 10**9), BEFORE), (hit(2 * 10**9, sys_age=-1), BEFORE)],
]


def with_examples(test: Callable[..., None]) -> Callable[..., None]:
    for placed in examples:
        test = example(placed=placed, order=list(DAYS))(test)
    return test


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@with_examples
@given(placed=PLACED, order=st.permutations(DAYS))
def test_totals_equal_those_of_the_oracle_in_whatever_order_days_come(
    placed: list[Placed], order: list[int]
) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        expected = oracle_totals(folder, [row for row, _numbers in placed])
        for part in (order[:9], order[9:12], order[12:]):
            write_placed(folder / "raw", placed, part)
            outcome_of(TOTALS, totals_settings(folder, revise_weeks=10_000))
        assert our_totals(folder) == expected
