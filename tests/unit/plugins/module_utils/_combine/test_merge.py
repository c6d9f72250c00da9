"""Merging logs by time: the same as sorting their lines, whatever is in them."""

from __future__ import annotations

import lzma
import resource
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._combine import (
    line_stream as combine_line_stream,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._combine import (
    merge as combine_merge,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._combine import (
    sorted_runs as combine_sorted_runs,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._combine.merge import (
    MergedLog,
    merge_logs,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._combine.merge_memory import (
    decoder_memory,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._combine.merge_time import (
    line_time,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

NOON = 1632744000
"""2021-09-27 12:00:00 UTC."""


@pytest.fixture(scope="module")
def executor() -> Iterator[Executor]:
    with ThreadPoolExecutor(2) as executor:
        yield executor


def stamp(seconds: int) -> bytes:
    """The time of a log line, so many seconds after noon, in UTC."""
    clock = 12 * 3600 + seconds
    return b"[27/Sep/2021:%02d:%02d:%02d +0000]" % (clock // 3600, clock // 60 % 60, clock % 60)


def line(seconds: int, text: bytes = b"") -> bytes:
    return b"10.0.0.1 - - " + stamp(seconds) + b' "GET / HTTP/1.1" 200 5 "-" "-"' + text + b"\n"


def sorted_by_definition(sources: Sequence[bytes]) -> bytes:
    """What a merge has to give, said in the simplest way."""
    keyed = []
    for source, content in enumerate(sources):
        lines = [text + b"\n" for text in content.split(b"\n")]
        if lines[-1] == b"\n":
            lines.pop()
        times = [line_time(text) for text in lines]
        time = next((t for t in times if t is not None), combine_line_stream.BEFORE_ALL)
        for number, text in enumerate(lines):
            time = times[number] if times[number] is not None else time
            keyed.append((time, source, number, text))
    return b"".join(entry[-1] for entry in sorted(keyed))


def merged(
    sources: Sequence[bytes], folder: Path, executor: Executor, *, memory: int = 1 << 20
) -> tuple[bytes, MergedLog]:
    paths = []
    for number, content in enumerate(sources):
        paths.append(folder / f"{number}.log")
        paths[-1].write_bytes(content)
    target = folder / "merged"
    log = merge_logs(paths, target, scratch=folder / "scratch", executor=executor, memory=memory)
    return target.read_bytes(), log


# Steps back by minutes are usual; hours show a source that is not sorted.
SECONDS = st.one_of(st.integers(0, 20), st.integers(0, 240), st.integers(0, 40000))
ODD_TEXT = st.sampled_from(
    [
        b"",
        b"\0\n",
        b"\xff\xfe\r\n",
        b"\r",
        b" [",
        b"[\n",
        b"garbage\n",
        b" [27/Sep/2021:99:00:00 +0000]\n",
    ]
)
LINES = st.lists(st.one_of(SECONDS.map(line), st.builds(line, SECONDS, ODD_TEXT), ODD_TEXT))
SOURCES = st.lists(LINES.map(b"".join), max_size=5)


@given(sources=SOURCES, cut=st.booleans(), block_size=st.sampled_from([1, 100, 1000, 65536]))
@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_merge_is_a_stable_sort_by_time_source_and_line(
    sources: list[bytes], cut: bool, block_size: int, executor: Executor
) -> None:
    sources = [source[:-1] for source in sources] if cut else sources
    with TemporaryDirectory() as folder, small_blocks(block_size):
        content, log = merged(sources, Path(folder), executor, memory=block_size * 8)
    expected = sorted_by_definition(sources)
    assert content == expected
    assert log.bytes == len(expected)
    assert log.lines == expected.count(b"\n")
    times = [line_time(text) for text in expected.split(b"\n")[:-1]]
    dated = [time for time in times if time is not None]
    assert log.undated == len(times) - len(dated)
    assert (log.first, log.last) == (min(dated, default=None), max(dated, default=None))


@contextmanager
def small_blocks(size: int) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(combine_merge, "_SMALLEST_BLOCK", size)
        patch.setattr(combine_merge, "_LARGEST_BLOCK", size)
        patch.setattr(combine_sorted_runs, "_READ_SIZE", size)
        yield


def in_steps(seconds: Iterable[int], text: bytes = b"") -> bytes:
    return b"".join(line(second, text) for second in seconds)


def test_lines_of_one_second_are_in_the_order_of_their_sources(
    tmp_path: Path, executor: Executor
) -> None:
    sources = [in_steps([5, 5, 7], b" a"), in_steps([5, 6, 7], b" b")]
    content, log = merged(sources, tmp_path, executor)
    assert content == b"".join(
        [
            line(5, b" a"),
            line(5, b" a"),
            line(5, b" b"),
            line(6, b" b"),
            line(7, b" a"),
            line(7, b" b"),
        ]
    )
    assert [source.lines for source in log.sources] == [3, 3]
    assert (log.first, log.last) == (NOON + 5, NOON + 7)


def test_undated_lines_stay_behind_the_line_they_followed_and_are_counted(
    tmp_path: Path, executor: Executor
) -> None:
    sources = [line(9) + b"\x16\x03\x01\nmore\n" + line(2), b"no log at all\n", line(5)]
    content, log = merged(sources, tmp_path, executor)
    assert content == b"no log at all\n" + line(2) + line(5) + line(9) + b"\x16\x03\x01\nmore\n"
    assert [source.undated for source in log.sources] == [2, 1, 0]


def test_undated_lines_at_the_head_stay_before_the_first_dated_line_however_far(
    tmp_path: Path, executor: Executor
) -> None:
    with small_blocks(16):
        content = merged([b"undated\n" * 50 + line(5), line(3)], tmp_path, executor)[0]
    assert content == line(3) + b"undated\n" * 50 + line(5)


def test_incident_dst_and_zone_the_zone_of_a_line_counts(
    tmp_path: Path, executor: Executor
) -> None:
    east = b"h - - [27/Sep/2021:15:00:01 +0300] east\n"
    west = b"h - - [27/Sep/2021:05:00:03 -0700] west\n"
    content = merged([west, line(2), east], tmp_path, executor)[0]
    assert content == east + line(2) + west


def test_incident_unsorted_input_a_source_in_no_order_is_sorted_on_disk(
    tmp_path: Path, executor: Executor
) -> None:
    backwards = in_steps(range(40_000, 0, -7), b" backwards")
    sources = [in_steps(range(0, 40_000, 5)), backwards, in_steps(range(0, 40_000, 11))]
    with small_blocks(4096):
        content, log = merged(sources, tmp_path, executor, memory=1 << 16)
    assert content == sorted_by_definition(sources)
    assert [source.lines for source in log.sources] == [8000, 5715, 3637]
    assert len(list((tmp_path / "scratch/source-1").glob("*.times"))) > 3


def test_incident_unsorted_input_a_clock_two_hours_off_needs_no_sorting_on_disk(
    tmp_path: Path, executor: Executor
) -> None:
    sources = [in_steps(range(0, 20_000, 3)), in_steps(range(7200, 27_200, 3))]
    with small_blocks(4096):
        content = merged(sources, tmp_path, executor, memory=1 << 18)[0]
    assert content == sorted_by_definition(sources)
    assert not (tmp_path / "scratch").exists()


def test_steps_back_by_minutes_need_no_sorting_on_disk(tmp_path: Path, executor: Executor) -> None:
    steps = [second - (241 if second % 3 == 0 else 0) for second in range(300, 9000)]
    with small_blocks(4096):
        content = merged([in_steps(steps), in_steps(steps)], tmp_path, executor, memory=1 << 19)[0]
    assert content == sorted_by_definition([in_steps(steps)] * 2)
    assert not (tmp_path / "scratch").exists()


def test_a_day_within_one_second_does_not_fill_the_memory(
    tmp_path: Path, executor: Executor
) -> None:
    sources = [in_steps([5] * 3000, b" a"), in_steps([5] * 3000, b" b")]
    with small_blocks(1024):
        content = merged(sources, tmp_path, executor, memory=1 << 16)[0]
    assert content == sources[0] + sources[1]


def test_incident_wrong_day_inside_a_week_in_one_file_is_merged_by_its_times(
    tmp_path: Path, executor: Executor
) -> None:
    week = b"".join(b"h - - [%02d/Sep/2021:12:00:00 +0000] stuck\n" % day for day in range(20, 28))
    content = merged([line(1), week], tmp_path, executor)[0]
    assert content == week + line(1)


@pytest.mark.parametrize("number", [0, 1, 2])
def test_incident_truncated_xz_a_damaged_source_is_left_out_whole(
    tmp_path: Path, executor: Executor, number: int
) -> None:
    good = in_steps(range(20_000))
    paths = [tmp_path / f"{n}.log.xz" for n in range(3)]
    for path in paths:
        path.write_bytes(lzma.compress(good, preset=0))
    paths[number].write_bytes(paths[number].read_bytes()[:-40])
    with small_blocks(1 << 16):
        log = merge_logs(
            paths, tmp_path / "merged", scratch=tmp_path / "s", executor=executor, memory=1 << 20
        )
    assert (tmp_path / "merged").read_bytes() == sorted_by_definition([good, good])
    assert list(log.damaged) == [number]
    assert str(paths[number]) in str(log.damaged[number])
    assert log.sources[number].lines == 0


def test_all_damaged_sources_are_found_in_one_go(tmp_path: Path, executor: Executor) -> None:
    paths = [tmp_path / f"{n}.log.xz" for n in range(4)]
    for path in paths:
        path.write_bytes(b"this is not xz")
    paths[2].write_bytes(lzma.compress(line(1)))
    paths[3].unlink()
    log = merge_logs(paths, tmp_path / "merged", scratch=tmp_path / "s", executor=executor)
    assert sorted(log.damaged) == [0, 1, 3]
    assert (tmp_path / "merged").read_bytes() == line(1)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(line(1, b"\0\0\0"), id="nul"),
        pytest.param(line(1, b"\xff\xc3\x28"), id="invalid-utf-8"),
        pytest.param(line(1, b"\r") + b"\r\n" + line(1), id="carriage-return"),
        pytest.param(b"\n\n\n", id="empty-lines"),
        pytest.param(b"x" * 3_000_000 + b"\n" + line(1), id="long-undated"),
        pytest.param(line(1, b"y" * 3_000_000) + line(1), id="long-dated"),
        pytest.param(line(1, b" [" * 500_000) + line(1), id="many-brackets"),
        pytest.param(b"", id="nothing"),
    ],
)
def test_incident_corrupt_line_no_byte_of_it_is_changed(
    tmp_path: Path, executor: Executor, content: bytes
) -> None:
    with small_blocks(1 << 16):
        assert merged([content, line(2)], tmp_path, executor)[0] == content + line(2)


def test_a_last_line_without_line_feed_gets_one(tmp_path: Path, executor: Executor) -> None:
    assert merged([line(1)[:-1], line(2)[:-1]], tmp_path, executor)[0] == line(1) + line(2)


def test_a_line_that_no_memory_holds_is_damage(
    tmp_path: Path, executor: Executor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(combine_line_stream, "LONGEST_LINE", 1 << 20)
    with small_blocks(1 << 16):
        content, log = merged([b"x" * (3 << 20), line(2)], tmp_path, executor)
    assert content == line(2)
    assert "lines of at most" in str(log.damaged[0])


def test_decoders_that_want_too_much_memory_together_work_one_after_the_other(
    tmp_path: Path, executor: Executor
) -> None:
    texts = [in_steps(range(0, 20_000, 3), b" %d" % number) for number in range(4)]
    paths = [tmp_path / f"{number}.log.xz" for number in range(4)]
    for path, text in zip(paths, texts, strict=True):
        path.write_bytes(lzma.compress(text, preset=6))
    log = merge_logs(
        paths,
        tmp_path / "merged",
        scratch=tmp_path / "s",
        executor=executor,
        decoders_memory=sum(decoder_memory(path) for path in paths[:2]),
    )
    assert (tmp_path / "merged").read_bytes() == sorted_by_definition(texts)
    assert len(list((tmp_path / "s").iterdir())) == 2
    assert log.lines == 4 * 6667


def test_incident_disk_full_is_an_error_of_the_target(executor: Executor, tmp_path: Path) -> None:
    source = tmp_path / "a.log"
    source.write_bytes(line(1))
    with pytest.raises(OSError, match="No space left"):
        merge_logs([source], Path("/dev/full"), scratch=tmp_path / "s", executor=executor)


@pytest.mark.parametrize("seconds", [(1, 2, 3), (1, 3, 2)], ids=["sorted", "unsorted"])
def test_a_write_cut_short_is_an_error(
    tmp_path: Path, executor: Executor, seconds: Sequence[int]
) -> None:
    log = tmp_path / "source"
    log.write_bytes(b"".join(line(second, b"x" * 30_000) for second in seconds))
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, before[1]))
    try:
        with pytest.raises(OSError, match="large"):
            merge_logs([log], tmp_path / "target", scratch=tmp_path / "runs", executor=executor)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_the_first_blocks_of_thousands_of_sources_fit_the_memory(
    tmp_path: Path, executor: Executor
) -> None:
    """Else one source after the other is sorted on disk, and the merge starts again each time."""
    sources = [in_steps(range(0, 40_000, 80), b" %d" % number) for number in range(120)]
    memory = 8 * combine_merge._SMALLEST_BLOCK * len(sources)
    assert memory < combine_merge.LINES_MEMORY / 20
    content = merged(sources, tmp_path, executor, memory=memory)[0]
    assert content == sorted_by_definition(sources)
    assert not (tmp_path / "scratch").exists()
