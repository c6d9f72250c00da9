# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Open DuckDB databases in memory, and translate their errors into errors with advice."""

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
    # DuckDB must not download or load anything, nor read settings from the user's home
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "allow_community_extensions": "false",
    "allow_persistent_secrets": "false",
    # queries name files by descriptors, and the system gives a descriptor to another file later
    "enable_external_file_cache": "false",
    "preserve_insertion_order": "false",
}


class Limits(NamedTuple):
    """The resources that a query may use."""

    spill_dir: Path
    """A folder for data that does not fit into memory; no other query may use it."""
    memory_mib: int = 768
    workers: int = 0
    """Threads; 0 for one per processor."""


def connect(limits: Limits) -> Any:
    """Open a database in memory. Close it, or use it as a context manager."""
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
        raise _resource_error(error, limits, more_memory) or explain(
            printable(str(error))
        ) from error


def _resource_error(error: Exception, limits: Limits, more_memory: str) -> CountingError | None:
    if "No space left" in str(error):
        return write_error(limits.spill_dir, OSError(errno.ENOSPC, str(error)))
    if isinstance(error, duckdb.OutOfMemoryException):
        return OutputError(
            limits.spill_dir,
            expected=f"{limits.memory_mib} MiB of memory and the free space there to be enough",
            found=printable(str(error)),
            advice=more_memory,
        )
    return None
