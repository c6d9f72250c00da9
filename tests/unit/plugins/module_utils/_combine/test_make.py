"""Making combined logs: what is in them, what is recorded, and what is left after trouble."""

from __future__ import annotations

import bz2
import errno
import gzip
import lzma
import os
import resource
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import zstandard
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._combine import (
    make as combine_make,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._combine import (
    sorted_runs as combine_sorted_runs,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._combine.merge import (
    merge_logs,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._logs.hosts_tree import (
    HostGroup,
)
from ansible_collections.fedora_infra.dnf_counting.tests.support.combining import (
    DAY,
    LOG,
    UNIT,
    Trees,
    line,
)

UNSORTED = b"h - - [27/Sep/2021:20:00:00 +0000] hours ahead\n"


@pytest.fixture
def trees(tmp_path: Path) -> Trees:
    return Trees(tmp_path)


def test_a_day_is_combined_once_and_recorded(trees: Trees) -> None:
    path = trees.put("proxy1", line(1) + line(3) + b"undated\n")
    trees.put("proxy2", line(2))
    assert trees.unit().status == "made"
    assert trees.combined() == line(1) + line(2) + line(3) + b"undated\n"
    record = trees.record()
    assert record["inputs"][0] == {
        "path": str(path.relative_to(trees.settings.src)),
        "size": path.stat().st_size,
        "mtime_ns": path.stat().st_mtime_ns,
        "host": "proxy1",
        "lines": 3,
        "bytes": path.stat().st_size,
        "undated": 1,
    }
    assert record["hosts_present"] == ["proxy1", "proxy2"]
    assert (record["lines"], record["undated"]) == (4, 1)
    assert (record["first"], record["last"]) == (1632744001, 1632744003)
    assert [unit.status for unit in trees.run().units] == ["unchanged", "unchanged"]


@pytest.mark.parametrize(
    ("ending", "compress"),
    [
        ("", bytes),
        (".xz", lzma.compress),
        (".gz", gzip.compress),
        (".bz2", bz2.compress),
        (".zst", zstandard.compress),
    ],
)
def test_every_form_of_a_source_is_read(trees: Trees, ending: str, compress: Any) -> None:
    trees.put("proxy1", compress(line(1)), name=LOG + ending)
    trees.put("proxy2", line(2))
    trees.run()
    assert trees.combined() == line(1) + line(2)


def test_two_groups_with_the_same_log_make_one_of_all_their_hosts(trees: Trees) -> None:
    groups = (HostGroup("a", "a*", "*access.log"), HostGroup("b", "b*", "mirrors*"))
    trees.put("a1", line(1))
    trees.put("b1", line(2))
    trees.run(groups=groups)
    assert trees.combined() == line(1) + line(2)


def test_incident_truncated_xz_the_day_goes_without_that_host_until_it_is_whole(
    trees: Trees,
) -> None:
    whole = lzma.compress(line(1) * 1000)
    trees.put("proxy1", whole[:-30], name=f"{LOG}.xz")
    trees.put("proxy2", line(2))
    run = trees.run()
    assert run.units[0].status == "made"
    assert "proxy1" in run.units[0].reasons[-1]
    assert any("proxy1" in warning for warning in run.warnings)
    assert trees.combined() == line(2)
    assert trees.record()["hosts_present"] == ["proxy2"]
    assert trees.record()["rejected"][0]["host"] == "proxy1"

    again = trees.run()
    assert again.units[0].status == "unchanged"
    assert any("proxy1" in warning for warning in again.warnings)

    trees.put("proxy1", whole, name=f"{LOG}.xz")
    assert trees.unit().status == "made"
    assert trees.combined() == line(1) * 1000 + line(2)
    assert trees.record()["rejected"] == []


def test_nothing_sound_makes_no_log_and_is_not_tried_again_before_it_changes(
    trees: Trees,
) -> None:
    trees.put("proxy1", b"not xz", name=f"{LOG}.xz")
    assert trees.unit().status == "failed"
    assert not (trees.settings.dest / "2021/09/28" / LOG).exists()
    run = trees.run()
    assert run.units[0].status == "blocked"
    assert any("proxy1" in warning for warning in run.warnings)
    trees.put("proxy1", lzma.compress(line(1)), name=f"{LOG}.xz")
    assert trees.unit().status == "made"


def test_what_was_combined_stays_if_no_log_is_sound_any_more(trees: Trees) -> None:
    trees.put("proxy1", lzma.compress(line(1)), name=f"{LOG}.xz")
    trees.run()
    trees.put("proxy1", b"not xz at all", name=f"{LOG}.xz")
    assert trees.unit().status == "failed"
    assert trees.combined() == line(1)
    assert trees.unit().status == "unchanged"


def test_incident_double_count_equal_forms_of_one_log_count_once(trees: Trees) -> None:
    trees.put("proxy1", line(1))
    trees.put("proxy1", lzma.compress(line(1)), name=f"{LOG}.xz")
    trees.put("proxy1", gzip.compress(line(1)), name=f"{LOG}.gz")
    trees.run()
    assert trees.combined() == line(1)
    assert [one["lines"] for one in trees.record()["inputs"]] == [1, 0, 0]
    assert trees.unit().status == "unchanged"


def test_incident_double_count_forms_that_differ_are_both_left_out_and_named(
    trees: Trees,
) -> None:
    plain = trees.put("proxy1", line(1))
    packed = trees.put("proxy1", lzma.compress(line(2)), name=f"{LOG}.xz")
    trees.put("proxy2", line(3))
    unit = trees.unit()
    assert str(plain) in unit.reasons[-1]
    assert str(packed) in unit.reasons[-1]
    assert trees.combined() == line(3)
    packed.unlink()
    assert trees.unit().status == "unchanged"
    trees.put("proxy1", line(1) + line(1))
    assert trees.unit().status == "made"
    assert trees.combined() == line(1) + line(1) + line(3)


def test_a_damaged_form_beside_a_sound_one_costs_nothing(trees: Trees) -> None:
    trees.put("proxy1", line(1))
    trees.put("proxy1", lzma.compress(line(1))[:-9], name=f"{LOG}.xz")
    trees.run()
    assert trees.combined() == line(1)
    assert trees.record()["hosts_present"] == ["proxy1"]
    assert len(trees.record()["rejected"]) == 1


def test_a_compressed_log_that_is_made_again_replaces_its_old_form(trees: Trees) -> None:
    trees.put("proxy1", line(1))
    trees.run()
    folder = trees.settings.dest / "2021/09/28"
    (folder / LOG).rename(folder / f"{LOG}.old")
    (folder / f"{LOG}.xz").write_bytes(lzma.compress(line(1)))
    trees.put("proxy2", line(2))
    assert trees.unit().status == "made"
    assert not (folder / f"{LOG}.xz").exists()
    assert trees.combined() == line(1) + line(2)


def test_a_log_without_record_is_taken_over_but_never_made_smaller(trees: Trees) -> None:
    folder = trees.settings.dest / "2021/09/28"
    folder.mkdir(parents=True)
    (folder / LOG).write_bytes(line(1) + line(2))
    assert trees.unit().status == "unchanged"
    trees.put("proxy1", line(1))
    unit = trees.unit()
    assert unit.status == "failed"
    assert "no record" in unit.reasons[0]
    assert trees.combined() == line(1) + line(2)
    trees.put("proxy2", line(2))
    assert trees.unit().status == "made"


def test_incident_partial_transfer_a_run_killed_before_the_record_is_made_again(
    trees: Trees, monkeypatch: pytest.MonkeyPatch
) -> None:
    trees.put("proxy1", line(1))
    with monkeypatch.context() as patch:

        def killed(*_unused: object) -> None:
            raise KeyboardInterrupt

        patch.setattr(combine_make, "write_combined_day", killed)
        with pytest.raises(KeyboardInterrupt):
            trees.run()
    assert trees.combined() == line(1)
    assert trees.unit().status == "made"
    assert trees.unit().status == "unchanged"


def test_incident_disk_full_fails_the_log_and_leaves_no_part_of_it(
    trees: Trees, monkeypatch: pytest.MonkeyPatch
) -> None:
    trees.put("proxy1", line(1))
    trees.run()
    trees.put("proxy1", line(1) + line(2))
    with monkeypatch.context() as patch:

        def full(*_unused: object, **__: object) -> None:
            raise OSError(28, "No space left on device")

        patch.setattr(combine_make, "merge_logs", full)
        unit = trees.unit()
    assert unit.status == "failed"
    assert "Free some space" in unit.reasons[0]
    assert trees.combined() == line(1)
    assert sorted(os.listdir(trees.settings.dest / "2021/09/28")) == [".combine.json", LOG]
    assert trees.unit().status == "made"


def test_incident_unsorted_input_leaves_nothing_behind(trees: Trees, tmp_path: Path) -> None:
    trees.put("proxy1", b"h - - [27/Sep/2021:20:00:00 +0000] x\n" + line(1))
    temp_dir = tmp_path / "temp"
    trees.run(temp_dir=temp_dir)
    assert trees.combined() == line(1) + b"h - - [27/Sep/2021:20:00:00 +0000] x\n"
    assert list(temp_dir.iterdir()) == []
    assert not list(trees.settings.dest.glob(".sorting*"))


def test_a_log_that_is_not_whole_on_disk_never_gets_its_name(
    trees: Trees, monkeypatch: pytest.MonkeyPatch
) -> None:
    trees.put("proxy01", line(1) + line(2))

    def merge_and_lose(sources: Any, target: Path, **options: Any) -> Any:
        merged = merge_logs(sources, target, **options)
        os.truncate(target, 10)
        return merged

    monkeypatch.setattr(combine_make, "merge_logs", merge_and_lose)
    unit = trees.unit()
    assert unit.status == "failed"
    assert "found 10" in unit.reasons[0]
    assert not (trees.settings.dest / f"{DAY:%Y/%m/%d}" / LOG).exists()


def test_incident_hostile_source_nobody_else_chooses_where_logs_are_sorted(
    trees: Trees, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a folder like /tmp others may have made links where we would write."""
    trees.put("proxy1", line(9) + UNSORTED + line(1))
    trees.run(temp_dir=tmp_path / "temp")
    seen: list[Path] = []

    def noted(sources: Any, target: Path, **options: Any) -> Any:
        seen.append(options["scratch"].parent)
        assert seen[-1].stat().st_mode & 0o777 == 0o700
        return merge_logs(sources, target, **options)

    monkeypatch.setattr(combine_make, "merge_logs", noted)
    for text in ("once", "again"):
        trees.put("proxy1", line(9, text) + UNSORTED + line(1))
        assert trees.unit(temp_dir=tmp_path / "temp").status == "made"
    assert len(set(seen)) == 2
    assert not any((tmp_path / "temp").iterdir())


def test_incident_partial_transfer_what_a_killed_run_left_of_its_sorting_goes(
    trees: Trees, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(combine_make.shutil, "rmtree", lambda *_unused, **__: None)
        trees.put("proxy1", line(1))
        trees.run(temp_dir=tmp_path / "temp")
    assert any((tmp_path / "temp").iterdir())
    trees.put("proxy1", line(2))
    trees.run(temp_dir=tmp_path / "temp")
    assert not any((tmp_path / "temp").iterdir())


def test_incident_disk_full_the_folder_that_is_full_is_named(
    trees: Trees, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_unused: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(combine_sorted_runs, "write_sorted", full)
    trees.put("proxy1", line(9) + UNSORTED + line(1))
    unit = trees.unit(temp_dir=tmp_path / "temp")
    assert unit.status == "failed"
    assert unit.reasons[0].startswith(str(tmp_path / "temp"))


def test_without_a_place_to_sort_only_logs_that_are_not_sorted_fail(
    trees: Trees, tmp_path: Path
) -> None:
    (tmp_path / "temp").write_text("in the way")
    trees.put("proxy1", line(9) + UNSORTED + line(1))
    trees.put("proxy1", line(2), name="other-access.log")
    units = {unit.name: unit for unit in trees.run(temp_dir=tmp_path / "temp").units}
    assert units[UNIT].status == "failed"
    assert units[UNIT].reasons[0].startswith(str(tmp_path / "temp"))
    assert units[f"{DAY} other-access.log"].status == "made"


def test_a_log_that_finds_no_memory_fails_alone(
    trees: Trees, monkeypatch: pytest.MonkeyPatch
) -> None:
    trees.put("proxy1", line(1))
    trees.put("proxy1", line(2), name="other-access.log")

    def greedy(sources: Sequence[Path], target: Path, **options: Any) -> Any:
        if sources[0].name == LOG:
            raise MemoryError("liblzma found no memory left")
        return merge_logs(sources, target, **options)

    monkeypatch.setattr(combine_make, "merge_logs", greedy)
    units = {unit.name: unit for unit in trees.run().units}
    assert units[UNIT].status == "failed"
    assert "lower workers" in units[UNIT].reasons[0]
    assert units[f"{DAY} other-access.log"].status == "made"


def test_as_many_files_may_be_open_as_there_are_hosts(trees: Trees) -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    hosts = [f"proxy{number}" for number in range(300)]
    for host in hosts:
        trees.put(host, line(1))
    resource.setrlimit(resource.RLIMIT_NOFILE, (200, before[1]))
    try:
        assert trees.unit().figures["hosts"] == len(hosts)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
