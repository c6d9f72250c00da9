# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tree of combined logs: ``COMBINED/YYYY/MM/DD/NAME``, with a record for each day.

The record ``.combine.json`` lists for each log the files it was made from. A day is made again when
these files change, and the counting stages read from it which hosts a log has. A tree of the
earlier system has no records; its logs are counted all the same.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Annotated

from .._base.errors import OutputError, SourceError
from .._base.json_records import INLINE, from_json, to_json
from .._base.records import InputFile
from .._storage.files import open_regular, read_error, write_bytes
from .paths import COMPRESSIONS, day_folder, is_log_name, split_compression, variants_of_log

RECORD_NAME = ".combine.json"
_RECORD_FORMAT = 1
_LARGEST_RECORD = 64 << 20


@dataclass(frozen=True)
class CombinedInput:
    """A host's log that was combined, and the number of its lines and bytes."""

    file: Annotated[InputFile, INLINE]
    host: str
    lines: int
    bytes: int
    undated: int
    """Lines without a time of their own."""


@dataclass(frozen=True)
class RejectedInput:
    """A host's log that was left out, and the reason."""

    file: Annotated[InputFile, INLINE]
    host: str
    reason: str


@dataclass(frozen=True)
class CombinedLog:
    """The record of one combined log. Times are in seconds since the Unix epoch, UTC."""

    inputs: tuple[CombinedInput, ...]
    hosts_expected: tuple[str, ...]
    hosts_present: tuple[str, ...]
    rejected: tuple[RejectedInput, ...]
    lines: int
    bytes: int
    undated: int
    """Lines without a time of their own."""
    first: int | None
    last: int | None


@dataclass(frozen=True)
class CombinedDay:
    """The record of a day. It has no logs if the day has no record."""

    day: date
    logs: Mapping[str, CombinedLog] = field(default_factory=dict)


def read_combined_day(combined: Path, day: date) -> CombinedDay:
    """Read the record of a day in the tree.

    Raises SourceError if the record is damaged, and OutputError if a newer version of this
    collection wrote it.
    """
    path = day_folder(combined, day) / RECORD_NAME
    if not path.is_symlink() and not path.exists():
        return CombinedDay(day)
    with open_regular(path) as file:
        text = file.read(_LARGEST_RECORD)
    try:
        record = json.loads(text)
        if int(record["format"]) > _RECORD_FORMAT:
            raise OutputError(
                path,
                expected=f"a record of format {_RECORD_FORMAT}",
                found=f"format {int(record['format'])}",
                advice="A newer version of this collection wrote it; update this one.",
            )
        logs = {name: from_json(CombinedLog, log) for name, log in record["logs"].items()}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise SourceError(
            path,
            expected="the record of a combined day",
            found=f"something else ({type(error).__name__})",
            advice="Remove it; the day is then combined again from the hosts' logs.",
        ) from error
    return CombinedDay(day, logs)


def write_combined_day(combined: Path, combined_day: CombinedDay) -> None:
    """Write the record of a day to the tree. Raises OutputError."""
    day, logs = combined_day.day, dict(sorted(combined_day.logs.items()))
    record = {"format": _RECORD_FORMAT, "day": day.isoformat(), "logs": to_json(logs)}
    text = json.dumps(record, indent=1) + "\n"
    write_bytes(day_folder(combined, day) / RECORD_NAME, text.encode())


def combined_logs(combined: Path, day: date) -> dict[str, list[Path]]:
    """Return the variants of each log of a day by its name, plain first, with or without a record.

    Raises SourceError if the folder exists but cannot be read.
    """
    folder = day_folder(combined, day)
    try:
        names = {split_compression(name)[0] for name in os.listdir(folder)}
        logs = {name for name in names if name.endswith("log") and is_log_name(name)}
        return {name: variants_of_log(folder, name) for name in sorted(logs)}
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        raise read_error(folder, error) from error


def newest_days(combined: Path) -> Iterator[date]:
    """Yield the days that have a folder in the tree, the newest first; read only what is needed.

    Raises SourceError if a folder exists but cannot be read.
    """
    return _days(combined, newest_first=True)


def _days(combined: Path, *, newest_first: bool) -> Iterator[date]:
    for year in _numbered(combined, 4, newest_first=newest_first):
        for month in _numbered(year, 2, newest_first=newest_first):
            for day in _numbered(month, 2, newest_first=newest_first):
                try:
                    yield date(int(year.name), int(month.name), int(day.name))
                except ValueError:
                    continue


def _numbered(folder: Path, digits: int, *, newest_first: bool) -> list[Path]:
    try:
        names = os.listdir(folder)
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise read_error(folder, error) from error
    numbers = [name for name in names if len(name) == digits and name.isdecimal()]
    return [folder / name for name in sorted(numbers, reverse=newest_first)]


def stale_variants(path: Path) -> list[Path]:
    """Return the compressed variants beside a plain combined log; a new plain log replaces them."""
    others = (path.with_name(path.name + ending) for ending in COMPRESSIONS[1:])
    return [other for other in others if other.is_symlink() or other.exists()]


def reach_of_days(root: Path) -> tuple[date | None, date | None]:
    """Return the oldest and the newest day that have a folder below ``root``.

    Raises SourceError if a folder exists but cannot be read.
    """
    oldest = next(_days(root, newest_first=False), None)
    return oldest, next(newest_days(root), None)
