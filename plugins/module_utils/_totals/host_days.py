# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Host-days of each day, from the records of combined logs or of raw days.

A *host-day* is the log of one host for one day. The days are the days of the requests. Only the
newest weeks are read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import NamedTuple

from .._base.days_and_weeks import days_between, week_of_day, week_start
from .._hits.raw_days import list_raw_days, read_record
from .._logs.combined_tree import combined_logs, newest_days, read_combined_day
from .quality import expected_by_day, host_days

#: The number of newest weeks that are read.
NEWEST_WEEKS = 53


class HostDays(NamedTuple):
    """The host-days of a day or week; None if the expected hosts are not recorded."""

    expected: int | None
    received: int | None


def _newest_year(days: Iterable[date]) -> list[date]:
    """Return the rotation days of the newest weeks, ascending, without gaps."""
    there = sorted(days)
    if not there:
        return []
    earliest = week_start(week_of_day(there[-1])) - timedelta(weeks=NEWEST_WEEKS - 1)
    return days_between(max(there[0], earliest), there[-1])


def _by_day(
    rotation_days: list[date], known: Mapping[date, HostDays], there: Iterable[date]
) -> dict[date, HostDays]:
    """Return the host-days by the day of the requests, which is the day before the rotation day.

    A day without any file is expected to have as many hosts as the nearest day with a record.
    """
    expected = {day: one.expected for day, one in known.items() if one.expected is not None}
    missing = set(rotation_days) - set(there) if expected else set()
    found = {
        **{day: known.get(day, HostDays(None, None)) for day in rotation_days},
        **{day: HostDays(n, 0) for day, n in expected_by_day(missing, expected).items()},
    }
    return {day - timedelta(days=1): found[day] for day in rotation_days}


def host_days_of_combined(combined: Path, log_name: str) -> dict[date, HostDays]:
    """Return the host-days of the newest weeks, from the records of the combined logs.

    A day that an earlier system combined has a file, but no record. Raises CountingError if the
    tree cannot be read.
    """
    there: list[date] = []
    for day in newest_days(combined):
        if there and (there[0] - day).days > 7 * NEWEST_WEEKS:
            break
        if log_name in combined_logs(combined, day):
            there.append(day)
    known = {}
    for day in there:
        log = read_combined_day(combined, day).logs.get(log_name)
        if log is not None:
            known[day] = HostDays(*host_days(log.hosts_expected, log.hosts_present))
    return _by_day(_newest_year(there), known, there)


def host_days_of_raw(raw_dir: Path) -> dict[date, HostDays]:
    """Return the host-days of the newest weeks, from the records of the raw days."""
    there = list_raw_days(raw_dir)
    wanted = _newest_year(there)
    known = {}
    for day in wanted:
        record = read_record(there[day]) if day in there else None
        if record is not None and record.hosts_expected is not None:
            known[day] = HostDays(*host_days(record.hosts_expected, record.hosts_present or ()))
    return _by_day(wanted, known, there)
