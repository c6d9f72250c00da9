# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading a log whatever its compression, whole or with an error: never quietly a part of it."""

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

#: Bytes asked for in one read; a block the decoders, the page cache and the tokenizer like.
READ_SIZE = 1 << 20

#: A file that needs more memory to be decompressed is damaged or an attack: xz -9 needs 65 MiB,
#: zstd --long needs 128 MiB.
MOST_DECODER_MEMORY = 192 << 20

#: Some bytes of zstd make at most 32,768 times as many (a block of 4 bytes expands to 128 KiB).
_ZSTD_FEED = 1 << 11

_DECODE_ERRORS = (lzma.LZMAError, zlib.error, EOFError, OSError)


class LogFile(io.RawIOBase):
    """The plain bytes of a log; raises SourceError with the offset where the file is damaged.

    ``readinto`` and ``read`` give 0 bytes only after the end was verified, checksums included.
    """

    def __init__(
        self,
        path: Path,
        *,
        form: str | None = None,
        on_read: Callable[[int], object] | None = None,
    ) -> None:
        """``form`` is the ending of its compression, where the name doesn't tell.

        ``on_read`` is told how many bytes of the file, as it is on disk, were read now.
        """
        super().__init__()
        self.path = path
        self._file = open_regular(path)
        self._form = split_compression(path.name)[1] if form is None else form
        if self._form == ".zst" and not_installed(["zstandard"]):
            self._file.close()
            raise SourceError(
                path,
                expected="the Python library zstandard, to read it",
                found="that it is missing",
                advice=f"Install it for {sys.executable}; the next run takes the file up.",
            )
        self._plain: Any = _decoder(self._form, self._file)
        self._on_read = on_read
        self._told = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        try:
            count = int(self._plain.readinto(buffer))
        except self._decode_errors() as error:
            raise self._damaged(error) from error
        if self._on_read and (read := self._file.tell()) > self._told:
            self._on_read(read - self._told)
            self._told = read
        return count

    def _decode_errors(self) -> tuple[type[Exception], ...]:
        """Return the errors of the decoder; Python needs them only after an error was raised."""
        if self._form == ".zst":
            return (*_DECODE_ERRORS, zstandard.ZstdError)
        return _DECODE_ERRORS

    def close(self) -> None:
        # Python closes objects, too, whose file could not be opened
        if "_file" in vars(self):
            self._file.close()
        super().close()

    def _damaged(self, error: Exception) -> SourceError:
        offset = self._file.tell()
        return SourceError(
            self.path,
            expected=f"a whole {self._form[1:] or 'plain'} file",
            found=f"damage at or before byte {offset} ({error or type(error).__name__})",
            advice="Fetch that file again; what is made from it is left as it was until then.",
        )


def _decoder(form: str, compressed: IO[bytes]) -> Any:
    if form == ".xz" and liblzma():
        return XzReader(compressed, memory=MOST_DECODER_MEMORY)
    if form == ".xz":
        return _Frames(compressed, _xz_frame, padded=True)
    if form == ".gz":
        return _Frames(compressed, _GzipFrame, padded=True)
    if form == ".bz2":
        return _Frames(compressed, bz2.BZ2Decompressor)
    if form == ".zst":
        return _Frames(compressed, _ZstdFrame, feed=_ZSTD_FEED)
    return compressed


class _Frames:
    """Compressed frames, one after the other. What is cut short or no frame is an error.

    (The file objects of the standard library take damage behind the first frame for the end.)
    Memory is bounded by the reader's buffer, whatever a frame expands to.
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
        """Whether zero bytes may follow a frame."""
        self._feed = feed
        self._frame: Any = new_frame()
        self._input = b""
        self._ready = memoryview(b"")

    def readinto(self, buffer: Any) -> int:
        while not self._ready:
            if self._frame is None and not self._next_frame():
                return 0
            if not self._input and self._frame.needs_input:
                self._input = self._compressed.read(self._feed)
                if not self._input:
                    raise EOFError("it is cut short")
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
        """Start on the frame behind the last one; False at the end of the file."""
        while not (rest := self._input.lstrip(b"\0") if self._padded else self._input):
            self._input = self._compressed.read(self._feed)
            if not self._input:
                return False
        self._input = rest
        self._frame = self._new_frame()
        return True


def _xz_frame() -> lzma.LZMADecompressor:
    return lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=MOST_DECODER_MEMORY)


class _GzipFrame:
    """A gzip member with the interface of the decompressors of lzma and bz2."""

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
    """A zstd frame likewise; it can't limit its output, so it is fed little at a time."""

    needs_input = True

    def __init__(self) -> None:
        decompressor = zstandard.ZstdDecompressor(max_window_size=MOST_DECODER_MEMORY)
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
    """Open a log, plain or compressed by its ending, for reading its plain bytes."""
    with io.BufferedReader(LogFile(path, on_read=on_read), READ_SIZE) as log:
        yield log


def log_pieces(path: Path, form: str | None = None) -> Iterator[bytes]:
    """The plain bytes of a log, piece by piece. Raises SourceError where it is damaged."""
    with LogFile(path, form=form) as log:
        while piece := log.read(READ_SIZE):
            yield piece


def log_digest(path: Path, form: str | None = None) -> bytes:
    """A digest of the plain bytes of a log. Raises SourceError where it is damaged."""
    digest = hashlib.blake2b()
    for piece in log_pieces(path, form):
        digest.update(piece)
    return digest.digest()


def check_same_forms(paths: Sequence[Path]) -> None:
    """Raise SourceError where the forms of one log differ, or one of them is damaged."""
    if len(paths) > 1:
        check_same_digests({path: log_digest(path) for path in paths})


def check_same_digests(digests: Mapping[Path, bytes]) -> None:
    """The same for forms whose digests are known."""
    if len(set(digests.values())) > 1:
        raise SourceError(
            " and ".join(str(path) for path in digests),
            expected="forms of one log",
            found="different content",
            advice="Keep the right one and remove the other; the next run goes on from there.",
        )
