# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Logs as a stream of blocks of whole lines with their times, and writing such lines in order.

Its blocks are others than those of ``_log_blocks``, which tells why.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from .._base.days_and_weeks import LOG_JITTER_SECONDS
from .._base.errors import SourceError
from .._base.libs import np, pa, pc
from .._logs.read_ahead import LONGEST_LINE
from .._logs.reading import LogFile
from .merge_time import BEHIND, FRONT, scan_lines

#: Time of the lines of a source without any dated line: before all others.
BEFORE_ALL = -(1 << 61)

#: Lines gathered in one go: few enough that the buffer for them is found in the cache again.
_LINES_A_TAKE = 1 << 14

#: The buffer of a giant line grows by so much at a time, and not by its size.
_GROWTH = 8 << 20

#: Lines of this size on average are written one by one, without copies of all of them.
_GIANT_LINE = 1 << 16


@dataclass(frozen=True)
class LineBlock:
    """Some whole lines, in the order of their source."""

    content: memoryview
    offsets: Any
    """int64: where each line starts in ``content``, and at the end its size."""
    times: Any
    """int64: the time each line is sorted by."""
    frontier: int
    """No line that comes later in the stream is older than this."""

    @property
    def memory(self) -> int:
        """Bytes held."""
        return len(self.content) + 24 * len(self.times)


class UnsortedError(Exception):
    """A source can't be merged as it stands, for its lines step back too far (or all at once)."""

    def __init__(self, source: int) -> None:
        super().__init__(f"source {source} is not sorted")
        self.source = source


class BlockStream:
    """What a merge reads; ``next_block`` is called by one thread at a time."""

    is_sorted = False

    def __init__(self, *, source: int, block_size: int) -> None:
        self.source = source
        self.block_size = block_size
        self.lines = self.bytes = self.undated = 0
        self.first: int | None = None
        self.last: int | None = None

    def next_block(self) -> LineBlock | None:
        """The next lines; None at the end. Raises SourceError, UnsortedError."""
        raise NotImplementedError

    def close(self) -> None:
        raise NotImplementedError

    def __enter__(self) -> BlockStream:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class LogStream(BlockStream):
    """A log as it was fetched, plain or compressed. Raises SourceError if it can't be opened."""

    def __init__(
        self,
        path: Path,
        *,
        source: int,
        block_size: int,
        check_order: bool = True,
        on_read: Callable[[int], object] | None = None,
    ) -> None:
        super().__init__(source=source, block_size=block_size)
        self._path = path
        self._log = LogFile(path, on_read=on_read)
        self._check_order = check_order
        self._carry = b""
        self._at_end = False
        self._latest: int | None = None
        self._last_time: int | None = None

    def close(self) -> None:
        self._log.close()

    def next_block(self) -> LineBlock | None:
        block, end = self._read()
        if end == FRONT:
            return None
        offsets, times, dated = scan_lines(block, FRONT, end)
        self._count(offsets, times, dated)
        times = self._with_undated(times, dated)
        latest = np.maximum.accumulate(times)
        if self._latest is not None:
            np.maximum(latest, self._latest, out=latest)
        if self._check_order and bool((times < latest - LOG_JITTER_SECONDS).any()):
            raise UnsortedError(self.source)
        self._latest = int(latest[-1])
        content = memoryview(block)[FRONT:end]
        return LineBlock(content, offsets, times, self._latest - LOG_JITTER_SECONDS)

    def _count(self, offsets: Any, times: Any, dated: Any) -> None:
        self.lines += len(times)
        self.bytes += int(offsets[-1])
        self.undated += len(times) - int(np.count_nonzero(dated))
        if dated.any():
            known = times[dated]
            first, last = int(known.min()), int(known.max())
            self.first = first if self.first is None else min(self.first, first)
            self.last = last if self.last is None else max(self.last, last)

    def _with_undated(self, times: Any, dated: Any) -> Any:
        """The times with those of undated lines filled in: the time of the line they follow."""
        if dated.all():
            self._last_time = int(times[-1])
            return times
        places = np.maximum.accumulate(np.where(dated, np.arange(len(times)), -1))
        head = self._last_time
        if head is None and not dated[0]:
            head = int(times[dated.argmax()]) if dated.any() else _first_time(self._path)
        filled = np.where(places >= 0, times[places], head or 0)
        self._last_time = int(filled[-1])
        return filled

    def _read(self) -> tuple[bytearray, int]:
        """A buffer with whole lines from FRONT to the end that is given too; FRONT: no more."""
        room = len(self._carry) + self.block_size
        block = bytearray(FRONT + room + BEHIND)
        filled = FRONT + len(self._carry)
        block[FRONT:filled] = self._carry
        searched = filled
        self._carry = b""
        while True:
            filled = self._fill(block, filled)
            end = block.rfind(b"\n", searched, filled) + 1
            if self._at_end:
                return block, self._ended(block, filled)
            if end:
                self._carry = bytes(memoryview(block)[end:filled])
                block[end : end + BEHIND] = bytes(BEHIND)
                return block, end
            if filled > LONGEST_LINE:
                raise self._too_long()
            searched = filled
            block += bytes(min(filled, _GROWTH))

    def _fill(self, block: bytearray, filled: int) -> int:
        with memoryview(block) as view:
            while filled < len(block) - BEHIND:
                count = self._log.readinto(view[filled : len(block) - BEHIND])
                if not count:
                    self._at_end = True
                    break
                filled += count
        return filled

    def _ended(self, block: bytearray, filled: int) -> int:
        """Give a last line without a line feed one."""
        if filled > FRONT and block[filled - 1] != ord("\n"):
            block[filled] = ord("\n")
            filled += 1
        return filled

    def _too_long(self) -> SourceError:
        return SourceError(
            self._path,
            expected=f"lines of at most {LONGEST_LINE} bytes",
            found="a longer one",
            advice="Look at that file; it is no log, or somebody plays tricks.",
        )


def _first_time(path: Path) -> int:
    """The time of the first dated line of a log whose first block has none."""
    with LogFile(path) as log:
        rest = bytearray(FRONT)
        while True:
            piece = log.read(1 << 20)
            end = len(rest) + piece.rfind(b"\n") + 1 if piece else len(rest)
            rest += piece or b"\n"
            end = end if piece else len(rest)
            if piece and b"\n" not in piece and len(rest) < LONGEST_LINE:
                continue
            scanned = scan_lines(rest + bytes(BEHIND), FRONT, end)
            if scanned.dated.any():
                return int(scanned.times[scanned.dated.argmax()])
            if not piece:
                return BEFORE_ALL
            rest = bytearray(FRONT) + rest[end:]


def write_sorted(
    parts: Sequence[tuple[LineBlock, Any]], output: IO[bytes], times_output: IO[bytes] | None = None
) -> None:
    """Write lines by time, those of equal time in the order of ``parts``.

    A part is a block and the numbers of its lines to write, or None for all of them; their times
    go to ``times_output`` if there is one.
    """
    times = _joined(
        [block.times if lines is None else block.times[lines] for block, lines in parts]
    )
    is_sorted = bool((times[1:] >= times[:-1]).all())
    if is_sorted and times_output is None and all(part[1] is None for part in parts):
        for part in parts:
            output.write(part[0].content)
        return
    order = _order(times)
    if times_output is not None:
        times_output.write(times[order].tobytes())
    if sum(len(block.content) for block, lines in parts) > _GIANT_LINE * len(order):
        _write_giant_lines(parts, order, output)
        return
    content, offsets, places = _one_buffer(parts)
    lines = pa.LargeBinaryArray.from_buffers(
        pa.large_binary(), len(offsets) - 1, [None, pa.py_buffer(offsets), pa.py_buffer(content)]
    )
    places = places[order]
    for start in range(0, len(places), _LINES_A_TAKE):
        taken = pc.take(lines, pa.array(places[start : start + _LINES_A_TAKE]), boundscheck=False)
        output.write(taken.buffers()[2])


def _write_giant_lines(
    parts: Sequence[tuple[LineBlock, Any]], order: Any, output: IO[bytes]
) -> None:
    slices = [
        block.content[block.offsets[line] : block.offsets[line + 1]]
        for block, lines in parts
        for line in (range(len(block.times)) if lines is None else lines)
    ]
    for place in order:
        output.write(slices[place])


def _joined(arrays: Sequence[Any]) -> Any:
    return arrays[0] if len(arrays) == 1 else np.concatenate(arrays)


def _order(times: Any) -> Any:
    """The stable order by time; a short span fits the fast sort for small numbers."""
    earliest = times.min()
    if times.max() - earliest < 1 << 16:
        times = (times - earliest).astype(np.uint16)
    return np.argsort(times, kind="stable")


def _one_buffer(parts: Sequence[tuple[LineBlock, Any]]) -> tuple[Any, Any, Any]:
    """All blocks as one: content, offsets of its lines, and the numbers of the lines to write."""
    offsets, places = [], []
    size = count = 0
    for block, lines in parts:
        offsets.append(block.offsets[:-1] + size)
        places.append((np.arange(len(block.times)) if lines is None else lines) + count)
        size += len(block.content)
        count += len(block.times)
    offsets.append(np.array([size]))
    content: Any = parts[0][0].content
    if len(parts) > 1:
        content = b"".join([part[0].content for part in parts])
    return content, np.concatenate(offsets), np.concatenate(places)
