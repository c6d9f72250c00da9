# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The hidden record beside the published files: the inputs of each, and its size, time and hash."""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from .._base.json_records import from_json, to_json
from .._base.records import InputFile
from .._storage.files import open_regular, write_bytes
from .totals_reader import WeekFigures

RECORD_NAME = ".publish.json"
_FORMAT = 1
_NAME = re.compile(r"([a-z0-9][a-z0-9._-]*/)?[A-Za-z0-9][A-Za-z0-9._-]*", re.ASCII)


class FileRecord(NamedTuple):
    """A published file as the last run left it."""

    size: int
    mtime_ns: int
    sha256: str


class PublishedWeek(NamedTuple):
    """The published state of a week."""

    rows: int
    hits: int
    revision: int | None
    digest: str
    """A digest of all its rows."""

    @property
    def figures(self) -> WeekFigures:
        """The number of its rows and hits."""
        return WeekFigures(self.rows, self.hits)


@dataclass(frozen=True)
class ProfileRecord:
    """The inputs and settings of the files of one profile, and the files."""

    settings: Mapping[str, Any] = field(default_factory=dict)
    inputs: tuple[InputFile, ...] = ()
    weeks: Mapping[int, PublishedWeek] = field(default_factory=dict)
    files: Mapping[str, FileRecord] = field(default_factory=dict)
    """By name, relative to the published folder."""


def read_records(dest: Path) -> dict[str, ProfileRecord]:
    """Return the records by profile; none if the file is damaged, so that all is made again."""
    path = dest / RECORD_NAME
    if not path.exists():
        return {}
    with open_regular(path) as opened:
        content = opened.read()
    try:
        found = json.loads(content)
        if found["format"] != _FORMAT:
            return {}
        return {name: _record_from(record) for name, record in found["profiles"].items()}
    except (ValueError, KeyError, TypeError, AttributeError):
        return {}


def write_records(dest: Path, records: Mapping[str, ProfileRecord]) -> None:
    """Write the records, with a mode that keeps them from readers: they name paths of this host."""
    record = {"format": _FORMAT, "profiles": to_json(records)}
    content = json.dumps(record, indent=1, sort_keys=True)
    write_bytes(dest / RECORD_NAME, content.encode() + b"\n", mode=0o640)


def _record_from(found: Mapping[str, Any]) -> ProfileRecord:
    record = from_json(ProfileRecord, found)
    if not all(map(_NAME.fullmatch, record.files)):
        raise ValueError("a name that no published file has")
    return record


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of the content of a file."""
    digest = hashlib.sha256()
    with open_regular(path) as opened:
        while block := opened.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def is_unchanged(path: Path, recorded: FileRecord | None) -> bool:
    """Return true if a published file has the recorded size and time."""
    if recorded is None:
        return False
    try:
        found = os.stat(path, follow_symlinks=False)
    except OSError:
        return False
    return stat.S_ISREG(found.st_mode) and (found.st_size, found.st_mtime_ns) == recorded[:2]


def published_now(path: Path, sha256: str) -> FileRecord:
    """Return the record of a published file as it is now, with the known hash."""
    found = os.stat(path, follow_symlinks=False)
    return FileRecord(found.st_size, found.st_mtime_ns, sha256)
