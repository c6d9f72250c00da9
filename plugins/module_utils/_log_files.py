# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading a log whatever its compression, whole or with an error: never quietly a part of it."""

from __future__ import annotations

import bz2
import contextlib
import gzip
import io
import lzma
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from ._errors import SourceError
from ._files import open_regular
from ._libs import zstandard
from ._log_paths import split_compression

#: Bytes asked for in one read; a block the decoders, the page cache and the tokenizer like.
READ_SIZE = 1 << 20

_DECODE_ERRORS: tuple[type[Exception], ...] = (lzma.LZMAError, zlib.error, EOFError, OSError)
if zstandard is not None:
    _DECODE_ERRORS = (*_DECODE_ERRORS, zstandard.ZstdError)


class LogFile(io.RawIOBase):
    """The plain bytes of a log; raises SourceError with the offset where the file is damaged.

    ``readinto`` and ``read`` give 0 bytes only after the end was verified, checksums included.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        self._file = open_regular(path)
        self._form = split_compression(path.name)[1]
        self._plain: Any = _decoder(self._form, self._file)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        try:
            return int(self._plain.readinto(buffer))
        except _DECODE_ERRORS as error:
            raise self._damaged(error) from error

    def close(self) -> None:
        with contextlib.suppress(*_DECODE_ERRORS):
            self._plain.close()
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
    if form == ".xz":
        return lzma.LZMAFile(compressed)
    if form == ".gz":
        return gzip.GzipFile(fileobj=compressed, mode="rb")
    if form == ".bz2":
        return bz2.BZ2File(compressed)
    if form == ".zst":
        return _ZstdFrames(compressed)
    return compressed


class _ZstdFrames:
    """Zstandard frames, one after the other; a cut last frame is an error, not an end."""

    def __init__(self, compressed: IO[bytes]) -> None:
        self._compressed = compressed
        self._frame: Any = None
        self._input = b""
        self._ready = memoryview(b"")

    def readinto(self, buffer: Any) -> int:
        while not self._ready:
            if not self._input:
                self._input = self._compressed.read(READ_SIZE // 8)
                if not self._input:
                    if self._frame is not None:
                        raise EOFError("the last frame is cut short")
                    return 0
            if self._frame is None:
                self._frame = zstandard.ZstdDecompressor().decompressobj()
            self._ready = memoryview(self._frame.decompress(self._input))
            self._input = self._frame.unused_data if self._frame.eof else b""
            if self._frame.eof:
                self._frame = None
        count = min(len(buffer), len(self._ready))
        buffer[:count] = self._ready[:count]
        self._ready = self._ready[count:]
        return count

    def close(self) -> None:
        self._ready = memoryview(b"")


@contextlib.contextmanager
def open_log(path: Path) -> Iterator[IO[bytes]]:
    """Open a log, plain or compressed by its ending, for reading its plain bytes."""
    with io.BufferedReader(LogFile(path), READ_SIZE) as log:
        yield log
