# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Totals that were kept, or published, as CSV only: back into a database that has none."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path

from .._base.days_and_weeks import parse_day, week_of_day, week_start
from .._base.errors import CountingError, SourceError, printable
from .._base.records import WorkUnit
from .._storage.files import open_regular
from .changes import fill_totals
from .csv_file import CSV_COLUMNS, csv_reader
from .database import TotalsRow, counted_weeks, open_totals


def restore_history(
    history_csv: Path,
    totals_db: Path,
    *,
    check: bool = False,
    lock_timeout_seconds: float = 60,
) -> WorkUnit:
    """Fill a database without totals with the rows of a CSV file of totals, all or nothing.

    A database that has totals is left as it is. Only the writer of the database may call this, but
    with ``check``. Raises SourceError for a file that can't be read, or naming the line that is not
    a row of totals.
    """
    there = WorkUnit(history_csv.name, "unchanged", (f"{totals_db.name} has totals already",))
    if totals_db.exists():
        with open_totals(
            totals_db, write=False, lock_timeout_seconds=lock_timeout_seconds
        ) as connection:
            if counted_weeks(connection):
                return there
    reason = f"{totals_db.name} has no totals yet"
    next(_rows(history_csv), None)  # nothing is made for a file that can't be read
    if check:
        planned = "weeks are planned without these rows, and may be others once they are there"
        return WorkUnit(history_csv.name, "due", (reason, planned))
    with open_totals(
        totals_db, write=True, lock_timeout_seconds=lock_timeout_seconds
    ) as connection:
        rows = fill_totals(connection, _rows(history_csv))
    if rows is None:
        return there  # another program counted after the first look
    return WorkUnit(history_csv.name, "made", (reason,), {"restored_rows": rows})


def _rows(path: Path) -> Iterator[TotalsRow]:
    with open_regular(path) as binary:
        rows = csv_reader(io.TextIOWrapper(binary, "utf-8", newline=""))
        try:
            if next(rows, None) != list(CSV_COLUMNS):
                raise _not_totals(path, 1, f"another header than {','.join(CSV_COLUMNS)}")
            for row in rows:
                yield _totals_row(path, rows.line_num, row)
        except (csv.Error, UnicodeDecodeError) as error:
            raise _not_totals(path, rows.line_num, str(error)) from error


def _totals_row(path: Path, line: int, row: list[str]) -> TotalsRow:
    try:
        start, _unused, hits, *key = row
        week = week_of_day(parse_day(start))
        if str(week_start(week)) != start or len(key) != len(CSV_COLUMNS) - 3:
            raise ValueError("no Monday, or another number of values")
        return TotalsRow(int(hits), str(week), *key)
    except (ValueError, CountingError) as error:
        raise _not_totals(path, line, printable(",".join(row))) from error


def _not_totals(path: Path, line: int, found: str) -> SourceError:
    return SourceError(
        f"{path}, line {line}",
        expected="a row of totals",
        found=found,
        advice="Get a whole copy of that file; the database was left as it is.",
    )
