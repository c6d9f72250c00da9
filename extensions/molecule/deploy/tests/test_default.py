"""A fresh machine after it was set up, and after cron started the run."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ansible_collections.fedora_infra.dnf_counting.tests.support.deployed import (
    LOCK,
    RUN,
    assert_that_all_is_counted,
    assert_that_folders_are_right,
    wait_for,
    wait_for_a_whole_run,
)

LOG = "/var/log/dnf_counting/run.log"


@contextmanager
def fast_cron() -> Iterator[None]:
    """Cron of this machine, with a clock that is sixty times faster."""
    running = subprocess.Popen(["faketime", "-f", "+0 x60", "cron", "-f"])
    try:
        yield
    finally:
        running.terminate()
        running.wait()


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
    with fast_cron():
        wait_for(lambda: host.run(f"grep PLAY {LOG}").rc == 0, "cron to start a run")
    try:
        wait_for_a_whole_run(host)
    finally:
        print(host.run(f"tail -n 60 {LOG}").stdout)
    assert "failed=0" in host.file(LOG).content_string
    assert_that_all_is_counted(host)
