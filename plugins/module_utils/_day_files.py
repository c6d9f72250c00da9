# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Folders with one Parquet file a rotation day, each with its record in its key-value metadata."""

from __future__ import annotations

import contextlib
import json
import os
import re
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

from ._errors import OutputError
from ._files import read_error
from ._libs import pa, pq

Record = TypeVar("Record")

_RECORD_KEY = b"dnf_counting"
_ENDING = ".parquet"
_NAME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\.parquet")


def day_path(folder: Path, day: date) -> Path:
    return folder / f"{day}{_ENDING}"


def list_days(folder: Path) -> dict[date, Path]:
    """The days that are there, ascending; other files in the folder are not looked at.

    None where there is no folder. Raises SourceError where it can't be read.
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


def as_metadata(record: Mapping[str, Any]) -> dict[bytes, bytes]:
    """A record as key-value metadata of the Parquet file."""
    return {_RECORD_KEY: json.dumps(record, sort_keys=True).encode()}


def read_day_record(
    path: Path, from_json: Callable[[Mapping[str, Any]], Record], *, expected: str, advice: str
) -> Record:
    """The record of a day. Raises OutputError where the file is damaged or not ours."""
    try:
        metadata = pq.read_metadata(path).metadata or {}
        return from_json(json.loads(metadata[_RECORD_KEY]))
    except (pa.ArrowException, OSError, KeyError, TypeError, ValueError) as error:
        raise OutputError(
            path,
            expected=expected,
            found=f"{type(error).__name__}: {str(error)[:200]}",
            advice=advice,
        ) from error
