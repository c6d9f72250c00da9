# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Small SQLite files of our own on the local disk: the run history and the spool of messages.

What is in them helps and is never needed, so a file that is damaged makes room for a new one, and
its remains are kept beside it under another name.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from .._base.errors import CountingError, OutputError, SourceError, printable
from .files import make_folder, write_error

#: A damaged file is renamed to its name with this added; an older one there is replaced.
DAMAGED = ".damaged"


@dataclass(frozen=True)
class LocalSchema:
    """What kind of file it is. ``application_id`` and ``version`` are kept in its header."""

    what: str
    """In words, for messages: ``a run history``."""
    application_id: int
    version: int
    tables: Sequence[str]
    """Statements that make an empty file."""
    mode: int
    journal: str = "DELETE"


class _DamagedError(Exception):
    pass


@contextlib.contextmanager
def local_db(
    path: Path, schema: LocalSchema, *, lock_timeout_seconds: float = 10
) -> Iterator[sqlite3.Connection]:
    """The file for writing, made where absent or damaged; a connection in autocommit mode.

    Raises OutputError where it can't be written, or belongs to something else.
    """
    make_folder(path.parent)
    with _words(path, schema):
        try:
            connection = _opened(path, schema, lock_timeout_seconds)
        except _DamagedError:
            _set_aside(path)
            connection = _opened(path, schema, lock_timeout_seconds)
        with contextlib.closing(connection):
            yield connection


@contextlib.contextmanager
def reading_local_db(
    path: Path, schema: LocalSchema, *, lock_timeout_seconds: float = 10
) -> Iterator[sqlite3.Connection | None]:
    """The file for reading; None where there is none. Raises SourceError where it can't be read."""
    if not path.exists():
        yield None
        return
    try:
        with contextlib.closing(_connect(path, _reading(path), lock_timeout_seconds)) as connection:
            _check(connection, path, schema)
            yield connection
    except (sqlite3.Error, _DamagedError, OSError, CountingError) as error:
        raise SourceError(
            path,
            expected=schema.what,
            found=printable(str(getattr(error, "found", error))),
            advice="Let the counting user read it. If it is damaged, remove it: a new one is made.",
        ) from error


@contextlib.contextmanager
def _words(path: Path, schema: LocalSchema) -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, _DamagedError) as error:
        raise OutputError(
            path,
            expected=f"to write {schema.what} there",
            found=printable(str(error)),
            advice="See that its folder is on a local disk with room, and the counting user's.",
        ) from error
    except OSError as error:
        raise write_error(path, error) from error


def _reading(path: Path) -> str:
    """How to open a file for reading without leaving anything beside it.

    A file with a log ahead of it (WAL) is at rest where there is no such log. SQLite would make
    one for a mere reader, with the reader as its owner.
    """
    return "ro" if path.with_name(path.name + "-wal").exists() else "ro&immutable=1"


def _connect(path: Path, mode: str, lock_timeout_seconds: float) -> sqlite3.Connection:
    if path.is_symlink():
        raise OutputError(
            path,
            expected="a regular file",
            found="a symbolic link",
            advice="Move it away, or name the file that it points to.",
        )
    return sqlite3.connect(
        f"file:{quote(str(path.absolute()))}?mode={mode}",
        uri=True,
        timeout=lock_timeout_seconds,
        isolation_level=None,
        check_same_thread=False,
    )


def _opened(path: Path, schema: LocalSchema, lock_timeout_seconds: float) -> sqlite3.Connection:
    # SQLite would give it the permissions of the umask
    with contextlib.suppress(FileExistsError):
        flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC
        with os.fdopen(os.open(path, flags, schema.mode), "wb") as created:
            os.fchmod(created.fileno(), schema.mode)
    connection = _connect(path, "rw", lock_timeout_seconds)
    try:
        _make_tables(connection, schema)
        _check(connection, path, schema)
    except sqlite3.DatabaseError as error:
        connection.close()
        # what is wrong with the content, as opposed to the disk, locks or permissions
        if isinstance(error, sqlite3.OperationalError):
            raise
        raise _DamagedError(str(error)) from error
    except BaseException:
        connection.close()
        raise
    return connection


def _make_tables(connection: sqlite3.Connection, schema: LocalSchema) -> None:
    if connection.execute("PRAGMA schema_version").fetchone()[0]:
        return
    # only now: while others are at it, the journal can't be changed
    with contextlib.suppress(sqlite3.OperationalError):
        connection.execute(f"PRAGMA journal_mode = {schema.journal}")
    connection.execute("BEGIN IMMEDIATE")
    # another process may have made them until now
    if not connection.execute("PRAGMA schema_version").fetchone()[0]:
        for statement in schema.tables:
            connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {schema.application_id}")
        connection.execute(f"PRAGMA user_version = {schema.version}")
    connection.execute("COMMIT")


def _check(connection: sqlite3.Connection, path: Path, schema: LocalSchema) -> None:
    kind = connection.execute("PRAGMA application_id").fetchone()[0]
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if (kind, version) != (schema.application_id, schema.version):
        raise OutputError(
            path,
            expected=f"{schema.what}, version {schema.version}",
            found=f"a database of another kind ({kind}) or version ({version})",
            advice="Name another file, or move that one away.",
        )


def _set_aside(path: Path) -> None:
    path.replace(path.with_name(path.name + DAMAGED))
    for ending in ("-journal", "-wal", "-shm"):
        path.with_name(path.name + ending).unlink(missing_ok=True)
