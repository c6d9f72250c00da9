# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The published files of a profile: the name, the maker and the description of each.

A new file needs an entry here, a test and a document.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, TypeAlias

from .._base.days_and_weeks import week_name
from .._totals.csv_reader import CSV_COLUMNS
from .._totals.database import COUNTME_ROWS, UNIQUE_ROWS, TotalsRow
from .._totals.quality import WeekQuality
from .columns import Column, base_column, described
from .distribution import FEDORA_BASE, BaseRepositories
from .makers import (
    MACHINES_COLUMNS,
    WeekWriter,
    weeks_as_csv,
    weeks_as_parquet,
    write_machines_csv,
    write_machines_readme,
    write_quality_csv,
    write_quality_json,
)
from .totals_reader import Totals, write_totals_db

#: Readers that do not need the whole history get the weeks of a year.
_RECENT_WEEKS = 52

_EXAMPLE_PREFIX = "totals"
_EXAMPLE_WEEK = "2021-W39"

_CSV = "CSV, UTF-8, one header row, lines end with CR LF."
_SQLITE = "SQLite 3: the table countme_totals, with an index on weeknum."
_JSON = "JSON, with a schema_version."


class StagedTotals(NamedTuple):
    """One state of the totals of a profile, from which its files are made."""

    totals_db: Path
    """The copy that is to be published."""
    totals: Totals
    prefix: str
    min_hits: int
    base: BaseRepositories


Maker: TypeAlias = Callable[[StagedTotals, Path], None]
WeeklyMaker: TypeAlias = Callable[[Path], AbstractContextManager[WeekWriter]]


@dataclass(frozen=True, kw_only=True)
class PublishedFile:
    """A file that is published for each profile."""

    pattern: str
    """Its name. ``{prefix}`` is the profile's; ``{suffix}`` is the part of it after ``totals``."""
    chapter: str
    """The heading in the data dictionary. Files of one chapter have the same columns."""
    meaning: str
    format: str
    columns: tuple[Column, ...] = ()
    compressed: bool = False
    """True if a ``.gz`` lies beside it."""
    make: Maker | None = None
    """Writes the file from one state of the totals."""
    make_weekly: WeeklyMaker | None = None
    """Writes the file week by week, in the one pass over totals.csv."""
    newest_weeks: int | None = None
    """The number of weeks that ``make_weekly`` gets; None stands for all."""

    def name_of(self, prefix: str, week: str = _EXAMPLE_WEEK) -> str:
        """Return its name, relative to the published folder."""
        suffix = prefix.removeprefix("totals") if prefix.startswith("totals") else f"-{prefix}"
        return self.pattern.format(prefix=prefix, suffix=suffix, week=week)

    @property
    def example(self) -> str:
        """Its name for the prefix ``totals``."""
        return self.name_of(_EXAMPLE_PREFIX)


def _copy_of_rows(rows: str) -> Maker:
    """Return the maker of a database that holds some rows of the totals."""

    def make(source: StagedTotals, target: Path) -> None:
        write_totals_db(source.totals_db, target, rows=rows)

    return make


MACHINES_CSV = PublishedFile(
    pattern="machines{suffix}.csv",
    chapter="Machines",
    meaning="Machines per week and kind of system, by two declared methods. For most questions.",
    format=_CSV,
    columns=(*described(MACHINES_COLUMNS), base_column(FEDORA_BASE)),
    compressed=True,
    make=lambda source, target: write_machines_csv(
        target,
        source.totals_db,
        source.totals.figures,
        min_hits=source.min_hits,
        base=source.base,
    ),
)
MACHINES_README = PublishedFile(
    pattern="machines{suffix}-README.txt",
    chapter="Machines",
    meaning="The method by which machines are counted.",
    format="Plain text, UTF-8.",
    make=lambda source, target: write_machines_readme(
        target,
        machines_csv=MACHINES_CSV.name_of(source.prefix),
        min_hits=source.min_hits,
        base=source.base,
    ),
)
QUALITY_CSV = PublishedFile(
    pattern="quality{suffix}.csv",
    chapter="Quality",
    meaning="The quality of each week: look there before you trust one. "
    "An empty cell stands for a fact that is not known.",
    format=_CSV,
    columns=described(WeekQuality._fields),
    make=lambda source, target: write_quality_csv(target, [*source.totals.quality.values()]),
)
QUALITY_JSON = PublishedFile(
    pattern="quality{suffix}.json",
    chapter="Quality",
    meaning="The quality of each week, for programs, in the list weeks; null stands for a fact "
    "that is not known.",
    format=_JSON,
    columns=described(WeekQuality._fields),
    make=lambda source, target: write_quality_json(target, [*source.totals.quality.values()]),
)
RECENT_CSV = PublishedFile(
    pattern="recent{suffix}.csv",
    chapter="Totals",
    meaning="The newest 52 weeks of totals.csv.",
    format=_CSV,
    columns=described(CSV_COLUMNS),
    compressed=True,
    make_weekly=weeks_as_csv,
    newest_weeks=_RECENT_WEEKS,
)
#: The copy of the CSV file of the totals. It is made before the files that are made week by week.
TOTALS_CSV = PublishedFile(
    pattern="{prefix}.csv",
    chapter="Totals",
    meaning="Hits by system, age and repository, all weeks, all rows. Rows with a sys_age of -1 "
    "are another statistic, unique addresses; never add them to hits.",
    format=_CSV,
    columns=described(CSV_COLUMNS),
    compressed=True,
)
#: The copy of the database of the totals. It is made first: all other files show its state.
TOTALS_DB = PublishedFile(
    pattern="{prefix}.db",
    chapter="Totals as databases",
    meaning="The rows of totals.csv as a database.",
    format=_SQLITE,
    columns=described(TotalsRow._fields),
    compressed=True,
)
COUNTME_DB = PublishedFile(
    pattern="{prefix}-countme.db",
    chapter="Totals as databases",
    meaning="Only the hits, without unique addresses.",
    format=_SQLITE,
    columns=described(TotalsRow._fields),
    compressed=True,
    make=_copy_of_rows(COUNTME_ROWS),
)
UNIQUE_DB = PublishedFile(
    pattern="{prefix}-unique.db",
    chapter="Totals as databases",
    meaning="Only unique addresses, sys_age of -1.",
    format=_SQLITE,
    columns=described(TotalsRow._fields),
    compressed=True,
    make=_copy_of_rows(UNIQUE_ROWS),
)
PARQUET = PublishedFile(
    pattern="{prefix}.parquet",
    chapter="Totals",
    meaning="The rows of totals.csv with real types, a row group for each week; small and fast.",
    format="Apache Parquet, compressed with Zstandard: days as date32, numbers as int64.",
    columns=described(CSV_COLUMNS),
    make_weekly=weeks_as_parquet,
)

#: All files of a profile except those of single weeks, the most useful ones first.
FILES = (
    MACHINES_CSV,
    MACHINES_README,
    QUALITY_CSV,
    QUALITY_JSON,
    RECENT_CSV,
    TOTALS_CSV,
    TOTALS_DB,
    COUNTME_DB,
    UNIQUE_DB,
    PARQUET,
)

#: One file for each week.
WEEK_CSV = PublishedFile(
    pattern="weeks{suffix}/{week}.csv",
    chapter="Totals",
    meaning="The rows of one week.",
    format=_CSV,
    columns=described(CSV_COLUMNS),
)
#: One file for all profiles.
INDEX = PublishedFile(
    pattern="index.json",
    chapter="List of files",
    meaning="All published files with name, profile, size in bytes, SHA-256 and time of change.",
    format=_JSON,
)

#: The chapters of the data dictionary, in their order.
CHAPTERS = ("Totals", "Totals as databases", "Machines", "Quality", "List of files")


def names_of(prefix: str) -> list[str]:
    """Return the names of all files of a profile except those of single weeks, sorted."""
    names = [one.name_of(prefix) for one in FILES]
    return sorted([*names, *(f"{name}.gz" for name in compressed_of(prefix))])


def compressed_of(prefix: str) -> list[str]:
    """Return the names of the files of a profile that have a ``.gz`` beside them."""
    return [one.name_of(prefix) for one in FILES if one.compressed]


def week_folder(prefix: str) -> str:
    """Return the folder of the files of single weeks, relative to the published folder."""
    return WEEK_CSV.name_of(prefix).partition("/")[0]


def week_file(prefix: str, week: int) -> str:
    """Return the name of the file of a week, relative to the published folder."""
    return WEEK_CSV.name_of(prefix, week_name(week))


def file_named(name: str, prefix: str) -> PublishedFile | None:
    """Return the file that has a name, or whose ``.gz`` has it; None if there is none."""
    plain = name.removesuffix(".gz")
    if plain.startswith(f"{week_folder(prefix)}/"):
        return WEEK_CSV
    return next((one for one in FILES if one.name_of(prefix) == plain), None)
