# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write a raw day of any size in bounded memory, with each distinct hit once.

A combined log is in order of time, except for small steps back. Therefore duplicates are close to
each other. The writer holds hits until no hit of the same age is expected, and then writes them
without duplicates. Late hits come from an unsorted log or a corrupt date. The writer puts them into
another file, and at the end compares them with all written hits.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeAlias

from .._base.days_and_weeks import LOG_JITTER_SECONDS, WEEK_0_START, WEEK_SECONDS, week_of
from .._base.errors import OutputError
from .._base.libs import np, pa, pq
from .._daily.writer import DayWriter, open_parquet
from .._storage.duckdb import Limits, connect, duckdb_errors
from .fast_path import BlockHits
from .host_hash import HashHosts
from .raw_days import COLUMNS, raw_schema
from .row_groups import HitGroup, join
from .statistics import STATISTICS

#: The number of hits per row group. It is large enough for good compression, and small enough to
#: write a group while other hits are read.
GROUP_ROWS = 128 << 10
#: If more groups than this are held, all held hits are written, regardless of the order of their
#: times. They take some 200 MB.
_HELD_GROUPS = 32
#: The quantile of the times of a group that counts as its newest time. A few corrupt dates do not
#: change this quantile.
_NEWEST = 0.99


@dataclass
class HitSummary:
    """A summary of the hits of a raw day. Times are in Unix seconds, UTC."""

    rows: int = 0
    weeks: Counter[int] = field(default_factory=Counter)
    """The number of rows, by number of the week."""
    first: int | None = None
    last: int | None = None
    last_seen: dict[str, int | None] = field(
        default_factory=lambda: {one.name: None for one in STATISTICS}
    )
    """The time of the last hit in ``seen_by`` of a statistic, by the name of the statistic.

    The hit shows that the statistic is collected.
    """

    def add(self, table: Any) -> None:
        """Add the rows of a table or record batch to the summary."""
        timestamp, sys_age = table["timestamp"].to_numpy(), table["sys_age"].to_numpy()
        if not len(timestamp):
            return
        self.rows += len(timestamp)
        lowest = int(timestamp.min())
        self.first = lowest if self.first is None else min(self.first, lowest)
        self.last = _later(self.last, timestamp)
        if week_of(lowest) == week_of(int(timestamp.max())):
            self.weeks[week_of(lowest)] += len(timestamp)
        else:
            weeks = (timestamp - WEEK_0_START) // WEEK_SECONDS
            found, rows = np.unique(weeks, return_counts=True)
            self.weeks.update(dict(zip(found.tolist(), rows.tolist(), strict=True)))
        for one in STATISTICS:
            seen = timestamp[one.seen_by.mask(sys_age)]
            self.last_seen[one.name] = _later(self.last_seen[one.name], seen)

    def to_record(self) -> dict[str, Any]:
        """Return the summary as fields of a raw day's record."""
        return {**vars(self), "weeks": dict(sorted(self.weeks.items()))}


def _later(known: int | None, timestamp: Any) -> int | None:
    if not len(timestamp):
        return known
    highest = int(timestamp.max())
    return highest if known is None else max(known, highest)


#: Hits in the two forms that a writer takes.
HitsAdded: TypeAlias = "HitGroup | BlockHits"


class RawDayWriter(DayWriter[HitsAdded, HitSummary]):
    """A writer of a raw day from blocks of hits."""

    def __init__(
        self, path: Path, *, group_rows: int = GROUP_ROWS, hash_hosts: HashHosts | None = None
    ) -> None:
        super().__init__(path, HitSummary(), flush_at_rows=group_rows)
        self._group_rows = group_rows
        self._hash_hosts = hash_hosts
        self._complete_through: int | None = None
        self._late_path = self.temporary_path("late")
        self._late_file: Any = None

    def parquet_writer(self, path: Path) -> Any:
        return open_parquet(
            path,
            _coded_schema(),
            use_dictionary=[name for name in COLUMNS if name != "timestamp"],
            column_encoding={"timestamp": "DELTA_BINARY_PACKED"},
            # Statistics of other columns help no query, and would take two fifths of the time.
            write_statistics=["timestamp", "sys_age"],
        )

    def flush(self) -> None:
        """Write the held hits except the newest. Duplicates of the newest may still come."""
        group = join(self.take_held()).distinct()
        bound = int(np.quantile(group.timestamp, _NEWEST)) - LOG_JITTER_SECONDS
        if len(group) > _HELD_GROUPS * self._group_rows:
            bound = int(group.timestamp.max())
        ready = group.timestamp <= bound
        self.hold(group.rows(~ready))
        self.flush_at_rows = self.held_rows + max(self.held_rows, self._group_rows)
        self._write_group(group.rows(ready))
        if self._complete_through is None or bound > self._complete_through:
            self._complete_through = bound

    def write_rest(self) -> None:
        """Write the held hits, and the late hits that are not in the file yet."""
        if self.held:
            self._write_group(join(self.take_held()).distinct())
        if self._late_file is not None:
            self._merge_late()

    def _write_group(self, group: HitGroup) -> None:
        if self._complete_through is not None:
            late = group.timestamp <= self._complete_through
            if late.any():
                self._write_late(group.rows(late))
                group = group.rows(~late)
        parts = max(1, round(len(group) / self._group_rows))
        cuts = [len(group) * number // parts for number in range(parts + 1)]
        for start, end in pairwise(cuts):
            self.write(self._table(group.part(start, end)))

    def _write_late(self, group: HitGroup) -> None:
        if self._late_file is None:
            self._late_file = self.open_file(self._late_path)
        self._late_file.write_table(self._table(group))

    def _table(self, group: HitGroup) -> Any:
        table = group.to_table()
        if self._hash_hosts is not None:
            hosts = self._hash_hosts(group.host, group.timestamp)
            table = table.set_column(1, "host", hosts)
        return table

    def _merge_late(self) -> None:
        """Write the file again, with the late hits that it does not have yet."""
        self._late_file.close()
        self.file.close()
        timely_path = self.temporary_path("timely")
        self.path.replace(timely_path)
        self.file = self.open_file(self.path)
        timely = pq.ParquetFile(timely_path)
        for number in range(timely.num_row_groups):
            # The summary already includes these rows.
            self.file.write_table(timely.read_row_group(number).cast(_coded_schema()))
        for batch in _new_hits(timely_path, self._late_path, self.limits):
            self.write(pa.Table.from_batches([batch]).cast(_coded_schema()))


def _coded_schema() -> Any:
    """Return the schema of the written columns. Strings are indices into dictionaries."""
    coded = pa.dictionary(pa.int32(), pa.string())
    return pa.schema(
        [(one.name, coded if one.type == pa.string() else one.type) for one in raw_schema()]
    )


def _new_hits(timely_path: Path, late_path: Path, limits: Limits) -> Iterator[Any]:
    """Yield batches of the distinct late hits that are not among the timely hits.

    DuckDB uses disk space if memory is short. Raises OutputError if the comparison fails.
    """
    columns = ", ".join(COLUMNS)
    query = (
        f"SELECT DISTINCT {columns} FROM late EXCEPT"  # noqa: S608, constants only
        f" SELECT {columns} FROM timely SEMI JOIN late USING ({columns})"
    )
    with (
        duckdb_errors(limits, partial(_not_compared, timely_path), more_memory=_MORE_MEMORY),
        connect(limits) as connection,
    ):
        connection.register("late", connection.read_parquet(str(late_path)))
        connection.register("timely", connection.read_parquet(str(timely_path)))
        yield from connection.sql(query).to_arrow_reader(100_000)


_MORE_MEMORY = "Give this machine more memory, or sort that log by time."


def _not_compared(path: Path, found: str) -> OutputError:
    return OutputError(
        path,
        expected="to compare late hits with the others",
        found=found,
        advice="Run again; the day before was left as it was.",
    )
