# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The quality of a week: its status, its host-days, and the suspect reason of its hits.

*Host-day*: the log of one host for one day of the week. It is in the file that was rotated on the
next day.
*Status*: ``complete`` if all files of the week and all expected host-days are there,
``provisional`` if a missing file may still come, ``partial`` otherwise.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from statistics import median
from typing import Any, NamedTuple, Protocol

from .._base.days_and_weeks import rotation_days, week_end, week_name, week_start
from .._hits.raw_days import RawRecord
from .._hits.rules import MALFORMED

COMPLETE = "complete"
PARTIAL = "partial"
PROVISIONAL = "provisional"


class InputQuality(NamedTuple):
    """The quality of a week from the records of its raw days, without reading a hit."""

    status: str
    expected_host_days: int | None
    """None if the combined logs do not record their hosts."""
    received_host_days: int | None
    malformed: int
    """Lines that would be hits, but have a value that cannot be read."""


class WeekQuality(NamedTuple):
    """The facts about a week that are published and reported, in the order of quality.csv.

    None means that a fact was not recorded.
    """

    week: str
    week_start: str
    week_end: str
    status: str
    expected_host_days: int | None = None
    received_host_days: int | None = None
    hits: int | None = None
    malformed: int | None = None
    suspect: bool | None = None
    suspect_reason: str | None = None
    revision: int | None = None
    computed_at: str | None = None

    def facts(self) -> dict[str, Any]:
        """Return the fields that :data:`FACTS` names."""
        return {name: getattr(self, name) for name in FACTS}


#: The fields of a week's quality without its name and its dates.
FACTS = WeekQuality._fields[WeekQuality._fields.index("status") :]


def unknown_quality(week: int) -> WeekQuality:
    """Return the quality of a week without a record, which an earlier system counted."""
    return WeekQuality(week_name(week), str(week_start(week)), str(week_end(week)), "unknown")


class _Judged(Protocol):
    @property
    def status(self) -> str: ...


def newest_complete_week(quality: Mapping[int, _Judged]) -> int | None:
    """Return the newest week with the status ``complete``, or None if no week has it."""
    return max((week for week, one in quality.items() if one.status == COMPLETE), default=None)


def newest_week(weeks: Collection[int], quality: Mapping[int, _Judged]) -> int | None:
    """Return the newest complete week of some weeks, or the newest week if none is complete."""
    known = {week: quality[week] for week in weeks if week in quality}
    complete = newest_complete_week(known)
    return max(weeks, default=None) if complete is None else complete


@dataclass(frozen=True, kw_only=True)
class WeekRecord:
    """A row of the table ``weeks``: the inputs of a week, and the quality of the result.

    Each column of the table is a field or a property of the same name; ``weeknum`` is ``week``.
    """

    week: int
    status: str
    expected_host_days: int | None
    received_host_days: int | None
    hits: int
    """The sum of the countme hits, without the rows of unique addresses."""
    malformed: int
    revision: int
    """1 after the first count. Each later count with another result adds 1."""
    computed_at: str
    """The time of the count, ISO 8601, UTC."""
    fingerprint: str
    """A digest of the inputs at the time of the count."""
    inputs: tuple[str, ...]
    """The names of the files of the raw days."""
    log_name: str
    polluted: str = ""
    """The reason why the count itself found the hits suspect. Empty if there is none."""
    suspect_reason: str = ""

    @property
    def suspect(self) -> bool:
        return bool(self.suspect_reason)

    @property
    def week_start(self) -> str:
        return str(week_start(self.week))

    @property
    def week_end(self) -> str:
        return str(week_end(self.week))

    @property
    def of_inputs(self) -> InputQuality:
        """The quality that a new plan can compare without counting."""
        return InputQuality(*(getattr(self, name) for name in InputQuality._fields))

    @property
    def quality(self) -> WeekQuality:
        """The quality that is published and reported."""
        facts = {name: getattr(self, name) for name in WeekQuality._fields if name != "week"}
        return WeekQuality(week_name(self.week), **facts)


@dataclass(frozen=True)
class SuspectRule:
    """The rule that marks the hits of a week as suspect.

    The hits are compared with the median of ``trailing_weeks`` earlier weeks. From one week to the
    next, the hits of a whole distribution change by 1 to 5 %. A release or a term adds some more,
    and Christmas takes 10 to 15 %. The weeks that readers of the published numbers had to leave out
    by hand lost far more. A limit of 25 % therefore does not mark holidays. The median of eight
    weeks does not move for up to three bad weeks, and follows a lasting change after five.
    """

    percent: float = 25.0
    trailing_weeks: int = 8
    polluter_percent: float = 5.0
    """The share of a week's hits, in percent, from which one address makes the week suspect. The
    address must have sent at least ``polluter_hits`` of them. An address that honest systems
    share sends less: the largest networks stay well below 1 %."""
    polluter_hits: int = 10_000


#: Fewer earlier weeks than this do not show the usual number of hits.
FEWEST_TRAILING_WEEKS = 3


def quality_of(
    week: int,
    records: Mapping[date, RawRecord],
    *,
    today: date,
    settle_days: int,
    waiting: bool = False,
) -> InputQuality:
    """Return the quality of a week from the records of the raw days that are there.

    ``waiting`` means that a part of the week cannot be counted before a later hit is seen. A
    missing file may still come for ``settle_days`` days after its day.
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
    return InputQuality(status, expected, received, malformed)


def _malformed(record: RawRecord) -> int:
    return sum(record.rejects.get(reason, 0) for reason in MALFORMED)


def _host_days(
    days: Sequence[date], records: Mapping[date, RawRecord]
) -> tuple[int | None, int | None]:
    known = {}
    for day in days:
        if day in records:
            record = records[day]
            if record.hosts_expected is None:
                return None, None
            known[day] = host_days(record.hosts_expected, record.hosts_present or ())
    if not known:
        return None, None
    expected = expected_by_day(
        days, {day: expected for day, (expected, _received) in known.items()}
    )
    return sum(expected.values()), sum(received for _expected, received in known.values())


def host_days(expected: Collection[str], present: Collection[str]) -> tuple[int, int]:
    """Return the number of hosts that are expected on a day, and the number of these present."""
    return len(set(expected)), len(set(expected) & set(present))


def expected_by_day(days: Iterable[date], known: Mapping[date, int]) -> dict[date, int]:
    """Return the number of hosts that are expected on each day.

    ``known`` holds the numbers of the days that have a record. A day without a record is expected
    to have as many hosts as the nearest day with a record. If two days are equally near, the
    earlier one is used.
    """

    def nearest(day: date) -> date:
        return min(known, key=lambda other: (abs((other - day).days), other))

    return {day: known[day] if day in known else known[nearest(day)] for day in days}


def judged(
    weeks: Sequence[WeekRecord], rule: SuspectRule, *, history: Mapping[int, int]
) -> list[WeekRecord]:
    """Return the weeks with their ``suspect_reason`` by the rule. Weeks may be in any order.

    ``history`` holds the hits of weeks that an earlier system counted.
    """
    ordered = sorted(weeks, key=lambda week: week.week)
    usable = {w.week: w.hits for w in ordered if w.status != PROVISIONAL}
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
