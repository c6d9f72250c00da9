# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Restore totals that were kept or published only as CSV into a database without totals."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from .._base.records import WorkUnit
from .changes import fill_totals
from .csv_reader import ROW_COLUMNS, weeks_of_csv
from .database import TotalsRow, counted_weeks, open_totals


def restore_history(
    history_csv: Path,
    totals_db: Path,
    *,
    check: bool = False,
    lock_timeout_seconds: float = 60,
) -> WorkUnit:
    """Fill a database without totals with the rows of a CSV file of totals, all or nothing.

    A database that has totals is not changed. Only the writer of the database may call this without
    ``check``. Raises SourceError if the file cannot be read. Raises SourceError with the number of
    the line if a line is not a row of totals.
    """
    there = WorkUnit(history_csv.name, "unchanged", (f"{totals_db.name} has totals already",))
    if totals_db.exists():
        with open_totals(
            totals_db, write=False, lock_timeout_seconds=lock_timeout_seconds
        ) as connection:
            if counted_weeks(connection):
                return there
    reason = f"{totals_db.name} has no totals yet"
    next(_rows(history_csv), None)  # An unreadable file must not create a database.
    if check:
        planned = "weeks are planned without these rows, and may be others once they are there"
        return WorkUnit(history_csv.name, "due", (reason, planned))
    with open_totals(
        totals_db, write=True, lock_timeout_seconds=lock_timeout_seconds
    ) as connection:
        rows = fill_totals(connection, _rows(history_csv))
    if rows is None:
        return there  # Another program counted after the first check.
    return WorkUnit(history_csv.name, "made", (reason,), {"restored_rows": rows})


def _rows(path: Path) -> Iterator[TotalsRow]:
    for week in weeks_of_csv(path, ascending=False):
        columns = [week.rows[name].to_pylist() for name in ROW_COLUMNS]
        for hits, *key in zip(*columns, strict=True):
            yield TotalsRow(hits, str(week.week), *map(str, key))
