"""The status of trees that are gone, damaged, out of time or not to be read: all else is told."""

from __future__ import annotations

import contextlib
import json
import shutil
import sqlite3
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._hits.raw_days import (
    raw_day_path,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._logs.combined_tree import (
    RECORD_NAME,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._logs.paths import (
    day_folder,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._status import (
    read as status_read,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._status.settings import (
    configured_stages,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._watch.history import (
    StageSettings,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.modules import (
    http_log_sync,
    stats_publish,
)
from ansible_collections.fedora_infra.dnf_counting.tests.support.counting_host import (
    LAST,
    LOG,
    NOW,
    CountingHost,
    everything_in,
    of_host,
    states,
    whats,
)

THURSDAY, FRIDAY = date(2021, 10, 7), date(2021, 10, 8)


@pytest.fixture
def log_host(tmp_path: Path) -> CountingHost:
    return CountingHost(tmp_path / "log-host")


def test_incident_nfs_gone(log_host: CountingHost) -> None:
    log_host.sync()
    log_host.run()
    # what somebody left on the local disk below the mount point is none of ours
    stray = day_folder(log_host.root / "mnt" / "combined", FRIDAY) / RECORD_NAME
    stray.parent.mkdir(parents=True)
    record = (day_folder(log_host.root / "combined", FRIDAY) / RECORD_NAME).read_text()
    stray.write_text(record.replace("proxy01", "proxy55"))
    before = everything_in(log_host.root)
    combine = replace(
        log_host.combine_settings,
        dest=log_host.root / "mnt" / "combined",
        require_mount=log_host.root / "mnt",
    )
    status = log_host.status(combine=combine)
    assert set(states(status, "combine").values()) == {"unreadable"}
    assert set(states(status, "raw").values()) == {"present"}
    assert any("that the share is mounted" in what for what in whats(status, "critical"))
    assert "proxy55" not in {host.name for host in status.hosts}
    assert everything_in(log_host.root) == before


def test_incident_clock_jump_days_of_the_future_are_no_news(log_host: CountingHost) -> None:
    log_host.sync()
    log_host.run()
    future = date(2031, 1, 1)
    path = day_folder(log_host.root / "combined", future) / LOG
    path.parent.mkdir(parents=True)
    path.write_text("")
    shutil.copy(
        raw_day_path(log_host.profile.raw_dir, LAST),
        log_host.profile.raw_dir / "2031-01-01.parquet",
    )
    status = log_host.status(now=NOW + timedelta(days=9))
    assert f"combined: the newest day is {future}, and today is 2021-10-25 (UTC)" in whats(status)
    assert any("2021-10-15, 9" in what for what in whats(status, "critical"))


def test_incident_clock_jump_hits_of_the_future_make_totals_no_newer(
    log_host: CountingHost,
) -> None:
    log_host.sync()
    log_host.run()
    with contextlib.closing(sqlite3.connect(log_host.profile.totals_db)) as totals:
        columns = "hits, weeknum, os_name, os_version, os_variant, os_arch, sys_age, repo_tag"
        totals.execute(
            f"INSERT INTO countme_totals ({columns}, repo_arch)"
            " VALUES (1, '3586', 'Fedora', '34', 'server', 'x86_64', '1', 'fedora-34', 'x86_64')"
        )
        totals.commit()
    (stage,) = log_host.status().stages_called("totals")
    assert stage.newest == date(2021, 10, 10)


def test_incident_bad_permissions_a_tree_in_the_way_is_named(log_host: CountingHost) -> None:
    log_host.sync()
    log_host.run()
    shutil.rmtree(log_host.root / "hosts")
    (log_host.root / "hosts").write_text("a file")
    status = log_host.status()
    assert any(str(log_host.root / "hosts") in what for what in whats(status, "critical"))
    assert set(states(status, "combine").values()) == {"present"}


def test_incident_bad_permissions_one_unreadable_host_spoils_no_other(
    log_host: CountingHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    log_host.sync()
    log_host.run()
    from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._logs import (
        hosts_tree as logs_hosts_tree,
    )

    listed = logs_hosts_tree._file_names

    def refused(root: Path, folder: Path) -> list[str]:
        if "proxy02" in folder.parts:
            raise PermissionError(13, "Permission denied", str(folder))
        return listed(root, folder)

    monkeypatch.setattr(logs_hosts_tree, "_file_names", refused)
    status = log_host.status()
    assert set(of_host(status, "proxy02").values()) == {"unreadable"}
    assert set(of_host(status, "proxy01").values()) == {"present"}
    assert any(what.startswith("proxy02: the logs of") for what in whats(status, "critical"))


def test_damaged_records_and_totals_are_problems_and_all_else_is_told(
    log_host: CountingHost,
) -> None:
    log_host.sync()
    log_host.run()
    (day_folder(log_host.root / "combined", FRIDAY) / RECORD_NAME).write_text("{}")
    raw_day_path(log_host.profile.raw_dir, THURSDAY).write_bytes(b"no Parquet")
    log_host.profile.totals_db.write_bytes(b"no database" * 100)
    status = log_host.status()
    assert states(status, "combine")[str(FRIDAY)] == "unreadable"
    assert states(status, "raw")[str(THURSDAY)] == "out_of_date"
    assert any(str(log_host.profile.totals_db) in what for what in whats(status, "critical"))
    assert set(of_host(status, "proxy01").values()) == {"present"}


def test_hostile_names_on_disk_and_in_records_stay_text(log_host: CountingHost) -> None:
    log_host.sync()
    log_host.run()
    (log_host.root / "hosts" / "<script>alert(1)").mkdir()
    (log_host.root / "hosts" / "a\nb").mkdir()
    path = day_folder(log_host.root / "combined", FRIDAY) / RECORD_NAME
    record = json.loads(path.read_text())
    record["logs"][LOG]["hosts_expected"].append("../../\x1b[31m")
    path.write_text(json.dumps(record))
    status = log_host.status()
    names = [host.name for host in status.hosts]
    assert "'../../\\x1b[31m'" in names
    told = next(what for what in whats(status) if "names are no host names" in what)
    assert "'<script>alert(1)', 'a\\nb'" in told


def test_incident_hostile_config_refused_options_are_a_problem_and_other_stages_are_read() -> None:
    sync = {
        **{name: option.get("default") for name, option in http_log_sync.OPTIONS.items()},
        **dict.fromkeys(("dates", "since", "until", "days")),
        "dest": "/var/log/hosts",
        "hosts": ["proxy01", "--rsh=sh"],
        "max_file_size": 1,
        "max_host_size": 1,
    }
    compress = {"src": "/c", "before": None, "keep_days": 1, "form": "xz", "level": None}
    recorded = [
        StageSettings("sync", "", "r1", NOW, sync),
        StageSettings("compress", "", "r1", NOW, {**compress, "workers": 1, "nice": 1}),
        StageSettings("of another version", "", "r1", NOW, {}),
    ]
    stages, (problem,) = configured_stages(recorded, NOW)
    assert [one.stage.name for one in stages] == ["compress"]
    assert (problem.severity, problem.stage) == ("critical", "settings")
    assert "'--rsh=sh'" in problem.what


def test_options_that_another_version_recorded_are_reported_and_other_stages_are_read() -> None:
    compress = {"src": "/c", "before": None, "keep_days": 1, "form": "xz", "level": None}
    recorded = [
        StageSettings("combine", "", "r1", NOW, {"src": "/hosts"}),
        StageSettings("compress", "", "r1", NOW, {**compress, "workers": 1, "nice": 1}),
    ]
    stages, (problem,) = configured_stages(recorded, NOW)
    assert [one.stage.name for one in stages] == ["compress"]
    assert (problem.severity, problem.stage) == ("unknown", "settings")
    assert problem.what.startswith("combine: expected the options of this version")


@pytest.mark.parametrize(("counted", "names"), [(0, ["fedora"]), (2, ["centos", "fedora"])])
def test_a_profile_that_is_published_no_longer_is_left_out(counted: int, names: list[str]) -> None:
    """It is left out once a later run publishes without it, and not before."""
    raw = {"src": "/c", "log_name": "a.log", "raw_dir": "/r", "hash_hosts": False, "workers": 1}
    raw |= dict.fromkeys(("dates", "since", "until", "days"))
    fedora = {"name": "fedora", "totals_db": "/t", "totals_csv": "/c", "prefix": "totals"}
    publish = {
        **{name: option.get("default") for name, option in stats_publish.OPTIONS.items()},
        "dest": "/w",
        "profiles": [{**dict.fromkeys(stats_publish.PROFILE_OPTIONS), **fedora}],
    }
    recorded = [
        StageSettings("raw", "centos", "r1", NOW + timedelta(hours=counted), raw),
        StageSettings("raw", "fedora", "r1", NOW + timedelta(hours=counted), raw),
        StageSettings("publish", "", "r1", NOW + timedelta(hours=1), publish),
    ]
    stages, _problems = configured_stages(recorded, NOW)
    assert [one.subject for one in stages if one.stage.name == "raw"] == names


def test_without_the_libraries_the_rest_is_told(
    log_host: CountingHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    log_host.sync()
    log_host.run()
    monkeypatch.setattr(status_read, "not_installed", list)
    status = log_host.status()
    assert [problem.severity for problem in status.problems] == ["unknown"]
    assert [stage.stage for stage in status.stages] == ["sync", "combine"]
