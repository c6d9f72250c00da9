# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read a log in blocks of whole lines: one thread decompresses ahead, others parse the blocks.

``_combine/line_stream`` has a reader of its own, because a merge needs other blocks. It must not
change a byte, so only a line feed ends a line there and a giant line is an error; the size of its
blocks depends on the memory for the merge. Here every line end counts, a giant line is left out and
counted, and buffers are used again. The only shared part would be finding the last line end.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from queue import Empty, SimpleQueue
from threading import Event, Semaphore
from typing import IO, Protocol, TypeVar

#: Bytes of plain log in a block.
BLOCK_SIZE = 4 << 20
#: Blocks per worker that are read ahead, so that workers are busy while a row group is written.
_AHEAD = 8
#: A longer line is counted as too long and not parsed, so that memory is bounded.
LONGEST_LINE = 128 << 20
_TOO_LONG = "too_long"


class _BlockResult(Protocol):
    """The result of parsing a block has at least these fields."""

    lines: int
    """Lines read, empty ones left out."""
    rejects: Counter[str]
    """Lines left out, by reason."""


_Result = TypeVar("_Result", bound=_BlockResult)


class LogBlocks:
    """A log that is open for reading its plain bytes, and the counts of the lines read so far."""

    def __init__(self, log: IO[bytes]) -> None:
        self.lines = 0
        """Lines that are not empty."""
        self.rejects: Counter[str] = Counter()
        """Lines left out, by reason."""
        self._log = log
        self._too_long = 0
        self._free: SimpleQueue[bytearray] = SimpleQueue()

    @property
    def accepted(self) -> int:
        """The number of lines that were not left out."""
        return self.lines - sum(self.rejects.values())

    def results(self, parse: Callable[[memoryview], _Result], workers: int) -> Iterator[_Result]:
        """Yield the result of ``parse`` for each block in order; read a bounded number ahead.

        A block begins with an empty line, which saves ``cut_at_quotes`` a copy.
        """
        coming: SimpleQueue[Future[_Result] | None] = SimpleQueue()
        room = Semaphore(_AHEAD * workers)
        stopped = Event()

        def feed() -> None:
            try:
                for block, end in self._blocks():
                    room.acquire()
                    if stopped.is_set():
                        return
                    coming.put(threads.submit(self._parse, block, end, parse))
            finally:
                coming.put(None)

        with ThreadPoolExecutor(workers) as threads, ThreadPoolExecutor(1) as feeder:
            fed = feeder.submit(feed)
            try:
                while (future := coming.get()) is not None:
                    result = future.result()
                    self.lines += result.lines
                    self.rejects.update(+result.rejects)
                    yield result
                    room.release()
                fed.result()
            finally:
                stopped.set()
                room.release()
        if self._too_long:
            self.lines += self._too_long
            self.rejects[_TOO_LONG] = self._too_long

    def _parse(self, block: bytearray, end: int, parse: Callable[[memoryview], _Result]) -> _Result:
        result = parse(memoryview(block)[:end])
        if len(block) == BLOCK_SIZE:
            self._free.put(block)
        return result

    def _blocks(self) -> Iterator[tuple[bytearray, int]]:
        """Yield each block with the end of its last line; count and leave out lines too long."""
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
        """Return a buffer that begins with ``carry``; use an old buffer again if it is large enough."""
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
        """Skip the rest of a line that is too long; return the bytes that were read after it."""
        self._too_long += 1
        while piece := self._log.read(BLOCK_SIZE):
            ends = [at for at in (piece.find(b"\n"), piece.find(b"\r")) if at >= 0]
            if ends:
                return piece[min(ends) + 1 :]
        return b""
