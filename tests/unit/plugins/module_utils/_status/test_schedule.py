"""The next run, as systemd reports it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._base.errors import (
    SettingsError,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._status.schedule import (
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
