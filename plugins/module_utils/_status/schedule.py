# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Find the time of the next run, from a systemd timer."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from .._base.errors import printable, wrong_option

_UNIT = re.compile(r"[A-Za-z0-9:_.@\\-]{1,240}\.timer", re.ASCII)
_EPOCH = re.compile(r"NextElapseUSecRealtime=@([0-9]+)")
_DATED = re.compile(
    r"NextElapseUSecRealtime=[A-Z][a-z]{2} ([0-9]{4}-[0-9]{2}-[0-9]{2} [0-9:]{8}) UTC"
)
#: The calendar of a timer, and its next time in the output of systemd-analyze.
_CALENDAR = re.compile(r"OnCalendar=([^;{}\n]+) ; next_elapse=")
_ELAPSE = re.compile(r"Next elapse: [A-Z][a-z]{2} ([0-9]{4}-[0-9]{2}-[0-9]{2} [0-9:]{8}) UTC")
_SYSTEMCTL_SECONDS = 10


class NextRun(NamedTuple):
    """The next run: its time, and the name of its timer."""

    at: datetime
    source: str


def _run_program(command: Sequence[str]) -> str:
    """Return the output of a program, in English and UTC; empty if it fails or is missing."""
    try:
        done = subprocess.run(  # pylint: disable=ansible-bad-function
            command,
            env={"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_SYSTEMCTL_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout if done.returncode == 0 else ""


def next_of_timer(
    timer: str, *, run: Callable[[Sequence[str]], str] = _run_program
) -> NextRun | None:
    """Return the next run of a systemd timer; None if it is not active or there is no systemd.

    Raises SettingsError for a text that is no name of a timer.
    """
    if not _UNIT.fullmatch(timer) or timer.startswith("-"):
        raise wrong_option(
            "timer",
            expected="the name of a systemd timer, such as dnf-counting.timer",
            found=printable(timer),
        )
    properties = "--property=NextElapseUSecRealtime,SubState,TimersCalendar"
    output = run(["systemctl", "show", "--timestamp=unix", properties, "--", timer])
    if epoch := _EPOCH.search(output):
        at = datetime.fromtimestamp(int(epoch[1]), UTC)
        return NextRun(at, timer) if int(epoch[1]) else None
    if dated := _DATED.search(output):
        return NextRun(datetime.fromisoformat(dated[1]).replace(tzinfo=UTC), timer)
    # a timer has no next time while its service runs, which is when a run reads the status
    return _next_of_calendars(output, timer, run) if "SubState=running" in output else None


def _next_of_calendars(
    output: str, timer: str, run: Callable[[Sequence[str]], str]
) -> NextRun | None:
    matches = (
        _ELAPSE.search(run(["systemd-analyze", "calendar", "--", calendar]))
        for calendar in _CALENDAR.findall(output)
    )
    times = [datetime.fromisoformat(found[1]).replace(tzinfo=UTC) for found in matches if found]
    return NextRun(min(times), timer) if times else None
