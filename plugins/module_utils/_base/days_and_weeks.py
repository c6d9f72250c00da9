# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Days and weeks, all in UTC. A day is a ``date``, a week its number, and the clock an argument.

The name of a log has its *rotation day*. The log of a Tuesday contains mostly the requests of
Monday, from just after 00:00 UTC to just after the next midnight. Each hit has a time of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from .errors import SettingsError, printable, wrong_option

DAY_SECONDS = 24 * 60 * 60

#: The day of the Unix epoch, as a number of ``date.toordinal``.
UNIX_EPOCH_DAY = date(1970, 1, 1).toordinal()

#: The names of months in logs, which do not depend on the language of a machine.
MONTHS = {
    name: number
    for number, name in enumerate(
        ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"), 1
    )
}
WEEK_SECONDS = 7 * DAY_SECONDS

#: Week 0 starts on Monday, 1970-01-05, 00:00 UTC: four days after the Unix epoch.
WEEK_0_START = 4 * DAY_SECONDS
_WEEK_0_MONDAY = date(1970, 1, 5)
#: The last week whose days, and the next day, are dates of Python.
_LAST_WEEK = (date(9999, 1, 1) - _WEEK_0_MONDAY).days // 7
_WEEK_NUMBER = re.compile(r"[0-9]{1,6}", re.ASCII)
_WEEK_NAME = re.compile(r"([0-9]{4})-W([0-9]{2})", re.ASCII)
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)

#: Lines of a log step back in time by up to 241 s (measured). A week is over when a hit is later
#: than its end by more than this. Any value below one day works.
LOG_JITTER_SECONDS = 600


def utc_today(now: datetime | None = None) -> date:
    """Return the present day in UTC, in any zone of the machine."""
    return (now or datetime.now(UTC)).astimezone(UTC).date()


def parse_day(text: str, option: str = "date") -> date:
    """Return a day that is written exactly as YYYY-MM-DD. Raises SettingsError for ``option``."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = None
    if day is None or day.isoformat() != text:
        raise wrong_option(option, expected="a day written as YYYY-MM-DD", found=printable(text))
    return day


def days_between(first: date, last: date) -> list[date]:
    """Return all days from ``first`` to ``last``, both included; none if ``last`` is earlier."""
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def days_in_window(
    *,
    today: date,
    default_days: int,
    dates: Sequence[str] | None = None,
    since: str | None = None,
    until: str | None = None,
    days: int | None = None,
) -> list[date]:
    """Return the days of a run, ascending, from the options that all modules share.

    These are ``dates``, the days from ``since`` to ``until``, or ``days`` days up to ``until``,
    which is yesterday by default. Raises SettingsError for options that contradict each other.
    """
    if dates:
        return sorted({parse_day(text, "dates") for text in dates})
    last = parse_day(until, "until") if until else today - timedelta(days=1)
    if since:
        first = parse_day(since, "since")
        if first > last:
            raise SettingsError(
                "option since",
                expected=f"a day not after the last day of the window, {last}",
                found=since,
                advice="Correct since or until.",
            )
        return days_between(first, last)
    count = default_days if days is None else days
    if count > last.toordinal():
        raise SettingsError(
            "option until",
            expected=f"a day with {count} days before it",
            found=str(last),
            advice="Correct until or days.",
        )
    return days_between(last - timedelta(days=count - 1), last)


def days_from(options: Mapping[str, Any], *, today: date, default_days: int) -> tuple[date, ...]:
    """Return the days that the shared options of a module name; see :func:`days_in_window`."""
    given = {name: options[name] for name in ("dates", "since", "until", "days")}
    return tuple(days_in_window(today=today, default_days=default_days, **given))


def week_of(timestamp: int) -> int:
    """Return the number of the week of a time in seconds since the Unix epoch, UTC."""
    return (timestamp - WEEK_0_START) // WEEK_SECONDS


def week_of_day(day: date) -> int:
    """Return the number of the week of a day."""
    return (day - _WEEK_0_MONDAY).days // 7


def week_start(week: int) -> date:
    """Return the Monday of a week."""
    return _WEEK_0_MONDAY + timedelta(weeks=week)


def week_end(week: int) -> date:
    """Return the Sunday of a week."""
    return week_start(week) + timedelta(days=6)


def week_start_timestamp(week: int) -> int:
    """Return Monday 00:00:00 UTC of a week, in seconds since the Unix epoch."""
    return WEEK_0_START + week * WEEK_SECONDS


def week_name(week: int) -> str:
    """Return the name of a week by ISO 8601, whose weeks also start on Monday: ``2021-W39``."""
    iso = week_start(week).isocalendar()
    return f"{iso.year}-W{iso.week:02}"


def parse_week(text: str, option: str = "weeks") -> int:
    """Return the week for its number, its name (``2021-W39``) or its Monday.

    Raises SettingsError for ``option``.
    """
    if _WEEK_NUMBER.fullmatch(text) and int(text) <= _LAST_WEEK:
        return int(text)
    name = _WEEK_NAME.fullmatch(text)
    try:
        day = date.fromisocalendar(int(name[1]), int(name[2]), 1) if name else None
    except ValueError:
        day = None
    if not name and _DAY.fullmatch(text):
        day = parse_day(text, option)
    if day is None or day.weekday() != 0 or not 0 <= week_of_day(day) <= _LAST_WEEK:
        raise wrong_option(
            option,
            expected="weeks as numbers (2699), names (2021-W39) or Mondays (2021-09-27)",
            found=printable(text),
        )
    return week_of_day(day)


def rotation_days(week: int) -> list[date]:
    """Return the eight rotation days whose logs can contain hits of a week: its days and the next.

    The log of its Monday contains the few requests between midnight and the rotation.
    """
    return days_between(week_start(week), week_start(week) + timedelta(days=7))


def format_days(days: Iterable[date]) -> str:
    """Return days as a short text such as ``2021-09-25 to 2021-09-28, 2021-10-01``."""
    runs: list[list[date]] = []
    for day in sorted(days):
        if runs and day - runs[-1][-1] == timedelta(days=1):
            runs[-1].append(day)
        else:
            runs.append([day])
    return ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]} to {run[-1]}" for run in runs)
