# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writing a raw day of any size in bounded memory, each distinct hit once.

A combined log is in order of time but for small steps back, so doubles lie close together: hits are
held until none as old can be expected, then written without doubles. Hits that come later still
(an unsorted log, a corrupt date) are put aside and compared with all that was written, at the end.
"""

from __future__ import annotations

import contextlib
import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

from .._base.days_and_weeks import LOG_JITTER_SECONDS, WEEK_0_START, WEEK_SECONDS, week_of
from .._base.errors import OutputError, printable
from .._base.libs import duckdb, np, pa, pq
from .._storage.duckdb import Limits, connect, lack_of_room
from .fast_path import BlockHits
from .host_hash import HashHosts
from .raw_days import COLUMNS, raw_schema
from .row_groups import HitGroup, join

#: Hits per row group: enough to compress well, few enough to be written while others are read.
GROUP_ROWS = 128 << 10
#: So many held groups are written whatever the order of their times; some 200 MB.
_HELD_GROUPS = 32
#: Bytes of distinct values up to which a column's values are kept as indices into them; by default
#: pyarrow's limit is below the addresses of a group, which makes the file a fifth larger.
_DICTIONARY_BYTES = 16 << 20
#: The newest hits of a group, by their time; some corrupt dates do not move this.
_NEWEST = 0.99
_DISTINCT_MEMORY_MIB = 384


@dataclass
class HitStatistics:
    """What a raw day holds; times in Unix seconds, UTC."""

    rows: int = 0
    weeks: Counter[int] = field(default_factory=Counter)
    first: int | None = None
    last: int | None = None
    last_countme: int | None = None
    last_unique: int | None = None

    def add(self, timestamp: Any, sys_age: Any) -> None:
        """Count in some rows, given as numpy columns."""
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
        self.last_countme = _later(self.last_countme, timestamp[sys_age >= 0])
        self.last_unique = _later(self.last_unique, timestamp[sys_age < 0])

    def recorded(self) -> dict[str, Any]:
        """All of it, as the fields of these names of a raw day's record."""
        return {**vars(self), "weeks": dict(sorted(self.weeks.items()))}


def _later(known: int | None, timestamp: Any) -> int | None:
    if not len(timestamp):
        return known
    highest = int(timestamp.max())
    return highest if known is None else max(known, highest)


class RawDayWriter:
    """Takes blocks of hits in the order of the log; :meth:`complete`, then :meth:`close` end it.

    Beside ``path`` it uses temporary files whose names start with that of ``path``. Use it as a
    context manager: after an error none of these files stays.
    """

    def __init__(
        self, path: Path, *, group_rows: int = GROUP_ROWS, hash_hosts: HashHosts | None = None
    ) -> None:
        self.statistics = HitStatistics()
        self._path = path
        self._late_path = path.with_name(f"{path.name}.late")
        self._timely_path = path.with_name(f"{path.name}.timely")
        self._limits = Limits(path.with_name(f"{path.name}.spill"), _DISTINCT_MEMORY_MIB)
        self._group_rows = group_rows
        self._hash_hosts = hash_hosts
        self._held: list[HitGroup | BlockHits] = []
        self._held_rows = 0
        self._write_at_rows = group_rows
        self._complete_through: int | None = None
        self._writer = _parquet_writer(path)
        self._late_writer: Any = None

    def __enter__(self) -> RawDayWriter:
        return self

    def __exit__(self, error: type[BaseException] | None, *_rest: object) -> None:
        if error is not None:
            self._discard()

    def add(self, block: BlockHits) -> None:
        """Take the hits of the next block."""
        self._hold(block)
        if self._held_rows >= self._write_at_rows:
            self._write_held()

    def complete(self) -> HitStatistics:
        """Write what is held; tells what the file has now."""
        if self._held:
            self._write(join(self._held).distinct())
            self._held, self._held_rows = [], 0
        if self._late_writer is not None:
            self._merge_late()
        return self.statistics

    def close(self, metadata: dict[bytes, bytes]) -> None:
        """Add the metadata, and end the file that is complete."""
        self._writer.add_key_value_metadata(metadata)
        self._writer.close()

    def _discard(self) -> None:
        """Close and remove everything, after an error."""
        for writer in (self._writer, self._late_writer):
            if writer is not None:
                with contextlib.suppress(OSError, pa.ArrowException):
                    writer.close()
        for path in (self._path, self._late_path, self._timely_path):
            path.unlink(missing_ok=True)
        shutil.rmtree(self._limits.spill_dir, ignore_errors=True)

    def _hold(self, part: HitGroup | BlockHits) -> None:
        if len(part.timestamp):
            self._held.append(part)
            self._held_rows += len(part.timestamp)

    def _write_held(self) -> None:
        """Write what is held but for the newest hits, whose doubles may still come."""
        group = join(self._held).distinct()
        bound = int(np.quantile(group.timestamp, _NEWEST)) - LOG_JITTER_SECONDS
        if len(group) > _HELD_GROUPS * self._group_rows:
            bound = int(group.timestamp.max())
        ready = group.timestamp <= bound
        self._held, self._held_rows = [], 0
        self._hold(group.rows(~ready))
        self._write_at_rows = self._held_rows + max(self._held_rows, self._group_rows)
        self._write(group.rows(ready))
        if self._complete_through is None or bound > self._complete_through:
            self._complete_through = bound

    def _write(self, group: HitGroup) -> None:
        if self._complete_through is not None:
            late = group.timestamp <= self._complete_through
            if late.any():
                self._write_late(group.rows(late))
                group = group.rows(~late)
        parts = max(1, round(len(group) / self._group_rows))
        cuts = [len(group) * number // parts for number in range(parts + 1)]
        for start, end in pairwise(cuts):
            part = group.part(start, end)
            table = self._table(part)
            self.statistics.add(part.timestamp, table["sys_age"].to_numpy())
            self._writer.write_table(table)

    def _write_late(self, group: HitGroup) -> None:
        if self._late_writer is None:
            self._late_writer = _parquet_writer(self._late_path)
        self._late_writer.write_table(self._table(group))

    def _table(self, group: HitGroup) -> Any:
        table = group.to_table()
        if self._hash_hosts is not None:
            hosts = self._hash_hosts(group.host, group.timestamp)
            table = table.set_column(1, "host", hosts)
        return table

    def _merge_late(self) -> None:
        """Write the file anew with those late hits that are not in it yet."""
        self._late_writer.close()
        self._writer.close()
        self._path.replace(self._timely_path)
        self._writer = _parquet_writer(self._path)
        timely = pq.ParquetFile(self._timely_path)
        for number in range(timely.num_row_groups):
            self._writer.write_table(timely.read_row_group(number).cast(_coded_schema()))
        for batch in _new_hits(self._timely_path, self._late_path, self._limits):
            sys_age = batch.column("sys_age").to_numpy()
            self.statistics.add(batch.column("timestamp").to_numpy(), sys_age)
            self._writer.write_table(pa.Table.from_batches([batch]).cast(_coded_schema()))
        self._timely_path.unlink()
        self._late_path.unlink()
        shutil.rmtree(self._limits.spill_dir, ignore_errors=True)
        self._late_writer = None


def _coded_schema() -> Any:
    """The columns as they are written: strings as indices into dictionaries."""
    coded = pa.dictionary(pa.int32(), pa.string())
    return pa.schema(
        [(one.name, coded if one.type == pa.string() else one.type) for one in raw_schema()]
    )


def _parquet_writer(path: Path) -> Any:
    return pq.ParquetWriter(
        path,
        _coded_schema(),
        compression="zstd",
        dictionary_pagesize_limit=_DICTIONARY_BYTES,
        use_dictionary=[name for name in COLUMNS if name != "timestamp"],
        column_encoding={"timestamp": "DELTA_BINARY_PACKED"},
        # those of the other columns help no query, and would take two fifths of the time
        write_statistics=["timestamp", "sys_age"],
        store_schema=False,
    )


def _new_hits(timely_path: Path, late_path: Path, limits: Limits) -> Iterator[Any]:
    """Batches of the distinct late hits that are not among the timely ones; out of core."""
    columns = ", ".join(COLUMNS)
    query = (
        f"SELECT DISTINCT {columns} FROM late EXCEPT"  # noqa: S608, constants only
        f" SELECT {columns} FROM timely SEMI JOIN late USING ({columns})"
    )
    try:
        with connect(limits) as connection:
            connection.register("late", connection.read_parquet(str(late_path)))
            connection.register("timely", connection.read_parquet(str(timely_path)))
            yield from connection.sql(query).to_arrow_reader(100_000)
    except duckdb.Error as error:
        advice = "Give this machine more memory, or sort that log by time."
        raise lack_of_room(error, limits, advice=advice) or OutputError(
            timely_path,
            expected="to compare late hits with the others",
            found=printable(str(error)),
            advice="Run again; the day before was left as it was.",
        ) from error
