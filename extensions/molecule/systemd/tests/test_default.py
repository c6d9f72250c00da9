"""A log host that systemd runs: its timer starts the run in place of cron; in the end all is removed."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

from ansible_collections.fedora_infra.dnf_counting.tests.support.deployed import (
    assert_that_all_is_counted,
    assert_that_folders_are_right,
    played,
    wait_for,
)

UNITS = "/etc/systemd/system/dnf-counting"
STAMP = "/var/lib/systemd/timers/stamp-dnf-counting.timer"
#: What deploying installs.
INSTALLED = (
    "/etc/dnf_counting",
    "/etc/systemd/system/dnf-counting.service",
    "/etc/systemd/system/dnf-counting.timer",
    "/etc/systemd/system/timers.target.wants/dnf-counting.timer",
    "/etc/nginx/conf.d/dnf_counting.conf",
    "/srv/countme/venv",
    "/srv/countme/venv-versions",
    "/srv/countme/bin/run_dnf_counting",
    "/srv/countme/bin/run_dnf_counting.json",
    "/srv/countme/bin/check_dnf_counting",
)
#: Where runs leave what they make, one folder for each kind.
MADE = (
    "/var/log/hosts",
    "/srv/stats/combined-http",
    "/srv/stats/mirrors",
    "/var/lib/countme/raw",
    "/var/www/html/csv-reports/countme",
)
DAILY = "[Timer]\nOnCalendar=\nOnCalendar=*-*-* 00:00:00\n"


def property_of_run(host: Any, name: str) -> str:
    return str(host.run(f"systemctl show --value -p {name} dnf-counting.service").stdout).strip()


def run_once_a_day(host: Any) -> None:
    """Have the timer begin no further run while the last one is looked at."""
    folder = Path(f"{UNITS}.timer.d")
    folder.mkdir(exist_ok=True)
    (folder / "daily.conf").write_text(DAILY, encoding="ascii")
    assert host.run("systemctl daemon-reload").rc == 0
    assert host.run("systemctl restart dnf-counting.timer").rc == 0


def test_the_timer_starts_a_hardened_run_that_turns_the_monitor_green(host: Any) -> None:
    assert_that_folders_are_right(host)
    assert not host.file("/etc/cron.d/dnf_counting").exists
    verified = host.run(f"systemd-analyze verify {UNITS}.service {UNITS}.timer")
    assert verified.rc == 0, verified.stderr
    timer = host.service("dnf-counting.timer")
    assert timer.is_enabled
    assert timer.is_running
    security = host.run("systemd-analyze security --threshold=20 dnf-counting.service")
    assert security.rc == 0, security.stdout[-300:]

    wait_for(lambda: property_of_run(host, "InvocationID") != "", "the timer to start a run")
    run_once_a_day(host)
    wait_for(lambda: property_of_run(host, "ActiveState") == "inactive", "the run to end")
    assert property_of_run(host, "Result") == "success"
    assert_that_all_is_counted(host)


def test_a_run_that_was_due_while_the_machine_was_off_begins_after_boot(host: Any) -> None:
    """The last time was three days ago."""
    run_once_a_day(host)
    assert host.run("systemctl stop dnf-counting.timer dnf-counting.service").rc == 0
    before = property_of_run(host, "InvocationID")
    past = time.time() - 3 * 86400
    os.utime(STAMP, (past, past))
    assert host.run("systemctl start dnf-counting.timer").rc == 0
    wait_for(
        lambda: property_of_run(host, "InvocationID") not in ("", before),
        "the run that was due to begin by itself",
    )


def test_what_was_installed_is_removed_and_what_was_counted_stays(host: Any) -> None:
    assert host.run("systemctl stop dnf-counting.timer dnf-counting.service").rc == 0
    assert all(host.file(path).exists for path in INSTALLED)
    for folder in MADE:
        Path(folder, "kept").write_text("kept", encoding="ascii")
    absent = ("-e", "web_data_analysis_state=absent")
    for changes in (True, False):
        removed = played("deploy", *absent)
        assert removed.code == 0, removed.output
        assert bool(removed.changed) is changes
    assert [path for path in INSTALLED if host.file(path).exists] == []
    for folder in MADE:
        assert host.file(f"{folder}/kept").content_string == "kept"
        assert host.file(folder).user == "countme"
    assert host.user("countme").exists
