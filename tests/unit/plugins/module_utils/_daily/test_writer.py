"""The life cycle that all writers of days share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._daily.writer import (
    DayWriter,
    open_parquet,
)

SCHEMA = pa.schema([("number", pa.int64())])


class RowCount:
    """The number of rows of a file."""

    def __init__(self) -> None:
        self.rows = 0

    def add(self, table: Any) -> None:
        self.rows += len(table)


class NumberWriter(DayWriter[list[int], RowCount]):
    """Write the numbers of the last blocks; each flush moves the held ones to a temporary file."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, RowCount(), flush_at_rows=3)
        self.flushes = 0

    def parquet_writer(self, path: Path) -> Any:
        return open_parquet(path, SCHEMA)

    def flush(self) -> None:
        self.flushes += 1
        file = self.open_file(self.temporary_path(str(self.flushes)))
        file.write_table(self._table())
        self.limits.spill_dir.mkdir(exist_ok=True)

    def write_rest(self) -> None:
        self.write(self._table())

    def _table(self) -> Any:
        numbers = [number for block in self.take_held() for number in block]
        return pa.table([pa.array(numbers, pa.int64())], schema=SCHEMA)


def test_a_writer_flushes_when_it_holds_enough_rows(tmp_path: Path) -> None:
    with NumberWriter(tmp_path / "day") as writer:
        for block in ([1, 2], [], [3], [4, 5], [6]):
            writer.add(block)
            assert writer.held_rows < 3
        assert writer.flushes == 2
        writer.add([7, 8])
        assert writer.complete().rows == 2
        writer.close({b"made": b"yes"})
    assert pq.read_table(tmp_path / "day")["number"].to_pylist() == [7, 8]
    assert pq.read_metadata(tmp_path / "day").metadata[b"made"] == b"yes"
    assert [path.name for path in tmp_path.iterdir()] == ["day"]


def test_no_file_remains_after_an_error(tmp_path: Path) -> None:
    def fail() -> None:
        with NumberWriter(tmp_path / "day") as writer:
            writer.add([1, 2, 3])
            assert {path.name for path in tmp_path.iterdir()} == {"day", "day.1", "day.spill"}
            raise InterruptedError

    with pytest.raises(InterruptedError):
        fail()
    assert list(tmp_path.iterdir()) == []
