# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Coverage of the stage ``totals``: the state of each week, from the plan of the stage."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from .._base.coverage import (
    BLOCKED,
    LATE,
    MISSING,
    NOT_EXPECTED,
    OUT_OF_DATE,
    PARTIAL,
    PRESENT,
    UNREADABLE,
    WAITING,
    Calendar,
    Coverage,
    CoverageContext,
    CoverageState,
    StageCoverage,
    StageTree,
    State,
    WeekCoverage,
    since_begin,
)
from .._base.days_and_weeks import week_end, week_name, week_of_day
from .._base.problem import CRITICAL, WARNING, Problem
from .._base.records import Status
from .plan import TotalsPlan, TotalsSettings, csv_plan, plan_totals, read_counted
from .quality import COMPLETE, PROVISIONAL
from .week_plan import WeekPlan

#: The longest time that a status waits for a program that holds the database.
_LOCK_TIMEOUT_SECONDS = 10


def _trees(settings: TotalsSettings) -> list[StageTree]:
    return [StageTree("totals", settings.totals_db.parent)]


def _places(settings: TotalsSettings) -> list[Path | None]:
    return [settings.raw_dir, settings.totals_db, settings.totals_csv]


def cover_totals(settings: TotalsSettings, context: CoverageContext) -> list[StageCoverage]:
    """Return the coverage of the weeks that the days touch.

    Return an empty list if a place is unreadable.
    """
    if context.why_unreadable(*_places(settings)):
        return []
    settings = replace(
        settings, weeks=(), history_csv=None, lock_timeout_seconds=_LOCK_TIMEOUT_SECONDS
    )
    problems: list[Problem] = []
    if settings.raw_dir.is_dir():
        planned = plan_totals(replace(settings, totals_csv=None))
        problems += _csv_problems(settings, planned)
    else:
        planned = TotalsPlan([], read_counted(settings), {}, None)
        problems += _no_raw_days(settings, planned)
    calendar = context.calendar
    weeks = _weeks(calendar, planned)
    # Hits that are dated into the future create weeks of the future, which are left out.
    ended = [week for week in planned.counted.weeks if week_end(week) < calendar.today]
    return [
        StageCoverage(
            "week",
            {week_name(one.week): one.covered for one in weeks},
            week_end(max(ended)) if ended else None,
            weeks=tuple(weeks),
            problems=tuple(problems),
        )
    ]


def _csv_problems(settings: TotalsSettings, planned: TotalsPlan) -> Iterator[Problem]:
    csv = csv_plan(settings, planned.counted.weeks, changes=False)
    if csv and csv.reason:
        yield Problem(
            WARNING,
            "totals",
            f"{settings.totals_csv}: {csv.reason}",
            "",
            "The next run writes it; if it stays so, run countme_totals and read its result.",
        )


def _no_raw_days(settings: TotalsSettings, planned: TotalsPlan) -> Iterator[Problem]:
    if planned.counted.weeks:
        yield Problem(
            CRITICAL,
            "raw",
            f"{settings.raw_dir}: expected the folder of raw days, found none, and weeks were "
            "counted",
            "",
            "Mount that file system, or correct the setting.",
        )


def _weeks(calendar: Calendar, planned: TotalsPlan) -> list[WeekCoverage]:
    """Return the weeks that the days touch, ascending.

    The file of a rotation day holds the requests of the day before. The day of the requests gives
    the week.
    """
    plans = {plan.week: plan for plan in planned.weeks}
    ends = (calendar.days[0], calendar.days[-1])
    first, last = (week_of_day(day - timedelta(days=1)) for day in ends)
    records = planned.counted.records
    return [
        WeekCoverage(
            "",
            week,
            _week(calendar, week, plans.get(week), planned),
            records[week].quality if week in records else None,
        )
        for week in range(first, last + 1)
    ]


#: The states of weeks for which the status of the plan is sufficient.
_WEEK_STATES: Mapping[Status, State] = {
    "outdated": OUT_OF_DATE,
    "blocked": BLOCKED,
    "failed": UNREADABLE,
    "waiting": WAITING,
    "skipped": NOT_EXPECTED,
}


def _week(
    calendar: Calendar, week: int, plan: WeekPlan | None, planned: TotalsPlan
) -> CoverageState:
    record = planned.counted.records.get(week)
    reasons = plan.reasons if plan else ()
    if plan and plan.status == "due":
        return CoverageState(OUT_OF_DATE if record else LATE, reasons)
    if plan and plan.status in _WEEK_STATES:
        return CoverageState(_WEEK_STATES[plan.status], reasons)
    if record:
        states: Mapping[str, State] = {COMPLETE: PRESENT, PROVISIONAL: LATE}
        return CoverageState(states.get(record.status, PARTIAL), reasons)
    if week in planned.counted.weeks:
        return CoverageState(PRESENT, reasons)
    # The file of the day after the week holds its last requests. The file of the day after that
    # holds the first later ones.
    if (calendar.today - week_end(week)).days <= 1 + max(calendar.settle_days, 1):
        return CoverageState(WAITING, reasons)
    return since_begin(CoverageState(MISSING, reasons), week_end(week), calendar.begin)


TOTALS_COVERAGE: Coverage[TotalsSettings] = Coverage(
    _trees, _places, cover_totals, libraries=("duckdb", "numpy", "pyarrow")
)
