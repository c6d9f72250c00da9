# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stages that make one file of each day's combined log: which days are due, and making them.

A stage says how the record of a day differs from what it would make now, and writes the file of a
day from the blocks of a log. Everything else is the same for raw days and condensed days.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Generic, Self

from .._base.errors import CountingError
from .._base.observer import NOBODY, Observer
from .._base.records import InputFile, WorkUnit
from .._logs.paths import day_folder, variants_of_log
from .._logs.read_ahead import LogBlocks
from .._logs.reading import check_same_content, open_log
from .._storage.files import read_error, replacing, size_now
from .files import DayRecord, Record, day_path


@dataclass(frozen=True)
class LogPlan:
    """The work on the file of one day."""

    unit: WorkUnit
    day: date
    forms: tuple[Path, ...] = ()
    """The log, plain or compressed; more than one where it lies there in several forms."""


@dataclass(frozen=True)
class DailyPlan:
    """The days of a stage, planned or made."""

    days: Sequence[LogPlan]

    @property
    def units(self) -> list[WorkUnit]:
        """The units of the days, in their order."""
        return [plan.unit for plan in self.days]


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


@dataclass(frozen=True)
class DailyFiles(ABC, Generic[Record]):
    """The files that a stage makes of one combined log, one for each rotation day."""

    new: ClassVar[str]
    """The reason why a file that is not there is due."""

    src: Path
    """The combined tree."""
    log_name: str
    """The name of the log, without the ending of a compression."""
    folder: Path
    """The folder of the files."""
    mode: int = 0o640
    """The permissions of the files. They hold addresses, so they are for the counting user."""

    def path(self, day: date) -> Path:
        """Return the path of the file of a day."""
        return day_path(self.folder, day)

    def without_source(self, nowhere: Path) -> Self:
        """Return the same files with an empty combined tree."""
        return replace(self, src=nowhere)

    @abstractmethod
    def read_record(self, path: Path) -> Record:
        """Read the record of a file. Raises CountingError if it has none of ours."""

    @abstractmethod
    def out_of_date(self, day: date, record: Record) -> Iterable[str]:
        """Return why a file would be made otherwise now, apart from changes of its log.

        Raises CountingError if the file must not be replaced; the day has failed then.
        """

    @abstractmethod
    def write(self, log: DayLog, unfinished: Path) -> WrittenDay:
        """Write the file of a day to ``unfinished``, which gets its name after that."""

    def plan(self, days: Sequence[date]) -> DailyPlan:
        """Compare the logs of the days with the records of their files; read records only.

        A day that cannot be examined has failed. A file without a record of ours is due.
        """
        return DailyPlan([self._plan_or_failure(day) for day in days])

    def _plan_or_failure(self, day: date) -> LogPlan:
        try:
            return self._plan_day(day)
        except OSError as error:
            explained = read_error(
                error.filename,
                error,
                expected="to look at it",
                advice="Let the counting user read it; the next run goes on from here.",
            )
            return LogPlan(WorkUnit(str(day), "failed", (str(explained),)), day)
        except CountingError as error:
            return LogPlan(WorkUnit(str(day), "failed", (str(error),)), day)

    def _plan_day(self, day: date) -> LogPlan:
        folder = day_folder(self.src, day)
        forms = tuple(variants_of_log(folder, self.log_name))
        if not forms:
            reason = f"no {self.log_name} in {folder}, plain or compressed"
            return LogPlan(WorkUnit(str(day), "missing", (reason,)), day)
        reasons = self._why_due(day, forms)
        return LogPlan(WorkUnit(str(day), "due" if reasons else "unchanged", reasons), day, forms)

    def _why_due(self, day: date, forms: Sequence[Path]) -> tuple[str, ...]:
        path = self.path(day)
        if not path.exists():
            return (self.new,)
        try:
            record = self.read_record(path)
        except CountingError as error:
            return (str(error),)
        return (*self.out_of_date(day, record), *_changed_inputs(self.src, forms, record))

    def make(
        self,
        planned: DailyPlan,
        observer: Observer = NOBODY,
        *,
        map_: Callable[
            [Callable[[LogPlan], WorkUnit], Sequence[LogPlan]], Iterator[WorkUnit]
        ] = map,
    ) -> DailyPlan:
        """Make the days that are due, and return the plan with all units as they are now.

        ``map_`` is ``map``, which makes one day after the other, or that of an executor.
        """
        due = [plan for plan in planned.days if plan.unit.status == "due"]
        # of the forms of a log the first is read
        observer.expect("bytes", sum(size_now(plan.forms[0]) for plan in due))
        made = iter(map_(partial(self.make_day, observer=observer), due))
        days = []
        for plan in planned.days:
            unit = next(made) if plan.unit.status == "due" else plan.unit
            observer.ended(unit)
            days.append(replace(plan, unit=unit))
        return DailyPlan(days)

    def make_day(self, plan: LogPlan, *, observer: Observer = NOBODY) -> WorkUnit:
        """Make one day that is due. An error of the library becomes a failed unit."""
        observer.started(plan.unit)
        started = time.monotonic()
        on_read = partial(observer.advance, "bytes", unit=plan.unit.name)
        try:
            # recorded before they are read: a file that changes meanwhile is read again by the
            # next run
            source, *other_forms = (InputFile.seen(path, self.src) for path in plan.forms)
            check_same_content(plan.forms)
            with (
                open_log(plan.forms[0], on_read=on_read) as log,
                replacing(self.path(plan.day), mode=self.mode) as unfinished,
            ):
                opened = DayLog(plan.day, self.log_name, source, tuple(other_forms), LogBlocks(log))
                written = self.write(opened, unfinished)
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


def without_address(line: str) -> str:
    """A line as it may be shown: not with the client's address, which stands first."""
    return "…" + line[len(line.split(maxsplit=1)[0]) :]
