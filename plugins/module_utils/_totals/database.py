# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The SQLite file of the totals: the table for readers, and the quality of the weeks.

``countme_totals`` has existed since 2020. It has exactly the schema that its readers rely on, with
weeknum and sys_age as TEXT. The sys_age -1 marks the rows of unique addresses. Tables of other
programs are not changed. ``changes.py`` holds the functions that change the totals.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any, NamedTuple

from .._base.days_and_weeks import week_end
from .._base.errors import OutputError, SourceError, printable
from .._hits.statistics import COUNTME, STATISTICS, UNIQUE, Statistic, row_condition
from .._storage.files import make_folder
from .._storage.sqlite import Mode, connect, sqlite_errors
from .quality import WeekRecord
from .week_plan import CountedState, WeekSpan


class TotalsRow(NamedTuple):
    """A row of ``countme_totals``, in the order of its columns."""

    hits: int
    weeknum: str
    os_name: str
    os_version: str
    os_variant: str
    os_arch: str
    sys_age: str
    repo_tag: str
    repo_arch: str


COLUMNS = ",".join(TotalsRow._fields)
_TYPES = ["INTEGER", *["TEXT"] * 8]
TOTALS_TABLE = "CREATE TABLE IF NOT EXISTS countme_totals ({})".format(
    ",".join(f"{n} {t} NOT NULL" for n, t in zip(TotalsRow._fields, _TYPES, strict=True))
)
TOTALS_INDEX = "CREATE INDEX IF NOT EXISTS weeknum_idx ON countme_totals (weeknum)"
WEEKS_COLUMNS = {
    "weeknum": "INTEGER PRIMARY KEY",
    "week_start": "TEXT NOT NULL",
    "week_end": "TEXT NOT NULL",
    "status": "TEXT NOT NULL",
    "expected_host_days": "INTEGER",
    "received_host_days": "INTEGER",
    "hits": "INTEGER NOT NULL",
    "malformed": "INTEGER NOT NULL",
    "revision": "INTEGER NOT NULL",
    "computed_at": "TEXT NOT NULL",
    "fingerprint": "TEXT NOT NULL",
    "suspect": "INTEGER NOT NULL",
    "suspect_reason": "TEXT NOT NULL",
    "inputs": "TEXT NOT NULL",
    "log_name": "TEXT NOT NULL",
    "polluted": "TEXT NOT NULL",
}
WEEKS_TABLE = "CREATE TABLE IF NOT EXISTS weeks ({})".format(
    ", ".join(f"{name} {kind}" for name, kind in WEEKS_COLUMNS.items())
)
REPLACE_WEEK = (
    f"INSERT OR REPLACE INTO weeks ({', '.join(WEEKS_COLUMNS)}) "  # noqa: S608
    f"VALUES ({', '.join(f':{name}' for name in WEEKS_COLUMNS)})"
)

COUNTME_ROWS = row_condition(COUNTME)
UNIQUE_ROWS = row_condition(UNIQUE)

#: The order of the rows of a week: by statistic, then by descending hits, then by the key. Text is
#: ordered by its bytes.
ROW_ORDER = (
    f"{', '.join(row_condition(one) for one in STATISTICS if one.mark)}, hits DESC, os_name, os_version, os_variant, os_arch, "
    "CAST(sys_age AS INTEGER), sys_age, repo_tag, repo_arch"
)


#: Everybody may read the totals, whatever the umask of the first writer was.
_MODE = 0o644


@contextlib.contextmanager
def open_totals(
    path: Path, *, write: bool, lock_timeout_seconds: float = 60
) -> Iterator[sqlite3.Connection]:
    """Open the totals and check their schema; create them if they are absent and ``write`` is set.

    Wait up to ``lock_timeout_seconds`` for another program that holds the file. Raises LockedError
    if the file is still locked then. Raises OutputError if the file has another schema or cannot be
    written. Raises SourceError if the file cannot be read.
    """
    new = write and not path.exists()
    if write:
        make_folder(path.parent)
    translated = sqlite_errors(
        path,
        "a database of totals",
        if_damaged="Move it away, or put a good copy in its place, and run again.",
        if_locked="End that program, or raise lock_timeout of countme_totals.",
        written=path if write else None,
    )
    mode: Mode = "rwc" if write else "ro"
    with (
        translated,
        contextlib.closing(connect(path, mode, timeout_seconds=lock_timeout_seconds)) as connection,
    ):
        _check_schema(connection, path)
        _check_weeks(connection, path)
        yield connection
    if new and path.exists():
        path.chmod(_MODE)


def _check_schema(connection: sqlite3.Connection, path: Path) -> None:
    """Check the schema of the tables.

    Raises OutputError if a table has one of our names and another schema.
    """
    ours = {
        "countme_totals": list(zip(TotalsRow._fields, _TYPES, strict=True)),
        "weeks": [(name, kind.split()[0]) for name, kind in WEEKS_COLUMNS.items()],
    }
    for table, columns in ours.items():
        there = connection.execute(
            "SELECT name, upper(type) FROM pragma_table_info(?)", (table,)
        ).fetchall()
        if there and there != columns:
            wanted = ", ".join(column[0] for column in columns)
            raise OutputError(
                path,
                expected=f"table {table} with the columns {wanted}",
                found=", ".join(printable(f"{name} {kind}") for name, kind in there),
                advice="Name another file in totals_db; that one is left as it is.",
            )


def _check_weeks(connection: sqlite3.Connection, path: Path) -> None:
    try:
        counted_weeks(connection)
        week_records(connection)
    except (TypeError, ValueError, SourceError) as error:
        raise OutputError(
            path,
            expected="numbers of weeks and records of their inputs",
            found=printable(str(error)),
            advice="Put a good copy in its place, and run again.",
        ) from error


def has_table(connection: sqlite3.Connection, table: str) -> bool:
    """Return true if a table is in the file, or in a file that is attached to it."""
    query = "SELECT 1 FROM pragma_table_info(?)"
    return connection.execute(query, (table,)).fetchone() is not None


def counted_state(connection: sqlite3.Connection) -> CountedState:
    """Return the weeks and records of the totals.

    The query uses the index, so that a file of 600 MB is not read as a whole.
    """
    if not has_table(connection, "countme_totals"):
        return CountedState()
    weeks = counted_weeks(connection)

    def span(statistic: Statistic) -> WeekSpan:
        rows = f"weeknum = ? AND {row_condition(statistic)}"
        query = f"SELECT 1 FROM countme_totals WHERE {rows} LIMIT 1"  # noqa: S608

        def first_in(order: Iterable[int]) -> int | None:
            return next((w for w in order if connection.execute(query, (str(w),)).fetchone()), None)

        return WeekSpan(first_in(weeks), first_in(reversed(weeks)))

    return CountedState(
        weeks=frozenset(weeks),
        spans={one.name: span(one) for one in STATISTICS},
        records={record.week: record for record in week_records(connection)},
    )


def counted_weeks(connection: sqlite3.Connection) -> list[int]:
    """Return the weeks that have rows, ascending."""
    if not has_table(connection, "countme_totals"):
        return []
    weeks = connection.execute(
        "WITH RECURSIVE w(n) AS (SELECT min(weeknum) FROM countme_totals UNION ALL "
        "SELECT (SELECT min(weeknum) FROM countme_totals WHERE weeknum > n) FROM w "
        "WHERE n IS NOT NULL) SELECT n FROM w WHERE n IS NOT NULL"
    )
    return sorted(week_number(week) for (week,) in weeks)


def week_number(text: object) -> int:
    """Return the number of a week from its text in the totals.

    Raises SourceError if the text is not the number of a week.
    """
    try:
        week = int(str(text))
        week_end(week)
    except (ValueError, OverflowError) as error:
        raise SourceError(
            "column weeknum",
            expected="the number of a week",
            found=printable(str(text)),
            advice="Correct the totals.",
        ) from error
    return week


def week_records(connection: sqlite3.Connection) -> list[WeekRecord]:
    """Return the rows of the table ``weeks``, ascending."""
    if not has_table(connection, "weeks"):
        return []
    columns = {"week": "weeknum"}
    names = [field.name for field in fields(WeekRecord)]
    wanted = ", ".join(columns.get(name, name) for name in names)
    rows = connection.execute(f"SELECT {wanted} FROM weeks ORDER BY weeknum")  # noqa: S608
    return [_week_record(dict(zip(names, row, strict=True))) for row in rows]


def _week_record(values: dict[str, Any]) -> WeekRecord:
    return WeekRecord(**{**values, "inputs": tuple(json.loads(values["inputs"]))})


def week_row(record: WeekRecord) -> dict[str, object]:
    """Return the values of the columns of the table ``weeks`` for a record."""
    values = {name: getattr(record, name) for name in WEEKS_COLUMNS if name != "weeknum"}
    return {**values, "weeknum": record.week, "inputs": json.dumps(record.inputs)}


def hits_of(connection: sqlite3.Connection, weeks: Iterable[int]) -> dict[int, int]:
    """Return the countme hits of some weeks, from their rows."""
    query = f"SELECT sum(hits) FROM countme_totals WHERE weeknum = ? AND {COUNTME_ROWS}"  # noqa: S608
    return {w: connection.execute(query, (str(w),)).fetchone()[0] or 0 for w in weeks}


def rows_of(connection: sqlite3.Connection, week: int) -> Iterator[TotalsRow]:
    """Return the rows of a week in the documented order."""
    query = f"SELECT {COLUMNS} FROM countme_totals WHERE weeknum = ? ORDER BY {ROW_ORDER}"  # noqa: S608
    return map(TotalsRow._make, connection.execute(query, (str(week),)))
