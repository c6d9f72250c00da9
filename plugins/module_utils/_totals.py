# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From raw days to totals: plan which weeks are due, count them, take them into the files.

The database comes first, then the CSV file. A run that is killed between the two leaves a CSV file
that shows an older state; the next run sees that and writes it again.
"""

from __future__ import annotations

import contextlib
import shutil
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path
from sqlite3 import Connection
from typing import Any

from ._calendar import week_name
from ._count_weeks import Counter, Limits
from ._errors import CountingError, SettingsError
from ._files import make_folder, write_error, writer_lock
from ._raw_days import FORMAT, list_raw_days, read_record, read_trimmed_through
from ._records import Unit
from ._totals_csv import (
    CsvRecord,
    check_replaceable,
    csv_in_step,
    keep_in_step,
    write_csv,
)
from ._totals_db import (
    StagedWeek,
    counted_state,
    delete_weeks,
    hits_of,
    open_totals,
    replace_weeks,
    stage_week,
    staging,
    week_records,
)
from ._week_quality import COMPLETE, SuspectRule, WeekRecord, judged
from ._weeks import (
    CountedState,
    RawDay,
    RawState,
    Rules,
    WeekPlan,
    horizon_of,
    plan_weeks,
)

#: So many weeks are taken into the database at once: all of a nightly run, and of years of history
#: so much that little is lost when the run is ended.
WEEKS_A_TRANSACTION = 26


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
    suspect: SuspectRule = field(default_factory=SuspectRule)
    memory_mib: int = 768
    workers: int = 0
    lock_timeout_seconds: float = 60
    run_id: str = ""

    @property
    def spill_dir(self) -> Path:
        return self.totals_db.with_name(f".{self.totals_db.name}.counting")


@dataclass(frozen=True)
class Outcome:
    """What became of the weeks and of the CSV file, and how the totals stand."""

    units: Sequence[Unit]
    newest_complete_week: str | None = None
    hits: int = 0
    """Countme hits of the weeks that were counted in this run."""
    rows: int = 0
    """Rows of the totals of these weeks."""


def _nothing(_unit: Unit) -> None:
    return None


def update_totals(
    settings: TotalsSettings,
    *,
    check: bool = False,
    notify: Callable[[Unit], None] = _nothing,
) -> Outcome:
    """Count the weeks that are due, or say which ones are (``check``: nothing is written).

    Raises CountingError where the files can't be used at all; a week that can't be counted is a
    ``failed`` unit.
    """
    if check:
        planned = _plan(settings)
        return _outcome(
            settings, [*(p.unit() for p in planned.weeks), *_csv_unit(settings, planned)]
        )
    with _only_writer(settings):
        planned = _plan(settings)
        units = _carry_out(settings, planned, notify)
        return _outcome(settings, [*units, *_written_csv(settings, planned, units, notify)])


def delete_totals(settings: TotalsSettings, *, check: bool = False) -> Outcome:
    """Remove the named weeks from the database and the CSV file."""
    if check:
        return _outcome(settings, _deletions(settings, _counted(settings)))
    with _only_writer(settings):
        counted = _counted(settings)
        units = _deletions(settings, counted)
        there = [unit.figures["week"] for unit in units if unit.status == "due"]
        if there:
            csv = _csv_plan(settings, counted.weeks, changes=True)
            with _totals(settings, write=True) as connection:
                delete_weeks(connection, there)
            if csv:
                _write_csv(settings, csv.keep, first_changed=min(there))
        done = [replace(u, status="made") if u.status == "due" else u for u in units]
        return _outcome(settings, done)


def _deletions(settings: TotalsSettings, counted: CountedState) -> list[Unit]:
    return [
        Unit(
            week_name(week),
            "due" if week in counted.weeks or week in counted.records else "unchanged",
            figures={"week": week},
        )
        for week in sorted(set(settings.weeks))
    ]


# the plan


@dataclass(frozen=True)
class _CsvPlan:
    keep: CsvRecord | None
    """The file as it is, where it shows the state of the database."""
    reason: str
    """Why it is to be written; empty where it is not."""


@dataclass(frozen=True)
class _Plan:
    weeks: Sequence[WeekPlan]
    counted: CountedState
    history: Mapping[int, int]
    csv: _CsvPlan | None


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
            record = read_record(path)
        except CountingError as error:
            damaged[day] = str(error)
            continue
        if record.format == FORMAT:
            days[day] = RawDay(day, path, record)
        else:
            damaged[day] = f"{path} has format {record.format}: run countme_raw for that day"
    return RawState(days, damaged, read_trimmed_through(raw_dir))


def _plan(settings: TotalsSettings) -> _Plan:
    raw = read_raw_state(settings.raw_dir)
    counted = CountedState()
    history: dict[int, int] = {}
    if settings.totals_db.exists():
        with _totals(settings, write=False) as connection:
            counted = counted_state(connection)
            history = _history(connection, counted, settings.suspect)
    with Counter(_limits(settings)) as counter:
        horizon = horizon_of(raw.days.values(), counted, first_unique=counter.first_unique)
    rules = Rules(settings.now.astimezone(UTC).date(), settings.revise_weeks, settings.settle_days)
    weeks = plan_weeks(raw, counted, horizon, rules, named=settings.weeks)
    weeks = _with_judgements(weeks, counted, history, settings.suspect)
    due = [plan.week for plan in weeks if plan.status == "due" and plan.recount]
    csv = _csv_plan(settings, {*counted.weeks, *due}, changes=bool(due))
    return _Plan(weeks, counted, history, csv)


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
    for record in _judged_otherwise(counted.records, {}, history, rule):
        plan = due.get(record.week) or WeekPlan(record.week, "unchanged")
        if plan.status == "unchanged":
            reason = record.suspect_reason or "no longer suspect"
            due[record.week] = replace(plan, status="due", reasons=(reason,))
    return [due[week] for week in sorted(due)]


def _judged_otherwise(
    records: Mapping[int, WeekRecord],
    new: Mapping[int, WeekRecord],
    history: Mapping[int, int],
    rule: SuspectRule,
) -> list[WeekRecord]:
    """Of all weeks, the records that are to be written."""
    together = judged([*{**records, **new}.values()], rule, history=history)
    return [record for record in together if record != records.get(record.week)]


def _csv_plan(
    settings: TotalsSettings, weeks: Collection[int], *, changes: bool
) -> _CsvPlan | None:
    """Raises OutputError for a CSV file that is not to be replaced by these totals."""
    if settings.totals_csv is None or not weeks:
        return None
    keep = csv_in_step(settings.totals_csv, settings.totals_db)
    if keep:
        return _CsvPlan(keep, "weeks changed" if changes else "")
    check_replaceable(settings.totals_csv, weeks)
    there = settings.totals_csv.exists()
    reason = "it shows another state of the totals" if there else "it is not there"
    return _CsvPlan(None, reason)


def _csv_unit(settings: TotalsSettings, planned: _Plan) -> list[Unit]:
    if settings.totals_csv is None or planned.csv is None:
        return []
    reasons = tuple(filter(None, [planned.csv.reason]))
    return [Unit(settings.totals_csv.name, "due" if reasons else "unchanged", reasons)]


# carrying it out


def _carry_out(
    settings: TotalsSettings, planned: _Plan, notify: Callable[[Unit], None]
) -> list[Unit]:
    units = [p.unit() for p in planned.weeks if p.status != "due" and not p.recount]
    for unit in units:
        notify(unit)
    todo = [plan for plan in planned.weeks if plan.status == "due" or plan.recount]
    if todo:
        with (
            _spill_dir(settings.spill_dir),
            Counter(_limits(settings)) as counter,
            _totals(settings, write=True) as connection,
            staging(connection, settings.spill_dir / "staged.db"),
        ):
            for first in range(0, len(todo), WEEKS_A_TRANSACTION):
                batch = todo[first : first + WEEKS_A_TRANSACTION]
                for unit in _take(settings, planned, batch, connection, counter):
                    units.append(unit)
                    notify(unit)
    return sorted(units, key=lambda unit: int(unit.figures["week"]))


@dataclass(frozen=True)
class _Counted:
    """A week of a batch, counted and compared with what the totals have."""

    plan: WeekPlan
    staged: StagedWeek | None = None
    polluted: str = ""
    failure: str = ""
    seconds: float = 0.0


def _take(
    settings: TotalsSettings,
    planned: _Plan,
    batch: Sequence[WeekPlan],
    connection: Connection,
    counter: Counter,
) -> list[Unit]:
    """Count some weeks and take them into the totals in one transaction."""
    counted = [_counted_week(plan, settings, connection, counter) for plan in batch]
    before = {record.week: record for record in week_records(connection)}
    new = {
        one.plan.week: record
        for one in counted
        if (record := _new_record(one, before.get(one.plan.week), settings.now))
    }
    changed = _judged_otherwise(before, new, planned.history, settings.suspect)
    replaced = [
        one.plan.week
        for one in counted
        if one.staged and not one.staged.same and one.plan.week in new
    ]
    if changed or replaced:
        replace_weeks(connection, replaced, changed)
    after = {**before, **new, **{record.week: record for record in changed}}
    written = {record.week for record in changed} | set(replaced)
    return [_unit(one, after.get(one.plan.week), written) for one in counted]


def _counted_week(
    plan: WeekPlan, settings: TotalsSettings, connection: Connection, counter: Counter
) -> _Counted:
    if not plan.recount:
        return _Counted(plan)
    began = time.monotonic()
    paths = [d.path for d in plan.inputs if d.record.weeks.get(plan.week)]
    try:
        blocks: Iterator[list[tuple[Any, ...]]] = iter(())
        if paths:
            blocks = counter.count_week(plan.week, paths, **plan.kinds._asdict())
        staged = stage_week(connection, plan.week, blocks)
        polluted = _polluter(plan.week, paths, staged.hits, counter, settings.suspect)
    except CountingError as error:
        return _Counted(plan, failure=str(error))
    return _Counted(plan, staged, polluted, seconds=time.monotonic() - began)


def _polluter(
    week: int, paths: Sequence[Path], hits: int, counter: Counter, rule: SuspectRule
) -> str:
    if not paths or hits < rule.polluter_hits:
        return ""
    largest = counter.largest_client(week, paths)
    if largest < rule.polluter_hits or largest <= hits * rule.polluter_percent / 100:
        return ""
    return f"one address sent {largest} of the hits, {largest / hits:.0%}"


def _new_record(one: _Counted, before: WeekRecord | None, now: datetime) -> WeekRecord | None:
    """The record of a week as it is now; None where it gets none."""
    plan, staged = one.plan, one.staged
    if one.failure or plan.quality is None:
        return None
    if staged is None:
        return replace(before, quality=plan.quality) if before else None
    if before is None and not staged.rows:
        return None
    record = WeekRecord(
        week=plan.week,
        quality=plan.quality,
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


def _unit(one: _Counted, record: WeekRecord | None, written: Collection[int]) -> Unit:
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
    status = "made" if record.week in written else "unchanged"
    return replace(unit, status=status, figures=figures)


def _described(unit: Unit, records: Mapping[int, WeekRecord]) -> Unit:
    """The unit with what is recorded of its week."""
    record = records.get(unit.figures.get("week", -1))
    if record is None:
        return unit
    quality = {
        "hits": record.hits,
        "week_status": record.quality.status,
        "expected_host_days": record.quality.expected_host_days,
        "received_host_days": record.quality.received_host_days,
        "malformed": record.quality.malformed,
        "revision": record.revision,
        "suspect": record.suspect,
        "suspect_reason": record.suspect_reason,
    }
    return replace(unit, figures={**unit.figures, **quality})


def _written_csv(
    settings: TotalsSettings,
    planned: _Plan,
    units: Sequence[Unit],
    notify: Callable[[Unit], None],
) -> list[Unit]:
    """Bring the CSV file to the state of the database."""
    path, csv = settings.totals_csv, planned.csv
    changed = [int(u.figures["week"]) for u in units if u.status == "made" and "rows" in u.figures]
    if path is None or csv is None or not settings.totals_db.exists():
        return []
    if csv.keep and not changed:
        keep_in_step(path, csv.keep, settings.totals_db)
        unit = Unit(path.name, "unchanged")
    else:
        figures = _write_csv(settings, csv.keep, first_changed=min(changed, default=0))
        unit = Unit(path.name, "made", (csv.reason or "weeks changed",), figures)
    notify(unit)
    return [unit]


def _write_csv(
    settings: TotalsSettings, keep: CsvRecord | None, *, first_changed: int
) -> dict[str, int]:
    assert settings.totals_csv is not None  # noqa: S101 - for the type checker
    with _totals(settings, write=False) as connection:
        written = write_csv(
            settings.totals_csv,
            connection,
            settings.totals_db,
            keep=keep,
            first_changed=first_changed,
        )
    return written._asdict()


def _outcome(settings: TotalsSettings, units: Sequence[Unit]) -> Outcome:
    made = [unit.figures for unit in units if unit.status == "made"]
    records = _counted(settings).records
    complete = [r.week for r in records.values() if r.quality.status == COMPLETE]
    return Outcome(
        [_described(unit, records) for unit in units],
        newest_complete_week=week_name(max(complete)) if complete else None,
        hits=sum(figures.get("hits", 0) for figures in made if "rows" in figures),
        rows=sum(figures.get("rows", 0) for figures in made),
    )


def _counted(settings: TotalsSettings) -> CountedState:
    if not settings.totals_db.exists():
        return CountedState()
    with _totals(settings, write=False) as connection:
        return counted_state(connection)


def _totals(
    settings: TotalsSettings, *, write: bool
) -> contextlib.AbstractContextManager[Connection]:
    return open_totals(
        settings.totals_db,
        write=write,
        lock_timeout_seconds=settings.lock_timeout_seconds,
    )


def _limits(settings: TotalsSettings) -> Limits:
    return Limits(settings.spill_dir / "spill", settings.memory_mib, settings.workers)


@contextlib.contextmanager
def _only_writer(settings: TotalsSettings) -> Iterator[None]:
    folders = {settings.totals_db.parent.absolute()}
    if settings.totals_csv is not None:
        folders.add(settings.totals_csv.parent.absolute())
    with contextlib.ExitStack() as stack:
        for folder in sorted(folders):
            stack.enter_context(writer_lock(folder, run_id=settings.run_id, now=settings.now))
        yield


@contextlib.contextmanager
def _spill_dir(folder: Path) -> Iterator[None]:
    """A private folder for what does not fit into memory; a killed run may have left one."""
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
