# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The base of the writers that make the Parquet file of one day, in bounded memory.

A writer holds blocks of rows until it can write each row once. It writes rows that do not fit into
memory to temporary files in the folder of the output.
"""

from __future__ import annotations

import contextlib
import shutil
from abc import ABC, abstractmethod
from collections.abc import Sized
from pathlib import Path
from typing import Any, Generic, Protocol, Self, TypeVar

from .._base.libs import pa, pq
from .._storage.duckdb import Limits

#: The largest dictionary page, in bytes. pyarrow stores a column as plain text if its distinct
#: values are larger than this limit. The default limit is smaller than the addresses of one row
#: group, and makes the file a fifth larger.
_DICTIONARY_BYTES = 16 << 20
_QUERY_MEMORY_MIB = 384


class DaySummary(Protocol):
    """A summary of the rows of a file."""

    def add(self, table: Any) -> None:
        """Include the rows of a pyarrow table."""


Block = TypeVar("Block", bound=Sized)
Summary = TypeVar("Summary", bound=DaySummary)


def open_parquet(path: Path, schema: Any, **options: Any) -> Any:
    """Open a Parquet file for writing, with the compression that all day files have."""
    return pq.ParquetWriter(
        path,
        schema,
        compression="zstd",
        dictionary_pagesize_limit=_DICTIONARY_BYTES,
        store_schema=False,
        **options,
    )


class DayWriter(ABC, Generic[Block, Summary]):
    """A writer of blocks in the order of the log.

    Call :meth:`add` for each block, then :meth:`complete`, then :meth:`close`.

    The names of all temporary files start with the name of the output. Use the writer as a context
    manager: after an error it removes the output and all temporary files.

    A subclass decides what :meth:`flush` and :meth:`write_rest` write.
    """

    def __init__(self, path: Path, summary: Summary, *, flush_at_rows: int) -> None:
        """Open the output. The first flush happens when ``flush_at_rows`` rows are held."""
        self.path = path
        self.summary = summary
        self.limits = Limits(path.with_name(f"{path.name}.spill"), _QUERY_MEMORY_MIB)
        self.held: list[Block] = []
        self.held_rows = 0
        self.flush_at_rows = flush_at_rows
        self._temporary: list[Path] = []
        self._open: list[Any] = []
        self.file = self.open_file(path)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, error: type[BaseException] | None, *_rest: object) -> None:
        if error is not None:
            self._discard()

    @abstractmethod
    def parquet_writer(self, path: Path) -> Any:
        """Return a ParquetWriter for the rows of this kind of day."""

    @abstractmethod
    def flush(self) -> None:
        """Write held rows to the output or a temporary file, and set ``flush_at_rows``."""

    @abstractmethod
    def write_rest(self) -> None:
        """Write all rows that are held or in temporary files."""

    def add(self, block: Block) -> None:
        """Add the rows of the next block."""
        self.hold(block)
        if self.held_rows >= self.flush_at_rows:
            self.flush()

    def complete(self) -> Summary:
        """Write the remaining rows, and return the summary of the file."""
        self.write_rest()
        self._remove_temporary()
        return self.summary

    def close(self, metadata: dict[bytes, bytes]) -> None:
        """Add the metadata to the complete file, and close it."""
        self.file.add_key_value_metadata(metadata)
        self.file.close()

    def hold(self, block: Block) -> None:
        """Keep the rows of a block in memory."""
        if len(block):
            self.held.append(block)
            self.held_rows += len(block)

    def take_held(self) -> list[Block]:
        """Return the held blocks, and remove them from the writer."""
        taken = self.held
        self.held, self.held_rows = [], 0
        return taken

    def write(self, table: Any) -> None:
        """Write the rows of a pyarrow table to the output."""
        self.summary.add(table)
        self.file.write_table(table)

    def temporary_path(self, suffix: str) -> Path:
        """Return the path of a temporary file, which is removed with the other temporary files."""
        path = self.path.with_name(f"{self.path.name}.{suffix}")
        self._temporary.append(path)
        return path

    def open_file(self, path: Path) -> Any:
        """Open a ParquetWriter, which is closed after an error."""
        writer = self.parquet_writer(path)
        self._open.append(writer)
        return writer

    def _discard(self) -> None:
        for writer in self._open:
            with contextlib.suppress(OSError, pa.ArrowException):
                writer.close()
        self.path.unlink(missing_ok=True)
        self._remove_temporary()

    def _remove_temporary(self) -> None:
        for path in self._temporary:
            path.unlink(missing_ok=True)
        shutil.rmtree(self.limits.spill_dir, ignore_errors=True)
