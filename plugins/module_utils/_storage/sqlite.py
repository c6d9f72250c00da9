# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What SQLite says of a file that is read, in terms of what an operator can do."""

from __future__ import annotations

import contextlib
import errno
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from .._base.errors import SourceError, printable
from .files import write_error


@contextlib.contextmanager
def sqlite_errors(
    path: Path, what: str, *, advice: str, written: Path | None = None
) -> Iterator[None]:
    """Raises SourceError for ``path``, which is ``what``; ``advice`` is for one that is damaged.

    Where it is copied to ``written``, OutputError for what went wrong there.
    """
    try:
        yield
    except sqlite3.OperationalError as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if written and code in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR):
            number = errno.ENOSPC if code == sqlite3.SQLITE_FULL else errno.EIO
            raise write_error(written, OSError(number, "")) from error
        raise SourceError(
            path,
            expected=f"{what} that can be read now",
            found=printable(str(error)),
            advice=_LEFT_OPEN if code == sqlite3.SQLITE_READONLY else _HELD,
        ) from error
    except sqlite3.DatabaseError as error:
        raise SourceError(
            path, expected=f"{what} in SQLite's format", found=printable(str(error)), advice=advice
        ) from error


_HELD = "End what holds it, or give the counting user read permission; then run again."
_LEFT_OPEN = (
    "A program was ended while it wrote there. Open it once as its owner, for example by "
    "sqlite3 FILE .tables, so that SQLite takes back what was begun; then run again."
)
