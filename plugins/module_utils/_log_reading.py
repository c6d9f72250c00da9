# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What all stages do that read combined logs: blocks of whole lines, in parallel, within bounds."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future
from typing import IO, TypeVar

from ._errors import SourceError
from ._records import InputFile

Found = TypeVar("Found")

#: Bytes of plain log that are read into hits at a time.
BLOCK_SIZE = 4 << 20
#: Blocks per worker that are read ahead, to be worked on while a row group is written.
_AHEAD = 4
#: A longer line is counted as too long instead of being read; keeps memory bounded.
LONGEST_LINE = 128 << 20
TOO_LONG = "too_long"


class Reading:
    """What was read of a log so far."""

    def __init__(self) -> None:
        self.lines = 0
        self.rejects: Counter[str] = Counter()

    def blocks(self, log: IO[bytes]) -> Iterator[bytearray]:
        """The log in blocks of whole lines, an empty one before them, as BlockReader likes it.

        Lines that are too long are counted and left out.
        """
        carry = b"\n"
        while True:
            filled = len(carry)
            block = bytearray(filled + BLOCK_SIZE)
            block[:filled] = carry
            with memoryview(block) as view:
                filled += log.readinto(view[filled:])  # type: ignore[attr-defined]
            if filled < len(block):
                del block[filled:]
                yield block
                return
            end = block.rfind(b"\n", 1) + 1 or block.rfind(b"\r", 1) + 1
            if end:
                carry = b"\n" + block[end:]
                del block[end:]
                yield block
            elif filled <= LONGEST_LINE:
                carry = bytes(block)
            else:
                carry = b"\n" + self._skip_line(log)

    def _skip_line(self, log: IO[bytes]) -> bytes:
        """Leave out the rest of a line that is too long; gives what was read behind it."""
        self.lines += 1
        self.rejects[TOO_LONG] += 1
        while piece := log.read(BLOCK_SIZE):
            ends = [at for at in (piece.find(b"\n"), piece.find(b"\r")) if at >= 0]
            if ends:
                return piece[min(ends) + 1 :]
        return b""

    def count(self, lines: int, rejects: Counter[str]) -> None:
        """Take in what became of a block."""
        self.lines += lines
        self.rejects.update(+rejects)


def in_parallel(
    blocks: Iterator[bytearray],
    find: Callable[[bytearray], Found],
    executor: Executor,
    workers: int,
) -> Iterator[Found]:
    """What ``find`` finds in the blocks, in their order, a bounded number of blocks ahead."""
    running: list[Future[Found]] = []
    for block in blocks:
        running.append(executor.submit(find, block))
        if len(running) > _AHEAD * workers:
            yield running.pop(0).result()
    for future in running:
        yield future.result()


def is_known(seen: InputFile, recorded: Iterable[InputFile]) -> bool:
    """Whether a log is one that an output was made from, or that one compressed since.

    Compressing keeps the time of modification and changes the size.
    """
    return any(
        seen == one or (seen.path != one.path and seen.mtime_ns == one.mtime_ns) for one in recorded
    )


def unreadable(error: OSError) -> SourceError:
    """An OSError met while looking for a log, in terms of what an operator can do."""
    return SourceError(
        error.filename,
        expected="to look at it",
        found=os.strerror(error.errno or 0),
        advice="Let the counting user read it; the next run goes on from here.",
    )


def without_address(line: str) -> str:
    """A line as it may be shown: not with the client's address, which stands first."""
    return "…" + line[len(line.split(maxsplit=1)[0]) :]
