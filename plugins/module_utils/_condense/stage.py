# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The stage ``condense``, which makes condensed days and then the rows of the CSV files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

from .._base.coverage import Coverage, CoverageContext, StageCoverage, StageTree
from .._base.days_and_weeks import days_from, utc_today
from .._base.errors import CountingError
from .._base.observer import Observer
from .._base.processors import available_processors
from .._base.records import WorkUnit
from .._base.stage import Stage, StageRun, Topics, UnitTopics
from .._daily.coverage import cover_days
from .._daily.files import list_days
from .._daily.stage import DailyPlan
from .._logs.paths import checked_log_name
from .._storage.files import check_mount, remove_unfinished, writer_lock
from .columns import Columns
from .days import CondensedDays
from .mirrorsdata import CsvSettings, plan_csv, update_csv
from .repositories import Repositories

_DEFAULT_DAYS = 14


@dataclass(frozen=True)
class CondenseSettings:
    """The condensed days to make, and the CSV files that are made from them."""

    files: CondensedDays
    csv: CsvSettings
    days: tuple[date, ...] = ()
    require_mount: Path | None = None


@dataclass(frozen=True)
class CondensePlan:
    """The plan for the days and the rows. After a run, it holds the results."""

    days: DailyPlan
    rows: WorkUnit

    @property
    def units(self) -> list[WorkUnit]:
        """One unit for each day, and one unit for the rows of the CSV files."""
        return [*self.days.units, self.rows]


def settings_from(options: Mapping[str, Any], now: datetime) -> CondenseSettings:
    """Return the settings for the options of mirrorlist_condense.

    Raises SettingsError if an option is wrong.
    """
    data_dir = Path(options["data_dir"])
    return CondenseSettings(
        CondensedDays(
            src=Path(options["src"]),
            log_name=checked_log_name(options["log_name"]),
            folder=data_dir,
            workers=options["workers"] or available_processors(),
            repositories=Repositories.from_option(options.get("repositories")),
        ),
        CsvSettings(
            data_dir,
            Path(options["csv_dir"]),
            options["memory_mib"],
            Columns.from_options(
                options.get("columns"), options.get("releases"), options.get("newest_releases")
            ),
        ),
        days=days_from(options, today=utc_today(now), default_days=_DEFAULT_DAYS),
        require_mount=Path(options["require_mount"]) if options["require_mount"] else None,
    )


def plan_condense(settings: CondenseSettings, _run: StageRun) -> CondensePlan:
    """Compare logs, condensed days and CSV files with their records, and return the plan.

    Raises CountingError if the mount is missing or a folder cannot be read.
    """
    check_mount(settings.require_mount)
    days = settings.files.plan(settings.days)
    rows = plan_csv(settings.csv).unit
    if rows.status != "due" and any(unit.status == "due" for unit in days.units):
        rows = replace(rows, status="due", reasons=("days are due",), warnings=())
    return CondensePlan(days, rows)


def make_condensed(
    settings: CondenseSettings, planned: CondensePlan, run: StageRun
) -> CondensePlan:
    """Make the days that are due, and then make the rows that depend on them."""
    days = settings.files.make(planned.days, run.observer)
    return CondensePlan(days, _make_rows(settings.csv, run.run_id, run.observer))


def _make_rows(settings: CsvSettings, run_id: str, observer: Observer) -> WorkUnit:
    plan = plan_csv(settings)
    if plan.unit.status != "due":
        return plan.unit
    try:
        with writer_lock(settings.csv_dir, run_id=run_id):
            remove_unfinished(settings.csv_dir)
            return update_csv(plan, settings, observer=observer)
    except CountingError as error:
        return replace(plan.unit, status="failed", reasons=(str(error),))


@contextmanager
def _lock(settings: CondenseSettings, run: StageRun) -> Iterator[None]:
    with writer_lock(settings.files.folder, run_id=run.run_id):
        remove_unfinished(settings.files.folder)
        yield


def _trees(settings: CondenseSettings) -> list[StageTree]:
    return [StageTree("condensed", settings.files.folder, of_subject=True)]


def cover_condense(settings: CondenseSettings, context: CoverageContext) -> list[StageCoverage]:
    """Return the coverage of the condensed days."""
    folder = settings.files.folder
    if reason := context.why_unreadable(folder):
        return context.unreadable_days(reason)
    units = {str(day): one for day, one in cover_days(settings.files, context).items()}
    return [StageCoverage("day", units, max(list_days(folder), default=None))]


CONDENSE: Stage[CondenseSettings, CondensePlan] = Stage(
    name="condense",
    title="Condense the logs of the mirror list to the clients of each day",
    reads=("combined",),
    writes=("condensed", "mirrors"),
    topics=Topics("condense-mirrorlogs", units={"": UnitTopics("mirrorlist", ("log_date",))}),
    settings_from=settings_from,
    plan=plan_condense,
    lock=_lock,
    make=make_condensed,
    coverage=Coverage(
        _trees, lambda settings: [settings.files.folder], cover_condense, libraries=("pyarrow",)
    ),
    libraries=("numpy", "pyarrow", "duckdb"),
)
