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
import errno
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ._calendar import DAY_SECONDS, WEEK_SECONDS, week_start_timestamp
from ._errors import CountingError, OutputError, SourceError, shown
from ._files import open_regular, write_error
from ._libs import duckdb
from ._raw_days import COLUMNS

#: What a row of the totals is counted by, apart from the week and sys_age.
_KEY = ("os_name", "os_version", "os_variant", "os_arch", "repo_tag", "repo_arch")
_KEYS = ", ".join(_KEY)
#: Column of the totals that comes before the age, those that come after.
_SYSTEM = ", ".join(f"k.{name}" for name in _KEY[:4])
_REPO = ", ".join(f"k.{name}" for name in _KEY[4:])
_ROWS_A_BLOCK = 10_000

_SETTINGS = {
    # nothing is ever fetched or loaded, and no setting of the user's home is read
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "allow_community_extensions": "false",
    "allow_persistent_secrets": "false",
    # files are given by descriptors, whose numbers come back for other files
    "enable_external_file_cache": "false",
    "preserve_insertion_order": "false",
}


class Limits(NamedTuple):
    """What a count may use."""

    spill_dir: Path
    """A folder of its own; there is room for the hits of a day."""
    memory_mib: int = 768
    workers: int = 0
    """Threads; 0 for one per processor."""


class Counter:
    """A DuckDB of our own, in memory. Use as a context manager."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        config = {
            **_SETTINGS,
            "memory_limit": f"{limits.memory_mib}MiB",
            "temp_directory": str(limits.spill_dir),
            **({"threads": str(limits.workers)} if limits.workers else {}),
        }
        self._connection = duckdb.connect(":memory:", config=config)

    def __enter__(self) -> Counter:
        return self

    def __exit__(self, *_error: object) -> None:
        self._connection.close()

    def first_unique(self, paths: Sequence[Path]) -> int | None:
        """The time of the first hit without countme in some raw days."""
        with self._files(paths) as raw:
            query = f"SELECT min(timestamp) FROM {raw} WHERE sys_age < 0"  # noqa: S608
            first = self._connection.execute(query).fetchone()[0]
            return None if first is None else int(first)

    def count_week(
        self, week: int, paths: Sequence[Path], *, countme: bool, unique: bool
    ) -> Iterator[list[tuple[Any, ...]]]:
        """The rows of the totals for a week, in blocks, in no order.

        Raises SourceError naming a damaged raw day, OutputError where memory or disk don't suffice.
        """
        start = week_start_timestamp(week)
        with self._files(paths) as raw:
            if countme:
                yield from self._countme_rows(week, raw, start, several=len(paths) > 1)
            if unique:
                yield from self._unique_rows(week, raw, start)

    def largest_client(self, week: int, paths: Sequence[Path]) -> int:
        """About how many hits with countme came from the one address that sent the most."""
        start = week_start_timestamp(week)
        where = f"sys_age >= 0 AND {_within(start, WEEK_SECONDS)}"
        with self._files(paths) as raw:
            likely = self._connection.execute(
                f"SELECT approx_top_k(host, 10) FROM {raw} WHERE {where}"  # noqa: S608
            ).fetchone()[0]
            counts = self._connection.execute(
                f"SELECT count(*) FROM {raw} WHERE {where} AND host IN "  # noqa: S608
                "(SELECT unnest(?::VARCHAR[])) GROUP BY host",
                [likely or []],
            ).fetchall()
            return max((int(count) for (count,) in counts), default=0)

    def _countme_rows(
        self, week: int, raw: str, start: int, *, several: bool
    ) -> Iterator[list[tuple[Any, ...]]]:
        within = _within(start, WEEK_SECONDS)
        if several:
            self._run(
                "CREATE OR REPLACE TEMP TABLE shared AS SELECT minute FROM (SELECT DISTINCT "  # noqa: S608
                f"filename, timestamp // 60 AS minute FROM {raw} WHERE sys_age >= 0 AND {within}) "
                "GROUP BY minute HAVING count(*) > 1"
            )
            several = self._connection.execute("SELECT count(*) FROM shared").fetchone()[0] > 0
        columns = ", ".join(COLUMNS)
        of_week = f"FROM {raw} r WHERE sys_age >= 0 AND {within}"
        hits = f"SELECT {columns} {of_week}"
        if several:
            in_several = "EXISTS (SELECT 1 FROM shared WHERE minute = r.timestamp // 60)"
            hits = (
                f"SELECT {columns} {of_week} AND NOT {in_several} UNION ALL "
                f"SELECT DISTINCT {columns} {of_week} AND {in_several}"
            )
        yield from self._blocks(
            f"SELECT count(*), '{week:d}', {_SYSTEM}, sys_age::VARCHAR, {_REPO} "  # noqa: S608
            f"FROM ({hits}) k GROUP BY ALL"
        )

    def _unique_rows(self, week: int, raw: str, start: int) -> Iterator[list[tuple[Any, ...]]]:
        # distinct addresses by a number for each of the few keys: a third of the time that the
        # six texts take
        self._run(
            "CREATE OR REPLACE TEMP TABLE keys AS SELECT row_number() OVER () AS id, * FROM "  # noqa: S608
            f"(SELECT DISTINCT {_KEYS} FROM {raw} WHERE {_within(start, WEEK_SECONDS)})"
        )
        self._run("CREATE OR REPLACE TEMP TABLE found (id BIGINT, hits BIGINT)")
        for day in range(7):
            within = _within(start + day * DAY_SECONDS, DAY_SECONDS)
            self._run(
                "INSERT INTO found SELECT id, count(*) FROM (SELECT DISTINCT host, id "  # noqa: S608
                f"FROM {raw} r JOIN keys USING ({_KEYS}) WHERE {within}) GROUP BY id"
            )
        yield from self._blocks(
            f"SELECT sum(hits)::BIGINT, '{week:d}', {_SYSTEM}, '-1', {_REPO} "  # noqa: S608
            "FROM found JOIN keys k USING (id) GROUP BY ALL"
        )

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
            try:
                yield _table(list(names.values()))
            except duckdb.Error as error:
                raise self._explained(error, names) from error

    def _explained(self, error: Exception, names: dict[Path, str]) -> CountingError:
        if "No space left" in str(error):
            return write_error(self._limits.spill_dir, OSError(errno.ENOSPC, str(error)))
        if isinstance(error, duckdb.OutOfMemoryException):
            return OutputError(
                "option memory_mib",
                expected="enough memory and room to spill",
                found=shown(str(error)),
                advice="Raise memory_mib, or free some space in the folder of totals_db.",
            )
        damaged = [path for path, name in names.items() if not self._is_sound(name)]
        return SourceError(
            damaged[0] if damaged else next(iter(names)).parent,
            expected="whole raw days",
            found=shown(str(error)),
            advice="Remove that file and run countme_raw: it is made again from the combined log.",
        )

    def _is_sound(self, name: str) -> bool:
        query = f"SELECT bit_xor(hash({', '.join(COLUMNS)})) FROM {_table([name])}"  # noqa: S608
        try:
            self._connection.execute(query)
        except duckdb.Error:
            return False
        return True


def _table(names: Sequence[str]) -> str:
    quoted = ", ".join(f"'{name}'" for name in names)
    return f"read_parquet([{quoted}], filename = true, hive_partitioning = false)"


def _within(start: int, seconds: int) -> str:
    return f"timestamp >= {start:d} AND timestamp < {start + seconds:d}"
