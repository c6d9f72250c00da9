# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run of countme_totals is about to do: its settings, and the plan of weeks and CSV file.

Nothing is written here.
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
    """Where totals come from and go to, and what an operator chose."""

    raw_dir: Path
    totals_db: Path
    now: datetime
    totals_csv: Path | None = None
    weeks: tuple[int, ...] = ()
    """Only these, whatever their age; empty for all that are due."""
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
        """A private folder beside the database, for what does not fit into memory."""
        return self.totals_db.with_name(f".{self.totals_db.name}.counting")


@dataclass(frozen=True)
class CsvPlan:
    """What is to become of the CSV file."""

    keep: CsvRecord | None
    """The file as it is, where it shows the state of the database."""
    reason: str
    """Why it is to be written; empty where it is not."""


@dataclass(frozen=True)
class TotalsPlan:
    """What a run is about to do, and the totals as they are."""

    weeks: Sequence[WeekPlan]
    counted: CountedState
    history: Mapping[int, int]
    """Countme hits by week of the newest weeks that an earlier system counted."""
    csv: CsvPlan | None
    """None where no file is wanted, or there is nothing to write."""


def read_raw_state(raw_dir: Path) -> RawState:
    """The raw days that are there, by their records. Raises SettingsError for no folder at all."""
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
    """Compare the raw days with what the totals were counted from; reads records, not hits.

    Raises CountingError where that can't be done at all.
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
    """Hits of the newest weeks that an earlier system counted: what is usual for the next ones."""
    weeks = sorted(set(counted.weeks) - set(counted.records))
    return hits_of(connection, weeks[-rule.trailing_weeks :])


def _with_judgements(
    plans: Sequence[WeekPlan],
    counted: CountedState,
    history: Mapping[int, int],
    rule: SuspectRule,
) -> list[WeekPlan]:
    """The plans, with those weeks due that are judged otherwise now (the rule was changed)."""
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
    """Of all weeks, the records that are to be written."""
    together = judged([*{**records, **new}.values()], rule, history=history)
    return [record for record in together if record != records.get(record.week)]


def csv_plan(settings: TotalsSettings, weeks: Collection[int], *, changes: bool) -> CsvPlan | None:
    """Raises OutputError for a CSV file that is not to be replaced by these totals."""
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
    """The unit of the CSV file, as planned; none where no file is wanted."""
    if settings.totals_csv is None or planned.csv is None:
        return []
    reasons = tuple(filter(None, [planned.csv.reason]))
    return [WorkUnit(settings.totals_csv.name, "due" if reasons else "unchanged", reasons)]


def read_counted(settings: TotalsSettings) -> CountedState:
    """What the totals hold; nothing where they are not there. Raises CountingError."""
    if not settings.totals_db.exists():
        return CountedState()
    with opened_totals(settings, write=False) as connection:
        return counted_state(connection)


def opened_totals(
    settings: TotalsSettings, *, write: bool
) -> contextlib.AbstractContextManager[Connection]:
    """The totals of these settings; see :func:`~._totals_db.open_totals`."""
    return open_totals(
        settings.totals_db,
        write=write,
        lock_timeout_seconds=settings.lock_timeout_seconds,
    )


def limits_of(settings: TotalsSettings) -> Limits:
    """What the counting of a week may use."""
    return Limits(settings.spill_dir / "spill", settings.memory_mib, settings.workers)
