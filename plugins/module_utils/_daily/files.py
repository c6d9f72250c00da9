# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Folders with one Parquet file a rotation day, each with its record in its key-value metadata."""

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
    """``FOLDER/YYYY-MM-DD.parquet``."""
    return folder / f"{day}{_ENDING}"


def list_days(folder: Path) -> dict[date, Path]:
    """The days that are there, ascending; other files in the folder are not looked at.

    Empty where there is no folder. Raises SourceError where it can't be read.
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
    """What the output of a day records of the log it was made from; subclasses tell more."""

    day: str
    """The rotation day."""
    log_name: str
    rules: int
    """The version of the rules it was made by."""
    source: InputFile
    """The form of the log that was read."""
    other_forms: tuple[InputFile, ...] = ()
    """The same log once more, plain or compressed, where it lay there in several forms."""
    lines: int
    """Lines of the log that are not empty."""
    rejects: Mapping[str, int]
    """Those that count for nothing, by reason."""
    rows: int
    """Rows of the output, all of them distinct."""
    format: int
    """The version of the output's format."""

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> Self:
        """Raises KeyError, TypeError or ValueError for what is not such a record."""
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
    """The record of a day.

    Raises OutputError where the file is damaged, not ours or of another format than the known one.
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
