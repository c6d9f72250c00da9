# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A DuckDB of our own, in memory: what it may use, and what its errors mean to an operator."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from .._base.errors import CountingError, OutputError, printable
from .._base.libs import duckdb
from .files import write_error

_SETTINGS = {
    # nothing is ever fetched or loaded, and no setting of the user's home is read
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "allow_community_extensions": "false",
    "allow_persistent_secrets": "false",
    # files may be given by descriptors, whose numbers come back for other files
    "enable_external_file_cache": "false",
    "preserve_insertion_order": "false",
}


class Limits(NamedTuple):
    """What a query may use."""

    spill_dir: Path
    """A folder of its own, for what does not fit into memory."""
    memory_mib: int = 768
    workers: int = 0
    """Threads; 0 for one per processor."""


def connect(limits: Limits) -> Any:
    """A connection to a database in memory; close it, or use it as a context manager."""
    config = {
        **_SETTINGS,
        "memory_limit": f"{limits.memory_mib}MiB",
        "temp_directory": str(limits.spill_dir),
        **({"threads": str(limits.workers)} if limits.workers else {}),
    }
    return duckdb.connect(":memory:", config=config)


@contextlib.contextmanager
def duckdb_errors(
    limits: Limits,
    explain: Callable[[str], CountingError],
    *,
    more_memory: str = "Give this machine more memory.",
) -> Iterator[None]:
    """Translate the errors of DuckDB in the block.

    Raises OutputError if memory or disk space do not suffice, with ``more_memory`` as the advice
    for memory. Raises what ``explain`` returns for the printable text of any other error.
    """
    try:
        yield
    except duckdb.Error as error:
        raise _lack_of_room(error, limits, more_memory) or explain(printable(str(error))) from error


def _lack_of_room(error: Exception, limits: Limits, more_memory: str) -> CountingError | None:
    if "No space left" in str(error):
        return write_error(limits.spill_dir, OSError(errno.ENOSPC, str(error)))
    if isinstance(error, duckdb.OutOfMemoryException):
        return OutputError(
            limits.spill_dir,
            expected=f"to do with {limits.memory_mib} MiB of memory and some room to spill",
            found=printable(str(error)),
            advice=more_memory,
        )
    return None
