"""A log read ahead in blocks: all of it, in order, whatever happens to its reader."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._hits.fast_path import (
    BlockReader,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._logs import (
    read_ahead as logs_read_ahead,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._logs.read_ahead import (
    LogBlocks,
)

WORKERS = 2


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs_read_ahead, "BLOCK_SIZE", 1000)
    monkeypatch.setattr(logs_read_ahead, "LONGEST_LINE", 5000)


def _line(second: int) -> bytes:
    clock = b"%02d:%02d:%02d" % (second // 3600, second // 60 % 60, second % 60)
    return (
        b"192.0.2.1 - - [27/Sep/2021:" + clock + b" +0000]"
        b' "GET /metalink?repo=a&arch=b HTTP/2.0" 200 1 "-" "libdnf"\n'
    )


def _seconds(log: LogBlocks) -> Iterator[int]:
    for hits in log.results(BlockReader().hits, WORKERS):
        yield from (hits.timestamp - 1632700800).tolist()


def test_all_hits_come_in_the_order_of_the_log() -> None:
    log = LogBlocks(io.BytesIO(b"".join(map(_line, range(2000)))))
    assert list(_seconds(log)) == list(range(2000))
    assert log.lines == 2000


@pytest.mark.parametrize("end", [b"\n", b"\r", b"\r\n"])
def test_a_line_that_is_too_long_is_counted_and_left_out(end: bytes) -> None:
    long = [b"x" * 20_000 + end, b"y" * 7_000 + end]
    lines = [_line(0), long[0], _line(1), _line(2), long[1], _line(3)]
    log = LogBlocks(io.BytesIO(b"".join(lines)))
    assert list(_seconds(log)) == [0, 1, 2, 3]
    assert log.lines == 6
    assert log.rejects["too_long"] == 2


class _Failing(io.RawIOBase):
    """A log whose disk fails after some blocks."""

    def __init__(self, text: bytes) -> None:
        super().__init__()
        self._text = io.BytesIO(text)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        count = self._text.readinto(buffer)
        if not count:
            raise OSError(5, "Input/output error")
        return count


def test_an_error_of_reading_comes_after_the_hits_before_it() -> None:
    log = LogBlocks(io.BufferedReader(_Failing(b"".join(map(_line, range(500))))))
    seconds = _seconds(log)
    got = [next(seconds) for _unused in range(200)]
    with pytest.raises(OSError, match="Input/output error"):
        got += seconds
    assert got[:200] == list(range(200))


def test_who_stops_early_leaves_no_thread_behind() -> None:
    before = threading.active_count()
    hits = LogBlocks(io.BytesIO(b"".join(map(_line, range(5000))))).results(
        BlockReader().hits, WORKERS
    )
    next(hits)
    hits.close()  # type: ignore[attr-defined]
    assert threading.active_count() == before
