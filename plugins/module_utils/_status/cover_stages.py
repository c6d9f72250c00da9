# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Coverage of the stages after the sync, each by its own plan. Writes nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from .._base.days_and_weeks import week_end, week_name, week_of_day
from .._base.records import WorkUnit
from .._combine.plan import PlannedLog
from .._daily.files import day_path, list_days
from .._daily.stage import LogPlan
from .._hits.raw_days import list_raw_days, read_trimmed_through
from .._logs.combined_tree import combined_logs
from .._publish.plan import ProfilePlan
from .._totals.plan import TotalsPlan
from .._totals.quality import COMPLETE, PROVISIONAL, WeekRecord
from .._totals.week_plan import WeekPlan
from .states import (
    BLOCKED,
    LATE,
    MISSING,
    NOT_EXPECTED,
    OUT_OF_DATE,
    PARTIAL,
    PRESENT,
    TRIMMED,
    UNREADABLE,
    WAITING,
    Calendar,
    Covered,
    StageCoverage,
    since_begin,
    worst,
)


def cover_combine(
    calendar: Calendar, planned: Sequence[PlannedLog], dest: Path, *, newest: date | None
) -> StageCoverage:
    """The combined logs of each day, from the plan of the combine stage."""
    by_day: dict[date, list[PlannedLog]] = {}
    usual: dict[str, set[str]] = {}
    for log in planned:
        by_day.setdefault(log.day, []).append(log)
        usual.setdefault(log.name, set()).update(log.record.hosts_present if log.record else ())
    units = {
        str(day): worst(
            _combined(calendar, log, dest, usual[log.name]) for log in by_day.get(day, ())
        )
        for day in calendar.days
    }
    return StageCoverage("combine", "", "day", units, newest)


def _combined(calendar: Calendar, log: PlannedLog, dest: Path, usual: set[str]) -> Covered:
    """``usual``: the hosts that have this log on some day; not all of a group serve each site."""
    unit = log.unit
    reasons = tuple(f"{log.name}: {reason}" if log.name else reason for reason in unit.reasons)
    if unit.status == "due":
        is_there = log.record is not None or bool(combined_logs(dest, log.day).get(log.name))
        return Covered(OUT_OF_DATE if is_there else LATE, reasons)
    if unit.status == "unchanged":
        lacking = sorted(usual.intersection(unit.figures.get("hosts_missing") or ()))
        if lacking:
            reasons = (*reasons, f"{log.name}: without {', '.join(lacking)}")
        damaged = bool(unit.warnings)
        return Covered(PARTIAL if lacking or damaged else PRESENT, reasons, damaged)
    if unit.status == "missing":
        return calendar.absent(log.day, reasons)
    states = {"waiting": LATE, "blocked": BLOCKED}
    covered = Covered(states.get(unit.status, UNREADABLE), reasons)
    return since_begin(covered, log.day, calendar.begin)


def cover_raw(
    calendar: Calendar,
    profile: str,
    planned: Sequence[LogPlan],
    raw_dir: Path,
    *,
    source_is_there: bool = True,
) -> StageCoverage:
    """The raw days of a profile, from the plan that countme_raw makes.

    Without the combined tree only what is there can be told. Raises OutputError where the record
    of what was trimmed is damaged.
    """
    trimmed = read_trimmed_through(raw_dir)
    units = {}
    for plan in planned:
        covered = _made_day(calendar, plan.unit, plan.day, raw_dir)
        if covered.state in (LATE, MISSING) and trimmed is not None and plan.day <= trimmed:
            covered = Covered(TRIMMED)
        units[str(plan.day)] = covered if source_is_there else _unsure(covered)
    newest = max(list_raw_days(raw_dir), default=None)
    return StageCoverage("count_raw", profile, "day", units, newest)


def cover_condensed(
    calendar: Calendar,
    planned: Sequence[LogPlan],
    data_dir: Path,
    *,
    source_is_there: bool = True,
) -> StageCoverage:
    """The condensed days, from the plan that mirrorlist_condense makes."""
    units = {}
    for plan in planned:
        covered = _made_day(calendar, plan.unit, plan.day, data_dir)
        units[str(plan.day)] = covered if source_is_there else _unsure(covered)
    newest = max(list_days(data_dir), default=None)
    return StageCoverage("condense", "", "day", units, newest)


def _made_day(calendar: Calendar, unit: WorkUnit, day: date, folder: Path) -> Covered:
    """A day that is made of a combined log, each in a file of its own."""
    is_there = day_path(folder, day).exists()
    if unit.status == "failed":
        return Covered(UNREADABLE, unit.reasons)
    if unit.status == "unchanged" or (unit.status == "missing" and is_there):
        return Covered(PRESENT, unit.reasons)
    if unit.status == "missing":
        return calendar.absent(day, unit.reasons)
    return Covered(OUT_OF_DATE if is_there else LATE, unit.reasons)


def _unsure(covered: Covered) -> Covered:
    """What can be told of a day without the combined logs."""
    if covered.state == PRESENT:
        return covered
    return Covered(UNREADABLE, ("the combined logs can't be looked at",))


@dataclass(frozen=True)
class WeekCoverage:
    """A week of one profile: what its plan says, and what is recorded of it."""

    profile: str
    week: int
    covered: Covered
    record: WeekRecord | None = None


def cover_weeks(calendar: Calendar, profile: str, planned: TotalsPlan) -> list[WeekCoverage]:
    """The weeks that the days touch, from the plan that countme_totals makes; ascending.

    The file of a day holds the requests of the day before, so that is the day that tells its week.
    """
    plans = {plan.week: plan for plan in planned.weeks}
    ends = (calendar.days[0], calendar.days[-1])
    first, last = (week_of_day(day - timedelta(days=1)) for day in ends)
    return [
        WeekCoverage(
            profile,
            week,
            _week(calendar, week, plans.get(week), planned),
            planned.counted.records.get(week),
        )
        for week in range(first, last + 1)
    ]


#: What the statuses of plans that need no further look mean.
_WEEK_STATES = {
    "outdated": OUT_OF_DATE,
    "blocked": BLOCKED,
    "failed": UNREADABLE,
    "waiting": WAITING,
    "skipped": NOT_EXPECTED,
}


def _week(calendar: Calendar, week: int, plan: WeekPlan | None, planned: TotalsPlan) -> Covered:
    record = planned.counted.records.get(week)
    reasons = plan.reasons if plan else ()
    if plan and plan.status == "due":
        return Covered(OUT_OF_DATE if record else LATE, reasons)
    if plan and plan.status in _WEEK_STATES:
        return Covered(_WEEK_STATES[plan.status], reasons)
    if record:
        states = {COMPLETE: PRESENT, PROVISIONAL: LATE}
        return Covered(states.get(record.status, PARTIAL), reasons)
    if week in planned.counted.weeks:
        return Covered(PRESENT, reasons)
    # its last requests are in the file of the day after it, the first later ones in the next
    if (calendar.today - week_end(week)).days <= 1 + max(calendar.settle_days, 1):
        return Covered(WAITING, reasons)
    return since_begin(Covered(MISSING, reasons), week_end(week), calendar.begin)


def weeks_stage(
    calendar: Calendar, profile: str, weeks: Sequence[WeekCoverage], planned: TotalsPlan
) -> StageCoverage:
    """The totals of a profile as a stage, by weeks."""
    units = {week_name(one.week): one.covered for one in weeks}
    # hits that are dated into the future make weeks of the future
    ended = [w for w in planned.counted.weeks if week_end(w) < calendar.today]
    newest = week_end(max(ended)) if ended else None
    return StageCoverage("count_totals", profile, "week", units, newest)


def cover_published(plans: Sequence[ProfilePlan]) -> list[StageCoverage]:
    """What is published of each profile, from the plan that stats_publish makes."""
    return [_published(plan) for plan in plans]


def _published(plan: ProfilePlan) -> StageCoverage:
    states: Mapping[str, str] = {
        "unchanged": PRESENT,
        "waiting": WAITING,
        "due": OUT_OF_DATE if plan.record.files else LATE,
        "failed": BLOCKED,
    }
    covered = Covered(states.get(plan.status, UNREADABLE), plan.reasons)
    weeks = plan.record.weeks
    return StageCoverage(
        "publish",
        plan.profile.name,
        "profile",
        {plan.profile.name: covered},
        week_end(max(weeks)) if weeks else None,
    )
