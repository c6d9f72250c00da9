# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The settings of a run of countme_totals, and its plan of weeks and CSV file.

This file writes nothing.
"""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path
from sqlite3 import Connection

from .._base.errors import CountingError, SettingsError
from .._base.records import WorkUnit
from .._hits.raw_days import list_raw_days, read_record, read_trimmed_through
from .._storage.duckdb import Limits
from .counting import WeekCounter
from .csv_file import CsvRecord, check_replaceable, csv_in_step
from .database import counted_state, hits_of, open_totals
from .quality import SuspectRule, WeekRecord, judged
from .week_plan import (
    FEDORA_FIRST_WEEK,
    CountedState,
    RawDay,
    RawState,
    Rules,
    WeekPlan,
    horizon_of,
    plan_weeks,
)


@dataclass(frozen=True)
class TotalsSettings:
    """The paths of the raw days and of the totals, and the options of the operator."""

    raw_dir: Path
    totals_db: Path
    now: datetime
    totals_csv: Path | None = None
    weeks: tuple[int, ...] = ()
    """The weeks to count, whatever their age. Empty for all weeks that are due."""
    revise_weeks: int = 4
    settle_days: int = 7
    first_week: int = FEDORA_FIRST_WEEK
    """The first week whose countme hits are counted."""
    suspect: SuspectRule = field(default_factory=SuspectRule)
    memory_mib: int = 768
    workers: int = 0
    lock_timeout_seconds: float = 60
    history_csv: Path | None = None
    """A CSV file of totals that fills a database without totals."""

    @property
    def spill_dir(self) -> Path:
        """A private folder beside the database for data that does not fit into memory."""
        return self.totals_db.with_name(f".{self.totals_db.name}.counting")


@dataclass(frozen=True)
class CsvPlan:
    """The plan of the CSV file."""

    keep: CsvRecord | None
    """The record of the file, if the file shows the state of the database."""
    reason: str
    """The reason to write the file. Empty if it is not to be written."""


@dataclass(frozen=True)
class TotalsPlan:
    """The plan of a run, and the totals before the run."""

    weeks: Sequence[WeekPlan]
    counted: CountedState
    history: Mapping[int, int]
    """Countme hits by week of the newest weeks that an earlier system counted."""
    csv: CsvPlan | None
    """None if no file is wanted, or if there is nothing to write."""


def read_raw_state(raw_dir: Path) -> RawState:
    """Return the raw days of a folder with their records.

    Raises SettingsError if there is no folder.
    """
    if not raw_dir.is_dir():
        raise SettingsError(
            "option raw_dir",
            expected="the folder of the raw days",
            found=f"no folder {raw_dir}",
            advice="Correct the option, mount the file system, or run countme_raw first.",
        )
    days: dict[date, RawDay] = {}
    damaged: dict[date, str] = {}
    for day, path in list_raw_days(raw_dir).items():
        try:
            days[day] = RawDay(day, path, read_record(path))
        except CountingError as error:
            damaged[day] = str(error)
    return RawState(days, damaged, read_trimmed_through(raw_dir))


def plan_totals(settings: TotalsSettings) -> TotalsPlan:
    """Compare the raw days with the inputs of the totals, and return the plan.

    This reads the records of raw days, not their hits. Raises CountingError if no plan is possible.
    """
    raw = read_raw_state(settings.raw_dir)
    counted = CountedState()
    history: dict[int, int] = {}
    if settings.totals_db.exists():
        with opened_totals(settings, write=False) as connection:
            counted = counted_state(connection)
            history = _history(connection, counted, settings.suspect)
    rules = Rules(
        settings.now.astimezone(UTC).date(),
        settings.revise_weeks,
        settings.settle_days,
        settings.first_week,
    )
    with WeekCounter(limits_of(settings)) as counter:
        horizon = horizon_of(
            raw.days.values(),
            counted,
            first_week=rules.first_week,
            first_seen=counter.first_seen,
        )
    weeks = plan_weeks(raw, counted, horizon, rules, named=settings.weeks)
    weeks = _with_judgements(weeks, counted, history, settings.suspect)
    due = [plan.week for plan in weeks if plan.status == "due" and plan.recount]
    csv = csv_plan(settings, {*counted.weeks, *due}, changes=bool(due))
    return TotalsPlan(weeks, counted, history, csv)


def _history(connection: Connection, counted: CountedState, rule: SuspectRule) -> dict[int, int]:
    """Return the hits of the newest weeks that an earlier system counted.

    They show the usual number of hits for the weeks after them.
    """
    weeks = sorted(set(counted.weeks) - set(counted.records))
    return hits_of(connection, weeks[-rule.trailing_weeks :])


def _with_judgements(
    plans: Sequence[WeekPlan],
    counted: CountedState,
    history: Mapping[int, int],
    rule: SuspectRule,
) -> list[WeekPlan]:
    """Return the plans, with a plan for each week whose suspect reason changed.

    The reason changes if the rule was changed. Such a week is due.
    """
    due = {plan.week: plan for plan in plans}
    for record in judged_otherwise(counted.records, {}, history, rule):
        plan = due.get(record.week) or WeekPlan(record.week, "unchanged")
        if plan.status == "unchanged":
            reason = record.suspect_reason or "no longer suspect"
            due[record.week] = replace(plan, status="due", reasons=(reason,))
    return [due[week] for week in sorted(due)]


def judged_otherwise(
    records: Mapping[int, WeekRecord],
    new: Mapping[int, WeekRecord],
    history: Mapping[int, int],
    rule: SuspectRule,
) -> list[WeekRecord]:
    """Return the records to write: those of all weeks whose record is new or changed."""
    together = judged([*{**records, **new}.values()], rule, history=history)
    return [record for record in together if record != records.get(record.week)]


def csv_plan(settings: TotalsSettings, weeks: Collection[int], *, changes: bool) -> CsvPlan | None:
    """Return the plan of the CSV file, or None if no file is wanted or there are no weeks.

    Raises OutputError if these totals must not replace the CSV file.
    """
    if settings.totals_csv is None or not weeks:
        return None
    keep = csv_in_step(settings.totals_csv, settings.totals_db)
    if keep:
        return CsvPlan(keep, "weeks changed" if changes else "")
    check_replaceable(settings.totals_csv, settings.totals_db, weeks)
    there = settings.totals_csv.exists()
    reason = "it shows another state of the totals" if there else "it is not there"
    return CsvPlan(None, reason)


def csv_unit(settings: TotalsSettings, planned: TotalsPlan) -> list[WorkUnit]:
    """Return the planned unit of the CSV file. Return an empty list if no file is wanted."""
    if settings.totals_csv is None or planned.csv is None:
        return []
    reasons = tuple(filter(None, [planned.csv.reason]))
    return [WorkUnit(settings.totals_csv.name, "due" if reasons else "unchanged", reasons)]


def read_counted(settings: TotalsSettings) -> CountedState:
    """Return the state of the totals. Return an empty state if there is no database.

    Raises CountingError if the totals cannot be read.
    """
    if not settings.totals_db.exists():
        return CountedState()
    with opened_totals(settings, write=False) as connection:
        return counted_state(connection)


def opened_totals(
    settings: TotalsSettings, *, write: bool
) -> contextlib.AbstractContextManager[Connection]:
    """Open the totals of these settings; see :func:`~.database.open_totals`."""
    return open_totals(
        settings.totals_db,
        write=write,
        lock_timeout_seconds=settings.lock_timeout_seconds,
    )


def limits_of(settings: TotalsSettings) -> Limits:
    """Return the limits of memory, workers and spill folder for the count of a week."""
    return Limits(settings.spill_dir / "spill", settings.memory_mib, settings.workers)
