# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The stage ``trim``: remove raw days that no week needs. The counts of their weeks stay."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from .._base.days_and_weeks import week_name, week_of_day, week_start
from .._base.errors import CountingError
from .._base.records import WorkUnit
from .._base.stage import Outcome, Stage, StageRun, Topics
from .._hits.host_hash import destroy_keys
from .._hits.raw_days import (
    list_raw_days,
    raw_day_path,
    read_record,
    read_trimmed_through,
    trimmed_record,
)
from .._storage.files import sync_folder, write_bytes, writer_lock
from .database import counted_weeks, open_totals


@dataclass(frozen=True)
class TrimPlan:
    """The raw days to remove, and the units of these days and of the days that stay."""

    first_kept_week: int = 0
    days: tuple[date, ...] = ()
    units: list[WorkUnit] = field(default_factory=list)


def plan_trim(raw_dir: Path, *, keep_weeks: int, totals_db: Path | None = None) -> TrimPlan:
    """Find the days to trim: all before ``keep_weeks`` + 1 whole weeks before the newest week.

    The newest rotation day gives the newest week, because the dates of hits may be corrupt. Days of
    weeks that ``totals_db`` has not counted stay. Days that hold hits of kept weeks stay, too.
    """
    if not raw_dir.is_dir():
        reason = f"no folder {raw_dir}: countme_raw makes it with the first raw day"
        return TrimPlan(units=[WorkUnit(raw_dir.name, "missing", (reason,))])
    raw_days = list_raw_days(raw_dir)
    if not raw_days:
        return TrimPlan()
    newest_week = week_of_day(max(raw_days) - timedelta(days=1))
    first_kept_week = newest_week - keep_weeks - 1
    counted = None if totals_db is None else _counted(totals_db)
    days, units = [], []
    for day, path in raw_days.items():
        if day >= week_start(first_kept_week):
            break
        needed = _needed_weeks(day, path, range(first_kept_week, newest_week + 1), counted)
        if needed:
            units.append(WorkUnit(str(day), "kept", (f"still needed: {', '.join(needed)}",)))
        else:
            days.append(day)
            reason = f"older than {week_start(first_kept_week)}"
            units.append(WorkUnit(str(day), "due", (reason,)))
    return TrimPlan(first_kept_week, tuple(days), units)


def _needed_weeks(day: date, path: Path, kept: range, counted: Collection[int] | None) -> list[str]:
    own_weeks = {week_of_day(day - timedelta(days=1)), week_of_day(day)}
    try:
        weeks = read_record(path).weeks
    except CountingError as error:
        return [f"its weeks are not known ({error})"]
    needed = [
        f"{week_name(week)} is not counted yet"
        for week in sorted(own_weeks & weeks.keys())
        if counted is not None and week not in counted
    ]
    return needed + [f"{week_name(week)} has hits in it" for week in weeks if week in kept]


def _counted(totals_db: Path) -> Collection[int]:
    if not totals_db.exists():
        return ()
    with open_totals(totals_db, write=False) as connection:
        return set(counted_weeks(connection))


def _weeks_left(raw_dir: Path) -> set[int] | None:
    """Return the weeks of the hits in the raw days that are left, or None if one is unreadable."""
    try:
        return {
            week for path in list_raw_days(raw_dir).values() for week in read_record(path).weeks
        }
    except CountingError:
        return None


def trim(raw_dir: Path, plan: TrimPlan) -> list[WorkUnit]:
    """Record the trimming in the folder, then remove the planned days.

    Only the writer of the folder may call this.
    """
    if not plan.days:
        return plan.units
    through = max(plan.days)
    known = read_trimmed_through(raw_dir)
    name, content = trimmed_record(through if known is None else max(known, through))
    write_bytes(raw_dir / name, content)
    for day in plan.days:
        raw_day_path(raw_dir, day).unlink(missing_ok=True)
    destroy_keys(raw_dir, keep=_weeks_left(raw_dir))
    sync_folder(raw_dir)
    return [
        WorkUnit(unit.name, "trimmed" if unit.status == "due" else unit.status, unit.reasons)
        for unit in plan.units
    ]


@dataclass(frozen=True)
class TrimSettings:
    """The folder of the raw days to trim, and the number of weeks to keep."""

    raw_dir: Path
    keep_weeks: int
    totals_db: Path | None = None


def trim_settings(options: Mapping[str, Any], _now: datetime) -> TrimSettings:
    """Return the settings for the options of countme_raw with ``state=trimmed``."""
    totals_db = Path(options["totals_db"]) if options["totals_db"] else None
    return TrimSettings(Path(options["raw_dir"]), options["keep_weeks"], totals_db)


def _plan(settings: TrimSettings, _run: StageRun) -> TrimPlan:
    return plan_trim(settings.raw_dir, keep_weeks=settings.keep_weeks, totals_db=settings.totals_db)


def _make(settings: TrimSettings, planned: TrimPlan, _run: StageRun) -> TrimPlan:
    return replace(planned, units=trim(settings.raw_dir, planned))


def _lock(settings: TrimSettings, run: StageRun) -> AbstractContextManager[None]:
    return writer_lock(settings.raw_dir, run_id=run.run_id)


def _outcome(_settings: TrimSettings, planned: TrimPlan) -> Outcome:
    return Outcome(planned.units)


TRIM: Stage[TrimSettings, TrimPlan] = Stage(
    name="trim",
    title="Remove raw days that no week needs any more",
    reads=("raw", "totals"),
    writes=("raw",),
    topics=Topics("countme-update", is_command=True),
    settings_from=trim_settings,
    plan=_plan,
    lock=_lock,
    make=_make,
    libraries=("numpy", "pyarrow", "duckdb"),
    outcome=_outcome,
)
