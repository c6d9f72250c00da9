# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Decompress xz straight into the reader's buffer, by liblzma.

Python's own decompressor collects what it makes in blocks, joins them, and gives a copy to copy
from again, all but the decoding under Python's lock. Where several logs are read at a time, that
keeps half of the processors waiting. Where there is no liblzma, Python's own has to do.
"""

from __future__ import annotations

import ctypes
import functools
import lzma
from typing import IO, Any

_INPUT_SIZE = 128 << 10
_RUN = 0
_OK, _STREAM_END, _NO_MEMORY = 0, 1, 5
#: What liblzma answers, in words.
_WORDS = {
    6: "it needs more memory than a log is given",
    7: "it is no xz file",
    8: "options that are not known",
    9: "corrupt data",
    10: "corrupt data",
}


class _Stream(ctypes.Structure):
    """lzma_stream of lzma/base.h."""

    _fields_ = (
        ("next_in", ctypes.c_void_p),
        ("avail_in", ctypes.c_size_t),
        ("total_in", ctypes.c_uint64),
        ("next_out", ctypes.c_void_p),
        ("avail_out", ctypes.c_size_t),
        ("total_out", ctypes.c_uint64),
        ("allocator", ctypes.c_void_p),
        ("internal", ctypes.c_void_p),
        ("reserved_pointers", ctypes.c_void_p * 4),
        ("seek_pos", ctypes.c_uint64),
        ("reserved_integer", ctypes.c_uint64),
        ("reserved_sizes", ctypes.c_size_t * 2),
        ("reserved_enums", ctypes.c_int * 2),
    )


@functools.cache
def liblzma() -> Any:
    """The C library, or None where there is none."""
    try:
        library = ctypes.CDLL("liblzma.so.5")
        stream = ctypes.POINTER(_Stream)
        library.lzma_stream_decoder.argtypes = (stream, ctypes.c_uint64, ctypes.c_uint32)
        library.lzma_code.argtypes = (stream, ctypes.c_int)
        library.lzma_end.argtypes = (stream,)
    except (OSError, AttributeError):
        return None
    return library


class XzReader:
    """The plain bytes of an xz file of one or more streams, zero bytes between and behind them.

    Raises lzma.LZMAError for what is no xz, EOFError where it is cut short.
    """

    def __init__(self, compressed: IO[bytes], *, memory: int) -> None:
        """``memory`` is what a decoder may take, in bytes. Needs :func:`liblzma`."""
        self._compressed = compressed
        self._memory = memory
        self._liblzma = liblzma()
        self._stream = _Stream()
        self._input = (ctypes.c_char * _INPUT_SIZE)()
        self._at_end = False
        self._start()

    def readinto(self, buffer: Any) -> int:
        """Fill the buffer; 0 at the end of the file only, which was verified then."""
        if self._at_end:
            return 0
        output = (ctypes.c_char * len(buffer)).from_buffer(buffer)
        self._stream.next_out = ctypes.addressof(output)
        self._stream.avail_out = len(buffer)
        while self._stream.avail_out and not self._at_end:
            self._step()
        return len(buffer) - int(self._stream.avail_out)

    def __del__(self) -> None:
        self._liblzma.lzma_end(self._stream)

    def _start(self) -> None:
        self._check(self._liblzma.lzma_stream_decoder(self._stream, self._memory, 0))

    def _step(self) -> None:
        if not self._stream.avail_in and not self._read():
            raise EOFError("it is cut short")
        if self._check(self._liblzma.lzma_code(self._stream, _RUN)) == _STREAM_END:
            self._next_stream()

    def _next_stream(self) -> None:
        while self._stream.avail_in or self._read():
            if ctypes.string_at(self._stream.next_in, 1) != b"\0":
                self._start()
                return
            there = ctypes.string_at(self._stream.next_in, self._stream.avail_in)
            rest = len(there.lstrip(b"\0"))
            self._stream.next_in += len(there) - rest
            self._stream.avail_in = rest
        self._at_end = True

    def _read(self) -> int:
        count = int(self._compressed.readinto(self._input))  # type: ignore[attr-defined]
        self._stream.next_in = ctypes.addressof(self._input)
        self._stream.avail_in = count
        return count

    def _check(self, answer: int) -> int:
        if answer == _NO_MEMORY:
            raise MemoryError("liblzma found no memory left")
        if answer not in (_OK, _STREAM_END):
            raise lzma.LZMAError(_WORDS.get(answer, f"liblzma answers {answer}"))
        return answer
