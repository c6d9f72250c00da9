# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A whole run of the condense stage: days, then rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from .._base.errors import CountingError
from .._base.observer import NOBODY, Observer
from .._base.records import WorkUnit
from .._storage.files import remove_unfinished, writer_lock
from .days import CondenseSettings, condense_days, plan_condensed_days
from .mirrorsdata import UNIT_NAME, CsvSettings, plan_csv, update_csv


def run_condense(
    settings: CondenseSettings,
    csv_settings: CsvSettings,
    days: Sequence[date],
    *,
    workers: int = 2,
    check_mode: bool = False,
    run_id: str = "",
    observer: Observer = NOBODY,
) -> list[WorkUnit]:
    """Condense the days that are due and make the rows that change by it.

    Gives a unit for each day and one for the rows. Raises CountingError where nothing can be done.
    """
    units = [plan.unit for plan in plan_condensed_days(settings, days)]
    rows = plan_csv(csv_settings).unit
    is_due = any(unit.status == "due" for unit in units)
    if check_mode or not (is_due or rows.status == "due"):
        if is_due and rows.status != "due":
            rows = WorkUnit(UNIT_NAME, "due", ("days are due",))
        return [*units, rows]
    with writer_lock(settings.data_dir, run_id=run_id):
        remove_unfinished(settings.data_dir)
        # again: another run may have written meanwhile
        plans = plan_condensed_days(settings, days)
        units = condense_days(plans, settings, workers=workers, observer=observer)
        return [*units, _make_rows(csv_settings, run_id=run_id, observer=observer)]


def _make_rows(settings: CsvSettings, *, run_id: str, observer: Observer) -> WorkUnit:
    plan = plan_csv(settings)
    if plan.unit.status != "due":
        return plan.unit
    try:
        with writer_lock(settings.csv_dir, run_id=run_id):
            remove_unfinished(settings.csv_dir)
            return update_csv(plan, settings, observer=observer)
    except CountingError as error:
        return replace(plan.unit, status="failed", reasons=(str(error),))
