# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read the SQLite file with the raw hits of mirrors-countme. The file is never written.

This collection replaces mirrors-countme. The table ``countme_raw`` has the columns of a raw day. A
row does not name its log. Therefore only the time of a row determines its day.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from .._base.days_and_weeks import DAY_SECONDS, UNIX_EPOCH_DAY
from .._base.errors import SourceError, printable
from .._base.libs import np, pa
from .._hits.fast_path import BlockHits
from .._hits.raw_days import COLUMNS
from .._hits.rules import Request, System
from .._storage.sqlite import connect, sqlite_errors

_TABLE = "countme_raw"
_MENDED = "Put a good copy in its place; nothing was imported from there."
_ROWS_A_BLOCK = 100_000
#: The range of valid times, in Unix seconds. Times outside of it come from corrupt dates.
_FIRST_TIME, _END_OF_TIMES = 0, (date(9999, 1, 1).toordinal() - UNIX_EPOCH_DAY) * DAY_SECONDS


def day_start(day: date) -> int:
    """Return the time at which a day begins (midnight, UTC), in Unix seconds."""
    return (day.toordinal() - UNIX_EPOCH_DAY) * DAY_SECONDS


@contextlib.contextmanager
def open_old_raw(path: Path) -> Iterator[sqlite3.Connection]:
    """Open the database, and check that it has the columns of raw hits.

    Raises SourceError if the database does not exist, can't be read or lacks a column.
    """
    if not path.is_file():
        raise SourceError(
            path,
            expected="the SQLite file with raw hits of the earlier system",
            found="no file",
            advice="Correct raw_db.",
        )
    with (
        sqlite_errors(path, "a database of raw hits", if_damaged=_MENDED),
        contextlib.closing(connect(path, "ro", timeout_seconds=60)) as connection,
    ):
        # Bytes that are not UTF-8 become U+FFFD, because the reader of logs replaces them too.
        connection.text_factory = lambda text: text.decode("utf-8", "replace")
        _check_columns(connection, path)
        yield connection


def _check_columns(connection: sqlite3.Connection, path: Path) -> None:
    found = connection.execute("SELECT name FROM pragma_table_info(?)", (_TABLE,)).fetchall()
    names = [name for (name,) in found]
    if not set(COLUMNS) <= set(names):
        raise SourceError(
            path,
            expected=f"a table {_TABLE} with the columns {', '.join(COLUMNS)}",
            found=printable(", ".join(map(str, names))) if names else "no such table",
            advice="Correct raw_db.",
        )


def days_with_hits(connection: sqlite3.Connection) -> set[date]:
    """Return the days (UTC) that have hits. The query uses the index of the times."""
    later = f"SELECT min(timestamp) / ? FROM {_TABLE} WHERE timestamp >="  # noqa: S608
    query = (
        f"WITH RECURSIVE d(n) AS ({later} ? UNION ALL SELECT ({later} (n + 1) * ?)"  # noqa: S608
        " FROM d WHERE n IS NOT NULL AND n < ?)"
        " SELECT CAST(n AS INTEGER) FROM d WHERE n IS NOT NULL"
    )
    last = _END_OF_TIMES // DAY_SECONDS
    asked = (DAY_SECONDS, _FIRST_TIME, DAY_SECONDS, DAY_SECONDS, last)
    return {
        date.fromordinal(UNIX_EPOCH_DAY + number)
        for (number,) in connection.execute(query, asked)
        if number < last
    }


def first_and_last(connection: sqlite3.Connection, day: date) -> tuple[int, int]:
    """Return the times of the first and the last hit of a day, in Unix seconds.

    The day must have hits.
    """
    query = f"SELECT min(timestamp), max(timestamp) FROM {_TABLE} WHERE timestamp BETWEEN ? AND ?"  # noqa: S608
    start = day_start(day)
    first, last = connection.execute(query, (start, start + DAY_SECONDS - 1)).fetchone()
    return int(first), int(last)


def read_hits(connection: sqlite3.Connection, start: int, end: int) -> Iterator[BlockHits]:
    """Yield the hits from ``start`` up to ``end``, in order of time, in blocks.

    Times are in Unix seconds. ``end`` is excluded. An invalid row counts as a reject.
    """
    query = (
        f"SELECT {', '.join(COLUMNS)} FROM {_TABLE}"  # noqa: S608
        " WHERE timestamp >= ? AND timestamp < ? ORDER BY timestamp"
    )
    cursor = connection.execute(query, (start, end))
    while rows := cursor.fetchmany(_ROWS_A_BLOCK):
        yield _block(rows)


def _block(rows: Sequence[Sequence[Any]]) -> BlockHits:
    good = [row for row in rows if _is_sound(row)]
    systems: dict[System, int] = {}
    requests: dict[Request, int] = {}
    # Some versions store NULL for an unknown system or request.
    system = [
        systems.setdefault(System(*(value or "" for value in row[2:6])), len(systems))
        for row in good
    ]
    request = [
        requests.setdefault(Request(row[6], row[7] or "", row[8] or ""), len(requests))
        for row in good
    ]
    return BlockHits(
        timestamp=np.array([row[0] for row in good], np.int64),
        host=pa.array([row[1] for row in good], pa.string()),
        system=np.array(system, np.int32),
        systems=list(systems),
        request=np.array(request, np.int32),
        requests=list(requests),
        lines=len(rows),
        rejects=Counter({"garbled": len(rows) - len(good)} if len(good) < len(rows) else {}),
    )


def _is_sound(row: Sequence[Any]) -> bool:
    timestamp, host, *system, sys_age, repo_tag, repo_arch = row
    return (
        isinstance(timestamp, int)
        and isinstance(sys_age, int)
        and isinstance(host, str)
        and all(value is None or isinstance(value, str) for value in (*system, repo_tag, repo_arch))
    )
