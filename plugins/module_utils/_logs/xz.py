# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Decompress xz directly into the buffer of the reader, by liblzma.

Python's decompressor collects its output in blocks, joins them and returns a copy, which is copied
again, and holds Python's lock for all of it but the decoding. With several logs at the same time
half of the processors then wait. Without liblzma, Python's decompressor is used.
"""

from __future__ import annotations

import ctypes
import functools
import lzma
from typing import IO, Any

_INPUT_SIZE = 128 << 10
_RUN = 0
_OK, _STREAM_END, _NO_MEMORY = 0, 1, 5
#: The errors of liblzma by number, in words.
_ERRORS = {
    6: "it needs more memory than the limit",
    7: "it is no xz file",
    8: "it has unknown options",
    9: "corrupt data",
    10: "corrupt data",
}


class _Stream(ctypes.Structure):
    """The structure ``lzma_stream`` of lzma/base.h."""

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
    """Return the C library, or None if it is not installed."""
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
    """The plain bytes of an xz file of one or more streams. Zero bytes may follow each stream.

    Raises lzma.LZMAError for damaged data, and EOFError if the file is cut short.
    """

    def __init__(self, compressed: IO[bytes], *, memory: int) -> None:
        """Begin the first stream. ``memory`` is the limit of the decoder in bytes."""
        self._compressed = compressed
        self._memory = memory
        self._liblzma = liblzma()
        self._stream = _Stream()
        self._input = (ctypes.c_char * _INPUT_SIZE)()
        self._at_end = False
        self._start()

    def readinto(self, buffer: Any) -> int:
        """Fill the buffer and return the number of bytes; 0 only at the verified end of the file."""
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
            raise EOFError("the file is cut short")
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

    def _check(self, code: int) -> int:
        if code == _NO_MEMORY:
            raise MemoryError("liblzma found no memory left")
        if code not in (_OK, _STREAM_END):
            raise lzma.LZMAError(_ERRORS.get(code, f"liblzma returned {code}"))
        return code
