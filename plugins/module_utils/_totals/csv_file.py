# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The CSV file of the totals: write it from the database, whole or in part, and replace it at once.

Weeks ascend, and most runs change only the newest weeks. The kernel therefore copies the file up to
the first week that changed, and shares the blocks if the file system can. The rest of the file is
written again. A small record beside the file, ``.NAME.json``, holds the offset of each week and the
state of the database that the file shows. If the record does not match, the whole file is written
again.
"""

from __future__ import annotations

import contextlib
import csv
import io
import json
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import IO, NamedTuple

from .._base.days_and_weeks import week_end, week_start
from .._base.errors import OutputError, SourceError
from .._storage.copying import copy_bytes
from .._storage.files import open_regular, replacing, write_bytes
from .csv_reader import CSV_COLUMNS, weeks_of_csv
from .database import TotalsRow, counted_weeks, rows_of

_HEADER = (",".join(CSV_COLUMNS) + "\r\n").encode()
_FORMAT = 1


@dataclass(frozen=True)
class CsvRecord:
    """The state of the database that a CSV file shows, and the offsets of its weeks."""

    size: int
    mtime_ns: int
    database: list[int]
    """Sizes and times of the database's files when the CSV file was written."""
    made_from: str
    """Path of the database."""
    weeks: list[list[int]]
    """[week, offset of its first row in bytes], ascending."""
    format: int = _FORMAT


class CsvWritten(NamedTuple):
    """The numbers of bytes that were copied from the file before, and that were written again."""

    copied_bytes: int
    written_bytes: int


def _record_path(path: Path) -> Path:
    return path.with_name(f".{path.name}.json")


def _database_state(path: Path) -> list[int]:
    """Return the sizes and times of the database file and of its write-ahead log.

    They change with every transaction.
    """
    state = []
    for name in (path.name, f"{path.name}-wal"):
        with contextlib.suppress(FileNotFoundError):
            found = path.with_name(name).stat()
            state += [found.st_size, found.st_mtime_ns]
    return state


def csv_record(path: Path) -> CsvRecord | None:
    """Return the record of a CSV file, or None if the file is not as this stage wrote it."""
    try:
        values = json.loads(_record_path(path).read_bytes())
        record = CsvRecord(**values)
        found = path.lstat()
    except (OSError, ValueError, TypeError):
        return None
    same = (record.format, record.size, record.mtime_ns) == (
        _FORMAT,
        found.st_size,
        found.st_mtime_ns,
    )
    return record if same else None


def csv_in_step(path: Path, database: Path) -> CsvRecord | None:
    """Return the record of a CSV file that shows the present state of the database, or None."""
    record = csv_record(path)
    if record is None or record.made_from != str(database.absolute()):
        return None
    return record if record.database == _database_state(database) else None


def write_csv(
    path: Path,
    connection: sqlite3.Connection,
    database: Path,
    *,
    keep: CsvRecord | None = None,
    first_changed: int = 0,
) -> CsvWritten:
    """Write the totals to ``path``, all or nothing.

    ``keep`` is the record of a file that is correct up to the week ``first_changed``. The weeks
    before it are copied.
    """
    connection.execute("BEGIN")  # The whole file shows one state of the totals.
    try:
        weeks = counted_weeks(connection)
        offsets = [(w, o) for w, o in (keep.weeks if keep else []) if w < first_changed]
        new_weeks = [week for week in weeks if keep is None or week >= first_changed]
        head = _head_bytes(keep, first_changed)
        with replacing(path) as unfinished:
            with unfinished.open("wb") as out:
                _write_head(out, path, head)
                offsets += _write_weeks(out, connection, new_weeks)
                size = out.tell()
            mtime_ns = unfinished.stat().st_mtime_ns
        record = CsvRecord(
            size=size,
            mtime_ns=mtime_ns,
            database=_database_state(database),
            made_from=str(database.absolute()),
            weeks=[list(pair) for pair in offsets],
        )
    finally:
        connection.execute("COMMIT")
    _write_record(path, record)
    return CsvWritten(copied_bytes=head, written_bytes=size - head)


def keep_in_step(path: Path, record: CsvRecord, database: Path) -> None:
    """Record that a CSV file still shows the totals, after a change of other data."""
    state = _database_state(database)
    if record.database != state:
        _write_record(path, replace(record, database=state))


def _write_record(path: Path, record: CsvRecord) -> None:
    write_bytes(_record_path(path), json.dumps(asdict(record)).encode())


def _head_bytes(keep: CsvRecord | None, first_changed: int) -> int:
    if keep is None:
        return 0
    return next((offset for week, offset in keep.weeks if week >= first_changed), keep.size)


def _write_head(out: IO[bytes], before: Path, count: int) -> None:
    """Write the first ``count`` bytes of the file before, or the header if ``count`` is 0."""
    if not count:
        out.write(_HEADER)
        return
    with open_regular(before) as source:
        copied = copy_bytes(source, out, count)
    if copied < count:
        raise OutputError(
            before,
            expected=f"at least {count} bytes, as recorded",
            found=f"{copied} bytes: it became shorter while it was read",
            advice="End what else writes that file, then run again; it is written anew.",
        )


def _write_weeks(
    out: IO[bytes], connection: sqlite3.Connection, weeks: Sequence[int]
) -> Iterator[tuple[int, int]]:
    """Append the rows of weeks, and yield (week, offset in bytes)."""
    for week in weeks:
        yield week, out.tell()
        text = io.TextIOWrapper(out, encoding="utf-8", newline="", write_through=False)
        csv.writer(text).writerows(csv_rows(week, rows_of(connection, week)))
        text.detach()


def csv_rows(week: int, rows: Iterable[TotalsRow]) -> Iterator[tuple[object, ...]]:
    """Return rows of the totals as rows of the CSV file."""
    start, end = str(week_start(week)), str(week_end(week))
    return ((start, end, row[0], *row[2:]) for row in rows)


def check_replaceable(path: Path, database: Path, weeks: Collection[int]) -> None:
    """Check that a CSV file may be replaced by these totals.

    Raises OutputError if the file has no totals, or has weeks that would be lost. A file that was
    written from this database may show an older state. It is replaced whatever it holds.
    """
    record = csv_record(path)
    if record and record.made_from == str(database.absolute()):
        return
    if not path.is_file() or not path.stat().st_size:
        return
    try:
        found = {week.week for week in weeks_of_csv(path, ascending=False)}
    except SourceError as error:
        raise OutputError(
            path,
            expected="a CSV file of totals, or none",
            found=f"something else ({error.found})",
            advice="Name another file in totals_csv; that one is left as it is.",
        ) from error
    lost = sorted(found - set(weeks))
    if lost:
        raise OutputError(
            path,
            expected="no weeks that the totals lack",
            found=f"the week of {week_start(lost[-1])}",
            advice="Correct totals_db or totals_csv, or move that file away.",
        )
