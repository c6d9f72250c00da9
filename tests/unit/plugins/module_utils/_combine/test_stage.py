"""Whole runs of combine: what they refuse, what they name, and that they stop for nobody."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._base.errors import (
    LockedError,
    OutputError,
    SourceError,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._base.observer import (
    Observer,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._base.records import (
    WorkUnit,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._combine.stage import (
    COMBINE,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._storage.files import (
    writer_lock,
)
from ansible_collections.fedora_infra.dnf_counting.tests.support.combining import (
    DAY,
    LOG,
    NOW,
    UNIT,
    Trees,
    line,
)
from ansible_collections.fedora_infra.dnf_counting.tests.support.stages import outcome_of


@pytest.fixture
def trees(tmp_path: Path) -> Trees:
    return Trees(tmp_path)


def test_check_mode_tells_the_same_and_writes_nothing(trees: Trees, tmp_path: Path) -> None:
    trees.put("proxy1", line(1))
    foreseen = trees.run(check_mode=True)
    assert os.listdir(tmp_path) == ["hosts"]
    done = trees.run()
    assert [unit.status for unit in foreseen.units] == ["due", "due"]
    assert [unit.status for unit in done.units] == ["made", "made"]
    assert [unit.name for unit in foreseen.units] == [unit.name for unit in done.units]


def test_incident_new_host_forgotten_its_logs_count_and_it_is_named(trees: Trees) -> None:
    trees.put("proxy1", line(1))
    trees.put("proxy9", line(2))
    run = trees.run(expected_hosts=("proxy1",))
    assert run.facts["unexpected_hosts"] == ["proxy9"]
    assert any("proxy9" in warning for warning in run.warnings)
    assert trees.combined() == line(1) + line(2)


def test_incident_glob_drift_groups_and_hosts_without_a_match_are_named(trees: Trees) -> None:
    trees.put("download1", line(1), name="dl.example.org-access.log")
    run = trees.run(expected_hosts=("download1",))
    assert "download" in run.facts["groups_without_hosts"]
    assert any("no group's pattern matches: download1" in warning for warning in run.warnings)


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
    assert run.facts["ignored_folders"] == ["'--rsh=proxy'"]


def test_a_missing_hosts_tree_is_an_error(trees: Trees) -> None:
    trees.settings.src.rmdir()
    with pytest.raises(SourceError, match="Run the sync first"):
        trees.run()


def test_a_failing_log_does_not_stop_the_others(trees: Trees) -> None:
    trees.put("proxy1", line(1))
    trees.put("proxy1", line(1), name="other-access.log")
    (trees.settings.dest / "2021/09/28/other-access.log").mkdir(parents=True)
    statuses = {unit.name: unit.status for unit in trees.run().units}
    assert statuses[UNIT] == "made"
    assert statuses[f"{DAY} other-access.log"] == "failed"


def test_incident_days_down_many_days_are_made_at_once(trees: Trees) -> None:
    days = [date(2021, 9, day) for day in range(1, 29)]
    for day in days:
        trees.put("proxy1", line(day.day), day=day)
    run = trees.run(*days, workers=4)
    assert [unit.status for unit in run.units] == ["made"] * 29
    assert trees.combined(day=days[5]) == line(6)


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


def test_incident_nfs_gone_a_share_that_goes_in_the_middle_gets_no_more_logs(
    trees: Trees, tmp_path: Path
) -> None:
    marker = tmp_path / "marker"
    marker.touch()
    days = [DAY - timedelta(days=number) for number in range(3)]
    for day in days:
        trees.put("proxy1", line(1), day=day)

    class Unmounting(Observer):
        def ended(self, unit: WorkUnit, *, kind: str = "") -> None:
            marker.unlink(missing_ok=True)

    settings = replace(
        trees.settings, require_mount=marker, workers=1, latest=None, days=tuple(days)
    )
    run = outcome_of(COMBINE, settings, now=NOW, observer=Unmounting())
    assert [unit.status for unit in run.units] == ["made", "failed", "failed"]
    assert "Mount the share" in run.units[1].reasons[0]
