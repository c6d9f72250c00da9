# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How good a week is: its status, its host-days, and whether its hits are out of the ordinary.

*Host-day*: the log of one host for one day of the week, found in the file rotated on the next day.
*Status*: ``complete`` where all files of the week and all expected host-days are there,
``provisional`` where a file is missing that may still come, ``partial`` otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from statistics import median
from typing import NamedTuple

from .._base.days_and_weeks import rotation_days
from .._hits.raw_days import RawRecord
from .._hits.rules import MALFORMED

COMPLETE = "complete"
PARTIAL = "partial"
PROVISIONAL = "provisional"


class Quality(NamedTuple):
    """What the records of the raw days tell of a week, without looking at its hits."""

    status: str
    expected_host_days: int | None
    """None where the combined logs don't say which hosts they are made of."""
    received_host_days: int | None
    malformed: int
    """Lines that would be hits but for a value that can't be read."""


@dataclass(frozen=True)
class WeekRecord:
    """A row of the table ``weeks``: what a week was counted from, and how good it is."""

    week: int
    quality: Quality
    hits: int
    """The sum of the countme hits, that is without the rows of unique addresses."""
    revision: int
    """1 for the first count; grows with each recount that had another result."""
    computed_at: str
    """When it was counted, ISO 8601, UTC."""
    fingerprint: str
    """Of the inputs as they were then."""
    inputs: tuple[str, ...]
    """Names of the raw days' files."""
    log_name: str
    polluted: str = ""
    """What the count itself found suspect; empty for nothing."""
    suspect_reason: str = ""

    @property
    def suspect(self) -> bool:
        return bool(self.suspect_reason)


@dataclass(frozen=True)
class SuspectRule:
    """When the hits of a week are out of the ordinary.

    They are compared with the median of ``trailing_weeks`` earlier weeks. From one week to the next
    the hits of a whole distribution change by 1 to 5 %, a release or a term adds some more, and
    Christmas takes 10 to 15 %; the weeks that readers of the published numbers had to leave out by
    hand lost far more. So 25 % leaves holidays alone. The median of eight weeks does not move for
    up to three bad weeks, and takes up a lasting change after five.
    """

    percent: float = 25.0
    trailing_weeks: int = 8
    polluter_percent: float = 5.0
    """No address behind which honest systems sit sends that share of a week's hits, once there are
    ``polluter_hits`` of them: the largest networks stay well below 1 %."""
    polluter_hits: int = 10_000


#: With fewer earlier weeks than this nothing can be said about what is ordinary.
FEWEST_TRAILING_WEEKS = 3


def quality_of(
    week: int,
    records: Mapping[date, RawRecord],
    *,
    today: date,
    settle_days: int,
    waiting: bool = False,
) -> Quality:
    """The quality of a week from the records of the raw days that are there.

    ``waiting`` says that a part of the week can't be counted before a later hit is seen. A missing
    file may still come for ``settle_days`` after its day.
    """
    days = rotation_days(week)
    missing = [day for day in days if day not in records]
    expected, received = _host_days(days[1:], records)
    young = [*missing, *(days[-1:] if waiting else [])]
    if any((today - day).days < settle_days for day in young):
        status = PROVISIONAL
    elif missing or waiting or expected != received:
        status = PARTIAL
    else:
        status = COMPLETE
    malformed = sum(_malformed(records[day]) for day in days[1:] if day in records)
    return Quality(status, expected, received, malformed)


def _malformed(record: RawRecord) -> int:
    return sum(record.rejects.get(reason, 0) for reason in MALFORMED)


def _host_days(
    days: Sequence[date], records: Mapping[date, RawRecord]
) -> tuple[int | None, int | None]:
    """Expected and received host-days.

    A day without a file was to have as many hosts as the known day next to it.
    """
    known = {day: records[day] for day in days if day in records}
    if not known or any(record.hosts_expected is None for record in known.values()):
        return None, None
    expected = received = 0
    for day in days:
        nearest = min(known, key=lambda other: (abs((other - day).days), other))
        hosts = set(known[nearest].hosts_expected or ())
        expected += len(hosts)
        if day in known:
            received += len(hosts & set(known[day].hosts_present or ()))
    return expected, received


def judged(
    weeks: Sequence[WeekRecord], rule: SuspectRule, *, history: Mapping[int, int]
) -> list[WeekRecord]:
    """The weeks with their ``suspect_reason`` as the rule has it; the order does not matter.

    ``history`` has the hits of weeks that were counted by an earlier system.
    """
    ordered = sorted(weeks, key=lambda week: week.week)
    usable = {w.week: w.hits for w in ordered if w.quality.status != PROVISIONAL}
    known = {week.week for week in ordered}
    before = {week: hits for week, hits in history.items() if week not in known}
    hits_by_week = sorted({**before, **usable}.items())
    result = []
    for week in ordered:
        earlier = [hits for number, hits in hits_by_week if number < week.week]
        reasons = [_out_of_bounds(week.hits, earlier[-rule.trailing_weeks :], rule), week.polluted]
        result.append(replace(week, suspect_reason="; ".join(filter(None, reasons))))
    return result


def _out_of_bounds(hits: int, trailing: Sequence[int], rule: SuspectRule) -> str:
    if len(trailing) < min(FEWEST_TRAILING_WEEKS, rule.trailing_weeks):
        return ""
    usual = median(trailing)
    if abs(hits - usual) <= usual * rule.percent / 100:
        return ""
    change = f"{(hits - usual) / usual:+.0%}" if usual else "far"
    return f"{hits} hits, {change} from the median of {len(trailing)} weeks before, {usual:.0f}"
