# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Import raw hits of the earlier system as raw days.

A raw day that was made from a log is never replaced. The database may have only a part of a day,
because it was trimmed or because the log was not read yet. The import skips such a day unless
``edge_days`` is set, because its week would be counted as if the day were complete.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from sqlite3 import Connection
from typing import Any

from .._base.days_and_weeks import DAY_SECONDS, LOG_JITTER_SECONDS, days_from, utc_today
from .._base.errors import CountingError
from .._base.observer import NOBODY, Observer
from .._base.records import InputFile, WorkUnit
from .._base.stage import Outcome, Stage, StageRun, Topics, UnitTopics, failure_of
from .._hits.host_hash import host_hasher
from .._hits.raw_days import FROM_DATABASE, RawRecord, raw_day_path, read_record
from .._hits.rules import RULES_VERSION
from .._hits.writer import RawDayWriter
from .._logs.paths import checked_log_name
from .._storage.files import read_error, remove_unfinished, replacing, writer_lock
from .old_raw_db import day_start, days_with_hits, first_and_last, open_old_raw, read_hits

#: The log of a day ends shortly after midnight. It begins with answers to requests from before the
#: midnight at its start. An imported raw day extends by this time on both sides, because an
#: adjacent raw day made from a log lacks these hits. A hit that is in both raw days counts once.
OVERLAP_SECONDS = 3600


@dataclass(frozen=True)
class ImportSettings:
    """The source of the raw hits, and the folder of the raw days."""

    raw_db: Path
    log_name: str
    """The log that the database was made from."""
    raw_dir: Path
    hash_hosts: bool = False
    edge_days: bool = False
    """True to import days even if the database may have only a part of them."""
    days: tuple[date, ...] | None = None
    """The days to import; None for all days that the database has."""
    mode: int = 0o640


@dataclass(frozen=True)
class ImportPlan:
    """The plan for one day."""

    unit: WorkUnit
    day: date


def plan_import(settings: ImportSettings, *, today: date) -> list[ImportPlan]:
    """Return the plan of the import from the days of the database and the raw days.

    Write nothing. Raises SourceError if the database can't be read.
    """
    with open_old_raw(settings.raw_db) as connection:
        source = _seen(settings)
        there = days_with_hits(connection)
        wanted = settings.days
        if wanted is None:
            wanted = tuple(day + timedelta(days=1) for day in sorted(there))
        return [
            ImportPlan(_plan_day(settings, source, connection, day, there, today), day)
            for day in wanted
        ]


def _seen(settings: ImportSettings) -> InputFile:
    try:
        return InputFile.seen(settings.raw_db.resolve(), settings.raw_db.resolve().parent)
    except OSError as error:
        raise read_error(settings.raw_db, error) from error


def _plan_day(
    settings: ImportSettings,
    source: InputFile,
    connection: Connection,
    day: date,
    there: Collection[date],
    today: date,
) -> WorkUnit:
    requests_of = day - timedelta(days=1)
    if requests_of not in there:
        return WorkUnit(str(day), "missing", (f"the database has no hit of {requests_of}",))
    if day > today:
        return WorkUnit(str(day), "skipped", (f"its hits are dated {requests_of}, not over yet",))
    path = raw_day_path(settings.raw_dir, day)
    try:
        record = read_record(path) if path.exists() else None
    except CountingError as error:
        return WorkUnit(str(day), "blocked", (str(error),))
    # The result does not depend on raw days: only the database shows that a day is complete.
    cut = "" if settings.edge_days else _cut(connection, requests_of, there)
    if cut:
        return WorkUnit(str(day), "skipped", (cut,))
    if record is None:
        return WorkUnit(str(day), "due", ("not imported yet",))
    if record.origin != FROM_DATABASE:
        return WorkUnit(str(day), "unchanged", ("it was made from the log",))
    if _is_same(record, settings, source):
        return WorkUnit(str(day), "unchanged")
    return WorkUnit(str(day), "due", ("the database or the settings have changed",))


def _is_same(record: RawRecord, settings: ImportSettings, source: InputFile) -> bool:
    recorded = (record.source, record.log_name, record.hashed, record.rules)
    return recorded == (source, settings.log_name, settings.hash_hosts, RULES_VERSION)


def _cut(connection: Connection, day: date, there: Collection[date]) -> str:
    """Return the reason why the database may have only a part of a day.

    Return an empty string if the database appears to have the complete day.
    """
    one = timedelta(days=1)
    if day - one in there and day + one in there:
        return ""
    first, last = first_and_last(connection, day)
    start, end = day_start(day), day_start(day + one)
    if day - one not in there and first > start + LOG_JITTER_SECONDS:
        return f"its hits begin at {_clock(first)}: what was before may have been trimmed"
    if day + one not in there and last < end - LOG_JITTER_SECONDS:
        return f"its hits end at {_clock(last)}: the rest may not have been read"
    return ""


def _clock(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S} UTC"


def import_days(
    plans: Sequence[ImportPlan], settings: ImportSettings, *, observer: Observer = NOBODY
) -> list[ImportPlan]:
    """Import the days that are due in sequence. Return all plans with their new units."""
    observer.expect("days", sum(plan.unit.status == "due" for plan in plans))
    done = []
    for plan in plans:
        unit = plan.unit
        if unit.status == "due":
            observer.started(unit)
            unit = _import_day(plan, settings)
            observer.advance("days", unit=unit.name)
        observer.ended(unit)
        done.append(replace(plan, unit=unit))
    return done


def _import_day(plan: ImportPlan, settings: ImportSettings) -> WorkUnit:
    began = time.monotonic()
    try:
        with open_old_raw(settings.raw_db) as connection:
            record = _write(plan.day, settings, connection)
    except (CountingError, OSError) as error:
        return replace(plan.unit, status="failed", reasons=(str(error),))
    figures = {
        "rows": record.rows,
        "rejects": dict(record.rejects),
        "seconds": round(time.monotonic() - began, 3),
    }
    return replace(plan.unit, status="made", figures=figures)


def _write(day: date, settings: ImportSettings, connection: Connection) -> RawRecord:
    source = _seen(settings)
    start = day_start(day) - DAY_SECONDS
    hash_hosts = host_hasher(settings.raw_dir, day, wanted=settings.hash_hosts)
    output = raw_day_path(settings.raw_dir, day)
    with (
        replacing(output, mode=settings.mode) as unfinished,
        RawDayWriter(unfinished, hash_hosts=hash_hosts) as writer,
    ):
        lines = rejected = 0
        end = start + DAY_SECONDS + OVERLAP_SECONDS
        for block in read_hits(connection, start - OVERLAP_SECONDS, end):
            lines += block.lines
            rejected += block.rejects["garbled"]
            writer.add(block)
        summary = writer.complete()
        record = RawRecord(
            day=str(day),
            log_name=settings.log_name,
            rules=RULES_VERSION,
            source=source,
            lines=lines,
            hits=lines - rejected,
            rejects={"garbled": rejected} if rejected else {},
            **summary.to_record(),
            hosts_expected=None,
            hosts_present=None,
            hashed=settings.hash_hosts,
            origin=FROM_DATABASE,
        )
        writer.close(record.metadata())
    return record


@dataclass(frozen=True)
class RawImport:
    """The planned or imported days of the database."""

    days: Sequence[ImportPlan]

    @property
    def units(self) -> list[WorkUnit]:
        """The units of the days, in the same order."""
        return [plan.unit for plan in self.days]


def settings_from(options: Mapping[str, Any], now: datetime) -> ImportSettings:
    """Return the settings for the options of countme_raw_import. Raises SettingsError."""
    are_named = any(options[name] is not None for name in ("dates", "since", "until", "days"))
    return ImportSettings(
        raw_db=Path(options["raw_db"]),
        log_name=checked_log_name(options["log_name"]),
        raw_dir=Path(options["raw_dir"]),
        hash_hosts=options["hash_hosts"],
        edge_days=options["edge_days"],
        days=days_from(options, today=utc_today(now), default_days=1) if are_named else None,
    )


def _plan(settings: ImportSettings, run: StageRun) -> RawImport:
    return RawImport(plan_import(settings, today=run.today))


def _make(settings: ImportSettings, planned: RawImport, run: StageRun) -> RawImport:
    return RawImport(import_days(planned.days, settings, observer=run.observer))


@contextmanager
def _lock(settings: ImportSettings, run: StageRun) -> Iterator[None]:
    with writer_lock(settings.raw_dir, run_id=run.run_id):
        remove_unfinished(settings.raw_dir)
        yield


def _outcome(_settings: ImportSettings, planned: RawImport) -> Outcome:
    return Outcome(planned.units, failure_of(planned.units, "days"))


RAW_IMPORT: Stage[ImportSettings, RawImport] = Stage(
    name="raw_import",
    title="Import the raw hits of the earlier system",
    reads=(),
    writes=("raw",),
    topics=Topics("countme-update", is_command=True, units={"": UnitTopics("day", ("log_date",))}),
    settings_from=settings_from,
    plan=_plan,
    lock=_lock,
    make=_make,
    libraries=("numpy", "pyarrow", "duckdb"),
    outcome=_outcome,
)
