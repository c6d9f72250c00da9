# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Count the weeks that are due, and write them to the database and the CSV file.

The database is written first, then the CSV file. A run that is killed between the two leaves a CSV
file that shows an older state. The next run detects this and writes the file again.
"""

from __future__ import annotations

import contextlib
import shutil
import time
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from sqlite3 import Connection
from typing import Any

from .._base.days_and_weeks import week_name
from .._base.errors import CountingError
from .._base.observer import NOBODY, Observer
from .._base.records import Status, WorkUnit
from .._storage.files import make_folder, write_error
from .changes import StagedWeek, delete_weeks, replace_weeks, stage_week, staging
from .counting import WeekCounter
from .csv_file import CsvRecord, keep_in_step, write_csv
from .database import week_records
from .plan import (
    TotalsPlan,
    TotalsSettings,
    csv_plan,
    judged_otherwise,
    limits_of,
    opened_totals,
    read_counted,
)
from .quality import SuspectRule, WeekRecord
from .week_plan import WeekPlan

#: The number of weeks in one transaction. It covers all weeks of a nightly run. It is small enough
#: that little is lost if a run over years of history is ended.
WEEKS_A_TRANSACTION = 26


def update_totals(
    settings: TotalsSettings, planned: TotalsPlan, observer: Observer = NOBODY
) -> list[WorkUnit]:
    """Count the weeks that are due, and update the CSV file to the state of the database.

    Return the units of the weeks and of the CSV file. A week that cannot be counted has the status
    ``failed``. Only the writer of the totals may call this.
    """
    units, replaced = _carry_out(settings, planned, observer)
    return [*units, *_written_csv(settings, planned, replaced, observer)]


def plan_deletion(settings: TotalsSettings) -> list[WorkUnit]:
    """Return a unit for each named week. It is ``due`` if the totals have the week."""
    counted = read_counted(settings)
    return [
        WorkUnit(
            week_name(week),
            "due" if week in counted.weeks or week in counted.records else "unchanged",
            figures={"week": week},
        )
        for week in sorted(set(settings.weeks))
    ]


def delete_totals(settings: TotalsSettings, units: Sequence[WorkUnit]) -> list[WorkUnit]:
    """Delete the weeks that are due from the database and the CSV file."""
    there = [unit.figures["week"] for unit in units if unit.status == "due"]
    csv = csv_plan(settings, read_counted(settings).weeks, changes=True)
    with opened_totals(settings, write=True) as connection:
        delete_weeks(connection, there)
    if csv:
        _write_csv(settings, csv.keep, first_changed=min(there))
    return [replace(u, status="made") if u.status == "due" else u for u in units]


def _carry_out(
    settings: TotalsSettings, planned: TotalsPlan, observer: Observer
) -> tuple[list[WorkUnit], set[int]]:
    """Count the weeks, and return all units and the weeks whose rows were replaced."""
    replaced: set[int] = set()
    units = [p.unit() for p in planned.weeks if p.status != "due" and not p.recount]
    for unit in units:
        observer.ended(unit)
    todo = [plan for plan in planned.weeks if plan.status == "due" or plan.recount]
    if todo:
        observer.expect("weeks", len(todo))
        with (
            _spill_dir(settings.spill_dir),
            WeekCounter(limits_of(settings)) as counter,
            opened_totals(settings, write=True) as connection,
            staging(connection, settings.spill_dir / "staged.db"),
        ):
            for first in range(0, len(todo), WEEKS_A_TRANSACTION):
                batch = todo[first : first + WEEKS_A_TRANSACTION]
                taken, of_batch = _take(settings, planned, batch, connection, counter, observer)
                replaced.update(of_batch)
                units += taken
                for unit in taken:
                    observer.ended(unit)
    return sorted(units, key=lambda unit: int(unit.figures["week"])), replaced


@dataclass(frozen=True)
class _Counted:
    """A week of a batch, counted and compared with the totals."""

    plan: WeekPlan
    staged: StagedWeek | None = None
    polluted: str = ""
    failure: str = ""
    seconds: float = 0.0


def _take(
    settings: TotalsSettings,
    planned: TotalsPlan,
    batch: Sequence[WeekPlan],
    connection: Connection,
    counter: WeekCounter,
    observer: Observer,
) -> tuple[list[WorkUnit], list[int]]:
    """Count some weeks and write them to the totals in one transaction."""
    counted = []
    for plan in batch:
        observer.started(plan.unit())
        counted.append(_counted_week(plan, settings, connection, counter))
        observer.advance("weeks", unit=plan.unit().name)
    before = {record.week: record for record in week_records(connection)}
    new = {
        one.plan.week: record
        for one in counted
        if (record := _new_record(one, before.get(one.plan.week), settings.now))
    }
    changed = judged_otherwise(before, new, planned.history, settings.suspect)
    replaced = [
        one.plan.week
        for one in counted
        if one.staged and not one.staged.same and one.plan.week in new
    ]
    if changed or replaced:
        replace_weeks(connection, replaced, changed)
    after = {**before, **new, **{record.week: record for record in changed}}
    written = {record.week for record in changed} | set(replaced)
    return [_unit(one, after.get(one.plan.week), written) for one in counted], replaced


def _counted_week(
    plan: WeekPlan, settings: TotalsSettings, connection: Connection, counter: WeekCounter
) -> _Counted:
    if not plan.recount:
        return _Counted(plan)
    began = time.monotonic()
    paths = [d.path for d in plan.inputs if d.record.weeks.get(plan.week)]
    try:
        blocks: Iterator[list[tuple[Any, ...]]] = iter(())
        if paths:
            blocks = counter.count_week(plan.week, paths, plan.statistics)
        staged = stage_week(connection, plan.week, blocks)
        polluted = _polluter(plan.week, paths, staged.hits, counter, settings.suspect)
    except CountingError as error:
        return _Counted(plan, failure=str(error))
    return _Counted(plan, staged, polluted, seconds=time.monotonic() - began)


def _polluter(
    week: int, paths: Sequence[Path], hits: int, counter: WeekCounter, rule: SuspectRule
) -> str:
    at_least = max(rule.polluter_hits, int(hits * rule.polluter_percent / 100))
    if not paths or hits < at_least:
        return ""
    largest = counter.largest_client(week, paths, at_least=at_least)
    if not largest:
        return ""
    return f"one address sent {largest} of the hits, {largest / hits:.0%}"


def _new_record(one: _Counted, before: WeekRecord | None, now: datetime) -> WeekRecord | None:
    """Return the new record of a week, or None if the week gets no record."""
    plan, staged = one.plan, one.staged
    if one.failure or plan.quality is None:
        return None
    if staged is None:
        return replace(before, **plan.quality._asdict()) if before else None
    if before is None and not staged.rows:
        return None
    record = WeekRecord(
        week=plan.week,
        **plan.quality._asdict(),
        hits=staged.hits,
        revision=1 if before is None else before.revision + (not staged.same),
        computed_at=now.astimezone(UTC).isoformat(timespec="seconds"),
        fingerprint=plan.fingerprint,
        inputs=tuple(d.path.name for d in plan.inputs),
        log_name=plan.inputs[0].record.log_name if plan.inputs else "",
        polluted=one.polluted,
        suspect_reason=before.suspect_reason if before else "",
    )
    if before and staged.same and replace(record, computed_at=before.computed_at) == before:
        return before
    return record


def _unit(one: _Counted, record: WeekRecord | None, written: Collection[int]) -> WorkUnit:
    unit = one.plan.unit()
    if one.failure:
        return replace(unit, status="failed", reasons=(one.failure,))
    if record is None:
        reason = "it has no hits of a kind that is over"
        return replace(unit, status="waiting", reasons=(reason,))
    figures = dict(unit.figures)
    if one.staged:
        figures |= {
            "hits": one.staged.hits,
            "rows": one.staged.rows,
            "seconds": round(one.seconds, 3),
        }
    status: Status = "made" if record.week in written else "unchanged"
    return replace(unit, status=status, figures=figures)


def _written_csv(
    settings: TotalsSettings,
    planned: TotalsPlan,
    replaced: Collection[int],
    observer: Observer,
) -> list[WorkUnit]:
    """Update the CSV file to the state of the database, and return its unit."""
    path, csv = settings.totals_csv, planned.csv
    if path is None or csv is None or not settings.totals_db.exists():
        return []
    if csv.keep and not replaced:
        keep_in_step(path, csv.keep, settings.totals_db)
        unit = WorkUnit(path.name, "unchanged")
    else:
        observer.started(WorkUnit(path.name, "due"), kind="csv")
        figures = _write_csv(settings, csv.keep, first_changed=min(replaced, default=0))
        unit = WorkUnit(path.name, "made", (csv.reason or "weeks changed",), figures)
    observer.ended(unit, kind="csv")
    return [unit]


def _write_csv(
    settings: TotalsSettings, keep: CsvRecord | None, *, first_changed: int
) -> dict[str, int]:
    if settings.totals_csv is None:
        raise AssertionError("there is a plan for a CSV file that is not wanted")
    with opened_totals(settings, write=False) as connection:
        written = write_csv(
            settings.totals_csv,
            connection,
            settings.totals_db,
            keep=keep,
            first_changed=first_changed,
        )
    return written._asdict()


@contextlib.contextmanager
def _spill_dir(folder: Path) -> Iterator[None]:
    """Create a private folder for data that does not fit into memory, and remove it at the end.

    A killed run may have left such a folder. It is removed first.
    """
    make_folder(folder.parent)
    try:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(mode=0o700)
    except OSError as error:
        raise write_error(folder, error) from error
    try:
        yield
    finally:
        shutil.rmtree(folder, ignore_errors=True)
