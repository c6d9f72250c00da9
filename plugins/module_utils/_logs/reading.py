# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read a log of any compression completely, or raise an error; never read only a part of it."""

from __future__ import annotations

import bz2
import contextlib
import hashlib
import io
import lzma
import sys
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from .._base.errors import SourceError
from .._base.libs import not_installed, zstandard
from .._storage.files import open_regular
from .paths import split_compression
from .xz import XzReader, liblzma

#: Bytes of one read; decoders, page cache and tokenizer are fast with it.
READ_SIZE = 1 << 20

#: The most memory of a decoder. A file that needs more is damaged or an attack: xz -9 needs 65 MiB,
#: zstd --long needs 128 MiB.
_MOST_DECODER_MEMORY = 192 << 20

#: Bytes of zstd expand at most 32,768 times (a block of 4 bytes to 128 KiB), so this gives 64 MiB.
_ZSTD_FEED = 1 << 11

_DECODE_ERRORS = (lzma.LZMAError, zlib.error, EOFError, OSError)


class LogFile(io.RawIOBase):
    """The plain bytes of a log. Raises SourceError with the offset if the file is damaged.

    ``readinto`` and ``read`` return 0 bytes only after the end and all checksums were verified.
    """

    def __init__(
        self,
        path: Path,
        *,
        compression: str | None = None,
        on_read: Callable[[int], object] | None = None,
    ) -> None:
        """Open the log.

        ``compression`` is the ending for its compression; by default the name has it. After each
        read ``on_read`` is called with the number of bytes that were read from the disk.
        """
        super().__init__()
        self.path = path
        self._file = open_regular(path)
        self._compression = split_compression(path.name)[1] if compression is None else compression
        if self._compression == ".zst" and not_installed(["zstandard"]):
            self._file.close()
            raise SourceError(
                path,
                expected="the Python library zstandard, which reads it",
                found="no such library",
                advice=f"Install it for {sys.executable}; the next run reads the file.",
            )
        self._plain: Any = _decoder(self._compression, self._file)
        self._on_read = on_read
        self._reported = 0

    def readable(self) -> bool:
        """Return true: the log can be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read plain bytes into the buffer and return their number; 0 at the verified end."""
        try:
            count = int(self._plain.readinto(buffer))
        except self._decode_errors() as error:
            raise self._damaged(error) from error
        if self._on_read and (read := self._file.tell()) > self._reported:
            self._on_read(read - self._reported)
            self._reported = read
        return count

    def _decode_errors(self) -> tuple[type[Exception], ...]:
        """Return the errors that the decoder raises. Its library is loaded only if it is needed."""
        if self._compression == ".zst":
            return (*_DECODE_ERRORS, zstandard.ZstdError)
        return _DECODE_ERRORS

    def close(self) -> None:
        """Close the file."""
        # Python also closes an object whose file could not be opened
        if "_file" in vars(self):
            self._file.close()
        super().close()

    def _damaged(self, error: Exception) -> SourceError:
        offset = self._file.tell()
        return SourceError(
            self.path,
            expected=f"a complete {self._compression[1:] or 'plain'} file",
            found=f"damage at or before byte {offset} ({error or type(error).__name__})",
            advice="Fetch that file again; outputs made from it stay unchanged until then.",
        )


def _decoder(compression: str, compressed: IO[bytes]) -> Any:
    if compression == ".xz" and liblzma():
        return XzReader(compressed, memory=_MOST_DECODER_MEMORY)
    if compression == ".xz":
        return _Frames(compressed, _xz_frame, padded=True)
    if compression == ".gz":
        return _Frames(compressed, _GzipFrame, padded=True)
    if compression == ".bz2":
        return _Frames(compressed, bz2.BZ2Decompressor)
    if compression == ".zst":
        return _Frames(compressed, _ZstdFrame, feed=_ZSTD_FEED)
    return compressed


class _Frames:
    """The plain bytes of compressed frames that follow each other.

    A frame that is cut short and bytes that are no frame are errors. The file objects of the
    standard library treat damage after the first frame as the end of the file. Memory is bounded by
    the buffer of the reader, even if a frame expands to much more.
    """

    def __init__(
        self,
        compressed: IO[bytes],
        new_frame: Callable[[], Any],
        *,
        padded: bool = False,
        feed: int = READ_SIZE // 8,
    ) -> None:
        self._compressed = compressed
        self._new_frame = new_frame
        self._padded = padded
        """True if zero bytes may follow a frame."""
        self._feed = feed
        self._frame: Any = new_frame()
        self._input = b""
        self._ready = memoryview(b"")

    def readinto(self, buffer: Any) -> int:
        """Read plain bytes into the buffer and return their number; 0 at the end of the file."""
        while not self._ready:
            if self._frame is None and not self._next_frame():
                return 0
            if not self._input and self._frame.needs_input:
                self._input = self._compressed.read(self._feed)
                if not self._input:
                    raise EOFError("the file is cut short")
            self._ready = memoryview(self._frame.decompress(self._input, len(buffer)))
            self._input = b""
            if self._frame.eof:
                self._input = self._frame.unused_data
                self._frame = None
        count = min(len(buffer), len(self._ready))
        buffer[:count] = self._ready[:count]
        self._ready = self._ready[count:]
        return count

    def _next_frame(self) -> bool:
        """Begin the next frame; return false at the end of the file."""
        while not (rest := self._input.lstrip(b"\0") if self._padded else self._input):
            self._input = self._compressed.read(self._feed)
            if not self._input:
                return False
        self._input = rest
        self._frame = self._new_frame()
        return True


def _xz_frame() -> lzma.LZMADecompressor:
    return lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_MOST_DECODER_MEMORY)


class _GzipFrame:
    """A gzip member, with the interface of the decompressors of lzma and bz2."""

    def __init__(self) -> None:
        self._member = zlib.decompressobj(wbits=31)

    def decompress(self, compressed: bytes, most: int) -> bytes:
        return self._member.decompress(self._member.unconsumed_tail + compressed, most)

    @property
    def needs_input(self) -> bool:
        return not self._member.unconsumed_tail

    @property
    def eof(self) -> bool:
        return self._member.eof

    @property
    def unused_data(self) -> bytes:
        return self._member.unused_data


class _ZstdFrame:
    """A zstd frame, with the interface of the decompressors of lzma and bz2.

    It cannot limit its output, so it gets only a few bytes at a time.
    """

    needs_input = True

    def __init__(self) -> None:
        decompressor = zstandard.ZstdDecompressor(max_window_size=_MOST_DECODER_MEMORY)
        self._frame = decompressor.decompressobj()

    def decompress(self, compressed: bytes, most: int) -> bytes:
        return bytes(self._frame.decompress(compressed))

    @property
    def eof(self) -> bool:
        return bool(self._frame.eof)

    @property
    def unused_data(self) -> bytes:
        return bytes(self._frame.unused_data)


@contextlib.contextmanager
def open_log(path: Path, *, on_read: Callable[[int], object] | None = None) -> Iterator[IO[bytes]]:
    """Open a log for reading its plain bytes; the ending of its name says how to decompress it."""
    with io.BufferedReader(LogFile(path, on_read=on_read), READ_SIZE) as log:
        yield log


def log_pieces(path: Path, compression: str | None = None) -> Iterator[bytes]:
    """Yield the plain bytes of a log in pieces. Raises SourceError if it is damaged."""
    with LogFile(path, compression=compression) as log:
        while piece := log.read(READ_SIZE):
            yield piece


def log_digest(path: Path, compression: str | None = None) -> bytes:
    """Return a digest of the plain bytes of a log. Raises SourceError if it is damaged."""
    digest = hashlib.blake2b()
    for piece in log_pieces(path, compression):
        digest.update(piece)
    return digest.digest()


def check_same_content(paths: Sequence[Path]) -> None:
    """Raise SourceError if the variants of a log differ, or one of them is damaged."""
    if len(paths) > 1:
        check_same_digests({path: log_digest(path) for path in paths})


def check_same_digests(digests: Mapping[Path, bytes]) -> None:
    """Raise SourceError if the digests of the variants of a log differ."""
    if len(set(digests.values())) > 1:
        raise SourceError(
            " and ".join(str(path) for path in digests),
            expected="variants of one log",
            found="different content",
            advice="Keep the right one and remove the other; the next run continues.",
        )
