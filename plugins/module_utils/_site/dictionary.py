# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every published file and column means, for people.

Which columns a file has comes from its maker; only their meaning is told here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from .._publish.files import MACHINES_COLUMNS, Names, names_of, week_folder
from .._publish.machines import METHOD
from .._totals.csv_file import CSV_COLUMNS
from .._totals.database import TotalsRow
from .._totals.quality import WeekQuality


class Column(NamedTuple):
    name: str
    type: str
    meaning: str


class FileKind(NamedTuple):
    """A file that is published for each profile, or once."""

    name: str
    meaning: str
    format: str
    columns: tuple[str, ...] = ()


_CSV = "CSV, UTF-8, one header row, lines end with CR LF."
_SQLITE = "SQLite 3: the table countme_totals, with an index on weeknum."
_COUNT = "whole number"
_DAY = "day, YYYY-MM-DD"
_TEXT = "text"

_MEANINGS = {
    "week": ("text, YYYY-Www", "The week by ISO 8601."),
    "week_start": (_DAY, "Its Monday; the week begins at 00:00 UTC."),
    "week_end": (_DAY, "Its Sunday, included."),
    "weeknum": (
        "text of a whole number",
        "The number of the week: week 0 began on Monday, 1970-01-05.",
    ),
    "hits": (
        _COUNT,
        "How often it was seen in the week. With a sys_age of -1: distinct addresses of each day, "
        "added up over the seven days. In quality files: all hits of the week but those.",
    ),
    "os_name": (_TEXT, "NAME of the system's os-release; empty where the client didn't tell."),
    "os_version": (_TEXT, "VERSION_ID of the system."),
    "os_variant": (_TEXT, "VARIANT_ID of the system, such as server; generic where it has none."),
    "os_arch": (_TEXT, "The architecture of the system."),
    "sys_age": (
        "whole number, as text in databases",
        "How old the installation is: 1 is its first week, 2 weeks 2 to 4, 3 weeks 5 to 24, "
        "4 older. -1 marks rows of unique addresses, another statistic.",
    ),
    "repo_tag": (_TEXT, "The repository that was asked for, such as fedora-34."),
    "repo_arch": (_TEXT, "The architecture of that repository."),
    "machines": (
        _COUNT,
        "Machines by the general method: the hits of the repository that has the most.",
    ),
    "machines_fedora_nn": (_COUNT, "Machines by the hits of the repositories fedora-NN only."),
    "status": (_TEXT, "complete, partial, provisional or unknown: see the states of weeks."),
    "expected_host_days": (_COUNT, "How many logs there should be: hosts times days."),
    "received_host_days": (_COUNT, "How many of them were there when the week was counted."),
    "malformed": (_COUNT, "Requests left out because a value in them can't be read."),
    "suspect": ("0 or 1; false or true", "Whether the week is out of the ordinary."),
    "suspect_reason": (_TEXT, "Why it is; empty where it isn't."),
    "revision": (_COUNT, "1 for the first count; grows with each count that changed the week."),
    "computed_at": ("time, ISO 8601, UTC", "When the week was counted."),
    "date": (_DAY, "The day, as the logs have it."),
    "family": (_TEXT, "What the release belongs to, such as fedora or epel."),
    "release": (_TEXT, "The release that was asked for."),
    "arch": (_TEXT, "The architecture that was asked for."),
    "clients": (_COUNT, "Distinct addresses that asked for it on the day."),
}

#: By the field of Names.
_KINDS = {
    "totals_csv": FileKind(
        "totals.csv",
        "Hits by system, age and repository, all weeks, all rows. Rows with a sys_age of -1 are "
        "another statistic, unique addresses; never add them to hits.",
        _CSV,
        CSV_COLUMNS,
    ),
    "totals_db": FileKind(
        "totals.db",
        "The rows of totals.csv as a database.",
        _SQLITE,
        tuple(TotalsRow._fields),
    ),
    "countme_db": FileKind(
        "totals-countme.db",
        "Only the hits, without unique addresses.",
        _SQLITE,
        tuple(TotalsRow._fields),
    ),
    "unique_db": FileKind(
        "totals-unique.db",
        "Only unique addresses, sys_age of -1.",
        _SQLITE,
        tuple(TotalsRow._fields),
    ),
    "parquet": FileKind(
        "totals.parquet",
        "The rows of totals.csv with real types, a row group for each week; small and fast.",
        "Apache Parquet, compressed with Zstandard: days as date32, numbers as int64.",
        CSV_COLUMNS,
    ),
    "recent_csv": FileKind("recent.csv", "The newest 52 weeks of totals.csv.", _CSV, CSV_COLUMNS),
    "machines_csv": FileKind(
        "machines.csv",
        "Machines per week and kind of system, by two declared methods. For most questions.",
        _CSV,
        MACHINES_COLUMNS,
    ),
    "machines_readme": FileKind(
        "machines-README.txt", "How machines are counted.", "Plain text, UTF-8."
    ),
    "quality_csv": FileKind(
        "quality.csv",
        "How good each week is: look there before you trust one. An empty cell isn't known.",
        _CSV,
        WeekQuality._fields,
    ),
    "quality_json": FileKind(
        "quality.json",
        "How good each week is, for programs, in the list weeks; null isn't known.",
        "JSON, with a schema_version.",
        WeekQuality._fields,
    ),
}
_WEEK = FileKind("weeks/2021-W39.csv", "The rows of one week.", _CSV, CSV_COLUMNS)
_INDEX = FileKind(
    "index.json",
    "All published files with name, profile, size in bytes, SHA-256 and time of change.",
    "JSON, with a schema_version.",
)

MIRRORS_COLUMNS = ("date", "family", "release", "arch", "clients")
_MIRRORS = {
    re.compile(r"mirrors-daily\.csv"): FileKind(
        "mirrors-daily.csv",
        "Client addresses a day, one row for each release and architecture.",
        "CSV, UTF-8, one header row.",
        MIRRORS_COLUMNS,
    ),
    re.compile(r"mirrorsdata-all\.csv"): FileKind(
        "mirrorsdata-all.csv",
        "Client addresses a day, all years: a column for each release, and for each architecture.",
        "CSV. The header names each column with its number and never moves one: new columns come "
        "last. Its first cell is 1970-01-01, that of each row is the day.",
    ),
    re.compile(r"mirrorsdata-[0-9]{4}\.csv"): FileKind(
        "mirrorsdata-2021.csv",
        "The rows of mirrorsdata-all.csv of one year.",
        "CSV, as mirrorsdata-all.csv.",
    ),
}


_READING_ORDER = (
    *("machines_csv", "machines_readme", "quality_csv", "quality_json", "recent_csv"),
    *("totals_csv", "totals_db", "countme_db", "unique_db", "parquet"),
)


def _meaning(name: str) -> Column:
    return Column(name, *_MEANINGS[name])


def reading_order(name: str, names: Names) -> tuple[int, str]:
    """Orders the files of a profile: what most readers want comes first."""
    fields = {own: field for field, own in names._asdict().items()}
    field = fields.get(name.removesuffix(".gz"), "")
    return _READING_ORDER.index(field) if field else len(_READING_ORDER), name


def kind_of(name: str, names: Names | None = None) -> FileKind | None:
    """What a published file of a profile, or of client addresses, is."""
    plain = name.removesuffix(".gz")
    for field, own in (names._asdict() if names else {}).items():
        if plain == own:
            return _KINDS[field]
    if "/" in plain:
        return _WEEK
    return next((kind for pattern, kind in _MIRRORS.items() if pattern.fullmatch(plain)), None)


def meaning_of(name: str, names: Names | None = None) -> str:
    """What a file holds, in a sentence."""
    kind = kind_of(name, names)
    if kind is None:
        return ""
    if name.endswith(".gz"):
        return f"{name.removesuffix('.gz')}, compressed."
    return (
        kind.meaning.replace(_KINDS["totals_csv"].name, names.totals_csv) if names else kind.meaning
    )


class Place(NamedTuple):
    name: str
    href: str


class Entry(NamedTuple):
    """A file in the dictionary."""

    name: str
    meaning: str
    format: str
    places: list[Place]


class Chapter(NamedTuple):
    """Files that have the same columns."""

    slug: str
    title: str
    files: list[Entry]
    columns: list[Column]


_CHAPTERS = {
    "Totals": ("totals_csv", "recent_csv", "parquet", "week"),
    "Totals as databases": ("totals_db", "countme_db", "unique_db"),
    "Machines": ("machines_csv", "machines_readme"),
    "Quality": ("quality_csv", "quality_json"),
    "List of files": ("index",),
}


def chapters_of(prefixes: Sequence[str], *, folder: str, mirrors: Iterable[Place]) -> list[Chapter]:
    """The dictionary. ``folder`` is where files of profiles are, as it stands in a link."""
    names = [names_of(prefix)._asdict() for prefix in prefixes]
    entries = {
        field: _entry(kind, [Place(one[field], f"{folder}{one[field]}") for one in names])
        for field, kind in _KINDS.items()
    }
    weeks = ", ".join(f"{week_folder(prefix)}/" for prefix in prefixes)
    entries["week"] = _entry(_WEEK, [])._replace(format=f"{_CSV} In {weeks}.")
    entries["index"] = _entry(_INDEX, [Place(_INDEX.name, f"{folder}{_INDEX.name}")])
    chapters = [
        _chapter(
            title,
            [entries[field] for field in fields],
            _KINDS[fields[0]].columns if fields[0] in _KINDS else (),
        )
        for title, fields in _CHAPTERS.items()
    ]
    return [*chapters, *_mirrors_chapter(list(mirrors))]


def _mirrors_chapter(present: Sequence[Place]) -> list[Chapter]:
    files, columns = [], list[str]()
    for pattern, kind in _MIRRORS.items():
        places = [place for place in present if pattern.fullmatch(place.name)]
        if places:
            files.append(_entry(kind, places))
            columns += kind.columns
    return [_chapter("Client addresses a day", files, columns)] if files else []


def _chapter(title: str, files: list[Entry], columns: Iterable[str]) -> Chapter:
    slug = title.lower().replace(" ", "-")
    return Chapter(slug, title, files, [_meaning(name) for name in columns])


def _entry(kind: FileKind, places: list[Place]) -> Entry:
    return Entry(kind.name, kind.meaning, kind.format, places)


def methods_of(machines_csv: str, min_hits: int) -> list[str]:
    """How numbers come about, in the words of the files themselves."""
    return [METHOD.format(machines_csv=machines_csv, min_hits=min_hits)]
