# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The writer of condensed days, which writes each client once and in bounded memory.

The writer holds each client once in memory. If it holds too many clients, it writes them to a
temporary file. At the end, DuckDB joins these files out of core.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from .._base.errors import OutputError
from .._base.libs import pa, pc
from .._daily.writer import DayWriter, open_parquet
from .._logs.coded_columns import compact_dictionary, string_column
from .._storage.duckdb import Limits, connect, duckdb_errors
from .condensed_days import COLUMNS, condensed_schema
from .fast_path import BlockClients, join

#: The number of held clients at which duplicates from different blocks are removed.
HELD_ROWS = 1 << 20
#: The number of clients per row group. The dictionary of a group holds only its own addresses.
_GROUP_ROWS = 1 << 18


@dataclass
class ClientSummary:
    """The number of rows of a condensed day, in total and by date."""

    rows: int = 0
    dates: Counter[str] = field(default_factory=Counter)
    """The number of rows by date."""

    def add(self, table: Any) -> None:
        """Include the rows of a table."""
        self.rows += len(table)
        for count in pc.value_counts(table["date"]).to_pylist():
            self.dates[count["values"]] += count["counts"]


class CondensedDayWriter(DayWriter[BlockClients, ClientSummary]):
    """A writer that makes a condensed day from blocks of clients."""

    def __init__(self, path: Path, *, held_rows: int = HELD_ROWS) -> None:
        super().__init__(path, ClientSummary(), flush_at_rows=held_rows)
        self._most_held_rows = held_rows
        self._aside: list[Path] = []

    def parquet_writer(self, path: Path) -> Any:
        return open_parquet(path, condensed_schema())

    def flush(self) -> None:
        """Remove duplicate held clients, and write the rest to a temporary file if many remain."""
        self.hold(join(self.take_held()))
        self.flush_at_rows = self.held_rows + self._most_held_rows
        if self.held_rows >= self._most_held_rows:
            self._put_aside()

    def write_rest(self) -> None:
        """Write the distinct clients of all blocks."""
        tables: Iterable[Any] = ()
        if self._aside:
            self._put_aside()
            tables = _distinct(self._aside, self.limits)
        elif self.held:
            tables = _as_tables(join(self.take_held()))
        for table in tables:
            self.write(table)

    def _put_aside(self) -> None:
        if not self.held:
            return
        path = self.temporary_path(str(len(self._aside)))
        self._aside.append(path)
        with self.parquet_writer(path) as file:
            for table in _as_tables(join(self.take_held())):
                file.write_table(table)
        self.flush_at_rows = self._most_held_rows


def _as_tables(clients: BlockClients) -> Iterator[Any]:
    """Yield the clients as pyarrow tables sorted by date, with dictionaries for the strings."""
    for start in range(0, len(clients.date), _GROUP_ROWS):
        rows = slice(start, start + _GROUP_ROWS)
        target = clients.target[rows]
        yield pa.table(
            [
                compact_dictionary(string_column(clients.dates, clients.date[rows])),
                compact_dictionary(clients.host[rows]),
                compact_dictionary(string_column([one.release for one in clients.targets], target)),
                compact_dictionary(string_column([one.arch for one in clients.targets], target)),
            ],
            schema=condensed_schema(),
        )


def _distinct(paths: Sequence[Path], limits: Limits) -> Iterator[Any]:
    """Yield the distinct rows of the files as tables sorted by date. DuckDB works out of core."""
    columns = ", ".join(COLUMNS)
    query = f"SELECT DISTINCT {columns} FROM aside ORDER BY date"  # noqa: S608, constants only
    with (
        duckdb_errors(limits, partial(_not_joined, paths[0])),
        connect(limits) as connection,
    ):
        connection.register("aside", connection.read_parquet([str(path) for path in paths]))
        for batch in connection.sql(query).to_arrow_reader(_GROUP_ROWS):
            yield pa.Table.from_batches([batch]).cast(condensed_schema())


def _not_joined(path: Path, found: str) -> OutputError:
    return OutputError(
        path,
        expected="to bring the clients of a day together",
        found=found,
        advice="Run again; the day was left as it was.",
    )
