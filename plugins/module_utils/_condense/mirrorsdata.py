# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The second half of condensing, which makes the rows of the CSV files from condensed days.

The CSV files are mirrorsdata-*.csv and mirrors-daily.csv. The clients of a date are in two
condensed days. The condensed day of the date, whose log was rotated just after midnight, holds a
few of them. The next condensed day holds most of them. A run makes the row of a date when the first
log that was rotated later is there. The row is made from both condensed days, and it is made again
when one of them changes. The order in which they arrive does not matter. A row without condensed
days stays unchanged.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import NamedTuple, TypeAlias

from .._base.days_and_weeks import format_days
from .._base.errors import CountingError
from .._base.json_records import from_json, to_json
from .._base.observer import NOBODY, Observer
from .._base.records import Status, WorkUnit
from .._daily.files import list_days
from .._storage.duckdb import Limits
from .._storage.files import UNFINISHED, replace_if_changed, write_bytes, write_error
from .columns import FEDORA_COLUMNS, Columns
from .condensed_days import read_record
from .counts import DayCounts, count_day
from .rules import UNKNOWN_ARCH, calendar_day
from .tables import (
    ALL_NAME,
    DAILY_NAME,
    DailyTable,
    MirrorsTable,
    read_daily_table,
    read_mirrors_table,
)

RECORD_NAME = ".condense.json"
UNIT_NAME = "csv"

Mark: TypeAlias = tuple[int, int]
"""The size (bytes) and time of modification (ns) of a file. Another mark means another file."""


@dataclass(frozen=True)
class CsvSettings:
    """The folders of the condensed days and of the CSV files, and the settings for the rows."""

    data_dir: Path
    csv_dir: Path
    memory_mib: int = 384
    """The memory (MiB) that the count of a day may use before it uses the disk."""
    columns: Columns = FEDORA_COLUMNS


class Source(NamedTuple):
    """A condensed day from which rows are made."""

    size: int
    mtime_ns: int
    dates: tuple[str, ...]
    """The dates as written."""

    @property
    def mark(self) -> Mark:
        """The size and time that identify the file."""
        return self.size, self.mtime_ns


class Made(NamedTuple):
    """The inputs of the rows of a day."""

    dates: tuple[str, ...]
    sources: Mapping[str, Mark]
    """The marks of the condensed days by rotation day."""
    is_whole: bool
    """True if both condensed days that hold most of the clients were there."""


@dataclass(frozen=True)
class CsvRecord:
    """The inputs of the files when they were made."""

    days: Mapping[str, Source] = field(default_factory=dict)
    made: Mapping[str, Made] = field(default_factory=dict)
    files: Mapping[str, Mark] = field(default_factory=dict)
    rules: int = FEDORA_COLUMNS.version


@dataclass(frozen=True)
class CsvPlan:
    """The plan for the rows of the CSV files."""

    unit: WorkUnit
    days: Mapping[str, Source] = field(default_factory=dict)
    wanted: Mapping[str, Made] = field(default_factory=dict)
    """All days whose rows can be made, with their inputs."""
    due: tuple[str, ...] = ()
    withdrawn: tuple[str, ...] = ()
    """Dates as written that a condensed day no longer holds after it was made again."""


def plan_csv(settings: CsvSettings) -> CsvPlan:
    """Compare the condensed days and CSV files with the record, and return the plan.

    It reads records only.
    """
    record = _read_record(settings.data_dir)
    days, damaged = _sources(settings.data_dir, record)
    wanted = _wanted(days)
    changed_files = _changed_files(settings.csv_dir, record)
    again = bool(changed_files) or not record.files or record.rules != settings.columns.version
    due = tuple(day for day, made in wanted.items() if again or record.made.get(day) != made)
    withdrawn = tuple(_withdrawn(record, days, wanted))
    reasons = [f"rows of {format_days(map(date.fromisoformat, due))}"] if due else []
    reasons += [f"{name} is not as it was left" for name in changed_files if due]
    reasons += [f"no client of {one} is left" for one in withdrawn]
    status: Status = "due" if due or withdrawn else "unchanged"
    unit = WorkUnit(UNIT_NAME, status, (*reasons, *damaged), warnings=damaged)
    return CsvPlan(unit, days, wanted, due, withdrawn)


def _read_record(data_dir: Path) -> CsvRecord:
    try:
        return from_json(CsvRecord, json.loads((data_dir / RECORD_NAME).read_bytes()))
    except (OSError, ValueError, KeyError, TypeError):
        # Without the record, all rows are made again. The result is correct in every case.
        return CsvRecord()


def _sources(data_dir: Path, record: CsvRecord) -> tuple[dict[str, Source], tuple[str, ...]]:
    days, damaged = {}, []
    for day, path in list_days(data_dir).items():
        mark = _mark_of(path)
        known = record.days.get(str(day))
        if known and known.mark == mark:
            days[str(day)] = known
            continue
        try:
            days[str(day)] = Source(*mark, tuple(sorted(read_record(path).dates)))
        except CountingError as error:
            damaged.append(f"left out: {error}")
    return days, tuple(damaged)


def _mark_of(path: Path) -> Mark:
    found = path.stat()
    return found.st_size, found.st_mtime_ns


def _wanted(days: Mapping[str, Source]) -> dict[str, Made]:
    """Return the days whose rows can be made, with their inputs.

    The row of a day can be made if a log that was rotated later holds clients of the day.
    """
    dates: dict[date, set[str]] = {}
    holders: dict[date, set[str]] = {}
    for rotated, source in days.items():
        for written in source.dates:
            day = calendar_day(written)
            dates.setdefault(day, set()).add(written)
            holders.setdefault(day, set()).add(rotated)
    return {
        str(day): Made(
            tuple(sorted(dates[day])),
            {rotated: days[rotated].mark for rotated in sorted(holders[day])},
            {str(day), str(day + timedelta(days=1))} <= days.keys(),
        )
        for day in sorted(dates)
        if max(holders[day]) > str(day)
    }


def _changed_files(csv_dir: Path, record: CsvRecord) -> list[str]:
    changed = []
    for name, mark in record.files.items():
        try:
            is_same = _mark_of(csv_dir / name) == mark
        except FileNotFoundError:
            is_same = False
        if not is_same:
            changed.append(name)
    return changed


def _withdrawn(
    record: CsvRecord, days: Mapping[str, Source], wanted: Mapping[str, Made]
) -> Iterator[str]:
    for day, made in record.made.items():
        if made.sources.keys() <= days.keys():
            still = wanted[day].dates if day in wanted else ()
            yield from (written for written in made.dates if written not in still)


def update_csv(
    plan: CsvPlan,
    settings: CsvSettings,
    *,
    observer: Observer = NOBODY,
) -> WorkUnit:
    """Make the rows that are due, and write the files that change.

    If a day cannot be counted, its row stays unchanged and the unit reports the day. Any other
    error of the library becomes a failed unit.
    """
    observer.started(plan.unit, kind=UNIT_NAME)
    try:
        unit = _update(plan, settings)
    except CountingError as error:
        unit = WorkUnit(UNIT_NAME, "failed", (str(error),))
    except OSError as error:
        unit = WorkUnit(UNIT_NAME, "failed", (str(write_error(settings.csv_dir, error)),))
    finally:
        shutil.rmtree(_spill_dir(settings), ignore_errors=True)
    observer.ended(unit, kind=UNIT_NAME)
    return unit


def _update(plan: CsvPlan, settings: CsvSettings) -> WorkUnit:
    all_path, daily_path = settings.csv_dir / ALL_NAME, settings.csv_dir / DAILY_NAME
    table = read_mirrors_table(all_path, MirrorsTable.empty(settings.columns))
    year_paths = sorted(settings.csv_dir.glob("mirrorsdata-[0-9][0-9][0-9][0-9].csv"))
    for path in year_paths:
        read_mirrors_table(path, table)
    daily = read_daily_table(daily_path)
    columns = len(table.columns)
    for gone in plan.withdrawn:
        table.rows.pop(gone, None)
        daily.rows.pop(str(calendar_day(gone)), None)
    failed = dict(_count_due(plan, settings, table, daily))

    contents = {ALL_NAME: table.to_bytes(), DAILY_NAME: daily.to_bytes()}
    for year in sorted({*table.years(), *(path.stem[-4:] for path in year_paths)}):
        contents[f"mirrorsdata-{year}.csv"] = table.to_bytes(year)
    written = [
        name
        for name, content in contents.items()
        if replace_if_changed(settings.csv_dir / name, content)
    ]
    made = {day: one for day, one in plan.wanted.items() if day not in failed}
    marks = {name: _mark_of(settings.csv_dir / name) for name in contents}
    _write_record(settings.data_dir, CsvRecord(plan.days, made, marks, settings.columns.version))
    figures = {
        "rows": len(plan.due) - len(failed),
        "files": [str(settings.csv_dir / name) for name in written],
        "new_columns": [
            f"{number:02}-{name}"
            for number, name in enumerate(table.columns[columns:], columns + 2)
        ],
    }
    reasons = (*plan.unit.reasons, *failed.values())
    status: Status = "failed" if failed else "made" if written else "unchanged"
    return WorkUnit(UNIT_NAME, status, reasons, figures, plan.unit.warnings)


def _spill_dir(settings: CsvSettings) -> Path:
    return settings.data_dir / f".spill{UNFINISHED}"


def _count_due(
    plan: CsvPlan, settings: CsvSettings, table: MirrorsTable, daily: DailyTable
) -> Iterator[tuple[str, str]]:
    """Put the rows of all due days into the tables, and yield each failed day with its error."""
    limits = Limits(_spill_dir(settings), settings.memory_mib)
    for day in plan.due:
        made = plan.wanted[day]
        paths = [settings.data_dir / f"{rotated}.parquet" for rotated in made.sources]
        try:
            to_come = settings.columns.releases_to_come(date.fromisoformat(day))
            counts = count_day(paths, made.dates, limits=limits, to_come=to_come)
        except CountingError as error:
            yield day, str(error)
            continue
        _put(day, counts, table, daily, settings.columns, is_whole=made.is_whole)


def _put(
    day: str,
    counts: DayCounts,
    table: MirrorsTable,
    daily: DailyTable,
    columns: Columns,
    *,
    is_whole: bool,
) -> None:
    """Put the rows of a day into the tables, except rows that would lose clients.

    If the log of the day itself is missing, an earlier row that was made with this log has more
    clients. The earlier row then stays.
    """
    for written, found in counts.dates.items():
        by_column = columns.counts_by_column(found.clients, found.first)
        rows = MirrorsTable(columns, list(table.columns))
        rows.replace(written, by_column)
        if is_whole or rows.clients(written) >= table.clients(written):
            table.replace(written, by_column)
    by_family: dict[tuple[str, str, str], int] = {}
    for (release, arch), clients in counts.clients.items():
        one = (*columns.family_of(release), arch.replace(UNKNOWN_ARCH, "unknown"))
        by_family[one] = by_family.get(one, 0) + clients
    if is_whole or sum(by_family.values()) >= daily.clients(day):
        daily.replace(day, by_family)


def _write_record(data_dir: Path, record: CsvRecord) -> None:
    content = json.dumps(to_json(record), sort_keys=True).encode() + b"\n"
    write_bytes(data_dir / RECORD_NAME, content, mode=0o640)
