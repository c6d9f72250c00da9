"""The status of real trees: what is told of each stage, and which problems there are."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._condense.days import (
    CondensedDays,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._hits.raw_days import (
    raw_day_path,
    trimmed_record,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._logs.paths import (
    day_folder,
)
from ansible_collections.fedora_infra.dnf_counting.tests.support.counting_host import (
    DAYS,
    FIRST,
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
DOWN = [("proxy03", THURSDAY), ("proxy03", FRIDAY)]


@pytest.fixture
def log_host(tmp_path: Path) -> CountingHost:
    return CountingHost(tmp_path / "log-host")


def test_a_log_host_where_all_came_has_no_problems(log_host: CountingHost) -> None:
    log_host.sync()
    log_host.run()
    before = everything_in(log_host.root)
    status = log_host.status()
    assert everything_in(log_host.root) == before
    assert (whats(status), status.state) == ([], "ok")
    for stage in ("sync", "combine", "raw"):
        assert set(states(status, stage).values()) == {"present"}, stage
    assert states(status, "totals") == {
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
    assert states(status, "totals")["2021-W38"] == "partial"


def test_before_the_first_run_that_is_said_and_nothing_is_missed(tmp_path: Path) -> None:
    nothing = CountingHost(tmp_path)
    (tmp_path / "hosts").rmdir()
    status = nothing.status()
    assert status.state == "unknown"
    assert [what[:10] for what in whats(status)] == ["no run yet"]
    for stage in ("sync", "combine", "raw"):
        assert set(states(status, stage).values()) == {"not_expected"}, stage
    assert list(tmp_path.iterdir()) == []


def test_half_made_trees_are_late(log_host: CountingHost) -> None:
    log_host.sync()
    status = log_host.status()
    assert set(states(status, "combine").values()) == {"late"}
    log_host.combine()
    status = log_host.status()
    assert set(states(status, "combine").values()) == {"present"}
    assert set(states(status, "raw").values()) == {"late"}
    assert any(what.startswith("raw fedora: no day yet") for what in whats(status))


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
    assert states(status, "raw")[str(FRIDAY)] == "out_of_date"
    log_host.count()
    status = log_host.status()
    assert states(status, "raw")[str(FRIDAY)] == "present"
    assert states(status, "publish") == {"fedora": "out_of_date"}


def test_a_gap_in_the_combined_logs_is_missing(log_host: CountingHost) -> None:
    log_host.sync(without=[(host, FRIDAY) for host in ("proxy01", "proxy02", "proxy03")])
    status = log_host.run().status()
    assert states(status, "combine")[str(FRIDAY)] == "missing"
    assert states(status, "raw")[str(FRIDAY)] == "missing"
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
    assert sorted(age.partition(":")[0] for age in ages) == ["combine", "raw fedora"]


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
    assert [*states(status, "raw").values()] == ["trimmed"] * 10 + ["present"] * 16
    assert whats(status) == []


def test_yesterdays_logs_are_not_late_before_todays_run(log_host: CountingHost) -> None:
    log_host.sync()
    log_host.run()
    before_the_run = NOW + timedelta(hours=21)
    tomorrow = LAST + timedelta(days=1)
    combine = replace(log_host.combine_settings, settle_days=0)
    status = log_host.status(now=before_the_run, days=[*DAYS, tomorrow], combine=combine)
    assert whats(status) == []
    assert of_host(status, "proxy01")[tomorrow] == "late"


def test_incident_days_down_ages_tell_that_no_run_was(log_host: CountingHost) -> None:
    log_host.sync()
    log_host.run()
    status = log_host.status(now=NOW + timedelta(days=9))
    ages = [what.partition(",")[0] for what in whats(status, "critical")]
    assert f"combine: the newest day is {LAST}" in ages
    assert "totals fedora: the newest week ended on 2021-10-10" in ages


def test_condensed_days_are_told_by_the_plan_of_their_stage(log_host: CountingHost) -> None:
    log_host.sync()
    log_host.run()
    settings = CondensedDays(log_host.root / "combined", LOG, log_host.root / "condensed")
    status = log_host.status(condense=settings)
    assert set(states(status, "condense").values()) == {"late"}
    settings.make(settings.plan(DAYS))
    (settings.folder / f"{FRIDAY}.parquet").unlink()
    path = day_folder(log_host.root / "combined", THURSDAY) / LOG
    path.write_text(path.read_text())
    found = states(log_host.status(condense=settings), "condense")
    assert (found.pop(str(FRIDAY)), found.pop(str(THURSDAY))) == ("late", "out_of_date")
    assert set(found.values()) == {"present"}


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
    listed = (*log_host.combine_settings.expected_hosts, "proxy77")
    combine = replace(log_host.combine_settings, expected_hosts=listed)
    assert whats(log_host.status(combine=combine)) == [
        "hosts in the host list without any log so far: proxy77"
    ]
