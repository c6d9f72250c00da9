# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writing a condensed day of any size in bounded memory, each client once.

Clients are held without doubles. Where there are too many they are put aside in a file, and those
files are brought together at the end, out of core.
"""

from __future__ import annotations

import contextlib
import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .._base.errors import OutputError, printable
from .._base.libs import duckdb, pa, pc, pq
from .._logs.coded_columns import compact_dictionary, string_column
from .._storage.duckdb import Limits, connect, lack_of_room
from .condensed_days import COLUMNS, condensed_schema
from .fast_path import BlockClients, join

#: Clients held, doubles of different blocks among them, before those are looked for.
HELD_ROWS = 1 << 20
#: Clients per row group; each has the addresses of its own only.
_GROUP_ROWS = 1 << 18
_DICTIONARY_BYTES = 16 << 20
_DISTINCT_MEMORY_MIB = 384


@dataclass
class ClientStatistics:
    """What a condensed day holds."""

    rows: int = 0
    dates: Counter[str] = field(default_factory=Counter)
    """Rows by date."""


class CondensedDayWriter:
    """Takes blocks of clients; :meth:`complete`, then :meth:`close` end the file.

    Beside ``path`` it uses temporary files whose names start with that of ``path``. Use it as a
    context manager: after an error none of these files stays.
    """

    def __init__(self, path: Path, *, held_rows: int = HELD_ROWS) -> None:
        self.statistics = ClientStatistics()
        self._path = path
        self._limits = Limits(path.with_name(f"{path.name}.spill"), _DISTINCT_MEMORY_MIB)
        self._held: list[BlockClients] = []
        self._rows = 0
        self._most_rows = held_rows
        self._join_at_rows = held_rows
        self._aside: list[Path] = []
        self._writer: Any = None

    def __enter__(self) -> CondensedDayWriter:
        return self

    def __exit__(self, error: type[BaseException] | None, *_rest: object) -> None:
        if error is not None:
            self._discard()

    def add(self, block: BlockClients) -> None:
        """Take the clients of the next block."""
        if not len(block.date):
            return
        self._held.append(block)
        self._rows += len(block.date)
        if self._rows >= self._join_at_rows:
            self._join()

    def complete(self) -> ClientStatistics:
        """Write everything; tells what the file has now."""
        self._writer = _parquet_writer(self._path)
        if self._aside:
            self._put_aside()
            for table in _distinct(self._aside, self._limits):
                self._write(table)
        elif self._held:
            for table in _as_tables(join(self._held)):
                self._write(table)
        self._clean_up()
        return self.statistics

    def close(self, metadata: dict[bytes, bytes]) -> None:
        """Add the metadata, and end the file that is complete."""
        self._writer.add_key_value_metadata(metadata)
        self._writer.close()

    def _discard(self) -> None:
        """Close and remove everything, after an error."""
        if self._writer is not None:
            with contextlib.suppress(OSError, pa.ArrowException):
                self._writer.close()
        self._path.unlink(missing_ok=True)
        self._clean_up()

    def _clean_up(self) -> None:
        for path in self._aside:
            path.unlink(missing_ok=True)
        shutil.rmtree(self._limits.spill_dir, ignore_errors=True)

    def _join(self) -> None:
        self._held = [join(self._held)]
        self._rows = len(self._held[0].date)
        self._join_at_rows = self._rows + self._most_rows
        if self._rows >= self._most_rows:
            self._put_aside()

    def _put_aside(self) -> None:
        if not self._held:
            return
        path = self._path.with_name(f"{self._path.name}.{len(self._aside)}")
        self._aside.append(path)
        with _parquet_writer(path) as writer:
            for table in _as_tables(join(self._held)):
                writer.write_table(table)
        self._held = []
        self._rows, self._join_at_rows = 0, self._most_rows

    def _write(self, table: Any) -> None:
        self.statistics.rows += len(table)
        for count in pc.value_counts(table["date"]).to_pylist():
            self.statistics.dates[count["values"]] += count["counts"]
        self._writer.write_table(table)


def _parquet_writer(path: Path) -> Any:
    return pq.ParquetWriter(
        path,
        condensed_schema(),
        compression="zstd",
        dictionary_pagesize_limit=_DICTIONARY_BYTES,
        store_schema=False,
    )


def _as_tables(clients: BlockClients) -> Iterator[Any]:
    """The columns as pyarrow tables in order of the date, the strings as dictionaries."""
    for start in range(0, len(clients.date), _GROUP_ROWS):
        rows = slice(start, start + _GROUP_ROWS)
        wanted = clients.wanted[rows]
        yield pa.table(
            [
                compact_dictionary(string_column(clients.dates, clients.date[rows])),
                compact_dictionary(clients.host[rows]),
                compact_dictionary(string_column([one.release for one in clients.wants], wanted)),
                compact_dictionary(string_column([one.arch for one in clients.wants], wanted)),
            ],
            schema=condensed_schema(),
        )


def _distinct(paths: Sequence[Path], limits: Limits) -> Iterator[Any]:
    """The distinct rows of some files in order of the date, as tables; out of core."""
    columns = ", ".join(COLUMNS)
    query = f"SELECT DISTINCT {columns} FROM aside ORDER BY date"  # noqa: S608, constants only
    try:
        with connect(limits) as connection:
            connection.register("aside", connection.read_parquet([str(path) for path in paths]))
            for batch in connection.sql(query).to_arrow_reader(_GROUP_ROWS):
                yield pa.Table.from_batches([batch]).cast(condensed_schema())
    except duckdb.Error as error:
        advice = "Give this machine more memory."
        raise lack_of_room(error, limits, advice=advice) or OutputError(
            paths[0],
            expected="to bring the clients of a day together",
            found=printable(str(error)),
            advice="Run again; the day was left as it was.",
        ) from error
