# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The stage ``raw``: make a raw day, a Parquet file, for each rotation day and combined log."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from .._base.coverage import (
    LATE,
    MISSING,
    TRIMMED,
    Coverage,
    CoverageContext,
    CoverageState,
    StageCoverage,
    StageTree,
)
from .._base.days_and_weeks import days_from, utc_today
from .._base.errors import CountingError, printable
from .._base.observer import NOBODY, Observer
from .._base.processors import available_processors
from .._base.stage import Outcome, Stage, StageRun, Topics, UnitTopics, failure_of
from .._daily.coverage import cover_days
from .._daily.stage import (
    DailyFiles,
    DailyPlan,
    DayLog,
    WrittenDay,
    other_rules,
    without_address,
)
from .._logs.combined_tree import read_combined_day
from .._logs.paths import checked_log_name
from .._storage.files import remove_unfinished, writer_lock
from .raw_days import (
    FROM_LOG,
    RawRecord,
    list_raw_days,
    read_record,
    read_trimmed_through,
)
from .rules import RULES_VERSION

if TYPE_CHECKING:
    from .fast_path import BlockReader

_DEFAULT_DAYS = 14
#: The maximum number of days that are made at once. Two days keep two processors busy, and each day
#: takes some 250 MB.
_DAYS_AT_ONCE = 2
_SAMPLES = 5


@dataclass(frozen=True)
class RawDays(DailyFiles[RawRecord]):
    """The raw days of one log."""

    new: ClassVar[str] = "not counted yet"

    hash_hosts: bool = False
    workers: int = 1
    """The number of blocks of a log that are read at the same time."""
    reader: BlockReader | None = None
    """The reader that all days of one process share.

    It keeps the results of its rules from one day, and uses them for the other days.
    """

    def read_record(self, path: Path) -> RawRecord:
        return read_record(path)

    def out_of_date(self, day: date, record: RawRecord) -> Iterator[str]:
        if record.origin != FROM_LOG:
            yield "imported from the raw hits of an earlier system, and now there is its log"
        if record.log_name != self.log_name:
            yield f"made from {printable(record.log_name)}, not from {self.log_name}"
        if record.hashed != self.hash_hosts:
            yield f"addresses are {'' if record.hashed else 'not '}hashed in it"
        yield from other_rules(record, RULES_VERSION)
        try:
            if (record.hosts_expected, record.hosts_present) != self._hosts(day):
                yield "the record of its hosts has changed"
        except CountingError as error:
            yield str(error)

    def _hosts(self, day: date) -> tuple[tuple[str, ...] | None, tuple[str, ...] | None]:
        """Return the hosts expected and present in the combined log; None if not recorded."""
        log = read_combined_day(self.src, day).logs.get(self.log_name)
        if log is None:
            return None, None
        return log.hosts_expected or None, log.hosts_present

    def write(self, log: DayLog, unfinished: Path) -> WrittenDay:
        # These imports run only when a day is due, because a run without changes has to stay light.
        from .fast_path import BlockReader
        from .host_hash import host_hasher
        from .writer import RawDayWriter

        expected, present = self._hosts(log.day)
        hash_hosts = host_hasher(self.folder, log.day, wanted=self.hash_hosts)
        reader = self.reader or BlockReader()
        samples: list[tuple[str, str]] = []
        with RawDayWriter(unfinished, hash_hosts=hash_hosts) as writer:
            for hits in log.blocks.results(reader.hits, self.workers):
                samples += hits.samples[: _SAMPLES - len(samples)]
                writer.add(hits)
            summary = writer.complete()
            record = RawRecord(
                **log.recorded(RULES_VERSION),
                hits=log.blocks.accepted,
                **summary.to_record(),
                hosts_expected=expected,
                hosts_present=present,
                hashed=self.hash_hosts,
            )
            writer.close(record.metadata())
        shown_samples = [
            {"reason": reason, "line": printable(without_address(line))} for reason, line in samples
        ]
        return WrittenDay(record, {"hits": record.hits, "samples": shown_samples})


@dataclass(frozen=True)
class RawSettings:
    """The raw days to make, and how many processors to use for all of them."""

    files: RawDays
    days: tuple[date, ...] = ()
    workers: int = 1


def settings_from(options: Mapping[str, Any], now: datetime) -> RawSettings:
    """Return the settings for the options of countme_raw. Raises SettingsError."""
    return RawSettings(
        RawDays(
            src=Path(options["src"]),
            log_name=checked_log_name(options["log_name"]),
            folder=Path(options["raw_dir"]),
            hash_hosts=options["hash_hosts"],
        ),
        days=days_from(options, today=utc_today(now), default_days=_DEFAULT_DAYS),
        workers=options["workers"] or available_processors(),
    )


def make_raw_days(
    files: RawDays,
    planned: DailyPlan,
    *,
    workers: int = 1,
    executor: Executor | None = None,
    observer: Observer = NOBODY,
) -> DailyPlan:
    """Make the raw days that are due.

    ``executor`` makes whole days, on this machine or on others. By default, threads of this process
    make a few days at once: one day is read while the hits of another are written. ``workers`` is
    the number of processors to use.
    """
    # This import runs only when a day is due, because a run without changes has to stay light.
    from .fast_path import BlockReader

    if executor is not None:
        return replace(files, workers=workers).make(planned, map_=executor.map)
    due = sum(unit.status == "due" for unit in planned.units)
    at_once = max(1, min(_DAYS_AT_ONCE, workers, due))
    files = replace(files, workers=max(1, workers // at_once), reader=BlockReader())
    with ThreadPoolExecutor(at_once) as threads:
        return files.make(planned, observer, map_=threads.map)


def _plan(settings: RawSettings, _run: StageRun) -> DailyPlan:
    return settings.files.plan(settings.days)


def _make(settings: RawSettings, planned: DailyPlan, run: StageRun) -> DailyPlan:
    return make_raw_days(settings.files, planned, workers=settings.workers, observer=run.observer)


@contextmanager
def _lock(settings: RawSettings, run: StageRun) -> Iterator[None]:
    with writer_lock(settings.files.folder, run_id=run.run_id):
        remove_unfinished(settings.files.folder)
        yield


def _outcome(_settings: RawSettings, planned: DailyPlan) -> Outcome:
    return Outcome(planned.units, failure_of(planned.units, "days"))


def _trees(settings: RawSettings) -> list[StageTree]:
    folder = settings.files.folder

    def reach() -> tuple[date | None, date | None]:
        days = list_raw_days(folder)
        return min(days, default=None), max(days, default=None)

    return [StageTree("raw", folder, of_subject=True, reach=reach)]


def cover_raw(settings: RawSettings, context: CoverageContext) -> list[StageCoverage]:
    """Return the coverage of the raw days.

    Raises OutputError if the record of the days that were trimmed is damaged.
    """
    folder = settings.files.folder
    if reason := context.why_unreadable(folder):
        return context.unreadable_days(reason)
    trimmed = read_trimmed_through(folder)
    units = {
        str(day): CoverageState(TRIMMED)
        if one.state in (LATE, MISSING) and trimmed is not None and day <= trimmed
        else one
        for day, one in cover_days(settings.files, context).items()
    }
    return [StageCoverage("day", units, max(list_raw_days(folder), default=None))]


RAW: Stage[RawSettings, DailyPlan] = Stage(
    name="raw",
    title="Find the hits in the combined logs",
    reads=("combined",),
    writes=("raw",),
    topics=Topics("countme-update", is_command=True, units={"": UnitTopics("day", ("log_date",))}),
    settings_from=settings_from,
    plan=_plan,
    lock=_lock,
    make=_make,
    coverage=Coverage(
        _trees, lambda settings: [settings.files.folder], cover_raw, libraries=("pyarrow",)
    ),
    libraries=("numpy", "pyarrow", "duckdb"),
    outcome=_outcome,
)
