# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read logs as streams of blocks of whole lines with their times, and write such lines in order.

``_logs/read_ahead`` explains why a merge has a reader of its own.
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
from .merge_time import PAD_AFTER, PAD_BEFORE, scan_lines

#: The time of the lines of a source without dated lines, which come before all others.
BEFORE_ALL = -(1 << 61)

#: Lines collected at a time; the buffer for them then stays in the cache.
_LINES_A_TAKE = 1 << 14

#: The most bytes by which the buffer for a giant line grows at a time.
_GROWTH = 8 << 20

#: Lines of at least this size on average are written one by one, without a copy of all of them.
_GIANT_LINE = 1 << 16


@dataclass(frozen=True)
class LineBlock:
    """Some whole lines, in the order of their source."""

    content: memoryview
    offsets: Any
    """int64: the start of each line in ``content``, and at the end the size of ``content``."""
    times: Any
    """int64: the time by which each line is sorted."""
    frontier: int
    """No later line of the stream is older than this time."""

    @property
    def memory(self) -> int:
        """The bytes of memory that it takes."""
        return len(self.content) + 24 * len(self.times)


class UnsortedError(Exception):
    """A source that cannot be merged directly, because it is not sorted or takes too much memory."""

    def __init__(self, source: int) -> None:
        super().__init__(f"source {source} is not sorted")
        self.source = source


class BlockStream:
    """A stream of lines for a merge. Only one thread at a time calls ``next_block``."""

    is_sorted = False

    def __init__(self, *, source: int, block_size: int) -> None:
        self.source = source
        self.block_size = block_size
        self.lines = self.bytes = self.undated = 0
        self.first: int | None = None
        self.last: int | None = None

    def next_block(self) -> LineBlock | None:
        """Return the next lines; None at the end. Raises SourceError and UnsortedError."""
        raise NotImplementedError

    def close(self) -> None:
        """Close the files of the stream."""
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
    """The stream of a log, plain or compressed. Raises SourceError if it cannot be opened."""

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
        if end == PAD_BEFORE:
            return None
        offsets, times, dated = scan_lines(block, PAD_BEFORE, end)
        self._count(offsets, times, dated)
        times = self._with_undated(times, dated)
        latest = np.maximum.accumulate(times)
        if self._latest is not None:
            np.maximum(latest, self._latest, out=latest)
        if self._check_order and bool((times < latest - LOG_JITTER_SECONDS).any()):
            raise UnsortedError(self.source)
        self._latest = int(latest[-1])
        content = memoryview(block)[PAD_BEFORE:end]
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
        """Return the times with those of undated lines, which are the times of the lines before."""
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
        """Return a buffer with whole lines from PAD_BEFORE on, and their end.

        The end is PAD_BEFORE if there are no more lines.
        """
        room = len(self._carry) + self.block_size
        block = bytearray(PAD_BEFORE + room + PAD_AFTER)
        filled = PAD_BEFORE + len(self._carry)
        block[PAD_BEFORE:filled] = self._carry
        searched = filled
        self._carry = b""
        while True:
            filled = self._fill(block, filled)
            end = block.rfind(b"\n", searched, filled) + 1
            if self._at_end:
                return block, self._with_line_feed(block, filled)
            if end:
                self._carry = bytes(memoryview(block)[end:filled])
                block[end : end + PAD_AFTER] = bytes(PAD_AFTER)
                return block, end
            if filled > LONGEST_LINE:
                raise self._too_long()
            searched = filled
            block += bytes(min(filled, _GROWTH))

    def _fill(self, block: bytearray, filled: int) -> int:
        with memoryview(block) as view:
            while filled < len(block) - PAD_AFTER:
                count = self._log.readinto(view[filled : len(block) - PAD_AFTER])
                if not count:
                    self._at_end = True
                    break
                filled += count
        return filled

    def _with_line_feed(self, block: bytearray, filled: int) -> int:
        """Append a line feed to a last line without one; return the end of the lines."""
        if filled > PAD_BEFORE and block[filled - 1] != ord("\n"):
            block[filled] = ord("\n")
            filled += 1
        return filled

    def _too_long(self) -> SourceError:
        return SourceError(
            self._path,
            expected=f"lines of at most {LONGEST_LINE} bytes",
            found="a longer one",
            advice="Examine that file; it is no log, or somebody attacks the counting.",
        )


def _first_time(path: Path) -> int:
    """Return the time of the first dated line of a log whose first block has none."""
    with LogFile(path) as log:
        rest = bytearray(PAD_BEFORE)
        while True:
            piece = log.read(1 << 20)
            end = len(rest) + piece.rfind(b"\n") + 1 if piece else len(rest)
            rest += piece or b"\n"
            end = end if piece else len(rest)
            if piece and b"\n" not in piece and len(rest) < LONGEST_LINE:
                continue
            scanned = scan_lines(rest + bytes(PAD_AFTER), PAD_BEFORE, end)
            if scanned.dated.any():
                return int(scanned.times[scanned.dated.argmax()])
            if not piece:
                return BEFORE_ALL
            rest = bytearray(PAD_BEFORE) + rest[end:]


def write_sorted(
    parts: Sequence[tuple[LineBlock, Any]], output: IO[bytes], times_output: IO[bytes] | None = None
) -> None:
    """Write lines in the order of their times, and lines of equal time in the order of ``parts``.

    A part is a block and the numbers of its lines to write, or None for all of them. The times of
    the lines are written to ``times_output`` if there is one.
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
    """Return the stable order by time. The fast sort for small numbers serves a short span."""
    earliest = times.min()
    if times.max() - earliest < 1 << 16:
        times = (times - earliest).astype(np.uint16)
    return np.argsort(times, kind="stable")


def _one_buffer(parts: Sequence[tuple[LineBlock, Any]]) -> tuple[Any, Any, Any]:
    """Join all blocks; return the content, its offsets, and the numbers of the lines to write."""
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
