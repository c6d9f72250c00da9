# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compare two files of totals row by row, and report differences with their likely causes.

The earlier system counted each log once, in order, and counted only weeks after its newest week. It
never counted a late log. Therefore a late log is the most likely cause of a row that has grown.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from pathlib import Path
from sqlite3 import Connection
from typing import Any, NamedTuple

from .._base.days_and_weeks import format_days, parse_week, rotation_days, week_name, week_start
from .._base.errors import SourceError
from .._base.records import Status, WorkUnit
from .._base.stage import Outcome, Stage, StageRun, Topics
from .._hits.raw_days import list_raw_days
from .._hits.statistics import UNIQUE
from .._publish.public_text import csv_text
from .._storage.files import has_content, write_bytes, writer_lock
from .._totals.database import counted_weeks, open_totals, rows_of

LATE = "late log counted"
LOG_MISSING = "log missing"
TWICE = "counted twice by the earlier system"
CHANGED = "log changed since, or in part counted twice by the earlier system"
NEW_WEEK = "week not counted by the earlier system"
NEW_KIND = "rows of this kind not counted by the earlier system"

Key = tuple[str, ...]
"""A row of totals without its hits and its week. ``sys_age`` is the fifth value."""
_KEY = ("os_name", "os_version", "os_variant", "os_arch", "sys_age", "repo_tag", "repo_arch")
_SYS_AGE = _KEY.index("sys_age")
COLUMNS = ("week", "week_start", *_KEY, "old_hits", "new_hits", "likely_cause")


class Difference(NamedTuple):
    """A row that differs between the two files."""

    week: int
    key: Key
    old_hits: int
    """The hits of the row in the old file; 0 if the file has no such row."""
    new_hits: int
    cause: str


@dataclass(frozen=True)
class ComparedWeek:
    """The comparison of two counts of one week."""

    week: int
    old_rows: int
    new_rows: int
    old_hits: int
    """The sum of the countme hits, without the rows of unique addresses."""
    new_hits: int
    differences: Sequence[Difference] = field(default_factory=tuple)

    @property
    def causes(self) -> dict[str, int]:
        """The number of rows that differ, by likely cause. The most frequent cause is first."""
        return dict(Counter(one.cause for one in self.differences).most_common())

    @property
    def said(self) -> str:
        """The outcome of the comparison as a short sentence."""
        if not self.differences:
            return f"{self.new_rows} rows, all equal"
        causes = ", ".join(f"{cause}: {rows}" for cause, rows in self.causes.items())
        rows = max(self.old_rows, self.new_rows)
        return f"{len(self.differences)} of {rows} rows differ ({causes})"


def compare_totals(
    old_db: Path, new_db: Path, *, weeks: Collection[int] = (), raw_dir: Path | None = None
) -> list[ComparedWeek]:
    """Compare weeks of two files of totals, and return the weeks in ascending order.

    By default, compare the weeks that ``new_db`` has. ``raw_dir`` has the raw days of the new
    count. A missing raw day shows that its log is missing. Skip weeks that begin before the first
    raw day, unless ``weeks`` names them. Raises CountingError if one of the files does not exist or
    can't be read.
    """
    for path in (old_db, new_db):
        if not path.is_file():
            raise SourceError(
                path, expected="a file of totals", found="no file", advice="Correct the option."
            )
    there = set(list_raw_days(raw_dir)) if raw_dir else None
    with open_totals(old_db, write=False) as old, open_totals(new_db, write=False) as new:
        begin = min(there, default=date.min) if there else date.min
        wanted = sorted(weeks) or [w for w in counted_weeks(new) if week_start(w) >= begin]
        return [_compared(week, _rows(old, week), _rows(new, week), there) for week in wanted]


def _rows(connection: Connection, week: int) -> dict[Key, int]:
    """Return the hits by key. Add up rows of the earlier system that have the same key."""
    found: Counter[Key] = Counter()
    if counted_weeks(connection):
        for row in rows_of(connection, week):
            found[tuple(map(str, row[2:]))] += row.hits
    return found


def _compared(
    week: int, old: dict[Key, int], new: dict[Key, int], there: Collection[date] | None
) -> ComparedWeek:
    missing = [] if there is None else [day for day in rotation_days(week) if day not in there]
    kinds = {_is_unique(key) for key in old}
    differences = [
        Difference(
            week,
            key,
            old.get(key, 0),
            new.get(key, 0),
            _cause(old.get(key, 0), new.get(key, 0), kinds, _is_unique(key), missing),
        )
        for key in sorted(old.keys() | new.keys())
        if old.get(key, 0) != new.get(key, 0)
    ]
    return ComparedWeek(week, len(old), len(new), _hits(old), _hits(new), tuple(differences))


def _is_unique(key: Key) -> bool:
    return key[_SYS_AGE] == UNIQUE.mark


def _hits(rows: dict[Key, int]) -> int:
    return sum(hits for key, hits in rows.items() if not _is_unique(key))


def _cause(
    old: int, new: int, old_kinds: set[bool], is_unique: bool, missing: Sequence[date]
) -> str:
    if not old_kinds:
        return NEW_WEEK
    if is_unique not in old_kinds:
        return NEW_KIND
    if new > old:
        return LATE
    if missing:
        return f"{LOG_MISSING} ({format_days(missing)})"
    # Addresses are unique within a day. Thus a log that is counted twice adds no addresses.
    if new and old % new == 0 and not is_unique:
        return TWICE
    return CHANGED


def report_csv(compared: Sequence[ComparedWeek]) -> bytes:
    """Return all differences as the content of a CSV file with :data:`COLUMNS`."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    writer.writerows(_lines(compared))
    return out.getvalue().encode("utf-8", "replace")


def _lines(compared: Sequence[ComparedWeek]) -> Iterator[tuple[object, ...]]:
    for week in compared:
        for one in week.differences:
            start = week_start(one.week)
            key = (value if value == UNIQUE.mark else csv_text(value) for value in one.key)
            yield (week_name(one.week), start, *key, one.old_hits, one.new_hits, one.cause)


@dataclass(frozen=True)
class CompareSettings:
    """The two databases to compare, and the path of the report."""

    old_db: Path
    new_db: Path
    weeks: tuple[int, ...] = ()
    """The weeks to compare; empty for all weeks."""
    raw_dir: Path | None = None
    report: Path | None = None


@dataclass(frozen=True)
class Comparison:
    """The compared weeks of both databases, and the planned or written report."""

    weeks: Sequence[ComparedWeek]
    report: WorkUnit | None = None

    @property
    def units(self) -> list[WorkUnit]:
        """A unit for each week, and a unit for the report."""
        return [*map(_week_unit, self.weeks), *([self.report] if self.report else [])]


def _week_unit(week: ComparedWeek) -> WorkUnit:
    figures = {
        "old_rows": week.old_rows,
        "new_rows": week.new_rows,
        "old_hits": week.old_hits,
        "new_hits": week.new_hits,
        "causes": week.causes,
    }
    status: Status = "differs" if week.differences else "equal"
    return WorkUnit(week_name(week.week), status, (week.said,), figures)


def settings_from(options: Mapping[str, Any], _now: datetime) -> CompareSettings:
    """Return the settings for the options of countme_totals_compare. Raises SettingsError."""
    return CompareSettings(
        Path(options["old_db"]),
        Path(options["new_db"]),
        weeks=tuple(parse_week(text) for text in options["weeks"]),
        raw_dir=Path(options["raw_dir"]) if options["raw_dir"] else None,
        report=Path(options["report"]) if options["report"] else None,
    )


def _plan(settings: CompareSettings, _run: StageRun) -> Comparison:
    weeks = compare_totals(
        settings.old_db, settings.new_db, weeks=settings.weeks, raw_dir=settings.raw_dir
    )
    if settings.report is None:
        return Comparison(weeks)
    status: Status = "unchanged" if has_content(settings.report, report_csv(weeks)) else "due"
    return Comparison(weeks, WorkUnit(settings.report.name, status))


def _make(settings: CompareSettings, planned: Comparison, _run: StageRun) -> Comparison:
    if settings.report is None or planned.report is None or planned.report.status != "due":
        return planned
    # The report contains no secret, but it is not published.
    write_bytes(settings.report, report_csv(planned.weeks), mode=0o640)
    return replace(planned, report=replace(planned.report, status="made"))


def _lock(settings: CompareSettings, run: StageRun) -> AbstractContextManager[None]:
    folder = settings.report.parent if settings.report else settings.new_db.parent
    return writer_lock(folder, run_id=run.run_id)


def _outcome(_settings: CompareSettings, planned: Comparison) -> Outcome:
    differences = sum(len(week.differences) for week in planned.weeks)
    return Outcome(planned.units, facts={"differences": differences})


COMPARE: Stage[CompareSettings, Comparison] = Stage(
    name="compare",
    title="Compare the totals with those of the earlier system",
    reads=("totals",),
    writes=(),
    topics=Topics("compare"),
    settings_from=settings_from,
    plan=_plan,
    lock=_lock,
    make=_make,
    libraries=("pyarrow",),
    outcome=_outcome,
)
