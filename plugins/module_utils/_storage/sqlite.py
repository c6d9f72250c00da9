# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Open SQLite files, and translate the errors of SQLite into errors with advice for an operator."""

from __future__ import annotations

import contextlib
import errno
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, TypeAlias
from urllib.parse import quote

from .._base.errors import CountingError, LockedError, OutputError, SourceError, printable
from .files import write_error

#: Read, read a file that nobody writes to, write an existing file, or write and create.
Mode: TypeAlias = Literal["ro", "ro&immutable=1", "rw", "rwc"]

_LOCKED = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
#: Errors of a copy that come from the file that is written, not from the one that is read.
_OF_THE_COPY = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR)
#: Errors of the file system or its permissions, with the error numbers of the system.
_SYSTEM_ERRORS = {
    sqlite3.SQLITE_FULL: errno.ENOSPC,
    sqlite3.SQLITE_IOERR: errno.EIO,
    sqlite3.SQLITE_READONLY: errno.EACCES,
    sqlite3.SQLITE_CANTOPEN: errno.EACCES,
    sqlite3.SQLITE_PERM: errno.EACCES,
}

_RELEASE = "Wait until that program has ended, or end it; then run again."
_GIVE_PERMISSION = "Give the counting user read permission, then run again."
_LEFT_OPEN = (
    "A program was ended while it wrote there. Open it once as its owner, for example by "
    "sqlite3 FILE .tables, so that SQLite takes back what was begun; then run again."
)


def sqlite_uri(path: Path, mode: Mode) -> str:
    """Return the URI by which SQLite opens a file in a mode."""
    return f"file:{quote(str(path.absolute()))}?mode={mode}"


def connect(
    path: Path, mode: Mode, *, timeout_seconds: float, any_thread: bool = False
) -> sqlite3.Connection:
    """Open an SQLite file in autocommit mode. Raises sqlite3.Error; see :func:`sqlite_errors`.

    Each statement waits up to ``timeout_seconds`` for a lock of another program. With
    ``any_thread`` several threads may use the connection, one at a time.
    """
    return sqlite3.connect(
        sqlite_uri(path, mode),
        uri=True,
        timeout=timeout_seconds,
        isolation_level=None,
        check_same_thread=not any_thread,
    )


@contextlib.contextmanager
def sqlite_errors(
    path: Path,
    what: str,
    *,
    if_damaged: str,
    if_locked: str = _RELEASE,
    written: Path | None = None,
) -> Iterator[None]:
    """Translate the errors of SQLite in the block.

    ``what`` names the content of the file at ``path``, such as ``a run history``. ``written`` is
    the file that the block writes: ``path`` itself, or a copy of it. ``if_damaged`` and
    ``if_locked`` are the advice. Raises LockedError if another program holds the file, OutputError
    for other errors in writing, and SourceError for other errors in reading.
    """
    try:
        yield
    except sqlite3.Error as error:
        code = _code(error)
        if code in _LOCKED:
            raise _locked(path, what, if_locked, written) from error
        if written and code in (_SYSTEM_ERRORS if written == path else _OF_THE_COPY):
            number = _SYSTEM_ERRORS[code]
            raise write_error(written, OSError(number, str(error))) from error
        if code in _SYSTEM_ERRORS:
            raise _unreadable(path, what, error) from error
        raise (OutputError if written == path else SourceError)(
            path,
            expected=f"{what} in SQLite's format",
            found=printable(str(error)),
            advice=if_damaged,
        ) from error


def is_damage(error: sqlite3.Error) -> bool:
    """Return whether an error comes from the content of a file, not from its disk or its locks."""
    return _code(error) in _DAMAGED


def _code(error: sqlite3.Error) -> int:
    # errors that Python's own code raises have no code of SQLite
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def _locked(path: Path, what: str, advice: str, written: Path | None) -> CountingError:
    return LockedError(
        path,
        expected=f"to {'write' if written == path else 'read'} {what}",
        found="another program that reads or writes it all the time",
        advice=advice,
    )


def _unreadable(path: Path, what: str, error: sqlite3.Error) -> CountingError:
    # SQLite needs to write where a program left a change half done
    is_left_open = _code(error) == sqlite3.SQLITE_READONLY
    return SourceError(
        path,
        expected=f"{what} that can be read now",
        found=printable(str(error)),
        advice=_LEFT_OPEN if is_left_open else _GIVE_PERMISSION,
    )
