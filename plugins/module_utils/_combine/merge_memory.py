# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Estimate the memory of merges, and keep all merges of a run together below one limit."""

from __future__ import annotations

import contextlib
import ctypes
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from .._base.errors import SourceError
from .._base.libs import zstandard
from .._logs.paths import split_compression
from .._storage.files import open_regular

#: The memory for the lines of one merge.
LINES_MEMORY = 256 << 20

#: The memory for the decoders of one merge; xz -6 needs 8 MiB per source, xz -9 needs 64 MiB.
DECODERS_MEMORY = 320 << 20

#: The memory for all merges at the same time. The program and its libraries need another 150 MiB.
_ALL_MEMORY = LINES_MEMORY + DECODERS_MEMORY

#: The numbers of options in malloc.h of glibc.
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
#: The largest value that glibc accepts.
_MOST_MMAP_THRESHOLD = 32 << 20

_SMALL_DECODER = 1 << 20
_BZIP2_DECODER = 4 << 20
_LZMA2 = 0x21
#: Logs shrink by a factor of 10 to 30. A decoder needs no more of its window than the text is long.
_MOST_SHRINKAGE = 64


def keep_freed_memory() -> None:
    """Let the C library keep free buffers of a merge for the next ones, in the whole process.

    By default it returns each one to the kernel and clears new memory for the next, which took a
    quarter of the processor time of a merge. Other C libraries than glibc are left unchanged.
    """
    libc = ctypes.CDLL(None)
    if hasattr(libc, "mallopt"):
        libc.mallopt(_MMAP_THRESHOLD, _MOST_MMAP_THRESHOLD)
        libc.mallopt(_TRIM_THRESHOLD, _ALL_MEMORY)


def decoder_memory(path: Path) -> int:
    """Return the bytes that a decoder needs for a log once its window is full."""
    compression = split_compression(path.name)[1]
    if compression == ".bz2":
        return _BZIP2_DECODER
    if compression not in (".xz", ".zst"):
        return _SMALL_DECODER
    try:
        with open_regular(path) as file:
            head = file.read(64)
            size = file.seek(0, 2)
    except (SourceError, OSError):
        return _SMALL_DECODER  # reading the log will report the error
    window = _xz_window(head) if compression == ".xz" else _zstd_window(head)
    return min(window, size * _MOST_SHRINKAGE) + _SMALL_DECODER


def _xz_window(head: bytes) -> int:
    """Return the dictionary size of the first block (sections 3.1 and 5.3.1 of the .xz format)."""
    head = head.ljust(64, b"\0")
    place = 14
    for has_size in (head[13] & 0x40, head[13] & 0x80):
        if has_size:
            place = next((n for n in range(place, 48) if not head[n] & 0x80), 48) + 1
    if head[place] != _LZMA2:
        return _SMALL_DECODER
    bits = head[place + 2] & 0x3F
    return (2 | bits & 1) << (bits // 2 + 11)


def _zstd_window(head: bytes) -> int:
    try:
        return int(zstandard.get_frame_parameters(head).window_size)
    except zstandard.ZstdError:
        return _SMALL_DECODER


def too_big_to_read_together(paths: Sequence[Path], most: int) -> list[int]:
    """Return the numbers of the sources to sort before the merge, the largest decoder first."""
    needs: Mapping[int, int] = {number: decoder_memory(path) for number, path in enumerate(paths)}
    total = sum(needs.values())
    chosen = []
    for number in sorted(needs, key=lambda number: -needs[number]):
        if total <= most:
            break
        total -= needs[number]
        chosen.append(number)
    return chosen


def merge_memory(paths: Sequence[Path]) -> int:
    """Return the most bytes that a merge of these logs needs."""
    text = sum(
        path.lstat().st_size * (_MOST_SHRINKAGE if split_compression(path.name)[1] else 2)
        for path in paths
    )
    decoders = min(sum(decoder_memory(path) for path in paths), DECODERS_MEMORY)
    return min(text + (1 << 20), LINES_MEMORY) + decoders


class MemoryShare:
    """The memory that all merges share. A merge that needs more than all of it runs alone."""

    def __init__(self) -> None:
        self._used = 0
        self._changed = threading.Condition()

    @contextlib.contextmanager
    def of(self, amount: int) -> Iterator[None]:
        """Wait until ``amount`` bytes are free, and reserve them while the block runs."""
        amount = min(amount, _ALL_MEMORY)
        with self._changed:
            self._changed.wait_for(lambda: self._used + amount <= _ALL_MEMORY)
            self._used += amount
        try:
            yield
        finally:
            with self._changed:
                self._used -= amount
                self._changed.notify_all()
