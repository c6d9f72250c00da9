# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files mirrorsdata-*.csv and mirrors-daily.csv as tables, which are read and written whole.

Rows without inputs stay unchanged, because the files are the only record of all days since the
counting began. Their header is the only record of the place of each column.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from .._base.errors import OutputError, printable
from .columns import Columns

ALL_NAME, DAILY_NAME = "mirrorsdata-all.csv", "mirrors-daily.csv"

#: The name of the first column, which holds the date.
DATE_COLUMN = "1970-01-01"
#: The date in the second line of all files. That line is a row of zeros where plots start.
_ZERO_DATE = "1970-01-02"
_ROW = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{1,2}(?:,[0-9]*)+")
_DAILY_ROW = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:,[a-z0-9_.-]*){3},[0-9]+")

DAILY_HEADER = "date,family,release,arch,clients"


@dataclass
class MirrorsTable:
    """The rows of mirrorsdata-all.csv. An earlier system wrote several rows for some dates."""

    rules: Columns | None = None
    """The rules for columns. If it is None, the header of a file may have any columns."""
    columns: list[str] = field(default_factory=list)
    """The names of the columns after the date, without their numbers."""
    rows: dict[str, list[tuple[str, ...]]] = field(default_factory=dict)
    """The cells of the rows, by date as written."""

    @classmethod
    def empty(cls, rules: Columns) -> MirrorsTable:
        """Return a table with the columns that every file has."""
        return cls(rules, list(rules.first))

    def may_add(self, name: str) -> bool:
        """Return True if a header may have the column after the known columns."""
        return bool(name) if self.rules is None else self.rules.may_add(name)

    def replace(self, written: str, counts: Mapping[str, int]) -> None:
        """Set the row of a date from its clients by column, and add new columns at the end."""
        if self.rules:
            self.columns += self.rules.new_columns(counts, self.columns)
        self.rows[written] = [tuple(str(counts.get(name, 0)) for name in self.columns)]

    def clients(self, written: str) -> int:
        """Return the largest number of clients in a row of the date, or 0 if there is no row."""
        return max((self._clients_in(row) for row in self.rows.get(written, ())), default=0)

    def _clients_in(self, row: Sequence[str]) -> int:
        sums = self.rules.family_columns if self.rules else ()
        named = zip(self.columns, row, strict=False)
        return sum(int(cell or 0) for name, cell in named if name in sums)

    def years(self) -> list[str]:
        return sorted({written[:4] for written in self.rows})

    def to_bytes(self, year: str = "") -> bytes:
        """Return the content of the file for all years, or for one year."""
        names = [f"{number:02}-{name}" for number, name in enumerate(self.columns, 2)]
        lines = [
            ",".join((written, *row, *("0" for _unused in self.columns[len(row) :])))
            for written, rows in self.rows.items()
            if written.startswith(year)
            for row in rows
        ]
        zeros = ",".join((_ZERO_DATE, *("0" for _unused in names)))
        return "\n".join((",".join((DATE_COLUMN, *names)), zeros, *sorted(lines), "")).encode()


def read_mirrors_table(path: Path, table: MirrorsTable) -> MirrorsTable:
    """Add the rows of a file to a table, and return the table.

    Rows of dates that the table already has are skipped. An earlier system wrote files with fewer
    columns. A file that does not exist has no rows. Raises OutputError if the file is of another
    kind, because such a file must not be overwritten.
    """
    known = frozenset(table.rows)
    for number, line in enumerate(_lines(path), 1):
        written, *cells = line.split(",")
        if written == DATE_COLUMN:
            _learn_columns(table, cells, f"{path}:{number}")
        elif written == _ZERO_DATE:
            continue
        elif not _ROW.fullmatch(line) or len(cells) > len(table.columns):
            raise _not_ours(f"{path}:{number}", "a date and a number for each column", line)
        elif written not in known:
            table.rows.setdefault(written, []).append(tuple(cells))
    return table


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return []


def _learn_columns(table: MirrorsTable, header: Sequence[str], place: str) -> None:
    names = [name.partition("-")[2] for name in header]
    numbered = [f"{number:02}-{name}" for number, name in enumerate(names, 2)]
    agreeing = min(len(names), len(table.columns))
    added = names[agreeing:]
    if (
        list(header) != numbered
        or names[:agreeing] != table.columns[:agreeing]
        or not all(table.may_add(name) for name in added)
        or len({*table.columns, *added}) < len(table.columns) + len(added)
    ):
        raise _not_ours(place, "columns in their old order, with new ones at the end", str(header))
    table.columns += added


def _not_ours(place: str, expected: str, found: str) -> OutputError:
    return OutputError(
        place,
        expected=expected,
        found=printable(found),
        advice="Put that file right, or move it away where its rows are not wanted.",
    )


@dataclass
class DailyTable:
    """The rows of mirrors-daily.csv by day. A row is a whole line without the day."""

    rows: dict[str, list[str]] = field(default_factory=dict)

    def replace(self, day: str, clients: Mapping[tuple[str, str, str], int]) -> None:
        """Set the rows of a day from its clients by (family, release, arch)."""
        self.rows[day] = [f"{','.join(one)},{number}" for one, number in sorted(clients.items())]

    def clients(self, day: str) -> int:
        return sum(int(row.rpartition(",")[2]) for row in self.rows.get(day, ()))

    def to_bytes(self) -> bytes:
        lines = (f"{day},{row}" for day in sorted(self.rows) for row in self.rows[day])
        return "\n".join((DAILY_HEADER, *lines, "")).encode()


def read_daily_table(path: Path) -> DailyTable:
    """Return the rows of a file. A file that does not exist has no rows.

    Raises OutputError if the file is of another kind.
    """
    table = DailyTable()
    for number, line in enumerate(_lines(path), 1):
        if number == 1 and line == DAILY_HEADER:
            continue
        if not _DAILY_ROW.fullmatch(line):
            raise _not_ours(f"{path}:{number}", DAILY_HEADER, line)
        day, _unused, row = line.partition(",")
        table.rows.setdefault(day, []).append(row)
    return table
