# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The data dictionary: the meaning of every published file and column."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from .._publish.columns import Column, base_column, described
from .._publish.distribution import FEDORA_BASE, BaseRepositories
from .._publish.files import (
    CHAPTERS,
    FILES,
    INDEX,
    MACHINES_CSV,
    TOTALS_CSV,
    WEEK_CSV,
    PublishedFile,
    file_named,
    week_folder,
)


class _MirrorsFile(NamedTuple):
    """A file of client addresses a day."""

    pattern: re.Pattern[str]
    example: str
    meaning: str
    format: str
    columns: tuple[Column, ...] = ()


MIRRORS_COLUMNS = ("date", "family", "release", "arch", "clients")
_MIRRORS = (
    _MirrorsFile(
        re.compile(r"mirrors-daily\.csv"),
        "mirrors-daily.csv",
        "Client addresses a day, one row for each release and architecture.",
        "CSV, UTF-8, one header row.",
        described(MIRRORS_COLUMNS),
    ),
    _MirrorsFile(
        re.compile(r"mirrorsdata-all\.csv"),
        "mirrorsdata-all.csv",
        "Client addresses a day, all years: a column for each release, and for each architecture.",
        "CSV. The header names each column with its number and never moves one: new columns come "
        "last. Its first cell is 1970-01-01, that of each row is the day.",
    ),
    _MirrorsFile(
        re.compile(r"mirrorsdata-[0-9]{4}\.csv"),
        "mirrorsdata-2021.csv",
        "The rows of mirrorsdata-all.csv of one year.",
        "CSV, as mirrorsdata-all.csv.",
    ),
)


def reading_order(name: str, prefix: str) -> tuple[int, str]:
    """Return a key that orders the files of a profile, the most useful ones first."""
    file = file_named(name, prefix)
    return (FILES.index(file) if file in FILES else len(FILES)), name


def meaning_of(name: str, prefix: str) -> str:
    """Describe a published file of a profile in a sentence."""
    if name.endswith(".gz"):
        return f"{name.removesuffix('.gz')}, compressed."
    file = file_named(name, prefix)
    if file is None:
        return ""
    return file.meaning.replace(TOTALS_CSV.example, TOTALS_CSV.name_of(prefix))


def meaning_of_mirrors(name: str) -> str:
    """Describe a file of client addresses in a sentence."""
    if name.endswith(".gz"):
        return f"{name.removesuffix('.gz')}, compressed."
    return next((one.meaning for one in _MIRRORS if one.pattern.fullmatch(name)), "")


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


def chapters_of(
    prefixes: Sequence[str],
    *,
    folder: str,
    mirrors: Iterable[Place],
    bases: Iterable[BaseRepositories] = (FEDORA_BASE,),
) -> list[Chapter]:
    """Return the dictionary. ``folder`` is the folder of the profiles' files, as in a link.

    ``bases`` are the base repositories of the profiles.
    """
    by_base = dict.fromkeys(map(base_column, bases))
    chapters = []
    for title in CHAPTERS:
        files = [one for one in (*FILES, WEEK_CSV, INDEX) if one.chapter == title]
        entries = [_entry(one, prefixes, folder) for one in files]
        columns = files[0].columns
        if MACHINES_CSV in files:
            columns = (*columns[:-1], *by_base)
        chapters.append(_chapter(title, entries, columns))
    return [*chapters, *_mirrors_chapter(list(mirrors))]


def _entry(file: PublishedFile, prefixes: Sequence[str], folder: str) -> Entry:
    if file == WEEK_CSV:
        folders = ", ".join(f"{week_folder(prefix)}/" for prefix in prefixes)
        return Entry(file.example, file.meaning, f"{file.format} In {folders}.", [])
    names = dict.fromkeys(file.name_of(prefix) for prefix in prefixes)
    places = [Place(name, f"{folder}{name}") for name in names]
    return Entry(file.example, file.meaning, file.format, places)


def _mirrors_chapter(present: Sequence[Place]) -> list[Chapter]:
    files, columns = [], list[Column]()
    for one in _MIRRORS:
        places = [place for place in present if one.pattern.fullmatch(place.name)]
        if places:
            files.append(Entry(one.example, one.meaning, one.format, places))
            columns += one.columns
    return [_chapter("Client addresses a day", files, columns)] if files else []


def _chapter(title: str, files: list[Entry], columns: Iterable[Column]) -> Chapter:
    return Chapter(title.lower().replace(" ", "-"), title, files, [*columns])
