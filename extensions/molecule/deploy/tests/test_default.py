"""A fresh machine after it was set up over ssh, and after runs that cron and we started."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import testinfra
from ansible_collections.fedora_infra.dnf_counting.tests.support.deployed import (
    LOCK,
    PUBLISHED,
    RUN,
    assert_that_all_is_counted,
    assert_that_folders_are_right,
    played,
    wait_for,
)

LOG = "/var/log/dnf_counting/run.log"


@pytest.fixture(scope="module")
def host() -> Any:
    """The machine itself: Ansible has shown that it is reached over ssh."""
    return testinfra.get_host("local://")


@contextmanager
def fast_cron(host: Any) -> Iterator[None]:
    """Run cron with a clock that is sixty times faster; end it with all that it has begun."""
    command = ["faketime", "-f", "+0 x60", "cron", "-f"]
    running = subprocess.Popen(command, start_new_session=True)
    try:
        yield
    finally:
        # faketime waits for cron, whose jobs have sessions of their own
        os.killpg(running.pid, signal.SIGTERM)
        running.wait()
        # the brackets keep the pattern from finding the shell that looks for it
        begun = "pgrep -f '[c]ron -f|[r]un_dnf_counting'"
        wait_for(lambda: host.run(begun).rc == 1, "all runs of cron to end")


def test_users_and_folders_are_as_they_should_be(host: Any) -> None:
    assert_that_folders_are_right(host)


def test_cron_runs_it_as_the_counting_user(host: Any) -> None:
    job = host.file("/etc/cron.d/dnf_counting")
    assert (job.user, job.mode) == ("root", 0o644)
    assert job.content_string.splitlines()[-1] == f"*/10 * * * * countme {RUN}"
    rotated = host.run("logrotate --debug /etc/logrotate.d/dnf_counting")
    assert rotated.rc == 0, rotated.stderr
    assert LOG in rotated.stderr
    assert not host.file("/etc/systemd/system/dnf-counting.timer").exists


def test_the_web_server_takes_its_configuration(host: Any, tmp_path: Any) -> None:
    configuration = tmp_path / "nginx.conf"
    configuration.write_text(
        f"pid {tmp_path}/pid; events {{}} http {{ include /etc/nginx/conf.d/dnf_counting.conf; }}"
    )
    tested = host.run(f"nginx -t -c {configuration}")
    assert tested.rc == 0, tested.stderr


def test_incident_second_run_is_told_who_runs(host: Any) -> None:
    host.run(f"runuser -u countme -- touch {LOCK}")
    refused = host.run(f"flock {LOCK} {RUN} --list-tasks 2>&1")
    log = host.file(LOG).content_string
    assert refused.rc == 75
    assert "expected to be the only run, found another one" in log


def test_incident_cron_environment_cron_starts_a_run_that_turns_the_monitor_green(
    host: Any,
) -> None:
    with fast_cron(host):
        wait_for(lambda: host.run(f"grep PLAY {LOG}").rc == 0, "cron to start a run")
    print(host.run(f"tail -n 60 {LOG}").stdout)
    assert "failed=0" in host.file(LOG).content_string
    assert_that_all_is_counted(host)


def test_a_run_over_ssh_makes_what_is_lost_as_the_counting_user(host: Any) -> None:
    lost = [Path(PUBLISHED, "totals.csv"), max(Path("/var/lib/countme/raw").glob("*.parquet"))]
    for path in lost:
        path.unlink()
    ran = played("daily")
    assert ran.code == 0, ran.output
    assert {
        "Find the hits in the combined logs, raw fedora",
        "Publish the totals, charts and pages",
    } <= {*ran.changed}
    assert all(path.exists() for path in lost)
    assert_that_all_is_counted(host)
    shown = played("status")
    assert shown.code == 0, shown.output
    assert shown.changed == []
    assert "\nHOST " in shown.output
