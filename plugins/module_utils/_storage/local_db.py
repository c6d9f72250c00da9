# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Small SQLite files on the local disk: the run history and the spool of messages.

Their content helps, but nothing depends on it. A damaged file is therefore renamed, and a new one
takes its place.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from .._base.errors import CountingError, OutputError, SourceError
from .files import make_folder, open_regular, write_error
from .sqlite import Mode, connect, is_damage, sqlite_errors

#: A damaged file gets this at the end of its name; an older file of that name is replaced.
_DAMAGED = ".damaged"
_LOCK_TIMEOUT_SECONDS = 10


@dataclass(frozen=True)
class LocalSchema:
    """The kind of a file. Its header holds ``application_id`` and ``version``."""

    what: str
    """The name of the kind in messages: ``a run history``."""
    application_id: int
    version: int
    tables: Sequence[str]
    """Statements that create the tables of an empty file."""
    mode: int
    """The permissions of a new file."""
    journal: str = "DELETE"


@contextlib.contextmanager
def local_db(path: Path, schema: LocalSchema) -> Iterator[sqlite3.Connection]:
    """Open the file for writing, in autocommit mode; create it if it is absent or damaged.

    Raises OutputError if it cannot be written or is of another kind.
    """
    make_folder(path.parent)
    damaged = "Move it away, then run again: a new file is made."
    with sqlite_errors(path, schema.what, if_damaged=damaged, written=path):
        try:
            connection = _open_for_writing(path, schema)
        except sqlite3.Error as error:
            if not is_damage(error):
                raise
            _set_aside(path)
            connection = _open_for_writing(path, schema)
        with contextlib.closing(connection):
            yield connection


@contextlib.contextmanager
def reading_local_db(path: Path, schema: LocalSchema) -> Iterator[sqlite3.Connection | None]:
    """Open the file for reading; give None if it does not exist.

    Raises CountingError if it cannot be read or is of another kind.
    """
    if not path.exists():
        yield None
        return
    open_regular(path).close()
    damaged = "Remove it: the next run makes a new one."
    with sqlite_errors(path, schema.what, if_damaged=damaged):
        connection = _connect(path, _mode_for_reading(path))
        with contextlib.closing(connection):
            _check_kind(connection, path, schema, SourceError)
            yield connection


def _mode_for_reading(path: Path) -> Mode:
    """Return the mode in which reading leaves no file beside ``path``.

    Without a write-ahead log nobody writes to the file. SQLite would create that log for a reader,
    with the reader as its owner, unless the file is declared immutable.
    """
    return "ro" if path.with_name(path.name + "-wal").exists() else "ro&immutable=1"


def _connect(path: Path, mode: Mode) -> sqlite3.Connection:
    return connect(path, mode, timeout_seconds=_LOCK_TIMEOUT_SECONDS, any_thread=True)


def _open_for_writing(path: Path, schema: LocalSchema) -> sqlite3.Connection:
    _create(path, schema.mode)
    connection = _connect(path, "rw")
    try:
        _make_tables(connection, schema)
        _check_kind(connection, path, schema, OutputError)
    except BaseException:
        connection.close()
        raise
    return connection


def _create(path: Path, mode: int) -> None:
    """Create an empty file unless there is one. SQLite would give it permissions by the umask."""
    if path.is_symlink():
        raise OutputError(
            path,
            expected="a regular file",
            found="a symbolic link",
            advice="Move it away, or name the file that it points to.",
        )
    flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        with os.fdopen(os.open(path, flags, mode), "wb") as created:
            os.fchmod(created.fileno(), mode)
    except FileExistsError:
        pass
    except OSError as error:
        raise write_error(path, error) from error


def _make_tables(connection: sqlite3.Connection, schema: LocalSchema) -> None:
    if connection.execute("PRAGMA schema_version").fetchone()[0]:
        return
    # the journal cannot be changed while another process uses the file
    with contextlib.suppress(sqlite3.OperationalError):
        connection.execute(f"PRAGMA journal_mode = {schema.journal}")
    connection.execute("BEGIN IMMEDIATE")
    # another process may have created the tables since the first check
    if not connection.execute("PRAGMA schema_version").fetchone()[0]:
        for statement in schema.tables:
            connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {schema.application_id}")
        connection.execute(f"PRAGMA user_version = {schema.version}")
    connection.execute("COMMIT")


def _check_kind(
    connection: sqlite3.Connection, path: Path, schema: LocalSchema, error: type[CountingError]
) -> None:
    kind = connection.execute("PRAGMA application_id").fetchone()[0]
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if (kind, version) != (schema.application_id, schema.version):
        raise error(
            path,
            expected=f"{schema.what}, version {schema.version}",
            found=f"a database of another kind ({kind}) or version ({version})",
            advice="Name another file, or move that one away.",
        )


def _set_aside(path: Path) -> None:
    """Rename a damaged file, and remove the files that SQLite keeps beside it."""
    try:
        path.replace(path.with_name(path.name + _DAMAGED))
        for ending in ("-journal", "-wal", "-shm"):
            path.with_name(path.name + ending).unlink(missing_ok=True)
    except OSError as error:
        raise write_error(path, error) from error
