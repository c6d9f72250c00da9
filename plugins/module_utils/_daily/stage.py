# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Outputs that are made of one combined log, one a rotation day: which are due, and making them.

A stage says how the record of an output differs from what it would make now, and writes an output
from the blocks of a log; all else is the same for raw days and condensed days.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from .._base.errors import CountingError
from .._base.observer import NOBODY, Observer
from .._base.records import InputFile, WorkUnit
from .._logs.paths import day_folder, forms_of_log
from .._logs.read_ahead import LogBlocks
from .._logs.reading import check_same_forms, open_log
from .._storage.files import read_error, replacing, size_now
from .files import DayRecord, Record


@dataclass(frozen=True)
class LogPlan:
    """What is to be done about the output of one day."""

    unit: WorkUnit
    day: date
    forms: tuple[Path, ...] = ()
    """The log, plain or compressed; more than one where it lies there in several forms."""


class LogSettings(Protocol):
    """Which log it is, and where its outputs go."""

    @property
    def src(self) -> Path:
        """The combined tree."""

    @property
    def log_name(self) -> str:
        """Its name there, without the ending of a compression."""

    @property
    def mode(self) -> int:
        """Permissions of the outputs."""

    def output(self, day: date) -> Path:
        """Where the output of a day lies."""


def plan_log_days(
    settings: LogSettings,
    days: Sequence[date],
    *,
    new: str,
    read_record: Callable[[Path], Record],
    out_of_date: Callable[[date, Record], Iterable[str]],
) -> list[LogPlan]:
    """Compare the logs of the days with the records of their outputs; reads records only.

    ``new`` is the reason why an output that is not there is due. ``out_of_date`` gives the reasons
    why one would be made otherwise now, beside changes of the log; where it raises, the day has
    failed, as has one that can't be looked at. An output without a record of its own is due.
    """

    def why_due(day: date, forms: Sequence[Path]) -> tuple[str, ...]:
        output = settings.output(day)
        if not output.exists():
            return (new,)
        try:
            record = read_record(output)
        except CountingError as error:
            return (str(error),)
        return (*out_of_date(day, record), *_changed_inputs(settings.src, forms, record))

    plans = []
    for day in days:
        try:
            plans.append(_plan_day(settings, day, why_due))
        except OSError as error:
            explained = read_error(
                error.filename,
                error,
                expected="to look at it",
                advice="Let the counting user read it; the next run goes on from here.",
            )
            plans.append(LogPlan(WorkUnit(str(day), "failed", (str(explained),)), day))
        except CountingError as error:
            plans.append(LogPlan(WorkUnit(str(day), "failed", (str(error),)), day))
    return plans


def _plan_day(
    settings: LogSettings,
    day: date,
    why_due: Callable[[date, Sequence[Path]], tuple[str, ...]],
) -> LogPlan:
    folder = day_folder(settings.src, day)
    forms = tuple(forms_of_log(folder, settings.log_name))
    if not forms:
        reason = f"no {settings.log_name} in {folder}, plain or compressed"
        return LogPlan(WorkUnit(str(day), "missing", (reason,)), day)
    reasons = why_due(day, forms)
    return LogPlan(WorkUnit(str(day), "due" if reasons else "unchanged", reasons), day, forms)


def other_rules(record: DayRecord, rules: int) -> list[str]:
    """The reason why an output is out of date that was made by another version of the rules."""
    if record.rules == rules:
        return []
    return [f"made by version {record.rules} of the rules, now {rules}"]


def _changed_inputs(src: Path, forms: Sequence[Path], record: DayRecord) -> list[str]:
    """Forms of a log that an output was not made from, as reasons.

    One that was compressed since is no change: that keeps the time of modification, and changes
    the size.
    """
    recorded = (record.source, *record.other_forms)
    seen = (InputFile.seen(path, src) for path in forms)
    return [f"changed input {one.path}" for one in seen if not _is_known(one, recorded)]


def _is_known(seen: InputFile, recorded: Iterable[InputFile]) -> bool:
    return any(
        seen == one or (seen.path != one.path and seen.mtime_ns == one.mtime_ns) for one in recorded
    )


def make_log_days(
    plans: Sequence[LogPlan],
    make: Callable[[LogPlan], WorkUnit],
    observer: Observer,
    *,
    over: Callable[[Callable[[LogPlan], WorkUnit], Sequence[LogPlan]], Iterator[WorkUnit]] = map,
) -> list[WorkUnit]:
    """Make what is due; the units of all plans, in their order.

    ``over`` is ``map``, for one after the other, or that of an executor.
    """
    due = [plan for plan in plans if plan.unit.status == "due"]
    # of the forms of a log the first is read
    observer.expect("bytes", sum(size_now(plan.forms[0]) for plan in due))
    made = iter(over(make, due))
    units = []
    for plan in plans:
        unit = next(made) if plan.unit.status == "due" else plan.unit
        observer.ended(unit)
        units.append(unit)
    return units


@dataclass(frozen=True)
class DayLog:
    """The log of a day, open for an output to be made from it."""

    day: date
    log_name: str
    source: InputFile
    other_forms: tuple[InputFile, ...]
    blocks: LogBlocks

    def recorded(self, rules: int) -> dict[str, Any]:
        """What was read, and by which rules, as the fields of these names of an output's record."""
        return {
            "day": str(self.day),
            "log_name": self.log_name,
            "rules": rules,
            "source": self.source,
            "other_forms": self.other_forms,
            "lines": self.blocks.lines,
            "rejects": dict(sorted(self.blocks.rejects.items())),
        }


@dataclass(frozen=True)
class WrittenDay:
    """An output that was written: its record, and what its unit says beside it."""

    record: DayRecord
    figures: Mapping[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


def make_log_day(
    plan: LogPlan,
    settings: LogSettings,
    write: Callable[[DayLog, Path], WrittenDay],
    *,
    observer: Observer = NOBODY,
) -> WorkUnit:
    """Make one output that is due. An error of the library becomes a failed unit.

    ``write`` writes it to the path it is given, which takes its place once that is done.
    """
    observer.started(plan.unit)
    started = time.monotonic()
    on_read = partial(observer.advance, "bytes", unit=plan.unit.name)
    try:
        # as they are before they are read: what changes meanwhile is made again by the next run
        source, *other_forms = (InputFile.seen(path, settings.src) for path in plan.forms)
        check_same_forms(plan.forms)
        with (
            open_log(plan.forms[0], on_read=on_read) as log,
            replacing(settings.output(plan.day), mode=settings.mode) as unfinished,
        ):
            written = write(
                DayLog(plan.day, settings.log_name, source, tuple(other_forms), LogBlocks(log)),
                unfinished,
            )
    except (CountingError, OSError) as error:
        return replace(plan.unit, status="failed", reasons=(str(error),))
    record = written.record
    figures = {
        "lines": record.lines,
        "rows": record.rows,
        "rejects": dict(record.rejects),
        **written.figures,
        "bytes_read": source.size,
        "seconds": round(time.monotonic() - started, 3),
    }
    return replace(plan.unit, status="made", figures=figures, warnings=written.warnings)


def without_address(line: str) -> str:
    """A line as it may be shown: not with the client's address, which stands first."""
    return "…" + line[len(line.split(maxsplit=1)[0]) :]
