# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Folders with one Parquet file per rotation day.

The key-value metadata of each file holds its record.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any, Self, TypeVar

from .._base.errors import OutputError
from .._base.json_records import from_json
from .._base.libs import pa, pq
from .._base.records import InputFile
from .._storage.files import read_error

Record = TypeVar("Record", bound="DayRecord")

_RECORD_KEY = b"dnf_counting"
_ENDING = ".parquet"
_NAME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\.parquet")


def day_path(folder: Path, day: date) -> Path:
    """Return the path ``FOLDER/YYYY-MM-DD.parquet``."""
    return folder / f"{day}{_ENDING}"


def list_days(folder: Path) -> dict[date, Path]:
    """Return the days that have a file, in ascending order, and skip all other files.

    The result is empty if the folder does not exist. Raises SourceError if the folder cannot be
    read.
    """
    try:
        names = sorted(os.listdir(folder))
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise read_error(folder, error) from error
    found = {}
    for name in names:
        with contextlib.suppress(ValueError):
            if _NAME.fullmatch(name):
                found[date.fromisoformat(name[: -len(_ENDING)])] = folder / name
    return found


@dataclass(frozen=True, kw_only=True)
class DayRecord:
    """The record of the log that the output of a day was made from. Subclasses add fields."""

    day: str
    """The rotation day."""
    log_name: str
    rules: int
    """The version of the rules that made the output."""
    source: InputFile
    """The form of the log that was read."""
    other_forms: tuple[InputFile, ...] = ()
    """Other forms of the same log, plain or compressed, if the log was there in several forms."""
    lines: int
    """The number of lines of the log that are not empty."""
    rejects: Mapping[str, int]
    """The number of rejected lines by reason."""
    rows: int
    """The number of rows of the output. All rows are distinct."""
    format: int
    """The version of the output's format."""

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> Self:
        """Return the record from its JSON values.

        Raises KeyError, TypeError or ValueError if the values are not such a record.
        """
        values = dict(record)
        values["source"] = from_json(InputFile, values["source"])
        values["other_forms"] = tuple(from_json(InputFile, one) for one in values["other_forms"])
        return cls(**values)

    def to_json(self) -> dict[str, Any]:
        """Return the record as JSON values."""
        return asdict(self)

    def metadata(self) -> dict[bytes, bytes]:
        """Return the record as key-value metadata of the Parquet file."""
        return {_RECORD_KEY: json.dumps(self.to_json(), sort_keys=True).encode()}


def read_day_record(
    path: Path, kind: type[Record], *, known_format: int, expected: str, advice: str
) -> Record:
    """Return the record of a day.

    Raises OutputError if the file is damaged, has no record of this collection, or has a format
    other than ``known_format``.
    """
    try:
        metadata = pq.read_metadata(path).metadata or {}
        record = kind.from_json(json.loads(metadata[_RECORD_KEY]))
        if record.format != known_format:
            raise ValueError(f"format {record.format}, not {known_format}")
        return record
    except (pa.ArrowException, OSError, KeyError, TypeError, ValueError) as error:
        raise OutputError(
            path,
            expected=expected,
            found=f"{type(error).__name__}: {str(error)[:200]}",
            advice=advice,
        ) from error
