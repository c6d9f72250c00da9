# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When the next run is scheduled: by a systemd timer, or by a file of cron jobs."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from .._base.days_and_weeks import MONTHS
from .._base.errors import SourceError, printable, wrong_option
from .._storage.files import open_regular

_UNIT = re.compile(r"[A-Za-z0-9:_.@\\-]{1,240}\.timer", re.ASCII)
_EPOCH = re.compile(r"NextElapseUSecRealtime=@([0-9]+)")
_DATED = re.compile(
    r"NextElapseUSecRealtime=[A-Z][a-z]{2} ([0-9]{4}-[0-9]{2}-[0-9]{2} [0-9:]{8}) UTC"
)
#: What a timer waits for, and what systemd-analyze says when that is.
_CALENDAR = re.compile(r"OnCalendar=([^;{}\n]+) ; next_elapse=")
_ELAPSE = re.compile(r"Next elapse: [A-Z][a-z]{2} ([0-9]{4}-[0-9]{2}-[0-9]{2} [0-9:]{8}) UTC")
_SYSTEMCTL_SECONDS = 10

#: A job that runs on 29 February of a Monday comes after 28 years; nobody runs this like that.
_FARTHEST_DAYS = 366
_LARGEST_CRON_FILE = 1 << 20
_MACROS = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
_BOUNDS = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))
_MONTH_NAMES = {name.lower(): number for name, number in MONTHS.items()}
_WEEKDAY_NAMES = {"sun": 0, "mon": 1, "tue": 2, "wed": 3, "thu": 4, "fri": 5, "sat": 6}
_NAMES: Sequence[Mapping[str, int]] = ({}, {}, {}, _MONTH_NAMES, _WEEKDAY_NAMES)


class NextRun(NamedTuple):
    """When, and who says so."""

    at: datetime
    source: str


def run_program(command: Sequence[str]) -> str:
    """What a program puts out, in English and UTC; empty where it fails or is not there."""
    try:
        done = subprocess.run(
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
    timer: str, *, run: Callable[[Sequence[str]], str] = run_program
) -> NextRun | None:
    """When a systemd timer elapses next; None where it is not active or there is no systemd.

    Raises SettingsError for what can't be the name of a timer.
    """
    if not _UNIT.fullmatch(timer) or timer.startswith("-"):
        raise wrong_option(
            "timer",
            expected="the name of a systemd timer, such as dnf-counting.timer",
            found=printable(timer),
        )
    properties = "--property=NextElapseUSecRealtime,SubState,TimersCalendar"
    said = run(["systemctl", "show", "--timestamp=unix", properties, "--", timer])
    if epoch := _EPOCH.search(said):
        at = datetime.fromtimestamp(int(epoch[1]), UTC)
        return NextRun(at, timer) if int(epoch[1]) else None
    if dated := _DATED.search(said):
        return NextRun(datetime.fromisoformat(dated[1]).replace(tzinfo=UTC), timer)
    # while what it has started runs, and that is where a run asks from, a timer does not say
    return _next_of_calendars(said, timer, run) if "SubState=running" in said else None


def _next_of_calendars(
    said: str, timer: str, run: Callable[[Sequence[str]], str]
) -> NextRun | None:
    told = (
        _ELAPSE.search(run(["systemd-analyze", "calendar", "--", calendar]))
        for calendar in _CALENDAR.findall(said)
    )
    times = [datetime.fromisoformat(found[1]).replace(tzinfo=UTC) for found in told if found]
    return NextRun(min(times), timer) if times else None


def next_of_cron(path: Path, now: datetime) -> NextRun | None:
    """When the first of the jobs in a file like those of ``/etc/cron.d`` runs next.

    ``now`` must be in the time zone that cron uses, that of the machine. None where the file is not
    there or has no job with a time. Raises SourceError where it can't be read.
    """
    if not path.exists():
        return None
    with open_regular(path) as file:
        text = file.read(_LARGEST_CRON_FILE).decode("utf-8", "replace")
    times = [at for line in text.splitlines() if (at := _next_of_line(line.strip(), now, path))]
    return NextRun(min(times).astimezone(UTC), str(path)) if times else None


def _next_of_line(line: str, now: datetime, path: Path) -> datetime | None:
    if not line or line.startswith("#") or re.match(r"[A-Za-z_][A-Za-z0-9_]*\s*=", line):
        return None
    words = line.split()
    if words[0] == "@reboot":
        return None
    fields = _MACROS.get(words[0], " ".join(words[:5])).split()
    try:
        minutes, hours, days, months, weekdays = map(_values, fields, _BOUNDS, _NAMES)
    except ValueError as error:
        raise SourceError(
            path,
            expected="lines as in /etc/cron.d",
            found=printable(line),
            advice="Correct that line; cron does not understand it either.",
        ) from error
    weekdays = {weekday % 7 for weekday in weekdays}
    any_day, any_weekday = (field.startswith("*") for field in (fields[2], fields[4]))
    for ahead in range(_FARTHEST_DAYS + 1):
        day = (now + timedelta(days=ahead)).replace(hour=0, minute=0, second=0, microsecond=0)
        fits = (day.day in days, day.isoweekday() % 7 in weekdays)
        # cron: where both are restricted, one of them is enough
        is_on = all(fits) if any_day or any_weekday else any(fits)
        if day.month not in months or not is_on:
            continue
        for hour in sorted(hours):
            for minute in sorted(minutes):
                at = day.replace(hour=hour, minute=minute)
                if at > now:
                    return at
    return None


def _values(text: str, bounds: tuple[int, int], names: Mapping[str, int]) -> set[int]:
    """The values of one field. Raises ValueError."""
    found: set[int] = set()
    for part in text.lower().split(","):
        span, _slash, step = part.partition("/")
        least, _dash, most = span.partition("-")
        if span == "*":
            first, last = bounds
        else:
            first = names[least] if least in names else int(least)
            last = first if not most else names[most] if most in names else int(most)
            last = bounds[1] if _slash and not most else last
        if not bounds[0] <= first <= last <= bounds[1]:
            raise ValueError(part)
        found |= set(range(first, last + 1, int(step) if _slash else 1))
    return found
