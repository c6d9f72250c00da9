# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The coverage of the stages that make one file from the combined log of each day.

The plans of the stages give the coverage.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

from .._base.coverage import (
    LATE,
    OUT_OF_DATE,
    PRESENT,
    UNREADABLE,
    Calendar,
    CoverageContext,
    CoverageState,
)
from .._base.records import WorkUnit
from .files import day_path
from .stage import DailyFiles

#: A folder that does not exist. It replaces a combined tree that cannot be read.
_NOWHERE = Path("/nonexistent")


def cover_days(files: DailyFiles[Any], context: CoverageContext) -> dict[date, CoverageState]:
    """Return the state of each day.

    If the combined tree cannot be read, only the state of existing files is known.
    """
    source_is_there = not context.why_unreadable(files.src)
    planned = (files if source_is_there else files.without_source(_NOWHERE)).plan(
        context.calendar.days
    )
    covered = {
        plan.day: _made_day(context.calendar, plan.unit, plan.day, files.folder)
        for plan in planned.days
    }
    if source_is_there:
        return covered
    return {day: _unsure(one) for day, one in covered.items()}


def _made_day(calendar: Calendar, unit: WorkUnit, day: date, folder: Path) -> CoverageState:
    """Return the state of a day whose file is made from a combined log."""
    is_there = day_path(folder, day).exists()
    if unit.status == "failed":
        return CoverageState(UNREADABLE, unit.reasons)
    if unit.status == "unchanged" or (unit.status == "missing" and is_there):
        return CoverageState(PRESENT, unit.reasons)
    if unit.status == "missing":
        return calendar.absent(day, unit.reasons)
    return CoverageState(OUT_OF_DATE if is_there else LATE, unit.reasons)


def _unsure(covered: CoverageState) -> CoverageState:
    """Return the state of a day when the combined logs cannot be read."""
    if covered.state == PRESENT:
        return covered
    return CoverageState(UNREADABLE, ("the combined logs cannot be read",))
