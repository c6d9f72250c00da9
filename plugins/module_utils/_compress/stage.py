# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The stage ``compress``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from .._base.coverage import (
    LATE,
    PRESENT,
    UNREADABLE,
    Coverage,
    CoverageContext,
    CoverageState,
    StageCoverage,
    State,
    worst,
)
from .._base.days_and_weeks import parse_day, utc_today
from .._base.records import WorkUnit
from .._base.stage import Outcome, Stage, StageRun, Topics, UnitTopics
from .._logs.combined_tree import combined_logs
from .._logs.paths import split_compression
from .._storage.files import writer_lock
from .compression import (
    CompressSettings,
    PlannedCompression,
    compress_logs,
    first_day_to_keep,
    plan_compression,
    set_niceness,
)

#: Only one run compresses a tree. It holds the lock of the combined tree only for moments, so that
#: logs can be combined at the same time.
_LOCK_NAME = ".compressing"


@dataclass(frozen=True)
class _CompressPlan:
    """The plain logs of past days, planned or compressed."""

    logs: Sequence[PlannedCompression]

    @property
    def units(self) -> list[WorkUnit]:
        """The units of the logs, the oldest first."""
        return [one.unit for one in self.logs]


def settings_from(options: Mapping[str, Any], now: datetime) -> CompressSettings:
    """Return the settings for the options of http_log_compress. Raises SettingsError."""
    before: date | None = parse_day(options["before"], "before") if options["before"] else None
    return CompressSettings(
        src=Path(options["src"]),
        before=first_day_to_keep(utc_today(now), before=before, keep_days=options["keep_days"]),
        form=options["form"],
        level=options["level"],
        workers=options["workers"],
        nice=options["nice"],
    )


def _plan_compress(settings: CompressSettings, _run: StageRun) -> _CompressPlan:
    """Find the logs that are still plain. Raises SourceError if there is no combined tree."""
    return _CompressPlan(plan_compression(settings))


def _make_compressed(
    settings: CompressSettings, planned: _CompressPlan, run: StageRun
) -> _CompressPlan:
    """Compress the logs that are due, at a low priority."""
    set_niceness(settings.nice)
    return _CompressPlan(compress_logs(planned.logs, settings, observer=run.observer))


def _compress_outcome(settings: CompressSettings, planned: _CompressPlan) -> Outcome:
    """Return the outcome; the stage fails if a log could not be compressed."""
    failed = sum(unit.status == "failed" for unit in planned.units)
    failure = f"{failed} logs could not be compressed; see units for the reasons"
    return Outcome(
        planned.units,
        failure if failed else "",
        facts={"before": settings.before.isoformat()},
    )


def _lock(settings: CompressSettings, run: StageRun) -> AbstractContextManager[None]:
    return writer_lock(settings.src, run_id=run.run_id, name=_LOCK_NAME)


def _cover(settings: CompressSettings, context: CoverageContext) -> list[StageCoverage]:
    """Return the coverage of the compressed logs; nothing is expected of days that stay plain."""
    if reason := context.why_unreadable(settings.src):
        return context.unreadable_days(reason)
    days: dict[str, list[CoverageState]] = {}
    for one in plan_compression(settings):
        state: State = UNREADABLE if one.unit.status == "failed" else LATE
        days.setdefault(one.unit.parts()[0], []).append(CoverageState(state, one.unit.reasons))
    compressed = [
        day
        for day in context.calendar.days
        if day < settings.before and _is_compressed(settings, day)
    ]
    units = {
        str(day): worst(
            [*days.get(str(day), ()), *([CoverageState(PRESENT)] if day in compressed else [])]
        )
        for day in context.calendar.days
    }
    return [StageCoverage("day", units, max(compressed, default=None))]


def _is_compressed(settings: CompressSettings, day: date) -> bool:
    paths = [path for variants in combined_logs(settings.src, day).values() for path in variants]
    return any(split_compression(path.name)[1] for path in paths)


COMPRESS: Stage[CompressSettings, _CompressPlan] = Stage(
    name="compress",
    title="Compress the combined logs of past months",
    reads=("combined",),
    writes=("combined",),
    topics=Topics("compress", units={"": UnitTopics("log", ("log_date", "log"))}),
    settings_from=settings_from,
    plan=_plan_compress,
    lock=_lock,
    make=_make_compressed,
    coverage=Coverage(lambda _settings: (), lambda settings: [settings.src], _cover),
    libraries=("zstandard",),
    outcome=_compress_outcome,
)
