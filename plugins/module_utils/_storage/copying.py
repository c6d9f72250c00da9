# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Copy files within the kernel, which is faster than reading and writing, and may share blocks."""

from __future__ import annotations

import os
from pathlib import Path
from typing import IO

from .._base.errors import SourceError
from .files import open_regular

_KERNEL_BYTES = 64 << 20
_BLOCK_BYTES = 1 << 20


def copy_bytes(source: IO[bytes], target: IO[bytes], count: int | None = None) -> int:
    """Copy the first ``count`` bytes of an open file, or all of it, and return their number.

    The number is smaller than ``count`` if the source is shorter. The target begins with the copy,
    and the next write continues after it.
    """
    target.flush()
    done = _copy_in_kernel(source.fileno(), target.fileno(), count)
    source.seek(done)
    target.seek(done)
    while wanted := _next_bytes(_BLOCK_BYTES, count, done):
        block = source.read(wanted)
        if not block:
            break
        target.write(block)
        done += len(block)
    return done


def _copy_in_kernel(source: int, target: int, count: int | None) -> int:
    done = 0
    try:
        while wanted := _next_bytes(_KERNEL_BYTES, count, done):
            copied = os.copy_file_range(source, target, wanted, done, done)
            if not copied:
                break
            done += copied
    except OSError:
        return 0  # old kernels and some pairs of file systems do not support it
    return done


def _next_bytes(most: int, count: int | None, done: int) -> int:
    return most if count is None else min(most, count - done)


def copy_file(source: Path, target: Path) -> None:
    """Copy a file. Raises SourceError if it changed while it was copied."""
    with open_regular(source) as reader, target.open("wb") as writer:
        before = os.fstat(reader.fileno())
        copy_bytes(reader, writer)
        after = os.fstat(reader.fileno())
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        raise SourceError(
            source,
            expected="a file that does not change while it is copied",
            found="a change of its size or time",
            advice="Run again once its writer has finished.",
        )
