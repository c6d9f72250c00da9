# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Changes of the totals: stage weeks, compare them, and replace them in one transaction.

Readers see the weeks of one call of :func:`replace_weeks` either all old or all new.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from .database import (
    COLUMNS,
    COUNTME_ROWS,
    REPLACE_WEEK,
    ROW_ORDER,
    TOTALS_INDEX,
    TOTALS_TABLE,
    WEEKS_TABLE,
    TotalsRow,
    counted_weeks,
    has_table,
    week_row,
)
from .quality import WeekRecord


@contextlib.contextmanager
def staging(connection: sqlite3.Connection, path: Path) -> Iterator[None]:
    """Attach a database for staged rows, and detach it at the end.

    The totals are locked only while weeks are replaced.
    """
    connection.execute("ATTACH ? AS staged", (f"file:{quote(str(path))}?mode=rwc",))
    try:
        connection.execute("PRAGMA staged.journal_mode = OFF")
        connection.execute("PRAGMA staged.synchronous = OFF")
        yield
    finally:
        connection.execute("DETACH staged")


@dataclass(frozen=True)
class StagedWeek:
    """The staged result of a count, before the totals are changed."""

    week: int
    rows: int
    hits: int
    same: bool
    """True if the totals already have exactly these rows."""


def _staged(week: int) -> str:
    return f"staged.week_{week:d}"


def stage_week(
    connection: sqlite3.Connection, week: int, blocks: Iterable[Sequence[Sequence[object]]]
) -> StagedWeek:
    """Stage the rows of a week and compare them with the totals, without a lock on the totals."""
    table = _staged(week)
    connection.execute(f"DROP TABLE IF EXISTS {table}")
    connection.execute(TOTALS_TABLE.replace("countme_totals", table))
    insert = f"INSERT INTO {table} ({COLUMNS}) VALUES ({','.join('?' * 9)})"  # noqa: S608
    connection.execute("BEGIN")
    try:
        for block in blocks:
            connection.executemany(insert, block)
    finally:
        connection.execute("COMMIT")
    rows, hits = connection.execute(
        f"SELECT count(*), coalesce(sum(hits) FILTER (WHERE {COUNTME_ROWS}), 0) FROM {table}"  # noqa: S608
    ).fetchone()
    return StagedWeek(week, rows, hits, same=_same_rows(connection, week, rows))


def _same_rows(connection: sqlite3.Connection, week: int, rows: int) -> bool:
    if not has_table(connection, "countme_totals"):
        return rows == 0
    key = (str(week),)
    query = "SELECT count(*) FROM countme_totals WHERE weeknum = ?"
    if connection.execute(query, key).fetchone()[0] != rows:
        return False
    other = (
        f"SELECT {COLUMNS} FROM {_staged(week)} EXCEPT "  # noqa: S608
        f"SELECT {COLUMNS} FROM countme_totals WHERE weeknum = ? LIMIT 1"
    )
    return connection.execute(other, key).fetchone() is None


@contextlib.contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Commit all changes of the block, or roll all of them back if it raises."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def replace_weeks(
    connection: sqlite3.Connection,
    replaced: Collection[int],
    records: Iterable[WeekRecord],
) -> None:
    """Replace rows of weeks by staged rows and write week records, in one transaction."""
    with transaction(connection):
        for statement in (TOTALS_TABLE, TOTALS_INDEX, WEEKS_TABLE):
            connection.execute(statement)
        for week in sorted(replaced):
            connection.execute("DELETE FROM countme_totals WHERE weeknum = ?", (str(week),))
            connection.execute(
                f"INSERT INTO countme_totals ({COLUMNS}) SELECT {COLUMNS} "  # noqa: S608
                f"FROM {_staged(week)} ORDER BY {ROW_ORDER}"
            )
        connection.executemany(REPLACE_WEEK, map(week_row, records))


def fill_totals(connection: sqlite3.Connection, rows: Iterable[TotalsRow]) -> int | None:
    """Insert rows into totals without any week, in one transaction, and return their number.

    Return None if the totals have weeks. They are not changed then.
    """
    with transaction(connection):
        if counted_weeks(connection):
            return None
        for statement in (TOTALS_TABLE, TOTALS_INDEX):
            connection.execute(statement)
        insert = f"INSERT INTO countme_totals ({COLUMNS}) VALUES ({','.join('?' * 9)})"  # noqa: S608
        return connection.executemany(insert, rows).rowcount


def delete_weeks(connection: sqlite3.Connection, weeks: Collection[int]) -> None:
    """Delete the rows and the records of weeks, in one transaction."""
    with transaction(connection):
        for week in sorted(weeks):
            connection.execute("DELETE FROM countme_totals WHERE weeknum = ?", (str(week),))
            if has_table(connection, "weeks"):
                connection.execute("DELETE FROM weeks WHERE weeknum = ?", (week,))
