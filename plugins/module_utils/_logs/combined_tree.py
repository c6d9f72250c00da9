# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tree of combined logs: ``COMBINED/YYYY/MM/DD/NAME`` and each day's record beside them.

The record ``.combine.json`` says for each log which files it was made of, so that a day is made
again when they change, and a count knows which hosts are in it. A tree that an earlier system made
has no records; its logs are as good as any.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from .._base.errors import OutputError, SourceError
from .._base.records import InputFile
from .._storage.files import open_regular, read_error, write_bytes
from .paths import COMPRESSIONS, day_folder, forms_of_log, is_log_name, split_compression

RECORD_NAME = ".combine.json"
RECORD_FORMAT = 1
_LARGEST_RECORD = 64 << 20


@dataclass(frozen=True)
class CombinedInput:
    """A host's log and what it gave."""

    file: InputFile
    host: str
    lines: int
    bytes: int
    undated: int

    def to_json(self) -> dict[str, Any]:
        counts = {"lines": self.lines, "bytes": self.bytes, "undated": self.undated}
        return {**self.file.to_json(), "host": self.host, **counts}

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> CombinedInput:
        counts = (int(record[name]) for name in ("lines", "bytes", "undated"))
        return cls(InputFile.from_json(record), str(record["host"]), *counts)


@dataclass(frozen=True)
class RejectedInput:
    """A host's log that was left out, and why."""

    file: InputFile
    host: str
    reason: str

    def to_json(self) -> dict[str, Any]:
        return {**self.file.to_json(), "host": self.host, "reason": self.reason}

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> RejectedInput:
        return cls(InputFile.from_json(record), str(record["host"]), str(record["reason"]))


@dataclass(frozen=True)
class CombinedLog:
    """The record of one combined log. Times in seconds since the Unix epoch, UTC."""

    inputs: tuple[CombinedInput, ...]
    hosts_expected: tuple[str, ...]
    hosts_present: tuple[str, ...]
    rejected: tuple[RejectedInput, ...]
    lines: int
    bytes: int
    undated: int
    first: int | None
    last: int | None

    def to_json(self) -> dict[str, Any]:
        return {
            "inputs": [one.to_json() for one in self.inputs],
            "hosts_expected": list(self.hosts_expected),
            "hosts_present": list(self.hosts_present),
            "rejected": [one.to_json() for one in self.rejected],
            "lines": self.lines,
            "bytes": self.bytes,
            "undated": self.undated,
            "first": self.first,
            "last": self.last,
        }

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> CombinedLog:
        return cls(
            inputs=tuple(CombinedInput.from_json(one) for one in record["inputs"]),
            hosts_expected=tuple(str(host) for host in record["hosts_expected"]),
            hosts_present=tuple(str(host) for host in record["hosts_present"]),
            rejected=tuple(RejectedInput.from_json(one) for one in record["rejected"]),
            lines=int(record["lines"]),
            bytes=int(record["bytes"]),
            undated=int(record["undated"]),
            first=None if record["first"] is None else int(record["first"]),
            last=None if record["last"] is None else int(record["last"]),
        )


@dataclass(frozen=True)
class CombinedDay:
    """The record of a day; without logs where there is none."""

    day: date
    logs: Mapping[str, CombinedLog] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        logs = {name: log.to_json() for name, log in sorted(self.logs.items())}
        return {"format": RECORD_FORMAT, "day": self.day.isoformat(), "logs": logs}


def read_combined_day(combined: Path, day: date) -> CombinedDay:
    """The record of a day in the tree.

    Raises SourceError if it is there but can't be understood, OutputError if a newer version of
    this collection wrote it.
    """
    path = day_folder(combined, day) / RECORD_NAME
    if not path.is_symlink() and not path.exists():
        return CombinedDay(day)
    with open_regular(path) as file:
        text = file.read(_LARGEST_RECORD)
    try:
        record = json.loads(text)
        if int(record["format"]) > RECORD_FORMAT:
            raise OutputError(
                path,
                expected=f"a record of format {RECORD_FORMAT}",
                found=f"format {int(record['format'])}",
                advice="A newer version of this collection made it; update this one.",
            )
        logs = {str(name): CombinedLog.from_json(log) for name, log in record["logs"].items()}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise SourceError(
            path,
            expected="the record of a combined day",
            found=f"something else ({type(error).__name__})",
            advice="Remove it; the day is then combined again from the hosts' logs.",
        ) from error
    return CombinedDay(day, logs)


def write_combined_day(combined: Path, combined_day: CombinedDay) -> None:
    """Put the record in its place."""
    text = json.dumps(combined_day.to_json(), indent=1) + "\n"
    write_bytes(day_folder(combined, combined_day.day) / RECORD_NAME, text.encode())


def combined_logs(combined: Path, day: date) -> dict[str, list[Path]]:
    """The logs of a day, whoever made them: for each name its forms, plain first.

    Raises SourceError if the folder is there but can't be read.
    """
    folder = day_folder(combined, day)
    try:
        names = {split_compression(name)[0] for name in os.listdir(folder)}
        logs = {name for name in names if name.endswith("log") and is_log_name(name)}
        return {name: forms_of_log(folder, name) for name in sorted(logs)}
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        raise read_error(folder, error) from error


def newest_days(combined: Path) -> Iterator[date]:
    """The days that have a folder in the tree, the newest first; looks no further than asked.

    Raises SourceError where a folder is there but can't be read.
    """
    return _days(combined, newest_first=True)


def oldest_days(combined: Path) -> Iterator[date]:
    """Likewise, the oldest first."""
    return _days(combined, newest_first=False)


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


def stale_forms(path: Path) -> list[Path]:
    """The other forms of a plain combined log, to be removed once it is in its place."""
    others = (path.with_name(path.name + ending) for ending in COMPRESSIONS[1:])
    return [other for other in others if other.is_symlink() or other.exists()]


def reach_of_days(root: Path) -> tuple[date | None, date | None]:
    """Return the oldest and the newest day that have a folder below ``root``.

    Raises SourceError if a folder is there but cannot be read.
    """
    return next(oldest_days(root), None), next(newest_days(root), None)
