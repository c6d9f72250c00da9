# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Coverage of the stage ``combine``, from its plan."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path

from .._base.coverage import (
    BLOCKED,
    LATE,
    OUT_OF_DATE,
    PARTIAL,
    PRESENT,
    UNREADABLE,
    Calendar,
    Coverage,
    CoverageContext,
    CoverageState,
    StageCoverage,
    StageTree,
    State,
    since_begin,
    worst,
)
from .._base.errors import CountingError
from .._base.records import Status
from .._logs.combined_tree import combined_logs, reach_of_days
from .._logs.hosts_tree import HostsTree, existing_hosts_tree
from .._logs.paths import day_folder
from .plan import CombineSettings, PlannedLog, plan_logs

_STATES: Mapping[Status, State] = {"waiting": LATE, "blocked": BLOCKED}


def _trees(settings: CombineSettings) -> list[StageTree]:
    dest = settings.dest
    return [
        StageTree(
            "combined",
            dest,
            mount=settings.require_mount,
            reach=lambda: reach_of_days(dest),
            folder_of_day=lambda day: day_folder(dest, day),
        )
    ]


def _places(settings: CombineSettings) -> list[Path | None]:
    return [settings.dest, settings.require_mount, settings.src]


def _cover_combine(settings: CombineSettings, context: CoverageContext) -> list[StageCoverage]:
    """Return the coverage of the combined logs of each day."""
    if reason := context.why_unreadable(settings.dest, settings.require_mount):
        return context.unreadable_days(reason)
    if reason := context.why_unreadable(settings.src):
        return context.unreadable_days(f"the hosts' logs: {reason}")
    calendar = context.calendar
    try:
        tree = existing_hosts_tree(settings.src)
    except CountingError:
        # the coverage of the hosts reports the error; combined logs are judged without the tree
        tree = HostsTree(settings.src, (), ())
    by_day: dict[date, list[PlannedLog]] = {}
    usual: dict[str, set[str]] = {}
    for log in plan_logs(settings, tree, calendar.days, today=calendar.today):
        by_day.setdefault(log.day, []).append(log)
        usual.setdefault(log.name, set()).update(log.record.hosts_present if log.record else ())
    units = {
        str(day): worst(
            _combined(calendar, log, settings.dest, usual[log.name]) for log in by_day.get(day, ())
        )
        for day in calendar.days
    }
    return [StageCoverage("day", units, reach_of_days(settings.dest)[1])]


def _combined(calendar: Calendar, log: PlannedLog, dest: Path, usual: set[str]) -> CoverageState:
    """Return the state of a combined log.

    ``usual`` are the hosts with this log on some day. Not every host of a group serves each site.
    """
    unit = log.unit
    reasons = tuple(f"{log.name}: {reason}" if log.name else reason for reason in unit.reasons)
    if unit.status == "due":
        is_there = log.record is not None or bool(combined_logs(dest, log.day).get(log.name))
        return CoverageState(OUT_OF_DATE if is_there else LATE, reasons)
    if unit.status == "unchanged":
        lacking = sorted(usual.intersection(unit.figures.get("hosts_missing") or ()))
        if lacking:
            reasons = (*reasons, f"{log.name}: without {', '.join(lacking)}")
        damaged = bool(unit.warnings)
        return CoverageState(PARTIAL if lacking or damaged else PRESENT, reasons, damaged)
    if unit.status == "missing":
        return calendar.absent(log.day, reasons)
    covered = CoverageState(_STATES.get(unit.status, UNREADABLE), reasons)
    return since_begin(covered, log.day, calendar.begin)


COMBINE_COVERAGE: Coverage[CombineSettings] = Coverage(_trees, _places, _cover_combine)
