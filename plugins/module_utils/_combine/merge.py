# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Merge logs of any size by time into one log, in bounded memory.

Lines are ordered by time, then by the order of their sources, then by their place in the source.
Undated lines have the time of the line that they follow, so that they stay directly after it. At
the head of a source they have the time of the first dated line. A source without dated lines comes
first.

The next block is always read from the source that is oldest in time. Lines of a source step back by
some minutes at most. Lines that are older than the last line of every source, less that jitter, can
therefore be sorted and written. If a source steps back further, the merge starts again with that
source cut into sorted runs on disk. Damage of a source shows at its end; the merge then starts again
without the source. Both are rare, so sources are usually read once.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from .._base.errors import SourceError
from .._base.libs import np
from .._logs.reading import log_pieces
from .line_stream import BlockStream, LineBlock, LogStream, UnsortedError, write_sorted
from .merge_memory import DECODERS_MEMORY, LINES_MEMORY, too_big_to_read_together
from .sorted_runs import RunStream, SortedRuns, sorted_runs

#: The first blocks of thousands of sources fit into the memory if they are this small.
_SMALLEST_BLOCK, _LARGEST_BLOCK = 4 << 10, 1 << 20
#: Bytes to sort and write at a time. Buffers of this size are used again, and fit into the caches.
_WRITE_SIZE = 8 << 20
_END_OF_TIME = 1 << 62


@dataclass
class _MergedSource:
    """The number of lines and bytes from one source in the merged log."""

    lines: int = 0
    bytes: int = 0
    undated: int = 0


@dataclass
class MergedLog:
    """The merged log. Times are in seconds since the epoch, UTC; None without a dated line."""

    sources: list[_MergedSource]
    damaged: Mapping[int, SourceError] = field(default_factory=dict)
    """The sources that were left out, by their number."""
    first: int | None = None
    last: int | None = None

    @property
    def lines(self) -> int:
        """The lines of all sources."""
        return sum(source.lines for source in self.sources)

    @property
    def bytes(self) -> int:
        """The bytes of all sources."""
        return sum(source.bytes for source in self.sources)

    @property
    def undated(self) -> int:
        """The undated lines of all sources."""
        return sum(source.undated for source in self.sources)


def _ignore(_count: int) -> None:
    return None


def merge_logs(
    sources: Sequence[Path],
    target: Path,
    *,
    scratch: Path,
    executor: Executor,
    memory: int = LINES_MEMORY,
    decoders_memory: int = DECODERS_MEMORY,
    on_read: Callable[[int], object] = _ignore,
) -> MergedLog:
    """Write all lines of ``sources`` in order to ``target``; sort in ``scratch`` if necessary.

    The threads of ``executor`` read and decompress. Damaged sources are left out and reported. If
    the decoders would need more than ``decoders_memory`` together, some sources are sorted before,
    one at a time. ``on_read`` is called with the bytes read, for sources that are read only once.
    Raises OSError if ``target`` cannot be written, and OutputError if ``scratch`` cannot.
    """
    runs: dict[int, SortedRuns] = {}
    damaged: dict[int, SourceError] = {}

    def sort_first(number: int) -> None:
        folder = scratch / f"source-{number}"
        try:
            runs[number] = sorted_runs(sources[number], folder, memory=memory // 2)
        except SourceError as damage:
            damaged[number] = damage

    for number in too_big_to_read_together(sources, decoders_memory):
        sort_first(number)
    while True:
        used = [number for number in range(len(sources)) if number not in damaged]
        try:
            # an unbuffered file may write only a part without an error
            with target.open("wb") as output, ExitStack() as streams:
                merge = _Merge(output, executor=executor, memory=memory)
                for number in used:
                    _add_streams(merge, streams, number, sources[number], runs.get(number), on_read)
                merge.run()
            return _merged_log(merge, len(sources), damaged)
        except UnsortedError as error:
            sort_first(error.source)
        except _DamagedError as error:
            unread = [number for number in used if number not in runs]
            damaged |= _damaged_sources(sources, unread, error, executor)


class _DamagedError(Exception):
    def __init__(self, source: int, error: SourceError) -> None:
        super().__init__(str(error))
        self.source = source
        self.error = error


def _damaged_sources(
    sources: Sequence[Path], unread: Sequence[int], known: _DamagedError, executor: Executor
) -> dict[int, SourceError]:
    """Return all sources that cannot be read to their end, so that the merge restarts only once."""
    others = [number for number in unread if number != known.source]
    verdicts = executor.map(_damage_of, [sources[number] for number in others])
    found = {number: damage for number, damage in zip(others, verdicts, strict=True) if damage}
    return found | {known.source: known.error}


def _damage_of(path: Path) -> SourceError | None:
    try:
        for _unused in log_pieces(path):
            pass
    except SourceError as error:
        return error
    return None


def _add_streams(
    merge: _Merge,
    streams: ExitStack,
    number: int,
    path: Path,
    runs: SortedRuns | None,
    on_read: Callable[[int], object],
) -> None:
    if runs is None:
        merge.add(streams.enter_context(_open(path, number, on_read)))
        return
    for run in runs.runs:
        stream = RunStream(run, runs, source=number)
        merge.add(streams.enter_context(stream))


def _open(path: Path, number: int, on_read: Callable[[int], object]) -> LogStream:
    try:
        return LogStream(path, source=number, block_size=_LARGEST_BLOCK, on_read=on_read)
    except SourceError as error:
        raise _DamagedError(number, error) from error


def _merged_log(merge: _Merge, count: int, damaged: Mapping[int, SourceError]) -> MergedLog:
    sources = [_MergedSource() for number in range(count)]
    first: list[int] = []
    last: list[int] = []
    for stream in merge.streams:
        source = sources[stream.source]
        source.lines += stream.lines
        source.bytes += stream.bytes
        source.undated += stream.undated
        if stream.first is not None and stream.last is not None:
            first.append(stream.first)
            last.append(stream.last)
    return MergedLog(sources, dict(damaged), min(first, default=None), max(last, default=None))


@dataclass
class _Segment:
    """Lines of a block that are not written yet; ``lines`` is None for all lines of the block."""

    rank: int
    block: LineBlock
    lines: Any = None

    def times(self) -> Any:
        """Return the times of the lines."""
        return self.block.times if self.lines is None else self.block.times[self.lines]


class _Merge:
    """One pass over all streams. Lines of equal time are ordered by the ``rank`` of their stream."""

    def __init__(self, output: IO[bytes], *, executor: Executor, memory: int) -> None:
        self.streams: list[BlockStream] = []
        self._output = output
        self._executor = executor
        self._write_size = min(memory // 6, _WRITE_SIZE)
        self._most_held = memory // 2
        self._memory = memory
        self._segments: list[_Segment] = []
        self._held = 0
        self._left = 0

    def add(self, stream: BlockStream) -> None:
        """Add a stream, with the next rank."""
        self.streams.append(stream)

    def run(self) -> None:
        """Read all streams to their ends and write their lines."""
        block_size = self._memory // 8 // max(1, len(self.streams))
        coming: list[Any] = []
        for stream in self.streams:
            stream.block_size = min(_LARGEST_BLOCK, max(_SMALLEST_BLOCK, block_size))
            coming.append(self._executor.submit(stream.next_block))
        try:
            self._run(coming)
        finally:
            # the streams are closed next, so no thread may read them any more
            for future in coming:
                if not future.cancel():
                    future.exception()

    def _run(self, coming: list[Any]) -> None:
        behind = [(-_END_OF_TIME, rank) for rank in range(len(self.streams))]
        while behind:
            rank = behind[0][1]
            try:
                block = coming[rank].result()
            except SourceError as error:
                raise _DamagedError(self.streams[rank].source, error) from error
            if block is None:
                heapq.heappop(behind)
                continue
            coming[rank] = self._executor.submit(self.streams[rank].next_block)
            self._segments.append(_Segment(rank, block))
            self._held += block.memory
            heapq.heapreplace(behind, (block.frontier, rank))
            if self._held - self._left >= max(self._write_size, self._left // 4):
                self._write_until(*behind[0])
                self._check_held()
        self._write_until(_END_OF_TIME, len(self.streams))

    def _write_until(self, time: int, rank: int) -> None:
        """Write all lines before ``time``, and those at that time from streams up to ``rank``.

        No stream has further lines that belong before these.
        """
        ready: list[_Segment] = []
        left: list[_Segment] = []
        for segment in sorted(self._segments, key=lambda segment: segment.rank):
            times = segment.times()
            is_ready = times <= time if segment.rank <= rank else times < time
            if is_ready.all():
                ready.append(segment)
            elif not is_ready.any():
                left.append(segment)
            else:
                places = np.arange(len(times)) if segment.lines is None else segment.lines
                ready.append(_Segment(segment.rank, segment.block, places[is_ready]))
                left.append(_Segment(segment.rank, segment.block, places[~is_ready]))
        self._segments = left
        self._left = self._held = sum(segment.block.memory for segment in left)
        if ready:
            write_sorted([(segment.block, segment.lines) for segment in ready], self._output)

    def _check_held(self) -> None:
        """Raise UnsortedError for the stream with the most lines in memory, if they fill it.

        All lines of the same moment are held together. A source that is cut into sorted runs needs
        less memory for them.
        """
        if self._held <= self._most_held:
            return
        held: dict[int, int] = {}
        for segment in self._segments:
            if not self.streams[segment.rank].is_sorted:
                held[segment.rank] = held.get(segment.rank, 0) + segment.block.memory
        if held:
            raise UnsortedError(self.streams[max(held, key=lambda rank: held[rank])].source)
