# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The stage ``totals``, and the deletion of weeks from the totals."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from .._base.days_and_weeks import parse_week, week_name
from .._base.errors import SettingsError
from .._base.records import WorkUnit
from .._base.stage import Outcome, Stage, StageRun, Topics, UnitTopics, any_due
from .._storage.files import writer_lock
from .coverage import TOTALS_COVERAGE
from .plan import TotalsPlan, TotalsSettings, csv_unit, plan_totals, read_counted
from .quality import SuspectRule, WeekRecord, newest_complete_week
from .restore import restore_history
from .update import delete_totals, plan_deletion, update_totals
from .week_plan import FEDORA_FIRST_WEEK

_LIBRARIES = ("duckdb", "numpy", "pyarrow")
_TOPICS = Topics("countme-update", is_command=True, units={"": UnitTopics("week", ("week",))})


@dataclass(frozen=True)
class TotalsUpdate:
    """The units and the plan of the weeks and the CSV file, before or after the run."""

    units: Sequence[WorkUnit]
    plan: TotalsPlan | None = None
    """None if there are no raw days to plan with."""

    @property
    def is_due(self) -> bool:
        """True if a week is due, or if a named week is counted again to verify it."""
        return any_due(self) or bool(self.plan and any(week.recount for week in self.plan.weeks))


def settings_from(options: Mapping[str, Any], now: datetime) -> TotalsSettings:
    """Return the settings for the options of countme_totals.

    Raises SettingsError if an option is wrong.
    """
    csv, history = options["totals_csv"], options["history_csv"]
    return TotalsSettings(
        raw_dir=Path(options["raw_dir"]),
        totals_db=Path(options["totals_db"]),
        totals_csv=Path(csv) if csv else None,
        history_csv=Path(history) if history else None,
        now=now,
        weeks=tuple(parse_week(text) for text in options["weeks"] or []),
        revise_weeks=options["revise_weeks"],
        settle_days=options["settle_days"],
        first_week=_first_week_from(options.get("first_week")),
        suspect=SuspectRule(
            percent=options["suspect_percent"],
            trailing_weeks=options["suspect_trailing_weeks"],
            polluter_percent=options["polluter_percent"],
        ),
        memory_mib=options["memory_mib"],
        workers=options["workers"],
        lock_timeout_seconds=options["lock_timeout"],
    )


def _first_week_from(text: str | None) -> int:
    return parse_week(text, "first_week") if text else FEDORA_FIRST_WEEK


def plan_update(settings: TotalsSettings, run: StageRun) -> TotalsUpdate:
    """Return the plan of the weeks that are due.

    Without a folder of raw days there is one ``missing`` unit, unless weeks were counted from such
    a folder before. In check mode the folder may always be missing, because a run that creates it
    may come before this one. Raises CountingError if the files cannot be used at all.
    """
    restored = _restored(settings, check=True)
    has_input = settings.weeks or settings.raw_dir.is_dir()
    if not has_input and (run.check_mode or not read_counted(settings).records):
        reason = f"no folder {settings.raw_dir}: countme_raw makes it with the first raw day"
        missing = WorkUnit(settings.raw_dir.name, "missing", (reason,))
        return TotalsUpdate([*restored, missing])
    planned = plan_totals(settings)
    weeks = [week.unit() for week in planned.weeks]
    return TotalsUpdate([*restored, *weeks, *csv_unit(settings, planned)], planned)


def make_update(settings: TotalsSettings, planned: TotalsUpdate, run: StageRun) -> TotalsUpdate:
    """Fill an empty database from the history CSV file, then count the weeks that are due."""
    restored = _restored(settings, check=False)
    if planned.plan is None:
        return replace(planned, units=[*restored, *planned.units[len(restored) :]])
    plan = planned.plan
    if any(unit.status == "made" for unit in restored):
        plan = plan_totals(settings)
    return TotalsUpdate([*restored, *update_totals(settings, plan, run.observer)], plan)


def _restored(settings: TotalsSettings, *, check: bool) -> list[WorkUnit]:
    if settings.history_csv is None:
        return []
    return [
        restore_history(
            settings.history_csv,
            settings.totals_db,
            check=check,
            lock_timeout_seconds=settings.lock_timeout_seconds,
        )
    ]


def totals_outcome(settings: TotalsSettings, planned: TotalsUpdate) -> Outcome:
    """Return the outcome. The stage fails if a week could not be counted."""
    records = read_counted(settings).records
    newest = newest_complete_week(records)
    made = [unit.figures for unit in planned.units if unit.status == "made"]
    failed = [unit.name for unit in planned.units if unit.status == "failed"]
    return Outcome(
        [_with_quality(unit, records) for unit in planned.units],
        f"{len(failed)} weeks could not be counted: {', '.join(failed)}" if failed else "",
        tuple(_warnings(planned.units)),
        {
            "newest_complete_week": None if newest is None else week_name(newest),
            "hits": sum(figures.get("hits", 0) for figures in made if "rows" in figures),
            "rows": sum(figures.get("rows", 0) for figures in made),
        },
    )


def _warnings(units: Sequence[WorkUnit]) -> Iterator[str]:
    for unit in units:
        if unit.status in ("outdated", "blocked"):
            yield f"{unit.name} is {unit.status}: {'; '.join(unit.reasons)}"
        elif unit.status == "missing":
            yield "; ".join(unit.reasons)


def _with_quality(unit: WorkUnit, records: Mapping[int, WeekRecord]) -> WorkUnit:
    """Return the unit with the recorded quality of its week."""
    record = records.get(unit.figures.get("week", -1))
    if record is None:
        return unit
    # A unit has a status of its own, so the status of the week has another name.
    facts = {
        f"week_{name}" if name == "status" else name: value
        for name, value in record.quality.facts().items()
    }
    return replace(unit, figures={**unit.figures, **facts})


@contextmanager
def _lock(settings: TotalsSettings, run: StageRun) -> Iterator[None]:
    folders = {settings.totals_db.parent.absolute()}
    if settings.totals_csv is not None:
        folders.add(settings.totals_csv.parent.absolute())
    with ExitStack() as stack:
        for folder in sorted(folders):
            stack.enter_context(writer_lock(folder, run_id=run.run_id, now=run.now))
        yield


TOTALS: Stage[TotalsSettings, TotalsUpdate] = Stage(
    name="totals",
    title="Count the weeks that are due",
    reads=("raw",),
    writes=("totals",),
    topics=_TOPICS,
    settings_from=settings_from,
    plan=plan_update,
    lock=_lock,
    make=make_update,
    coverage=TOTALS_COVERAGE,
    libraries=_LIBRARIES,
    outcome=totals_outcome,
    is_due=lambda planned: planned.is_due,
)


def _deletion_settings(options: Mapping[str, Any], now: datetime) -> TotalsSettings:
    if options["history_csv"]:
        raise SettingsError(
            "option history_csv",
            expected="state=present with it",
            found="state=absent",
            advice="Leave one of the two out; nothing was changed.",
        )
    return settings_from(options, now)


def _plan_deletion(settings: TotalsSettings, _run: StageRun) -> TotalsUpdate:
    return TotalsUpdate(plan_deletion(settings))


def _delete(settings: TotalsSettings, planned: TotalsUpdate, _run: StageRun) -> TotalsUpdate:
    if not any_due(planned):
        return planned
    return TotalsUpdate(delete_totals(settings, planned.units))


DELETE: Stage[TotalsSettings, TotalsUpdate] = Stage(
    name="delete",
    title="Remove weeks from the totals",
    reads=("totals",),
    writes=("totals",),
    topics=Topics("countme-update", is_command=True),
    settings_from=_deletion_settings,
    plan=_plan_deletion,
    lock=_lock,
    make=_delete,
    libraries=_LIBRARIES,
    outcome=totals_outcome,
)
