"""http_log_sync against real rsync daemons on loopback."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.fedora_infra.dnf_counting.tests.support.rsync_hosts import (
    DAYS,
    LOOPBACK,
    MIDNIGHT,
    statuses,
    tree,
    write_rotated,
)
from ansible_collections.fedora_infra.dnf_counting.tests.support.sync_hosts import (
    ACCESS,
    ERROR,
    LogHosts,
    every,
)


def test_first_run_fetches_second_does_not(hosts: LogHosts) -> None:
    planned = hosts.sync(check=True)
    assert not hosts.dest.exists()
    first = hosts.sync()
    before = tree(hosts.dest)
    replanned = hosts.sync(check=True)
    second = hosts.sync()
    assert (planned["changed"], first["changed"]) == (True, True)
    assert (replanned["changed"], second["changed"]) == (False, False)
    assert statuses(planned) == every("due", "proxy01", "proxy02")
    assert statuses(first) == every("made", "proxy01", "proxy02")
    assert statuses(replanned) == statuses(second) == every("unchanged", "proxy01", "proxy02")
    assert tree(hosts.dest) == before
    assert before.keys() == {
        str(hosts.path(host, day, name).relative_to(hosts.dest))
        for host in ("proxy01", "proxy02")
        for day in DAYS
        for name in (ACCESS, ERROR)
    }
    for one, other in zip(planned["units"], first["units"], strict=True):
        assert (one["files"], one["bytes"]) == (other["files"], other["bytes"]) != (0, 0)
    assert first["hosts"][0].keys() == {
        *("name", "status", "files", "bytes", "attempts", "seconds", "reason")
    }


def test_no_program_but_rsync_is_needed(hosts: LogHosts) -> None:
    result = hosts.sync(environment={"PATH": str(hosts.folder)})
    assert statuses(result) == every("made", "proxy01", "proxy02"), result


def test_content_and_times_are_those_of_the_host(hosts: LogHosts) -> None:
    hosts.sync()
    for day in DAYS:
        source = hosts.logs("proxy01") / f"site-access.log-{day:%Y%m%d}.xz"
        fetched = hosts.path("proxy01", day)
        assert fetched.read_bytes() == source.read_bytes()
        assert int(fetched.stat().st_mtime) == int(source.stat().st_mtime)
        assert fetched.stat().st_nlink == 1


def test_check_mode_leaves_an_existing_tree_alone(hosts: LogHosts) -> None:
    hosts.sync()
    hosts.write("proxy01", DAYS[0], b"longer than before\n")

    def state() -> list[tuple[str, int, int]]:
        every = (path for path in hosts.dest.rglob("*"))
        return sorted((str(p), p.lstat().st_ino, p.lstat().st_mtime_ns) for p in every)

    before = state()
    result = hosts.sync(check=True, diff=True)
    assert state() == before
    assert statuses(result)["proxy01 2026-11-18"] == "due"
    assert "proxy01 2026-11-18: 2 changed logs" in result["diff"]["after"]


def test_old_tree_is_taken_over_without_fetching(hosts: LogHosts) -> None:
    for day in DAYS:
        for name, dated in ((ACCESS, f"site-access.log-{day:%Y%m%d}.xz"),):
            target = hosts.path("proxy01", day, name)
            target.parent.mkdir(parents=True)
            shutil.copy2(hosts.logs("proxy01") / dated, target)
            with_date = target.parent.with_name("http_with_date") / dated
            with_date.parent.mkdir()
            with_date.hardlink_to(target)
    inodes = [hosts.path("proxy01", day).stat().st_ino for day in DAYS]
    result = hosts.sync("proxy01")
    assert [unit["reasons"] for unit in result["units"]] == [["1 new log"]] * 3
    assert [hosts.path("proxy01", day).stat().st_ino for day in DAYS] == inodes
    assert hosts.sync("proxy01")["changed"] is False


def test_local_source_and_source_of_one_host(hosts: LogHosts) -> None:
    result = hosts.sync({"name": "dl01", "source": str(hosts.logs("proxy01"))}, "proxy02")
    assert statuses(result) == every("made", "dl01", "proxy02")


def test_incident_source_rewritten(hosts: LogHosts) -> None:
    hosts.sync()
    write_rotated(hosts.logs("proxy01"), ERROR, DAYS[1], b"appended later\n", mtime=MIDNIGHT + 9)
    result = hosts.sync()
    changed = {name for name, status in statuses(result).items() if status == "made"}
    assert changed == {"proxy01 2026-11-19"}
    assert hosts.path("proxy01", DAYS[1], ERROR).read_bytes() == b"appended later\n"
    assert hosts.sync()["changed"] is False


def test_incident_late_logs(hosts: LogHosts) -> None:
    late = hosts.logs("proxy02")
    shutil.rmtree(late)
    late.mkdir()
    assert statuses(hosts.sync()) == every("made", "proxy01") | every("missing", "proxy02")
    for day in DAYS:
        hosts.write("proxy02", day)
    # days later, when they are out of the window
    after = hosts.sync(until=str(DAYS[-1] + timedelta(days=5)))
    assert {name for name, status in statuses(after).items() if status == "made"} == set(
        every("", "proxy02")
    )


def test_incident_days_down(hosts: LogHosts) -> None:
    last = date(2026, 11, 29)
    hosts.sync()
    outage = [DAYS[-1] + timedelta(days=n) for n in range(1, 10)]
    for day in outage:
        hosts.write("proxy01", day)
    planned = hosts.sync("proxy01", check=True, until=str(last))
    result = hosts.sync("proxy01", until=str(last))
    assert statuses(result) == {f"proxy01 {day}": "made" for day in outage}
    assert statuses(planned).keys() == statuses(result).keys()
    assert hosts.sync("proxy01", until=str(last))["changed"] is False


@pytest.mark.parametrize("options", [{"dates": ["2026-11-20"]}, {"since": "2026-11-20"}])
def test_named_days_reach_no_further(hosts: LogHosts, options: dict[str, Any]) -> None:
    until = None if "dates" in options else "2026-11-20"
    result = hosts.sync("proxy01", **options, until=until)
    assert statuses(result) == {"proxy01 2026-11-20": "made"}


def test_incident_missing_day_source(hosts: LogHosts) -> None:
    for log in hosts.logs("proxy01").glob("*20261119*"):
        log.unlink()
    for _run in range(2):
        result = hosts.sync()
        missing = {name for name, status in statuses(result).items() if status == "missing"}
        assert missing == {"proxy01 2026-11-19"}
    assert "no log of 2026-11-19 on proxy01" in str(result["units"])


def test_incident_empty_glob(hosts: LogHosts) -> None:
    shutil.rmtree(hosts.logs("proxy01"))
    hosts.logs("proxy01").mkdir()
    write_rotated(hosts.logs("proxy01"), ACCESS, date(2026, 1, 1))
    result = hosts.sync("proxy01")
    assert statuses(result) == every("missing", "proxy01")
    assert (result["changed"], result["hosts"][0]["status"]) == (False, "missing")
    assert tree(hosts.dest) == {}


def test_incident_cron_environment(hosts: LogHosts) -> None:
    assert statuses(hosts.sync("proxy01", environment={})) == every("made", "proxy01")


def test_incident_dst_and_zone(hosts: LogHosts) -> None:
    zone = {"PATH": os.environ["PATH"], "TZ": "America/Los_Angeles"}
    hosts.sync("proxy01", environment=zone)
    looked = hosts.sync("proxy01", environment={"TZ": "Asia/Tokyo"}, check=True)
    assert statuses(looked) == every("unchanged", "proxy01")


def test_incident_new_year(hosts: LogHosts) -> None:
    days = [date(2026, 12, 31), date(2027, 1, 1), date(2028, 2, 29)]
    for day in days:
        hosts.write("proxy01", day)
    result = hosts.sync("proxy01", dates=[str(day) for day in days], until=None)
    assert [unit["status"] for unit in result["units"]] == ["made"] * 3
    assert all(hosts.path("proxy01", day).exists() for day in days)


def test_incident_bad_permissions_umask(hosts: LogHosts) -> None:
    before = os.umask(0o077)
    try:
        hosts.sync("proxy01")
    finally:
        os.umask(before)
    log = hosts.path("proxy01", DAYS[0])
    assert log.stat().st_mode & 0o777 == 0o640
    assert log.parent.stat().st_mode & 0o777 == 0o750


def test_it_works_under_ansible(hosts: LogHosts) -> None:
    options = (
        f"hosts=proxy01 dest={hosts.dest} until={DAYS[-1]} "
        f"source=rsync://{LOOPBACK}:{hosts.port}/hosts/{{host}}/httpd/"
    )
    ended = subprocess.run(
        [
            *(Path(sys.executable).with_name("ansible"), "localhost", "-i", "localhost,"),
            *("-c", "local", "-e", f"ansible_python_interpreter={sys.executable}"),
            *("-m", "fedora_infra.dnf_counting.http_log_sync", "-a", options),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert '"made": 3' in ended.stdout
