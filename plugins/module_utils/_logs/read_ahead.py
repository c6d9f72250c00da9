# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A log in blocks of whole lines: a thread reads and decompresses ahead, others look into them.

``_line_blocks`` cuts logs into blocks, too, and is no second copy. There no byte may change: a line
ends with a line feed only, the last one gets its own, and a giant line is an error. Its blocks are
as large as the memory of a merge allows, with room on both sides for words of eight bytes. Here any
line end counts, a giant line is left out and counted, and buffers are used again. What one reader
could do for both is to look for the last line end.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from queue import Empty, SimpleQueue
from threading import Event, Semaphore
from typing import IO, Protocol, TypeVar

#: Bytes of plain log that are looked into at a time.
BLOCK_SIZE = 4 << 20
#: Blocks per worker that are read ahead, to be worked on while a row group is written.
_AHEAD = 8
#: A longer line is counted as too long instead of being read; keeps memory bounded.
LONGEST_LINE = 128 << 20
TOO_LONG = "too_long"


class FoundInBlock(Protocol):
    """What was found in a block, at the least."""

    lines: int
    """Lines read, empty ones left out."""
    rejects: Counter[str]
    """Lines left out, by reason."""


Found = TypeVar("Found", bound=FoundInBlock)


class LogBlocks:
    """A log, open for reading its plain bytes, and what was found in it so far."""

    def __init__(self, log: IO[bytes]) -> None:
        self.lines = 0
        """Lines that are not empty."""
        self.rejects: Counter[str] = Counter()
        self._log = log
        self._too_long = 0
        self._free: SimpleQueue[bytearray] = SimpleQueue()

    @property
    def accepted(self) -> int:
        """Lines that were not left out."""
        return self.lines - sum(self.rejects.values())

    def found(self, find: Callable[[memoryview], Found], workers: int) -> Iterator[Found]:
        """What ``find`` finds in the blocks, in their order; a bounded number is read ahead.

        A block has an empty line before the others, which saves ``cut_at_quotes`` a copy.
        """
        coming: SimpleQueue[Future[Found] | None] = SimpleQueue()
        room = Semaphore(_AHEAD * workers)
        unwanted = Event()

        def feed() -> None:
            try:
                for block, end in self._blocks():
                    room.acquire()
                    if unwanted.is_set():
                        return
                    coming.put(threads.submit(self._look, block, end, find))
            finally:
                coming.put(None)

        with ThreadPoolExecutor(workers) as threads, ThreadPoolExecutor(1) as feeder:
            fed = feeder.submit(feed)
            try:
                while (future := coming.get()) is not None:
                    found = future.result()
                    self.lines += found.lines
                    self.rejects.update(+found.rejects)
                    yield found
                    room.release()
                fed.result()
            finally:
                unwanted.set()
                room.release()
        if self._too_long:
            self.lines += self._too_long
            self.rejects[TOO_LONG] = self._too_long

    def _look(self, block: bytearray, end: int, find: Callable[[memoryview], Found]) -> Found:
        found = find(memoryview(block)[:end])
        if len(block) == BLOCK_SIZE:
            self._free.put(block)
        return found

    def _blocks(self) -> Iterator[tuple[bytearray, int]]:
        """The blocks, and where in each the lines end; too long lines are counted and left out."""
        carry = b"\n"
        while True:
            block = self._buffer(carry)
            with memoryview(block) as view:
                filled = len(carry) + self._log.readinto(view[len(carry) :])  # type: ignore[attr-defined]
            if filled < len(block):
                yield block, filled
                return
            end = block.rfind(b"\n", 1) + 1 or block.rfind(b"\r", 1) + 1
            if end:
                carry = b"\n" + block[end:]
                yield block, end
            elif filled <= LONGEST_LINE:
                carry = bytes(block)
            else:
                carry = b"\n" + self._skip_line()

    def _buffer(self, carry: bytes) -> bytearray:
        """A buffer that starts with the carry; one that was used, where it has room enough."""
        if len(carry) > BLOCK_SIZE // 2:
            block = bytearray(min(2 * len(carry), LONGEST_LINE + BLOCK_SIZE))
        else:
            try:
                block = self._free.get_nowait()
            except Empty:
                block = bytearray(BLOCK_SIZE)
        block[: len(carry)] = carry
        return block

    def _skip_line(self) -> bytes:
        """Leave out the rest of a line that is too long; gives what was read behind it."""
        self._too_long += 1
        while piece := self._log.read(BLOCK_SIZE):
            ends = [at for at in (piece.find(b"\n"), piece.find(b"\r")) if at >= 0]
            if ends:
                return piece[min(ends) + 1 :]
        return b""
