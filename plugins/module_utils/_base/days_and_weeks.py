# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Days and weeks, all in UTC. A day is a ``date``, a week is its number; the clock is an argument.

A log is named for its *rotation day*: the file of a Tuesday holds mostly Monday's requests, from
just after 00:00 UTC to just after the next midnight. Its hits carry their own times.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from .errors import SettingsError, printable, wrong_option

DAY_SECONDS = 24 * 60 * 60

#: The day of the Unix epoch as ``date.toordinal`` counts days.
UNIX_EPOCH_DAY = date(1970, 1, 1).toordinal()

#: Months as logs name them, in whatever language a machine speaks.
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
#: So that the days of a week, and those behind it, can be told.
_LAST_WEEK = (date(9999, 1, 1) - _WEEK_0_MONDAY).days // 7
_WEEK_NUMBER = re.compile(r"[0-9]{1,6}", re.ASCII)
_WEEK_NAME = re.compile(r"([0-9]{4})-W([0-9]{2})", re.ASCII)
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)

#: Lines of a log step back in time by up to 241 s (measured); a week is over once a hit is seen
#: that is later than its end by more than this. Any value below a day has the same effect.
LOG_JITTER_SECONDS = 600


def utc_today(now: datetime | None = None) -> date:
    """The day it is in UTC, whatever the zone of the machine."""
    return (now or datetime.now(UTC)).astimezone(UTC).date()


def parse_day(text: str, option: str = "date") -> date:
    """A day written as YYYY-MM-DD, and only so. Raises SettingsError naming ``option``."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = None
    if day is None or day.isoformat() != text:
        raise wrong_option(option, expected="a day written as YYYY-MM-DD", found=printable(text))
    return day


def days_between(first: date, last: date) -> list[date]:
    """All days from ``first`` to ``last``, both included; empty where ``last`` comes earlier."""
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
    """The days a stage looks at, ascending, from the options that all modules share.

    Either ``dates``, or ``since`` to ``until``, or ``days`` back from ``until``; ``until`` is the
    last day, by default yesterday. Raises SettingsError for options that contradict each other.
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
            expected=f"a day that has {count} days before it",
            found=str(last),
            advice="Correct until or days.",
        )
    return days_between(last - timedelta(days=count - 1), last)


def days_from(options: Mapping[str, Any], *, today: date, default_days: int) -> tuple[date, ...]:
    """Return the days that the shared options of a module name; see :func:`days_in_window`."""
    given = {name: options[name] for name in ("dates", "since", "until", "days")}
    return tuple(days_in_window(today=today, default_days=default_days, **given))


def week_of(timestamp: int) -> int:
    """Number of the week that holds a time (seconds since the Unix epoch, UTC)."""
    return (timestamp - WEEK_0_START) // WEEK_SECONDS


def week_of_day(day: date) -> int:
    """Number of the week that holds a day."""
    return (day - _WEEK_0_MONDAY).days // 7


def week_start(week: int) -> date:
    """The Monday of a week."""
    return _WEEK_0_MONDAY + timedelta(weeks=week)


def week_end(week: int) -> date:
    """The Sunday of a week."""
    return week_start(week) + timedelta(days=6)


def week_start_timestamp(week: int) -> int:
    """Monday 00:00:00 UTC of a week, in seconds since the Unix epoch."""
    return WEEK_0_START + week * WEEK_SECONDS


def week_name(week: int) -> str:
    """A week as people write it: ``2021-W39``, by ISO 8601 (whose weeks start on Monday too)."""
    iso = week_start(week).isocalendar()
    return f"{iso.year}-W{iso.week:02}"


def parse_week(text: str, option: str = "weeks") -> int:
    """A week given by its number, its name (``2021-W39``) or the day of its Monday.

    Raises SettingsError naming ``option``.
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
    """The eight rotation days whose files can hold hits of a week: its own days and the next one.

    The file of its Monday holds the few requests logged between midnight and the rotation.
    """
    return days_between(week_start(week), week_start(week) + timedelta(days=7))


def format_days(days: Iterable[date]) -> str:
    """Days as a short text with runs folded: ``2021-09-25 to 2021-09-28, 2021-10-01``."""
    runs: list[list[date]] = []
    for day in sorted(days):
        if runs and day - runs[-1][-1] == timedelta(days=1):
            runs[-1].append(day)
        else:
            runs.append([day])
    return ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]} to {run[-1]}" for run in runs)
