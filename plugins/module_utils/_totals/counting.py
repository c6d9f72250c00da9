# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Counting the hits of one week, by DuckDB over the Parquet files of its raw days.

A hit that is in the files of two days (a log rotated late, read twice) counts once. Rows of one
file are distinct already, so only those of minutes that several files have are compared.

Memory is bounded: what does not fit goes to the spill folder, and unique addresses are counted one
day after the other.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

from .._base.days_and_weeks import DAY_SECONDS, WEEK_SECONDS, week_start_timestamp
from .._base.errors import SourceError
from .._base.libs import duckdb
from .._hits.raw_days import COLUMNS
from .._storage.duckdb import Limits, connect, duckdb_errors
from .._storage.files import open_regular

#: What a row of the totals is counted by, apart from the week and sys_age.
_KEY = ("os_name", "os_version", "os_variant", "os_arch", "repo_tag", "repo_arch")
_KEYS = ", ".join(_KEY)
#: Column of the totals that comes before the age, those that come after.
_SYSTEM = ", ".join(f"k.{name}" for name in _KEY[:4])
_REPO = ", ".join(f"k.{name}" for name in _KEY[4:])
_COLUMNS = ", ".join(COLUMNS)
_ROWS_A_BLOCK = 10_000
#: So many ranges of time are told apart at most; usually there is one at each midnight.
_TIME_RUNS = 32
_MORE_MEMORY = "Raise memory_mib, or free some space in the folder of totals_db."


class Counter:
    """A DuckDB of our own, in memory. Use as a context manager."""

    def __init__(self, limits: Limits, *, key_hash: str = f"hash({_KEYS})") -> None:
        """``key_hash`` is the expression that numbers keys; a collision only takes time."""
        self._limits = limits
        self._key_hash = key_hash
        self._connection = connect(limits)

    def __enter__(self) -> Counter:
        return self

    def __exit__(self, *_error: object) -> None:
        self._connection.close()

    def first_unique(self, paths: Sequence[Path]) -> int | None:
        """The time of the first hit without countme in some raw days."""
        with self._files(paths) as raw:
            query = f"SELECT min(timestamp) FROM {raw} WHERE sys_age < 0"  # noqa: S608
            (first,) = self._all(query)[0]
            return None if first is None else int(first)

    def count_week(
        self, week: int, paths: Sequence[Path], *, countme: bool, unique: bool
    ) -> Iterator[list[tuple[Any, ...]]]:
        """The rows of the totals for a week, in blocks, in no order.

        Raises SourceError naming a damaged raw day, OutputError where memory or disk don't suffice.
        """
        start = week_start_timestamp(week)
        with self._files(paths) as raw:
            self._count_keys(raw, start, several=len(paths) > 1)
            if countme:
                yield from self._blocks(
                    f"SELECT hits, '{week:d}', {_SYSTEM}, sys_age::VARCHAR, {_REPO} "  # noqa: S608
                    "FROM counted k WHERE sys_age >= 0"
                )
            if unique:
                yield from self._unique_rows(week, raw, start)

    def largest_client(self, week: int, paths: Sequence[Path], *, at_least: int) -> int:
        """How many hits with countme came from the one address that sent the most.

        0 where none sent ``at_least`` so many. Addresses are found in a sample of the seconds: one
        that sends a share worth looking at can't hide, as its hits within a second are few.
        """
        within = f"sys_age >= 0 AND {_within(week_start_timestamp(week), WEEK_SECONDS)}"
        with self._files(paths) as raw:
            sampled = self._all(
                f"SELECT host, count(*) FROM {raw} WHERE {within} AND timestamp % 61 = 7 "  # noqa: S608
                f"GROUP BY host HAVING count(*) >= {at_least // 61 // 2:d} "
                "ORDER BY count(*) DESC LIMIT 5"
            )
            if not sampled:
                return 0
            hosts = [host for host, _hits in sampled]
            counts = self._all(
                f"SELECT count(*) FROM {raw} WHERE {within} AND list_contains(?::VARCHAR[], host) "  # noqa: S608
                "GROUP BY host",
                [hosts],
            )
            return max((hits for (hits,) in counts if hits >= at_least), default=0)

    def _count_keys(self, raw: str, start: int, *, several: bool) -> None:
        """Make the table of all keys of a week, by age, with their hits where they have one."""
        within = _within(start, WEEK_SECONDS)
        shared = self._shared_times(raw, f"sys_age >= 0 AND {within}") if several else "false"
        # what is in one file only needs no comparing, and no address or time
        twice = f"sys_age >= 0 AND ({shared})"
        self._run(
            "CREATE OR REPLACE TEMP TABLE counted AS "  # noqa: S608
            f"SELECT sum(hits)::BIGINT AS hits, sys_age, {_KEYS} FROM ("
            f"SELECT count(*) AS hits, sys_age, {_KEYS} FROM {raw} "
            f"WHERE {within} AND NOT ({twice}) GROUP BY ALL UNION ALL "
            f"SELECT count(*) AS hits, sys_age, {_KEYS} FROM (SELECT DISTINCT {_COLUMNS} "
            f"FROM {raw} WHERE {within} AND {twice}) GROUP BY ALL) GROUP BY ALL"
        )

    def _shared_times(self, raw: str, within: str) -> str:
        """A condition that holds for all times that hits of more than one file have."""
        minutes = self._all(
            "SELECT minute FROM (SELECT DISTINCT filename, timestamp // 60 AS minute "  # noqa: S608
            f"FROM {raw} WHERE {within}) GROUP BY minute HAVING count(*) > 1 ORDER BY minute"
        )
        runs = runs_of([minute for (minute,) in minutes], at_most=_TIME_RUNS)
        tests = [f"timestamp BETWEEN {a * 60:d} AND {b * 60 + 59:d}" for a, b in runs]
        return " OR ".join(tests) or "false"

    def _unique_rows(self, week: int, raw: str, start: int) -> Iterator[list[tuple[Any, ...]]]:
        # a number for each of the few keys: comparing their six texts takes twice the time
        self._run(
            f"CREATE OR REPLACE TEMP TABLE keys AS SELECT {self._key_hash} AS id, * FROM "  # noqa: S608
            f"(SELECT DISTINCT {_KEYS} FROM counted)"
        )
        numbered = f"SELECT host, {self._key_hash} AS id FROM {raw}"  # noqa: S608
        (collision,) = self._all("SELECT count(DISTINCT id) < count(*) FROM keys")[0]
        if collision:
            renumber = "CREATE OR REPLACE TEMP TABLE keys AS SELECT rowid AS id, * EXCLUDE (id)"
            self._run(f"{renumber} FROM keys")
            numbered = f"SELECT host, id FROM {raw} JOIN keys USING ({_KEYS})"  # noqa: S608
        self._run("CREATE OR REPLACE TEMP TABLE found AS SELECT id, 0 AS hits FROM keys LIMIT 0")
        for day in range(7):
            within = _within(start + day * DAY_SECONDS, DAY_SECONDS)
            self._run(
                "INSERT INTO found SELECT id, count(*) "  # noqa: S608
                f"FROM (SELECT DISTINCT host, id FROM ({numbered} WHERE {within})) GROUP BY id"
            )
        yield from self._blocks(
            f"SELECT sum(hits)::BIGINT, '{week:d}', {_SYSTEM}, '-1', {_REPO} "  # noqa: S608
            "FROM found JOIN keys k USING (id) GROUP BY ALL"
        )

    def _all(self, query: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        rows: list[tuple[Any, ...]] = self._connection.execute(query, list(values)).fetchall()
        return rows

    def _run(self, query: str) -> None:
        self._connection.execute(query)

    def _blocks(self, query: str) -> Iterator[list[tuple[Any, ...]]]:
        result = self._connection.execute(query)
        while block := result.fetchmany(_ROWS_A_BLOCK):
            yield block

    @contextlib.contextmanager
    def _files(self, paths: Sequence[Path]) -> Iterator[str]:
        """The raw days as a table for queries; held open, so that they stay as they are now.

        Descriptors instead of names: no name is ever taken for a pattern, no link followed.
        """
        with contextlib.ExitStack() as stack:
            files = {path: stack.enter_context(open_regular(path)) for path in paths}
            names = {path: f"/proc/self/fd/{file.fileno()}" for path, file in files.items()}
            explain = partial(self._damaged_day, names)
            with duckdb_errors(self._limits, explain, more_memory=_MORE_MEMORY):
                yield _table(list(names.values()))

    def _damaged_day(self, names: dict[Path, str], found: str) -> SourceError:
        damaged = [path for path, name in names.items() if not self._is_sound(name)]
        return SourceError(
            damaged[0] if damaged else next(iter(names)).parent,
            expected="whole raw days",
            found=found,
            advice="Remove that file and run countme_raw: it is made again from the combined log.",
        )

    def _is_sound(self, name: str) -> bool:
        query = f"SELECT bit_xor(hash({_COLUMNS})) FROM {_table([name])}"  # noqa: S608
        try:
            self._connection.execute(query)
        except duckdb.Error:
            return False
        return True


def runs_of(numbers: Sequence[int], *, at_most: int) -> list[tuple[int, int]]:
    """Ascending numbers as (first, last) of runs; with more than ``at_most``, gaps are closed.

    The widest gaps stay, so that the runs hold few numbers that were not given.
    """
    gaps = sorted(
        (b - a, index) for index, (a, b) in enumerate(pairwise(numbers), start=1) if b - a > 1
    )
    cuts = sorted(index for _width, index in gaps[max(0, len(gaps) - at_most + 1) :])
    starts = [0, *cuts] if numbers else []
    ends = [*cuts, len(numbers)]
    return [(numbers[a], numbers[b - 1]) for a, b in zip(starts, ends, strict=False)]


def _table(names: Sequence[str]) -> str:
    quoted = ", ".join(f"'{name}'" for name in names)
    return f"read_parquet([{quoted}], filename = true, hive_partitioning = false)"


def _within(start: int, seconds: int) -> str:
    return f"timestamp >= {start:d} AND timestamp < {start + seconds:d}"
