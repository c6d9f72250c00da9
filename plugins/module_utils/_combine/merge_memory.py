# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How much memory merges take, so that all that run at one time stay within one bound."""

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

#: Memory for the lines of one merge.
LINES_MEMORY = 256 << 20

#: Memory for the decoders of one merge; xz -6 takes 8 MiB a source, xz -9 takes 64 MiB.
DECODERS_MEMORY = 320 << 20

#: Memory for all merges at one time; the program and its libraries come on top (150 MiB).
ALL_MEMORY = LINES_MEMORY + DECODERS_MEMORY

#: Numbers of options in glibc's malloc.h.
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
#: The most that glibc takes for it.
_MOST_MMAP_THRESHOLD = 32 << 20

_SMALL_DECODER = 1 << 20
_BZIP2_DECODER = 4 << 20
_LZMA2 = 0x21
# Logs shrink by a factor of 10 to 30; a decoder never fills more of its window than there is text.
_MOST_SHRINKAGE = 64


def keep_freed_memory() -> None:
    """Have the C library keep the buffers of a merge that are free, for the next ones.

    Usually it gives each one back to the kernel, and gets and clears new memory for the next: that
    was a quarter of a merge's processor time. It holds for the whole process; nothing where there
    is another C library.
    """
    libc = ctypes.CDLL(None)
    if hasattr(libc, "mallopt"):
        libc.mallopt(_MMAP_THRESHOLD, _MOST_MMAP_THRESHOLD)
        libc.mallopt(_TRIM_THRESHOLD, ALL_MEMORY)


def decoder_memory(path: Path) -> int:
    """Bytes that reading this log takes once its decoder's window is full."""
    form = split_compression(path.name)[1]
    if form == ".bz2":
        return _BZIP2_DECODER
    if form not in (".xz", ".zst"):
        return _SMALL_DECODER
    try:
        with open_regular(path) as file:
            head = file.read(64)
            size = file.seek(0, 2)
    except (SourceError, OSError):
        return _SMALL_DECODER  # reading it tells more
    window = _xz_window(head) if form == ".xz" else _zstd_window(head)
    return min(window, size * _MOST_SHRINKAGE) + _SMALL_DECODER


def _xz_window(head: bytes) -> int:
    """The dictionary of the first block, by section 3.1 and 5.3.1 of the .xz file format."""
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
    """The numbers of the sources that have to be read before the others, the hungriest first."""
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
    """Bytes that merging these takes, at most."""
    text = sum(
        path.lstat().st_size * (_MOST_SHRINKAGE if split_compression(path.name)[1] else 2)
        for path in paths
    )
    decoders = min(sum(decoder_memory(path) for path in paths), DECODERS_MEMORY)
    return min(text + (1 << 20), LINES_MEMORY) + decoders


class MemoryShare:
    """Lets through what fits into ``total`` bytes together; what is bigger goes alone."""

    def __init__(self, total: int = ALL_MEMORY) -> None:
        self._total = total
        self._used = 0
        self._changed = threading.Condition()

    @contextlib.contextmanager
    def of(self, amount: int) -> Iterator[None]:
        """Wait until there is so much left; hold it for the block."""
        amount = min(amount, self._total)
        with self._changed:
            self._changed.wait_for(lambda: self._used + amount <= self._total)
            self._used += amount
        try:
            yield
        finally:
            with self._changed:
                self._used -= amount
                self._changed.notify_all()
