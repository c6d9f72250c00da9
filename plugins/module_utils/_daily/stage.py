# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The base of the stages that make one file from the combined log of each day.

It finds the days that are due, and makes them. A stage reports why the file of a day is out of
date, and writes the file of a day from the blocks of a log. Everything else is the same for raw
days and condensed days.
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
    """The forms of the log, plain or compressed. There can be several forms."""


@dataclass(frozen=True)
class DailyPlan:
    """The plan for the days of a stage. After a run, it holds the results."""

    days: Sequence[LogPlan]

    @property
    def units(self) -> list[WorkUnit]:
        """The units of the days, in the order of the days."""
        return [plan.unit for plan in self.days]


@dataclass(frozen=True)
class DayLog:
    """The open log of a day, as the input of an output."""

    day: date
    log_name: str
    source: InputFile
    other_forms: tuple[InputFile, ...]
    blocks: LogBlocks

    def recorded(self, rules: int) -> dict[str, Any]:
        """Return the fields of an output's record that describe the log and the rules."""
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
    """A written output: its record, and more figures and warnings for its unit."""

    record: DayRecord
    figures: Mapping[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class DailyFiles(ABC, Generic[Record]):
    """The files that a stage makes from one combined log, one file for each rotation day."""

    new: ClassVar[str]
    """The reason why a missing file is due."""

    src: Path
    """The combined tree."""
    log_name: str
    """The name of the log, without the suffix of a compression."""
    folder: Path
    """The folder of the files."""
    mode: int = 0o640
    """The permissions of the files. The files hold addresses and are for the counting user."""

    def path(self, day: date) -> Path:
        """Return the path of the file of a day."""
        return day_path(self.folder, day)

    def without_source(self, nowhere: Path) -> Self:
        """Return the same files with an empty combined tree."""
        return replace(self, src=nowhere)

    @abstractmethod
    def read_record(self, path: Path) -> Record:
        """Read the record of a file.

        Raises CountingError if the file has no record of this collection.
        """

    @abstractmethod
    def out_of_date(self, day: date, record: Record) -> Iterable[str]:
        """Return the reasons why a file is out of date, except changes of its log.

        Raises CountingError if the file must not be replaced. The day then fails.
        """

    @abstractmethod
    def write(self, log: DayLog, unfinished: Path) -> WrittenDay:
        """Write the file of a day to ``unfinished``, which is renamed afterwards."""

    def plan(self, days: Sequence[date]) -> DailyPlan:
        """Compare the logs of the days with the records of their files, and return the plan.

        It reads records only. A day that cannot be compared fails. A file without a record of this
        collection is due.
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
        """Make the days that are due, and return the plan with the new state of all units.

        ``map_`` is ``map``, which makes the days one after another, or the ``map`` of an executor.
        """
        due = [plan for plan in planned.days if plan.unit.status == "due"]
        # Only the first form of a log is read, so only its size counts.
        observer.expect("bytes", sum(size_now(plan.forms[0]) for plan in due))
        made = iter(map_(partial(self.make_day, observer=observer), due))
        days = []
        for plan in planned.days:
            unit = next(made) if plan.unit.status == "due" else plan.unit
            observer.ended(unit)
            days.append(replace(plan, unit=unit))
        return DailyPlan(days)

    def make_day(self, plan: LogPlan, *, observer: Observer = NOBODY) -> WorkUnit:
        """Make one day that is due, and return its unit.

        An error of the library or the system becomes a failed unit.
        """
        observer.started(plan.unit)
        started = time.monotonic()
        on_read = partial(observer.advance, "bytes", unit=plan.unit.name)
        try:
            # The files are recorded before they are read. If a file changes during the run, the
            # next run reads it again.
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
    """Return a reason if another version of the rules made the output, or an empty list."""
    if record.rules == rules:
        return []
    return [f"made by version {record.rules} of the rules, now {rules}"]


def _changed_inputs(src: Path, forms: Sequence[Path], record: DayRecord) -> list[str]:
    """Return a reason for each form of a log that an output was not made from.

    A log that was compressed later is not a change. Compression keeps the time of modification, and
    changes the size.
    """
    recorded = (record.source, *record.other_forms)
    seen = (InputFile.seen(path, src) for path in forms)
    return [f"changed input {one.path}" for one in seen if not _is_known(one, recorded)]


def _is_known(seen: InputFile, recorded: Iterable[InputFile]) -> bool:
    return any(
        seen == one or (seen.path != one.path and seen.mtime_ns == one.mtime_ns) for one in recorded
    )


def without_address(line: str) -> str:
    """Return a line without the client's address, so that a message may contain it.

    The address is the first word of the line.
    """
    return "…" + line[len(line.split(maxsplit=1)[0]) :]
