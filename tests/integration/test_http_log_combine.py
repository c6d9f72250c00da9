"""http_log_combine as a user runs it."""

from __future__ import annotations

import json
import lzma
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.fedora_infra.dnf_counting.tests.support.modules import (
    MODULES,
    run_module,
    statuses,
)

DAY = "2021-09-28"
LOG = "mirrors.fedoraproject.org-access.log"
UNIT = f"{DAY} {LOG}"


def line(second: int, text: str = "") -> bytes:
    return f'h - - [27/Sep/2021:12:00:{second:02} +0000] "GET /" 200 5 "-" "{text}"\n'.encode()


@pytest.fixture(name="hosts")
def _hosts(tmp_path: Path) -> Path:
    """A hosts tree with a day of two proxies."""
    put(tmp_path / "hosts", "proxy01", line(1) + line(3))
    put(tmp_path / "hosts", "proxy02.example.org", line(2))
    return tmp_path / "hosts"


def put(hosts: Path, host: str, content: bytes, *, name: str = LOG, day: str = DAY) -> Path:
    path = hosts / host / day.replace("-", "/") / "http" / f"{name}.xz"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(lzma.compress(content))
    return path


def combine(hosts: Path, **options: Any) -> dict[str, Any]:
    given = {"src": hosts, "dest": hosts.parent / "combined", "dates": [DAY]}
    return run_module("http_log_combine", **{**given, **options})


def test_first_run_changes_second_does_not_and_check_mode_agrees_with_both(hosts: Path) -> None:
    foreseen = combine(hosts, check=True)
    assert foreseen["changed"]
    assert statuses(foreseen) == {UNIT: "due", "latest": "due"}
    assert os.listdir(hosts.parent) == ["hosts"]

    made = combine(hosts)
    assert made["changed"]
    assert statuses(made) == {UNIT: "made", "latest": "made"}
    combined = hosts.parent / "combined"
    assert (combined / "2021/09/28" / LOG).read_bytes() == line(1) + line(2) + line(3)
    assert (combined / "latest" / LOG).read_bytes() == line(1) + line(2) + line(3)
    assert {name: made["units"][0][name] for name in ("hosts", "lines", "undated")} == {
        "hosts": 2,
        "lines": 3,
        "undated": 0,
    }

    for check in (True, False):
        again = combine(hosts, check=check)
        assert not again["changed"]
        assert statuses(again) == {UNIT: "unchanged", "latest": "unchanged"}


def test_diff_mode_says_why(hosts: Path) -> None:
    combine(hosts)
    put(hosts, "proxy03", line(0))
    result = combine(hosts, check=True, diff=True)
    assert f"{UNIT}: new input proxy03/2021/09/28/http/{LOG}.xz" in result["diff"]["after"]


def test_by_default_the_last_three_days_are_combined(hosts: Path) -> None:
    today = datetime.now(UTC).date()
    for ago in range(5):
        put(hosts, "proxy01", line(ago), day=str(today - timedelta(days=ago)))
    names = [unit["name"] for unit in combine(hosts, dates=None, latest="")["units"]]
    assert names == [f"{today - timedelta(days=ago)} {LOG}" for ago in (3, 2, 1)]


def test_links_can_be_elsewhere_or_nowhere(hosts: Path) -> None:
    combine(hosts, latest="")
    assert not (hosts.parent / "combined/latest").exists()
    combine(hosts, latest=hosts.parent / "newest")
    assert (hosts.parent / "newest" / LOG).read_bytes() == line(1) + line(2) + line(3)


def test_other_groups_and_hosts(hosts: Path) -> None:
    put(hosts, "mirror7", line(5), name="mirrors.example.org-access.log")
    group = {"name": "mirrors", "hosts": "mirror*", "logs": "mirrors.example.org-access.log"}
    result = combine(hosts, groups=[group], expected_hosts=["mirror7", "mirror8"], latest="")
    assert [unit["hosts_missing"] for unit in result["units"]] == [["mirror8"]]


def test_incident_truncated_xz_names_host_and_file_and_the_others_go_on(hosts: Path) -> None:
    path = put(hosts, "proxy03", line(9) * 1000)
    path.write_bytes(path.read_bytes()[:-20])
    result = combine(hosts)
    assert statuses(result)[UNIT] == "made"
    assert str(path) in str(result["warnings"])
    assert (hosts.parent / "combined/2021/09/28" / LOG).read_bytes().count(b"\n") == 3


def test_days_that_fail_fail_the_module_beyond_the_threshold_after_the_others(
    hosts: Path,
) -> None:
    put(hosts, "proxy01", line(1), day="2021-09-29")
    record = hosts.parent / "combined/2021/09/29/.combine.json"
    record.parent.mkdir(parents=True)
    record.write_text("no record")
    days = [DAY, "2021-09-29"]
    result = combine(hosts, dates=days, ok=False)
    assert statuses(result)[UNIT] == "made"
    assert "2021-09-29" in result["msg"]
    assert statuses(combine(hosts, dates=days, max_failed_days=1))["2021-09-29"] == "failed"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        pytest.param({"src": "/nonexistent/hosts"}, "Run the sync first", id="no-source"),
        pytest.param({"expected_hosts": ["--rsh=x"]}, "host name", id="hostile-host"),
        pytest.param({"expected_hosts": ["a/../../etc"]}, "host name", id="path-as-host"),
        pytest.param({"require_mount": "/nonexistent"}, "Mount the share", id="no-mount"),
        pytest.param({"workers": 0}, "option workers", id="no-workers"),
        pytest.param({"dest": "/proc/combined"}, "write there", id="not-writable"),
    ],
)
def test_what_cannot_work_fails_with_a_clear_message(
    hosts: Path, options: dict[str, Any], message: str
) -> None:
    assert message in combine(hosts, ok=False, **options)["msg"]


def test_incident_cron_environment_and_dst_and_zone(hosts: Path) -> None:
    arguments = {"src": str(hosts), "dest": str(hosts.parent / "combined"), "dates": [DAY]}
    finished = subprocess.run(
        [sys.executable, MODULES / "http_log_combine.py"],
        input=json.dumps({"ANSIBLE_MODULE_ARGS": arguments}).encode(),
        capture_output=True,
        env={"TZ": "America/New_York"},
        cwd="/",
        check=True,
        umask=0o077,
    )
    assert json.loads(finished.stdout)["summary"] == {"made": 2}
    log = hosts.parent / "combined/2021/09/28" / LOG
    assert log.read_bytes() == line(1) + line(2) + line(3)
    assert log.stat().st_mode & 0o777 == 0o644


def test_incident_second_run_while_the_first_still_runs_both_end_well(hosts: Path) -> None:
    put(hosts, "proxy03", b"".join(line(n % 60, f"{n}") for n in range(200_000)))
    arguments = {"src": str(hosts), "dest": str(hosts.parent / "combined"), "dates": [DAY]}
    runs = [
        subprocess.Popen(
            [sys.executable, MODULES / "http_log_combine.py"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        for number in range(2)
    ]
    for run in runs:
        assert run.stdin
        run.stdin.write(json.dumps({"ANSIBLE_MODULE_ARGS": arguments}).encode())
        run.stdin.close()
    outcomes = []
    for run in runs:
        assert run.stdout
        outcomes.append(json.loads(run.stdout.read()))
        run.stdout.close()
        run.wait()
    refused = [outcome for outcome in outcomes if outcome.get("failed")]
    assert len(refused) < 2
    assert all("another run at work" in outcome["msg"] for outcome in refused)
    assert statuses(combine(hosts))[UNIT] == "unchanged"
    log = hosts.parent / "combined/2021/09/28" / LOG
    assert log.read_bytes().count(b"\n") == 200_003
