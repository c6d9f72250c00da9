"""Writing condensed days in bounded memory."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._condense.fast_path import (
    BlockClients,
    ClientReader,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._condense.repositories import (
    FEDORA_REPOSITORIES,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._condense.writer import (
    ClientSummary,
    CondensedDayWriter,
)

LINE = (
    '{host} - - [{day:02}/Sep/2021:12:00:00 +0000] "GET /metalink?repo=fedora-{release}&arch=x86_64'
    ' HTTP/2.0" 200 1 "-" "-"\n'
)


def blocks(count: int) -> list[BlockClients]:
    """Blocks whose clients partly are the same."""
    reader = ClientReader(date(2021, 9, 28), FEDORA_REPOSITORIES.release_of)
    return [
        reader.clients(
            "".join(
                LINE.format(host=f"10.0.{number % 3}.{n}", day=27 + n % 2, release=30 + number % 5)
                for n in range(100)
            ).encode()
        )
        for number in range(count)
    ]


def written(path: Path, held_rows: int) -> tuple[list[tuple[str, ...]], ClientSummary]:
    with CondensedDayWriter(path, held_rows=held_rows) as writer:
        for block in blocks(40):
            writer.add(block)
        summary = writer.complete()
        writer.close({b"rows": str(summary.rows).encode()})
    assert pq.read_metadata(path).metadata[b"rows"] == str(summary.rows).encode()
    columns = pq.read_table(path).columns
    rows = list(zip(*(column.to_pylist() for column in columns), strict=True))
    return rows, summary


@pytest.mark.parametrize("held_rows", [100, 350, 1000])
def test_however_little_is_held_the_clients_are_the_same(tmp_path: Path, held_rows: int) -> None:
    expected, summary = written(tmp_path / "at-once.parquet", 1 << 20)
    rows, same = written(tmp_path / "day.parquet", held_rows)
    assert len(expected) == 3 * 5 * 100
    assert sorted(rows) == sorted(expected)
    assert len(set(rows)) == len(rows)
    assert [row[0] for row in rows] == sorted(row[0] for row in rows)
    assert same == summary
    assert same.dates == {"2021-09-27": 750, "2021-09-28": 750}
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["at-once.parquet", "day.parquet"]


def test_what_fails_leaves_nothing(tmp_path: Path) -> None:
    def fail() -> None:
        with CondensedDayWriter(tmp_path / "day.parquet", held_rows=200) as writer:
            for block in blocks(10):
                writer.add(block)
            assert list(tmp_path.iterdir())
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert not list(tmp_path.iterdir())


def test_a_day_without_clients_is_a_file_without_rows(tmp_path: Path) -> None:
    with CondensedDayWriter(tmp_path / "day.parquet") as writer:
        writer.add(
            ClientReader(date(2021, 9, 28), FEDORA_REPOSITORIES.release_of).clients(b"nothing\n")
        )
        assert writer.complete() == ClientSummary()
        writer.close({})
    assert pq.read_table(tmp_path / "day.parquet").num_rows == 0
