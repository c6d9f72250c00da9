# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Cut a log that is not sorted into sorted runs on disk, which can be merged as streams."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .._base.libs import np
from .._storage.files import make_folder, write_error
from .line_stream import BlockStream, LineBlock, LogStream, write_sorted

_READ_SIZE = 1 << 20


@dataclass(frozen=True)
class _SortedRun:
    """One run. ``lines``, ``bytes`` and ``undated`` are its part of the figures of its source."""

    path: Path
    times_path: Path
    """The file with the times of its lines, 8 bytes each: undated lines have none in their text."""
    lines: int
    bytes: int
    undated: int


@dataclass(frozen=True)
class SortedRuns:
    """All runs of a source."""

    runs: list[_SortedRun]
    first: int | None
    last: int | None


def sorted_runs(path: Path, folder: Path, *, memory: int) -> SortedRuns:
    """Sort a log in pieces that fit into ``memory``, and write them to files in a new ``folder``.

    Raises SourceError if the log is damaged, and OutputError if the folder cannot be written.
    """
    make_folder(folder)
    runs: list[_SortedRun] = []
    blocks: list[LineBlock] = []
    with LogStream(path, source=0, block_size=_READ_SIZE, check_order=False) as log:
        before = (0, 0, 0)
        while True:
            block = log.next_block()
            if block is not None:
                blocks.append(block)
            full = sum(block.memory for block in blocks) >= memory // 3
            if blocks and (full or block is None):
                now = (log.lines, log.bytes, log.undated)
                added = [after - earlier for after, earlier in zip(now, before, strict=True)]
                runs.append(_write_run(blocks, folder, len(runs), *added))
                before = now
                blocks = []
            if block is None:
                return SortedRuns(runs, log.first, log.last)


def _write_run(
    blocks: list[LineBlock], folder: Path, number: int, lines: int, size: int, undated: int
) -> _SortedRun:
    run = _SortedRun(folder / f"{number}", folder / f"{number}.times", lines, size, undated)
    try:
        with run.path.open("wb") as output, run.times_path.open("wb") as times:
            write_sorted([(block, None) for block in blocks], output, times)
    except OSError as error:
        raise write_error(folder, error) from error
    return run


class RunStream(BlockStream):
    """The stream of a sorted run."""

    is_sorted = True

    def __init__(self, run: _SortedRun, runs: SortedRuns, *, source: int) -> None:
        super().__init__(source=source, block_size=_READ_SIZE)
        self.lines, self.bytes, self.undated = run.lines, run.bytes, run.undated
        self.first, self.last = runs.first, runs.last
        self._content = run.path.open("rb")
        self._times = run.times_path.open("rb")
        self._carry = b""

    def close(self) -> None:
        self._content.close()
        self._times.close()

    def next_block(self) -> LineBlock | None:
        content = self._whole_lines()
        if not content:
            return None
        ends = np.flatnonzero(np.frombuffer(content, np.uint8) == ord("\n")) + 1
        offsets = np.concatenate([np.zeros(1, np.int64), ends])
        times: Any = np.frombuffer(self._times.read(8 * len(ends)), np.int64)
        return LineBlock(memoryview(content), offsets, times, int(times[-1]))

    def _whole_lines(self) -> bytes:
        pieces = [self._carry]
        while True:
            piece = self._content.read(self.block_size)
            end = piece.rfind(b"\n") + 1
            if end or not piece:
                break
            pieces.append(piece)
        self._carry = piece[end:]
        return b"".join([*pieces, piece[:end]])
