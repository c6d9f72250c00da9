"""The status of real trees: what is told of each stage, and which problems there are."""

from __future__ import annotations

import contextlib
import json
import shutil
import sqlite3
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils import (
    _mirrorlist_condense as condensing,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._combine_records import (
    RECORD_NAME,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._log_paths import (
    day_folder,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._raw_days import (
    raw_day_path,
    trimmed_record,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._status import Status
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._status_settings import (
    listed_hosts,
)
from ansible_collections.fedora_infra.dnf_counting.tests.support.counting_host import (
    DAYS,
    FIRST,
    LAST,
    LOG,
    NOW,
    CountingHost,
    whats,
)

THURSDAY, FRIDAY = date(2021, 10, 7), date(2021, 10, 8)
DOWN = [("proxy03", THURSDAY), ("proxy03", FRIDAY)]


@pytest.fixture
def log_host(tmp_path: Path) -> CountingHost:
    return CountingHost(tmp_path / "log-host")


def states(status: Status, stage: str) -> dict[str, str]:
    """The state of each unit of a stage."""
    (found,) = status.stages_called(stage)
    return {name: one.state for name, one in found.units.items()}


def of_host(status: Status, name: str) -> dict[date, str]:
    host = next(host for host in status.hosts if host.name == name)
    return {day: one.state for day, one in host.days.items()}


def everything_in(root: Path) -> dict[str, tuple[int, int]]:
    found = [(path, path.lstat()) for path in root.rglob("*")]
    return {str(path): (one.st_mtime_ns, one.st_size) for path, one in found}


def test_a_log_host_where_all_came_has_no_problems(log_host: CountingHost) -> None:
    log_host.sync()
    log_host.run()
    before = everything_in(log_host.root)
    status = log_host.status()
    assert everything_in(log_host.root) == before
    assert (whats(status), status.state) == ([], "ok")
    for stage in ("sync", "combine", "count_raw"):
        assert set(states(status, stage).values()) == {"present"}, stage
    assert states(status, "count_totals") == {
        "2021-W37": "partial",  # began before the first day
        "2021-W38": "present",
        "2021-W39": "present",
        "2021-W40": "present",
        "2021-W41": "waiting",
    }
    assert states(status, "publish") == {"fedora": "present"}
    reach = {tree.name: (tree.oldest, tree.newest) for tree in status.trees}
    assert reach["hosts"] == reach["combined"] == reach["raw fedora"] == (FIRST, LAST)
    assert all(tree.used_bytes and tree.free_bytes for tree in status.trees)


def test_incident_missing_day_source_is_told_of_host_days_and_week(log_host: CountingHost) -> None:
    log_host.sync(without=DOWN)
    status = log_host.run().status()
    assert whats(status) == [
        "proxy03: no log of 2021-10-07 to 2021-10-08",
        "fedora 2021-W40 is partial: 19 of 21 host-days came",
    ]
    assert status.state == "warning"
    missing = {day for day, state in of_host(status, "proxy03").items() if state == "missing"}
    assert missing == {THURSDAY, FRIDAY}
    assert set(of_host(status, "proxy01").values()) == {"present"}
    for stage in ("sync", "combine"):
        partial = {day for day, state in states(status, stage).items() if state == "partial"}
        assert partial == {str(THURSDAY), str(FRIDAY)}, stage


def test_what_is_missed_long_ago_is_shown_and_no_problem(log_host: CountingHost) -> None:
    log_host.sync(without=[("proxy03", FIRST + timedelta(days=4))])
    status = log_host.run().status()
    assert whats(status) == []
    assert "missing" in of_host(status, "proxy03").values()
    assert states(status, "count_totals")["2021-W38"] == "partial"


def test_before_the_first_run_that_is_said_and_nothing_is_missed(tmp_path: Path) -> None:
    nothing = CountingHost(tmp_path)
    (tmp_path / "hosts").rmdir()
    status = nothing.status()
    assert status.state == "unknown"
    assert [what[:10] for what in whats(status)] == ["no run yet"]
    for stage in ("sync", "combine", "count_raw"):
        assert set(states(status, stage).values()) == {"not_expected"}, stage
    assert list(tmp_path.iterdir()) == []


def test_half_made_trees_are_late(log_host: CountingHost) -> None:
    log_host.sync()
    status = log_host.status()
    assert set(states(status, "combine").values()) == {"late"}
    log_host.combine()
    status = log_host.status()
    assert set(states(status, "combine").values()) == {"present"}
    assert set(states(status, "count_raw").values()) == {"late"}
    assert any(what.startswith("count raw fedora: no day yet") for what in whats(status))


def test_a_changed_log_makes_its_day_out_of_date_in_each_stage(log_host: CountingHost) -> None:
    log_host.sync()
    log_host.run()
    log_host.put("proxy01", FRIDAY, hits=5)
    status = log_host.status()
    assert states(status, "combine")[str(FRIDAY)] == "out_of_date"
    assert whats(status) == [f"combine: out of date: {FRIDAY}"]
    log_host.combine()
    status = log_host.status()
    assert states(status, "combine")[str(FRIDAY)] == "present"
    assert states(status, "count_raw")[str(FRIDAY)] == "out_of_date"
    log_host.count()
    status = log_host.status()
    assert states(status, "count_raw")[str(FRIDAY)] == "present"
    assert states(status, "publish") == {"fedora": "out_of_date"}


def test_a_gap_in_the_combined_logs_is_missing(log_host: CountingHost) -> None:
    log_host.sync(without=[(host, FRIDAY) for host in ("proxy01", "proxy02", "proxy03")])
    status = log_host.run().status()
    assert states(status, "combine")[str(FRIDAY)] == "missing"
    assert states(status, "count_raw")[str(FRIDAY)] == "missing"
    # told once, where it began
    assert [what for what in whats(status) if str(FRIDAY) in what] == [
        f"proxy01, proxy02, proxy03: no log of {FRIDAY}"
    ]


def test_a_stage_that_is_no_older_than_the_one_before_it_has_no_problem_of_age(
    log_host: CountingHost,
) -> None:
    log_host.sync()
    log_host.run()
    log_host.synced_at(NOW - timedelta(days=9))
    ages = [what for what in whats(log_host.status(now=NOW + timedelta(days=3))) if "old" in what]
    assert [age.partition(":")[0] for age in ages] == ["combine"]
    for day in DAYS[-3:]:
        raw_day_path(log_host.profile.raw_dir, day).unlink()
    ages = [what for what in whats(log_host.status(now=NOW + timedelta(days=3))) if "old" in what]
    assert sorted(age.partition(":")[0] for age in ages) == ["combine", "count raw fedora"]


def test_pruned_hosts_logs_are_present_by_the_records(log_host: CountingHost) -> None:
    log_host.sync(without=DOWN)
    log_host.run()
    for host in ("proxy01", "proxy02", "proxy03"):
        shutil.rmtree(log_host.root / "hosts" / host / "2021" / "10")
    status = log_host.status()
    assert set(of_host(status, "proxy01").values()) == {"present"}
    assert of_host(status, "proxy03")[FRIDAY] == "missing"


def test_trimmed_raw_days_are_not_missed(log_host: CountingHost) -> None:
    log_host.sync()
    log_host.run()
    raw_dir = log_host.profile.raw_dir
    for day in DAYS[:10]:
        raw_day_path(raw_dir, day).unlink()
    name, content = trimmed_record(DAYS[9])
    (raw_dir / name).write_bytes(content)
    status = log_host.status()
    assert [*states(status, "count_raw").values()] == ["trimmed"] * 10 + ["present"] * 16
    assert whats(status) == []


def test_yesterdays_logs_are_not_late_before_todays_run(log_host: CountingHost) -> None:
    log_host.sync()
    log_host.run()
    before_the_run = NOW + timedelta(hours=21)
    tomorrow = LAST + timedelta(days=1)
    combine = replace(log_host.settings.combine, settle_days=0)
    status = log_host.status(now=before_the_run, days=[*DAYS, tomorrow], combine=combine)
    assert whats(status) == []
    assert of_host(status, "proxy01")[tomorrow] == "late"


def test_incident_days_down_ages_tell_that_no_run_was(log_host: CountingHost) -> None:
    log_host.sync()
    log_host.run()
    status = log_host.status(now=NOW + timedelta(days=9))
    ages = [what.partition(",")[0] for what in whats(status, "critical")]
    assert f"combine: the newest day is {LAST}" in ages
    assert "count totals fedora: the newest week ended on 2021-10-10" in ages


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
        log_host.settings.combine,
        dest=log_host.root / "mnt" / "combined",
        require_mount=log_host.root / "mnt",
    )
    status = log_host.status(combine=combine)
    assert set(states(status, "combine").values()) == {"unreadable"}
    assert set(states(status, "count_raw").values()) == {"present"}
    assert any("that the share is mounted" in what for what in whats(status, "critical"))
    assert "proxy55" not in {host.name for host in status.hosts}
    assert everything_in(log_host.root) == before


def test_condensed_days_are_told_by_the_plan_of_their_stage(log_host: CountingHost) -> None:
    log_host.sync()
    log_host.run()
    settings = condensing.CondenseSettings(
        log_host.root / "combined", LOG, log_host.root / "condensed"
    )
    status = log_host.status(condense=settings)
    assert set(states(status, "condense").values()) == {"late"}
    condensing.condense_days(condensing.plan_condensed_days(settings, DAYS), settings)
    (settings.data_dir / f"{FRIDAY}.parquet").unlink()
    path = day_folder(log_host.root / "combined", THURSDAY) / LOG
    path.write_text(path.read_text())
    found = states(log_host.status(condense=settings), "condense")
    assert (found.pop(str(FRIDAY)), found.pop(str(THURSDAY))) == ("late", "out_of_date")
    assert set(found.values()) == {"present"}


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
    (stage,) = log_host.status().stages_called("count_totals")
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
    from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils import _host_logs

    listed = _host_logs._file_names

    def refused(root: Path, folder: Path) -> list[str]:
        if "proxy02" in folder.parts:
            raise PermissionError(13, "Permission denied", str(folder))
        return listed(root, folder)

    monkeypatch.setattr(_host_logs, "_file_names", refused)
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
    assert states(status, "count_raw")[str(THURSDAY)] == "out_of_date"
    assert any(str(log_host.profile.totals_db) in what for what in whats(status, "critical"))
    assert set(of_host(status, "proxy01").values()) == {"present"}


def test_incident_new_host_forgotten_is_a_problem_while_it_serves(log_host: CountingHost) -> None:
    log_host.sync()
    log_host.run()
    log_host.put("proxy44", FIRST)  # taken off the list long ago
    log_host.put("proxy99", LAST)
    log_host.combine()
    told = [what for what in whats(log_host.status()) if "not in the host list" in what]
    assert told == ["hosts that have logs and are not in the host list: proxy99"]


def test_incident_glob_drift_hosts_and_logs_that_no_group_matches_are_named(
    log_host: CountingHost,
) -> None:
    log_host.sync()
    log_host.run()
    log_host.put("download01", LAST)
    for host in ("proxy01", "proxy02", "proxy03"):
        log_host.put(host, LAST, name="mirrors-error.log")
    (log_host.day_of("proxy03", LAST) / LOG).unlink()
    status = log_host.status()
    told = whats(status, "warning")
    assert (
        "hosts that have logs, and are in no group: nothing of theirs is combined: download01"
        in told
    )
    assert (
        "hosts whose logs no group's pattern matches: nothing of theirs is combined: proxy03"
        in told
    )
    assert [log.name for log in status.unmatched] == ["mirrors-error.log"]


def test_a_host_of_which_nothing_ever_came_is_named(log_host: CountingHost) -> None:
    log_host.sync()
    log_host.run()
    listed = (*log_host.settings.combine.expected_hosts, "proxy77")
    combine = replace(log_host.settings.combine, expected_hosts=listed)
    assert whats(log_host.status(combine=combine)) == [
        "hosts in the host list of which no log ever came: proxy77"
    ]


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
    told = next(what for what in whats(status) if "can't be those of hosts" in what)
    assert "'<script>alert(1)', 'a\\nb'" in told


def test_incident_hostile_config_a_bad_entry_is_a_problem_of_its_own() -> None:
    names, problems = listed_hosts(["proxy01", "--rsh=sh", "a/../../etc", "a b", {"name": "dl01"}])
    assert names == ["dl01", "proxy01"]
    assert [problem.severity for problem in problems] == ["critical"] * 3
    assert "'--rsh=sh'" in problems[0].what


def test_without_the_libraries_the_rest_is_told(log_host: CountingHost) -> None:
    log_host.sync()
    log_host.run()
    status = log_host.status(missing_libraries=("duckdb",))
    assert [problem.severity for problem in status.problems] == ["unknown"]
    assert [stage.stage for stage in status.stages] == ["sync", "combine"]
