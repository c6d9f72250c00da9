"""The next run: what systemd and files of cron jobs say."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._base.errors import (
    SettingsError,
    SourceError,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._status.schedule import (
    next_of_cron,
    next_of_timer,
)

# a Saturday
NOW = datetime(2021, 10, 16, 4, 30, tzinfo=UTC)


SUNDAY = datetime(2021, 10, 17, 4, tzinfo=UTC)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        pytest.param("=@1634443200\n", SUNDAY, id="seconds since the epoch"),
        pytest.param("=Sun 2021-10-17 04:00:00 UTC\n", SUNDAY, id="an older systemd"),
        pytest.param("=\n", None, id="not active"),
        pytest.param("=@0\n", None, id="never"),
        pytest.param("", None, id="no systemd"),
    ],
)
def test_a_timer_tells_when_it_elapses(said: str, expected: datetime | None) -> None:
    asked: list[Sequence[str]] = []

    def run(command: Sequence[str]) -> str:
        asked.append(command)
        return f"NextElapseUSecRealtime{said}" if said else ""

    found = next_of_timer("dnf-counting.timer", run=run)
    assert (found and found.at) == expected
    assert asked[0][-2:] == ["--", "dnf-counting.timer"]


RUNNING = """\
TimersCalendar={ OnCalendar=*-*-* 06:00:00 UTC ; next_elapse=@1634364000 }
TimersCalendar={ OnCalendar=Sun 04:00:00 UTC ; next_elapse=@1634443200 }
NextElapseUSecRealtime=
SubState=running
"""
ELAPSES = {
    "*-*-* 06:00:00 UTC": "Mon 2021-10-18 06:00:00 UTC",
    "Sun 04:00:00 UTC": "Sun 2021-10-17 04:00:00 UTC",
}


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        pytest.param(RUNNING, SUNDAY, id="the run is at work"),
        pytest.param(RUNNING.replace("=running", "=dead"), None, id="the timer was stopped"),
        pytest.param(RUNNING.replace("UTC ;", "XYZ ;"), None, id="a time that nobody knows"),
    ],
)
def test_a_timer_tells_when_it_elapses_while_its_run_is_at_work(
    said: str, expected: datetime | None
) -> None:
    def run(command: Sequence[str]) -> str:
        if command[0] == "systemctl":
            return said
        assert command[:3] == ["systemd-analyze", "calendar", "--"]
        elapses = ELAPSES.get(command[3])
        return (
            f"Original form: x\n    Next elapse: {elapses}\n  From now: 1h left\n"
            if elapses
            else ""
        )

    found = next_of_timer("dnf-counting.timer", run=run)
    assert (found and found.at) == expected


@pytest.mark.parametrize(
    "name", ["--version", "a b.timer", "x.service", "", "a\n.timer", "-x.timer"]
)
def test_incident_hostile_config_the_name_of_a_timer(name: str) -> None:
    with pytest.raises(SettingsError, match=r"option timer"):
        next_of_timer(name, run=lambda command: "")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("0 5 * * * countme ansible-playbook daily", "2021-10-16 05:00"),
        ("30 4 * * * countme daily", "2021-10-17 04:30"),
        ("*/20 * * * * countme daily", "2021-10-16 04:40"),
        ("15 3-5/2 * * * countme daily", "2021-10-16 05:15"),
        ("0 4 * * mon countme daily", "2021-10-18 04:00"),
        ("0 4 * * 7 countme daily", "2021-10-17 04:00"),
        ("0 4 1 jan * countme daily", "2022-01-01 04:00"),
        ("0 4 1 * 3 countme daily", "2021-10-20 04:00"),
        ("@daily countme daily", "2021-10-17 00:00"),
        ("PATH=/usr/bin\n# a comment\n\n0 4 * * * countme daily", "2021-10-17 04:00"),
        ("0 9 * * * a x\n0 7 * * * b x", "2021-10-16 07:00"),
    ],
)  # fmt: skip
def test_a_file_of_cron_jobs_tells_when_the_next_runs(
    line: str, expected: str, tmp_path: Path
) -> None:
    path = tmp_path / "dnf_counting"
    path.write_text(line + "\n")
    found = next_of_cron(path, NOW)
    assert found is not None
    assert f"{found.at:%Y-%m-%d %H:%M}" == expected


def test_cron_goes_by_the_zone_of_the_machine(tmp_path: Path) -> None:
    path = tmp_path / "dnf_counting"
    path.write_text("0 4 * * * countme daily\n")
    found = next_of_cron(path, NOW.astimezone(timezone(timedelta(hours=-5))))
    assert found is not None
    assert found.at == datetime(2021, 10, 16, 9, tzinfo=UTC)


@pytest.mark.parametrize("text", ["", "# nothing\n", "@reboot countme daily\n", "0 0 30 2 * x y\n"])
def test_a_file_without_a_job_with_a_time_tells_nothing(text: str, tmp_path: Path) -> None:
    path = tmp_path / "dnf_counting"
    path.write_text(text)
    assert next_of_cron(path, NOW) is None
    assert next_of_cron(tmp_path / "none", NOW) is None


@pytest.mark.parametrize("line", ["60 4 * * * x", "0 4 * *", "0 4 * * funday x", "5-1 4 * * * x y"])
def test_a_line_that_cron_would_not_take_is_named(line: str, tmp_path: Path) -> None:
    path = tmp_path / "dnf_counting"
    path.write_text(line)
    with pytest.raises(SourceError, match=r"lines as in /etc/cron\.d"):
        next_of_cron(path, NOW)
