# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read one state of the totals, and copy it without anything private.

A published database holds only the table ``countme_totals``, in a fixed order of rows. So one state
of the totals gives the same bytes, whatever happened to the file before.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple, TypeAlias

from .._base.days_and_weeks import parse_week, week_name
from .._base.errors import OutputError, SettingsError, SourceError, printable
from .._storage.files import open_regular
from .._storage.sqlite import connect, sqlite_errors, sqlite_uri
from .._totals import quality as totals_quality
from .._totals.database import (
    COUNTME_ROWS,
    UNIQUE_ROWS,
    TotalsRow,
    open_totals,
    week_number,
    week_records,
)
from .._totals.quality import unknown_quality

#: The quality of a week, for code that reads published totals.
WeekQuality: TypeAlias = totals_quality.WeekQuality
#: Columns of the totals, in the old order, with their types; all are NOT NULL.
_TOTALS_COLUMNS = {name: "INTEGER" if name == "hits" else "TEXT" for name in TotalsRow._fields}

#: The condition for the rows of the file of the old name totals.db.
_ALL_ROWS = "1"

_MENDED = "Put back a good copy, or have the totals made again."

#: The longest wait for a writer of the totals, which holds its lock for one short transaction.
_WAIT_SECONDS = 60.0

#: A week that keeps less than this share of its rows or hits is regarded as damaged: a revision adds
#: late logs, or removes the few hits of one polluter.
_SHRUNK_SHARE = 0.5


class WeekFigures(NamedTuple):
    """The number of rows and hits of one week in the totals."""

    rows: int
    hits: int


class Totals(NamedTuple):
    """One state of the totals: the rows and hits of each week, and its quality."""

    figures: Mapping[int, WeekFigures]
    quality: Mapping[int, WeekQuality]


@contextlib.contextmanager
def reading(path: Path, *, wait_seconds: float = _WAIT_SECONDS) -> Iterator[sqlite3.Connection]:
    """Open a read transaction on a database of totals, in which all queries see the same state.

    Raises CountingError if it is locked for too long, damaged, or not a database of totals.
    """
    open_regular(path).close()
    with open_totals(path, write=False, lock_timeout_seconds=wait_seconds) as connection:
        connection.execute("BEGIN")
        _check_totals_table(connection, path)
        yield connection


def _check_totals_table(connection: sqlite3.Connection, path: Path, schema: str = "main") -> None:
    """Raise SourceError if ``countme_totals`` has other columns than it must have.

    A further column could be a host or a time of the raw hits, which must not be published.
    """
    query = "SELECT name, type FROM pragma_table_info('countme_totals', ?)"
    columns = dict(connection.execute(query, (schema,)).fetchall())
    if {name: kind.upper() for name, kind in columns.items()} != _TOTALS_COLUMNS:
        raise SourceError(
            path,
            expected=f"a table countme_totals of the columns {', '.join(_TOTALS_COLUMNS)} only",
            found=f"the columns {printable(', '.join(columns))}" if columns else "no such table",
            advice="Correct the totals; nothing else is ever published.",
        )


def read_figures(connection: sqlite3.Connection) -> dict[int, WeekFigures]:
    """Return the rows and hits of each week, ascending."""
    query = "SELECT weeknum, count(*), sum(hits) FROM countme_totals GROUP BY weeknum"
    found = {
        week_number(week): WeekFigures(*figures) for week, *figures in connection.execute(query)
    }
    return dict(sorted(found.items()))


def read_totals(connection: sqlite3.Connection) -> Totals:
    """Return the state of the totals; a week without a record has the status ``unknown``."""
    figures = read_figures(connection)
    known = read_quality(connection)
    quality = {
        week: known.get(week) or unknown_quality(week) for week in sorted({*figures, *known})
    }
    return Totals(figures, quality)


def read_quality(connection: sqlite3.Connection) -> dict[int, WeekQuality]:
    """Return the recorded quality by week; an earlier system recorded none."""
    return {record.week: record.quality for record in week_records(connection)}


def read_published_quality(path: Path) -> dict[int, WeekQuality]:
    """Return the weeks of a published quality.json. Raises SourceError if it is not one."""
    with open_regular(path) as opened:
        content = opened.read()
    try:
        weeks = [WeekQuality(**week) for week in json.loads(content)["weeks"]]
        return {parse_week(week.week): week for week in weeks}
    except (ValueError, KeyError, TypeError, SettingsError) as error:
        raise SourceError(
            path,
            expected="the quality of weeks as stats_publish writes it",
            found=printable(str(error)),
            advice="Remove it; the next run publishes it again.",
        ) from error


class WeekSums(NamedTuple):
    """The two statistics of a week. They must never be added up."""

    hits: int
    unique: int
    """Unique addresses of each day, summed over the days."""


def sums_of_week(connection: sqlite3.Connection, week: int) -> WeekSums:
    """Return the hits and the unique addresses of a week, over all systems."""
    query = (
        f"SELECT coalesce(sum(hits) FILTER (WHERE {COUNTME_ROWS}), 0), "  # noqa: S608
        f"coalesce(sum(hits) FILTER (WHERE {UNIQUE_ROWS}), 0) "
        "FROM countme_totals WHERE weeknum = ?"
    )
    return WeekSums(*connection.execute(query, (str(week),)).fetchone())


def write_totals_db(source: Path, target: Path, *, rows: str = _ALL_ROWS) -> Totals:
    """Copy some of the totals to a new database, and return the state that was copied.

    All is read in one transaction, so a writer of ``source`` comes before or after it.
    """
    open_regular(source).close()
    target.unlink(missing_ok=True)
    columns = ", ".join(_TOTALS_COLUMNS)
    declared = ", ".join(f"{name} {kind} NOT NULL" for name, kind in _TOTALS_COLUMNS.items())
    with sqlite_errors(source, "a database of totals", if_damaged=_MENDED, written=target):
        connection = connect(target, "rwc", timeout_seconds=_WAIT_SECONDS)
        with contextlib.closing(connection):
            # no reader opens the file before it has its name, so a journal protects nothing
            connection.execute("PRAGMA page_size = 4096")
            connection.execute("PRAGMA journal_mode = OFF")
            connection.execute("PRAGMA synchronous = OFF")
            connection.execute("ATTACH ? AS source", (sqlite_uri(source, "ro"),))
            _check_totals_table(connection, source, "source")
            connection.execute("BEGIN")
            connection.execute(f"CREATE TABLE main.countme_totals ({declared})")
            # rows come by week, so that the index grows at its end and needs no sorting
            connection.execute("CREATE INDEX main.weeknum_idx ON countme_totals (weeknum)")
            connection.execute(
                f"INSERT INTO main.countme_totals ({columns}) SELECT {columns} "  # noqa: S608
                f"FROM source.countme_totals WHERE {rows} ORDER BY weeknum, rowid"
            )
            totals = read_totals(connection)
            connection.execute("COMMIT")
    return totals


def format_weeks(weeks: list[int], limit: int = 5) -> str:
    """Format the names of weeks, of many only the first few."""
    names = ", ".join(week_name(week) for week in sorted(weeks)[:limit])
    return names if len(weeks) <= limit else f"{names} and {len(weeks) - limit} more"


def _shrinkage(
    published: Mapping[int, WeekFigures], new: Mapping[int, WeekFigures]
) -> tuple[str, ...]:
    """Return what published totals would lose if they were replaced; empty if nothing."""
    missing = [week for week in published if week not in new]
    shrunk = [
        week
        for week, before in published.items()
        if week in new
        and (
            new[week].rows < before.rows * _SHRUNK_SHARE
            or new[week].hits < before.hits * _SHRUNK_SHARE
        )
    ]
    losses = []
    if missing:
        losses.append(f"{len(missing)} published weeks missing ({format_weeks(missing)})")
    if shrunk:
        losses.append(f"{len(shrunk)} weeks with less than half left ({format_weeks(shrunk)})")
    return tuple(losses)


def refuse_shrinkage(
    published: Mapping[int, WeekFigures],
    new: Mapping[int, WeekFigures],
    *,
    published_path: Path,
    new_path: Path,
) -> None:
    """Raise OutputError if the new totals hold less than the published ones."""
    losses = _shrinkage(published, new)
    if losses:
        raise OutputError(
            published_path,
            expected=f"{new_path} to hold all that is published",
            found="; ".join(losses),
            advice="Check that the right totals are configured. "
            "Set allow_shrink to publish them anyway; nothing was replaced.",
        )
