"""Raw days: each distinct hit once, in any order, in bounded groups."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._hits.fast_path import (
    BlockReader,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._hits.raw_days import (
    COLUMNS,
    raw_schema,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._hits.writer import (
    HitSummary,
    RawDayWriter,
)
from hypothesis import given, settings
from hypothesis import strategies as st

MONDAY = 1632700800
_MINUTES = 24 * 60


def _block(minutes: Sequence[int], host: str = "192.0.2.1") -> bytes:
    return b"".join(
        b'%b - - [%02d/Sep/2021:%02d:%02d:00 +0000] "GET /metalink?repo=a%b HTTP/2.0"'
        b' 200 1 "-" "libdnf"\n'
        % (
            host.encode(),
            27 + minute // _MINUTES,
            minute % _MINUTES // 60,
            minute % 60,
            b"&countme=1" if minute % 2 else b"",
        )
        for minute in minutes
    )


def _written(
    path: Path, blocks: Sequence[bytes], group_rows: int
) -> tuple[list[tuple[object, ...]], HitSummary]:
    reader = BlockReader()
    writer = RawDayWriter(path, group_rows=group_rows)
    for block in blocks:
        writer.add(reader.hits(block))
    summary = writer.complete()
    writer.close({b"rows": str(summary.rows).encode()})
    table = pq.read_table(path)
    assert table.schema.equals(raw_schema())
    columns = [column.to_pylist() for column in table.columns]
    assert pq.read_metadata(path).metadata[b"rows"] == str(len(table)).encode()
    return list(zip(*columns, strict=True)), writer.summary


@settings(max_examples=40, deadline=None)
@given(
    minutes=st.lists(st.integers(0, 3 * _MINUTES - 1), max_size=120),
    group_rows=st.integers(1, 50),
    block_lines=st.integers(1, 30),
)
def test_distinct_in_any_order(
    tmp_path_factory: pytest.TempPathFactory,
    minutes: list[int],
    group_rows: int,
    block_lines: int,
) -> None:
    folder = tmp_path_factory.mktemp("raw")
    cuts = range(0, len(minutes), block_lines)
    blocks = [_block(minutes[at : at + block_lines]) for at in cuts]
    rows, summary = _written(folder / "day", blocks, group_rows)
    times = [MONDAY + 60 * minute for minute in minutes]
    assert sorted(row[0] for row in rows) == sorted(set(times))
    assert summary.rows == len(set(times)) == sum(summary.weeks.values())
    assert (summary.first, summary.last) == (
        min(times, default=None),
        max(times, default=None),
    )
    countme = [time for time, minute in zip(times, minutes, strict=True) if minute % 2]
    assert summary.last_seen["countme"] == max(countme, default=None)
    assert [path.name for path in folder.iterdir()] == ["day"], "a temporary file stayed"


def test_sorted_log_is_written_in_groups_as_it_comes(tmp_path: Path) -> None:
    blocks = [_block(range(start, start + 60)) for start in range(0, _MINUTES, 60)]
    rows, _unused = _written(tmp_path / "day", blocks, 300)
    assert [row[0] for row in rows] == [MONDAY + 60 * minute for minute in range(_MINUTES)]
    assert pq.ParquetFile(tmp_path / "day").num_row_groups > 3


def test_incident_corrupt_line_date_does_not_hold_up_the_rest(tmp_path: Path) -> None:
    """A date far ahead must not make all later hits late; a date far back is still compared."""
    ahead = _block([0]).replace(b"/2021:", b"/2031:")
    behind = _block([0]).replace(b"/2021:", b"/1999:")
    blocks = [_block(range(60)) + ahead, _block(range(60, 400)) + behind * 2, ahead, behind]
    rows, _unused = _written(tmp_path / "day", blocks, 100)
    assert len(rows) == 400 + 2
    assert len(set(rows)) == len(rows)


def test_incident_polluter_same_second_beyond_all_groups(tmp_path: Path) -> None:
    """One second with more hits than are held: written, not held in memory for ever."""
    hosts = [f"10.0.{n // 250}.{n % 250}" for n in range(2000)]
    random.Random(1).shuffle(hosts)
    blocks = [_block([7], host) for host in hosts * 2]
    rows, _unused = _written(tmp_path / "day", blocks, 50)
    assert sorted(str(row[1]) for row in rows) == sorted(hosts)


def test_no_hits_make_an_empty_day(tmp_path: Path) -> None:
    rows, summary = _written(tmp_path / "day", [], 10)
    assert rows == []
    assert summary == HitSummary()


def test_columns_are_the_old_ones_in_order() -> None:
    assert raw_schema().names == list(COLUMNS)


def test_an_error_leaves_no_file(tmp_path: Path) -> None:
    reader = BlockReader()

    def write() -> None:
        with RawDayWriter(tmp_path / "day", group_rows=5) as writer:
            writer.add(reader.hits(_block(range(100))))
            writer.add(reader.hits(_block([1, 2, 3] * 4)))
            writer.add(reader.hits(_block(range(100, 300))))
            assert list(tmp_path.iterdir())
            raise InterruptedError

    with pytest.raises(InterruptedError):
        write()
    assert list(tmp_path.iterdir()) == []
