"""Combining days: what is due and why, what is recorded, and what is never done."""

from __future__ import annotations

import bz2
import errno
import gzip
import json
import lzma
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import zstandard
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils import _combine
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._combine_plan import (
    CombineSettings,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._combine_run import (
    CombineRun,
    run_combine,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._errors import (
    LockedError,
    OutputError,
    SettingsError,
    SourceError,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._files import writer_lock
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._host_logs import Group
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._merge import merge_logs
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._records import Unit

DAY = date(2021, 9, 28)
TODAY = date(2021, 9, 30)
LOG = "mirrors.fedoraproject.org-access.log"
UNIT = f"{DAY} {LOG}"


def line(second: int, text: str = "") -> bytes:
    return f'h - - [27/Sep/2021:12:00:{second:02} +0000] "GET / HTTP/1.1" 200 5 {text}\n'.encode()


class Trees:
    """A hosts tree and a combined tree, and runs on them."""

    def __init__(self, root: Path) -> None:
        self.settings = CombineSettings(
            root / "hosts", root / "combined", latest=root / "combined/latest"
        )
        self.settings.src.mkdir()

    def put(self, host: str, content: bytes, *, name: str = LOG, day: date = DAY) -> Path:
        path = self.settings.src / host / f"{day:%Y/%m/%d}/http" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path

    def run(self, *days: date, check_mode: bool = False, **options: Any) -> CombineRun:
        settings = replace(self.settings, **options)
        return run_combine(settings, days or [DAY], check_mode=check_mode, today=TODAY)

    def unit(self, name: str = UNIT, **options: Any) -> Unit:
        return next(unit for unit in self.run(**options).units if unit.name == name)

    def combined(self, name: str = LOG, day: date = DAY) -> bytes:
        return (self.settings.dest / f"{day:%Y/%m/%d}" / name).read_bytes()

    def record(self, day: date = DAY) -> dict[str, Any]:
        path = self.settings.dest / f"{day:%Y/%m/%d}/.combine.json"
        return json.loads(path.read_text())["logs"][LOG]


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


def test_check_mode_tells_the_same_and_writes_nothing(trees: Trees, tmp_path: Path) -> None:
    trees.put("proxy1", line(1))
    foreseen = trees.run(check_mode=True)
    assert os.listdir(tmp_path) == ["hosts"]
    done = trees.run()
    assert [unit.status for unit in foreseen.units] == ["due", "due"]
    assert [unit.status for unit in done.units] == ["made", "made"]
    assert [unit.name for unit in foreseen.units] == [unit.name for unit in done.units]


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


def test_groups_combine_their_logs_and_no_others(trees: Trees) -> None:
    trees.put("proxy1", line(1), name="fedoraproject.org-access.log")
    trees.put("proxy1", line(1), name="fedoraproject.org-error.log")
    trees.put("proxy1", line(1), name="odd name-access.log")
    trees.put("proxy1", line(1), name="access.log-20210928.xz")
    trees.put("dl1", line(2), name="dl.fedoraproject.org-access.log")
    trees.put("dl1", line(2), name="other-access.log")
    trees.put("people1", line(3), name="fedorapeople.org-access.log")
    trees.put("noc1", line(3), name="noc-access.log")
    names = [unit.name.split(" ")[1] for unit in trees.run(latest=None).units]
    assert names == [
        "dl.fedoraproject.org-access.log",
        "fedorapeople.org-access.log",
        "fedoraproject.org-access.log",
    ]


def test_two_groups_with_the_same_log_make_one_of_all_their_hosts(trees: Trees) -> None:
    groups = (Group("a", "a*", "*access.log"), Group("b", "b*", "mirrors*"))
    trees.put("a1", line(1))
    trees.put("b1", line(2))
    trees.run(groups=groups)
    assert trees.combined() == line(1) + line(2)


def test_incident_late_logs_a_new_input_makes_the_day_again(trees: Trees) -> None:
    trees.put("proxy1", line(1))
    trees.run()
    late = trees.put("proxy2", line(0))
    unit = trees.unit()
    assert unit.status == "made"
    assert unit.reasons == (f"new input {late.relative_to(trees.settings.src)}",)
    assert trees.combined() == line(0) + line(1)


def test_incident_source_rewritten_a_changed_input_makes_the_day_again(trees: Trees) -> None:
    trees.put("proxy1", line(1))
    trees.run()
    trees.put("proxy1", line(1) + line(2))
    assert trees.unit().status == "made"
    assert trees.combined() == line(1) + line(2)


def test_inputs_that_are_pruned_make_nothing_out_of_date(trees: Trees) -> None:
    path = trees.put("proxy1", line(1))
    trees.put("proxy2", line(2))
    trees.run()
    path.unlink()
    assert trees.unit().status == "unchanged"
    assert trees.combined() == line(1) + line(2)


def test_a_day_is_not_made_again_from_what_is_left_of_it(trees: Trees) -> None:
    path = trees.put("proxy1", line(1))
    trees.put("proxy2", line(2))
    trees.run()
    path.unlink()
    trees.put("proxy3", line(3))
    run = trees.run()
    assert run.units[0].status == "blocked"
    assert "proxy1" in run.units[0].reasons[-1]
    assert any("proxy1" in warning for warning in run.warnings)
    assert trees.combined() == line(1) + line(2)


def test_a_host_that_is_there_in_another_form_is_there(trees: Trees) -> None:
    path = trees.put("proxy1", line(1))
    trees.run()
    path.unlink()
    trees.put("proxy1", lzma.compress(line(1)), name=f"{LOG}.xz")
    trees.put("proxy2", line(2))
    assert trees.unit().status == "made"
    assert trees.combined() == line(1) + line(2)


def test_a_young_day_waits_for_the_expected_hosts(trees: Trees) -> None:
    young = date(2021, 9, 29)
    hosts = ("proxy1", "proxy2")
    trees.put("proxy1", line(1), day=young)
    waiting = trees.run(young, expected_hosts=hosts).units
    assert [unit.status for unit in waiting] == ["waiting", "missing"]
    assert waiting[0].reasons == ("waiting for proxy2",)
    assert not trees.settings.dest.exists()
    trees.put("proxy2", line(2), day=young)
    assert trees.run(young, expected_hosts=hosts).units[0].status == "made"


def test_incident_missing_day_source_a_settled_day_is_combined_with_what_is_there(
    trees: Trees,
) -> None:
    trees.put("proxy1", line(1))
    unit = trees.unit(expected_hosts=("proxy1", "proxy2"))
    assert unit.status == "made"
    assert unit.figures["hosts_missing"] == ["proxy2"]
    assert trees.record()["hosts_expected"] == ["proxy1", "proxy2"]
    assert trees.record()["hosts_present"] == ["proxy1"]


def test_a_host_has_delivered_once_it_has_any_log_of_its_group(trees: Trees) -> None:
    young = date(2021, 9, 29)
    trees.put("proxy1", line(1), day=young)
    trees.put("proxy2", line(2), day=young, name="rare-access.log")
    units = trees.run(young, expected_hosts=("proxy1", "proxy2")).units
    assert [unit.status for unit in units] == ["made", "made", "made"]


def test_incident_empty_glob_a_day_without_logs_is_named_and_makes_nothing(trees: Trees) -> None:
    run = trees.run()
    assert [(unit.name, unit.status) for unit in run.units] == [
        (str(DAY), "missing"),
        ("latest", "missing"),
    ]
    assert not trees.settings.dest.exists()


def test_incident_new_host_forgotten_its_logs_count_and_it_is_named(trees: Trees) -> None:
    trees.put("proxy1", line(1))
    trees.put("proxy9", line(2))
    run = trees.run(expected_hosts=("proxy1",))
    assert run.unexpected_hosts == ("proxy9",)
    assert any("proxy9" in warning for warning in run.warnings)
    assert trees.combined() == line(1) + line(2)


def test_incident_glob_drift_groups_and_hosts_without_a_match_are_named(trees: Trees) -> None:
    trees.put("download1", line(1), name="dl.example.org-access.log")
    run = trees.run(expected_hosts=("download1",))
    assert "download" in run.groups_without_hosts
    assert any("no group's pattern matches: download1" in warning for warning in run.warnings)


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


def test_a_log_compressed_later_is_unchanged(trees: Trees) -> None:
    trees.put("proxy1", line(1))
    trees.run()
    path = trees.settings.dest / "2021/09/28" / LOG
    path.with_name(f"{LOG}.xz").write_bytes(lzma.compress(path.read_bytes()))
    path.unlink()
    assert trees.unit().status == "unchanged"
    assert trees.unit("latest").status == "unchanged"
    assert os.listdir(trees.settings.latest or "") == [f"{LOG}.xz"]


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


@pytest.mark.parametrize("damage", ["removed", "cut"])
def test_a_combined_log_that_is_gone_or_cut_is_made_again(trees: Trees, damage: str) -> None:
    trees.put("proxy1", line(1))
    trees.run()
    path = trees.settings.dest / "2021/09/28" / LOG
    path.unlink()
    if damage == "cut":
        path.write_bytes(line(1)[:-5])
    assert trees.unit().status == "made"
    assert trees.combined() == line(1)


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


@pytest.mark.parametrize("content", ["", "{", "[]", '{"format": 1}', '{"format":1,"logs":[1]}'])
def test_a_record_that_says_nothing_fails_its_day_alone(trees: Trees, content: str) -> None:
    trees.put("proxy1", line(1))
    other = date(2021, 9, 27)
    trees.put("proxy1", line(1), day=other)
    trees.run()
    (trees.settings.dest / "2021/09/28/.combine.json").write_text(content)
    run = trees.run(other, DAY)
    assert [unit.status for unit in run.units[:2]] == ["made", "failed"]
    assert run.failed_days == (str(DAY),)
    assert "Remove it" in run.units[1].reasons[0]


def test_a_record_of_a_newer_version_is_left_alone(trees: Trees) -> None:
    trees.put("proxy1", line(1))
    trees.run()
    record = trees.settings.dest / "2021/09/28/.combine.json"
    record.write_text('{"format": 2}')
    assert "update" in trees.unit(str(DAY)).reasons[0]
    assert record.read_text() == '{"format": 2}'


def test_incident_partial_transfer_a_run_killed_before_the_record_is_made_again(
    trees: Trees, monkeypatch: pytest.MonkeyPatch
) -> None:
    trees.put("proxy1", line(1))
    with monkeypatch.context() as patch:

        def killed(*_unused: object) -> None:
            raise KeyboardInterrupt

        patch.setattr(_combine, "write_combined_day", killed)
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

        patch.setattr(_combine, "merge_logs", full)
        unit = trees.unit()
    assert unit.status == "failed"
    assert "Free some space" in unit.reasons[0]
    assert trees.combined() == line(1)
    assert sorted(os.listdir(trees.settings.dest / "2021/09/28")) == [".combine.json", LOG]
    assert trees.unit().status == "made"


def test_incident_nfs_gone_nothing_is_written_into_an_empty_mount_point(
    trees: Trees, tmp_path: Path
) -> None:
    trees.put("proxy1", line(1))
    for proof in (tmp_path / "marker", tmp_path / "hosts"):
        with pytest.raises(OutputError, match="Mount the share"):
            trees.run(require_mount=proof)
    assert not trees.settings.dest.exists()
    (tmp_path / "marker").touch()
    assert trees.run(require_mount=tmp_path / "marker").units[0].status == "made"
    assert trees.run(require_mount=Path("/proc")).units[0].status == "unchanged"


def test_incident_combine_races_sync_it_refuses_while_a_sync_is_at_work(trees: Trees) -> None:
    trees.put("proxy1", line(1))
    with (
        writer_lock(trees.settings.src, run_id="night"),
        pytest.raises(LockedError, match="run night"),
    ):
        trees.run()
    assert trees.run().units[0].status == "made"


def test_incident_second_run_is_told_who_writes(trees: Trees) -> None:
    trees.put("proxy1", line(1))
    with (
        writer_lock(trees.settings.dest, run_id="first"),
        pytest.raises(LockedError, match="run first"),
    ):
        trees.run()


def test_incident_hostile_source_no_link_is_followed_and_odd_names_are_ignored(
    trees: Trees, tmp_path: Path
) -> None:
    trees.put("proxy1", line(1))
    secret = tmp_path / "secret"
    secret.write_bytes(line(2, "secret"))
    trees.put("proxy2", b"").unlink()
    (trees.settings.src / "proxy2/2021/09/28/http" / LOG).symlink_to(secret)
    (trees.settings.src / "proxy3").symlink_to(trees.settings.src / "proxy1")
    (trees.settings.src / "proxy4/2021/09").mkdir(parents=True)
    (trees.settings.src / "proxy4/2021/09/28").symlink_to(trees.settings.src / "proxy1/2021/09/28")
    trees.put("proxy5", b"").unlink()
    os.mkfifo(trees.settings.src / "proxy5/2021/09/28/http" / LOG)
    (trees.settings.src / "--rsh=proxy").mkdir()
    run = trees.run()
    assert trees.combined() == line(1)
    assert trees.record()["hosts_present"] == ["proxy1"]
    assert run.ignored_folders == ("'--rsh=proxy'",)


def test_a_missing_hosts_tree_is_an_error(trees: Trees) -> None:
    trees.settings.src.rmdir()
    with pytest.raises(SourceError, match="Run the sync first"):
        trees.run()


@pytest.mark.parametrize(
    "options",
    [
        pytest.param({"groups": ()}, id="no-group"),
        pytest.param({"groups": (Group("a", "*", "*"), Group("a", "b*", "*"))}, id="same-name"),
    ],
)
def test_impossible_settings_are_refused(trees: Trees, options: dict[str, Any]) -> None:
    with pytest.raises(SettingsError):
        trees.run(**options)


@pytest.mark.parametrize("option", ["dest", "latest"])
@pytest.mark.parametrize("way", ["hosts/combined", "hosts", "other/../hosts/combined", "link/here"])
def test_incident_hostile_config_nothing_is_made_in_the_hosts_tree(
    trees: Trees, option: str, way: str
) -> None:
    root = trees.settings.src.parent
    (root / "link").symlink_to(trees.settings.src)
    with pytest.raises(SettingsError, match=f"option {option}: expected .* outside"):
        trees.run(**{option: root / way})


@pytest.mark.parametrize("latest", ["/", "latest", ".."])
def test_incident_hostile_config_links_without_a_place_are_refused(
    trees: Trees, latest: str
) -> None:
    with pytest.raises(SettingsError, match="option latest: expected the absolute path"):
        trees.run(latest=Path(latest))


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_incident_bad_permissions_an_unreadable_folder_fails_its_day(trees: Trees) -> None:
    trees.put("proxy1", line(1)).parent.chmod(0)
    assert trees.unit(str(DAY)).status == "failed"


def test_a_failing_log_does_not_stop_the_others(trees: Trees) -> None:
    trees.put("proxy1", line(1))
    trees.put("proxy1", line(1), name="other-access.log")
    (trees.settings.dest / "2021/09/28/other-access.log").mkdir(parents=True)
    statuses = {unit.name: unit.status for unit in trees.run().units}
    assert statuses[UNIT] == "made"
    assert statuses[f"{DAY} other-access.log"] == "failed"


def test_incident_unsorted_input_leaves_nothing_behind(trees: Trees, tmp_path: Path) -> None:
    trees.put("proxy1", b"h - - [27/Sep/2021:20:00:00 +0000] x\n" + line(1))
    temp_dir = tmp_path / "temp"
    trees.run(temp_dir=temp_dir)
    assert trees.combined() == line(1) + b"h - - [27/Sep/2021:20:00:00 +0000] x\n"
    assert list(temp_dir.iterdir()) == []
    assert not list(trees.settings.dest.glob(".sorting*"))


def test_incident_days_down_many_days_are_made_at_once(trees: Trees) -> None:
    days = [date(2021, 9, day) for day in range(1, 29)]
    for day in days:
        trees.put("proxy1", line(day.day), day=day)
    run = trees.run(*days, workers=4)
    assert [unit.status for unit in run.units] == ["made"] * 29
    assert trees.combined(day=days[5]) == line(6)


def test_incident_clock_jump_a_day_to_come_waits_or_is_missing(trees: Trees) -> None:
    future = date(2031, 1, 1)
    run = trees.run(future, expected_hosts=("proxy1",))
    assert run.units[0].status == "waiting"


def test_a_log_that_is_not_whole_on_disk_never_gets_its_name(
    trees: Trees, monkeypatch: pytest.MonkeyPatch
) -> None:
    trees.put("proxy01", line(1) + line(2))

    def merge_and_lose(sources: Any, target: Path, **options: Any) -> Any:
        merged = merge_logs(sources, target, **options)
        os.truncate(target, 10)
        return merged

    monkeypatch.setattr(_combine, "merge_logs", merge_and_lose)
    unit = trees.unit()
    assert unit.status == "failed"
    assert "found 10" in unit.reasons[0]
    assert not (trees.settings.dest / f"{DAY:%Y/%m/%d}" / LOG).exists()


def test_a_combined_log_that_is_compressed_while_it_is_looked_at_is_unchanged(
    trees: Trees, monkeypatch: pytest.MonkeyPatch
) -> None:
    trees.put("proxy01", line(1))
    trees.run()
    compressed_in_the_middle = iter([None, FileNotFoundError(errno.ENOENT, "gone")])
    fail_stat(monkeypatch, compressed_in_the_middle, before=compress_combined)
    assert trees.unit().status == "unchanged"


def test_a_combined_log_that_can_not_be_looked_at_fails_alone(
    trees: Trees, monkeypatch: pytest.MonkeyPatch
) -> None:
    trees.put("proxy01", line(1))
    other = trees.put("proxy01", line(1), name="other-access.log").name
    trees.run()
    fail_stat(monkeypatch, iter([None, OSError(errno.EIO, "bad")]))
    units = {unit.name: unit for unit in trees.run().units}
    assert units[UNIT].status == "failed"
    assert "expected to read" in units[UNIT].reasons[0]
    assert units[f"{DAY} {other}"].status == "unchanged"


def compress_combined(path: Path) -> None:
    path.with_name(path.name + ".xz").write_bytes(lzma.compress(path.read_bytes()))
    path.unlink()


def fail_stat(
    monkeypatch: pytest.MonkeyPatch,
    errors: Iterator[OSError | None],
    *,
    before: Callable[[Path], None] = lambda path: None,
) -> None:
    """Let looks at the plain combined log itself fail; the first one is that of the listing."""
    found = Path.stat

    def stat(path: Path, *, follow_symlinks: bool = True) -> os.stat_result:
        if path.name == LOG and "combined" in path.parts and not follow_symlinks:
            error = next(errors, None)
            if error:
                before(path)
                raise error
        return found(path, follow_symlinks=follow_symlinks)

    monkeypatch.setattr(Path, "stat", stat)


def test_warnings_tell_of_hosts_left_out_and_of_nothing_that_only_reads_so(trees: Trees) -> None:
    trees.put("proxy01", line(1))
    trees.put("proxy02", b"no xz at all", name=f"{LOG}.xz")
    unit = trees.unit()
    assert [reason for reason in unit.reasons if reason not in unit.warnings] == [
        "not combined yet"
    ]
    again = trees.run()
    assert [w for w in again.warnings if w.startswith(UNIT)] == [f"{UNIT}: {unit.warnings[0]}"]
    assert "warnings" not in unit.to_json()
