# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The count of the hits of one week, by DuckDB over the Parquet files of its raw days.

A hit can be in the files of two days, if a log was rotated late and read twice. It counts once. The
rows of one file are distinct already. Only rows of minutes that are in several files are compared.

Memory is bounded. Data that does not fit into memory goes to the spill folder. Unique addresses are
counted one day after the other.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any, Self

from .._base.days_and_weeks import WEEK_SECONDS, week_start_timestamp
from .._base.errors import SourceError
from .._base.libs import duckdb
from .._hits.raw_days import COLUMNS
from .._hits.statistics import COUNTME, STATISTICS, Counted, Statistic
from .._storage.duckdb import Limits, connect, duckdb_errors
from .._storage.files import open_regular

_COLUMNS = ", ".join(COLUMNS)
#: All columns that the key of a statistic may have.
_KEY = ("os_name", "os_version", "os_variant", "os_arch", "sys_age", "repo_tag", "repo_arch")
_KEYS = ", ".join(_KEY)
_ROWS_A_BLOCK = 10_000
#: The highest number of separate ranges of time in which files overlap. Usually there is one range
#: at each midnight.
_TIME_RANGES = 32
#: The sample for the largest client takes one second of this number of seconds.
_SAMPLE_SECONDS = 61
_MORE_MEMORY = "Raise memory_mib, or free some space in the folder of totals_db."


class WeekCounter:
    """Count weeks with a DuckDB in memory. Use it as a context manager."""

    def __init__(
        self, limits: Limits, *, key_hash: Callable[[str], str] = "hash({})".format
    ) -> None:
        """Open a DuckDB in memory with these limits.

        ``key_hash`` returns the SQL expression that numbers keys. A collision only costs time.
        """
        self._limits = limits
        self._key_hash = key_hash
        self._connection = connect(limits)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._connection.close()

    def first_seen(self, statistic: Statistic, paths: Sequence[Path]) -> int | None:
        """Return the time of the first hit in raw days that shows a statistic is collected."""
        with self._files(paths) as raw:
            query = f"SELECT min(timestamp) FROM {raw} WHERE {statistic.seen_by.value}"  # noqa: S608
            (first,) = self._all(query)[0]
            return None if first is None else int(first)

    def count_week(
        self, week: int, paths: Sequence[Path], statistics: Collection[Statistic]
    ) -> Iterator[list[tuple[Any, ...]]]:
        """Yield the rows of the totals for a week in blocks, in no order.

        Raises SourceError with the path of a damaged raw day. Raises OutputError if memory or disk
        space are not sufficient.
        """
        start = week_start_timestamp(week)
        with self._files(paths) as raw:
            self._count_keys(raw, start, several=len(paths) > 1)
            for one in statistics:
                if one.counted is Counted.HITS:
                    yield from self._hit_rows(one, week)
                else:
                    yield from self._address_rows(one, week, raw, start)

    def largest_client(self, week: int, paths: Sequence[Path], *, at_least: int) -> int:
        """Return the number of countme hits from the address that sent the most.

        Return 0 if no address sent ``at_least`` hits. Addresses are found in a sample of the
        seconds. An address with a notable share of the hits is always found, because it has only
        few hits in one second.
        """
        within = f"{COUNTME.keep.value} AND {_within(week_start_timestamp(week), WEEK_SECONDS)}"
        with self._files(paths) as raw:
            sampled = self._all(
                f"SELECT host, count(*) FROM {raw} WHERE {within} "  # noqa: S608
                f"AND timestamp % {_SAMPLE_SECONDS} = 7 "
                f"GROUP BY host HAVING count(*) >= {at_least // _SAMPLE_SECONDS // 2:d} "
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
        """Create the table of all keys of a week, with the number of their hits.

        The number is exact for hits that a statistic of STATISTICS counts one by one.
        """
        within = _within(start, WEEK_SECONDS)
        counted = _any_of(one.keep.value for one in STATISTICS if one.counted is Counted.HITS)
        shared = self._shared_times(raw, f"{counted} AND {within}") if several else "false"
        # Hits that are in one file only are distinct already, so address and time are not compared.
        twice = f"{counted} AND ({shared})"
        self._run(
            "CREATE OR REPLACE TEMP TABLE counted AS "  # noqa: S608
            f"SELECT sum(hits)::BIGINT AS hits, {_KEYS} FROM ("
            f"SELECT count(*) AS hits, {_KEYS} FROM {raw} "
            f"WHERE {within} AND NOT ({twice}) GROUP BY ALL UNION ALL "
            f"SELECT count(*) AS hits, {_KEYS} FROM (SELECT DISTINCT {_COLUMNS} "
            f"FROM {raw} WHERE {within} AND {twice}) GROUP BY ALL) GROUP BY ALL"
        )

    def _shared_times(self, raw: str, within: str) -> str:
        """Return an SQL condition that is true for all times at which several files have hits."""
        minutes = self._all(
            "SELECT minute FROM (SELECT DISTINCT filename, timestamp // 60 AS minute "  # noqa: S608
            f"FROM {raw} WHERE {within}) GROUP BY minute HAVING count(*) > 1 ORDER BY minute"
        )
        runs = runs_of([minute for (minute,) in minutes], at_most=_TIME_RANGES)
        return _any_of(f"timestamp BETWEEN {a * 60:d} AND {b * 60 + 59:d}" for a, b in runs)

    def _hit_rows(self, statistic: Statistic, week: int) -> Iterator[list[tuple[Any, ...]]]:
        yield from self._blocks(
            f"SELECT sum(hits)::BIGINT, '{week:d}', {_key_cells(statistic)} "  # noqa: S608
            f"FROM counted k WHERE {statistic.keep.value} GROUP BY ALL"
        )

    def _address_rows(
        self, statistic: Statistic, week: int, raw: str, start: int
    ) -> Iterator[list[tuple[Any, ...]]]:
        # A number replaces the key, because comparing its texts takes twice the time.
        keys = ", ".join(statistic.key)
        number = self._key_hash(keys)
        keep = statistic.keep.value
        self._run(
            f"CREATE OR REPLACE TEMP TABLE keys AS SELECT {number} AS id, * FROM "  # noqa: S608
            f"(SELECT DISTINCT {keys} FROM counted WHERE {keep})"
        )
        numbered = f"SELECT host, {number} AS id FROM {raw}"  # noqa: S608
        (collision,) = self._all("SELECT count(DISTINCT id) < count(*) FROM keys")[0]
        if collision:
            renumber = "CREATE OR REPLACE TEMP TABLE keys AS SELECT rowid AS id, * EXCLUDE (id)"
            self._run(f"{renumber} FROM keys")
            numbered = f"SELECT host, id FROM {raw} JOIN keys USING ({keys})"  # noqa: S608
        self._run("CREATE OR REPLACE TEMP TABLE found AS SELECT id, 0 AS hits FROM keys LIMIT 0")
        for window in range(start, start + WEEK_SECONDS, statistic.window_seconds):
            within = f"{keep} AND {_within(window, statistic.window_seconds)}"
            self._run(
                "INSERT INTO found SELECT id, count(*) "  # noqa: S608
                f"FROM (SELECT DISTINCT host, id FROM ({numbered} WHERE {within})) GROUP BY id"
            )
        yield from self._blocks(
            f"SELECT sum(hits)::BIGINT, '{week:d}', {_key_cells(statistic)} "  # noqa: S608
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
        """Open the raw days and yield them as an SQL table.

        The files stay open, so that their content stays as it is now. The query uses file
        descriptors instead of names. DuckDB thus expands no name as a pattern, and follows no link.
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
    """Return the runs of ascending numbers as (first, last), at most ``at_most`` of them.

    If there are more runs, the narrowest gaps are closed. The widest gaps stay, so that the runs
    contain few numbers that were not given.
    """
    gaps = sorted(
        (b - a, index) for index, (a, b) in enumerate(pairwise(numbers), start=1) if b - a > 1
    )
    cuts = sorted(index for _width, index in gaps[max(0, len(gaps) - at_most + 1) :])
    starts = [0, *cuts] if numbers else []
    ends = [*cuts, len(numbers)]
    return [(numbers[a], numbers[b - 1]) for a, b in zip(starts, ends, strict=False)]


def _key_cells(statistic: Statistic) -> str:
    """Return the SQL for the cells of a row of the totals after the hits and the week."""
    cells = {name: f"k.{name}::VARCHAR" for name in statistic.key}
    return ", ".join(cells.get(name, f"'{statistic.mark}'") for name in _KEY)


def _any_of(conditions: Iterable[str]) -> str:
    return f"({' OR '.join(conditions) or 'false'})"


def _table(names: Sequence[str]) -> str:
    quoted = ", ".join(f"'{name}'" for name in names)
    return f"read_parquet([{quoted}], filename = true, hive_partitioning = false)"


def _within(start: int, seconds: int) -> str:
    return f"timestamp >= {start:d} AND timestamp < {start + seconds:d}"
