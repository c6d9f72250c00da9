# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The hidden record in the web root: the inputs of pages and pictures, and the state of each file."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .._base.json_records import from_json, to_json
from .._base.records import InputFile
from .._publish.record import FileRecord
from .._storage.files import open_regular, write_bytes

RECORD_NAME = ".pages.json"
_FORMAT = 1
_NAME = re.compile(r"((assets|charts|images)/)?[a-z0-9][a-z0-9._-]*", re.ASCII)


@dataclass(frozen=True)
class ChartNote:
    """The part of a chart that other pages need; kept for runs that do not draw it."""

    name: str
    title: str
    alt: str
    section: str
    width: int
    height: int


@dataclass(frozen=True)
class SiteRecord:
    """The settings, inputs and charts of the pages; no ``inputs`` if not all could be made."""

    settings: Mapping[str, Any] = field(default_factory=dict)
    inputs: tuple[InputFile, ...] = ()
    charts: tuple[ChartNote, ...] = ()
    files: Mapping[str, FileRecord] = field(default_factory=dict)
    """By name, relative to the web root."""


def read_site_record(web_dir: Path) -> SiteRecord:
    """Return the record; an empty one if it is missing or damaged, so that all is made again."""
    path = web_dir / RECORD_NAME
    if not path.exists():
        return SiteRecord()
    with open_regular(path) as opened:
        content = opened.read()
    try:
        found = json.loads(content)
        record = from_json(SiteRecord, found)
        is_ours = found["format"] == _FORMAT and all(map(_NAME.fullmatch, record.files))
        return record if is_ours else SiteRecord()
    except (ValueError, KeyError, TypeError, AttributeError):
        return SiteRecord()


def write_site_record(web_dir: Path, record: SiteRecord) -> None:
    """Write the record, with a mode that keeps it from readers."""
    text = json.dumps({"format": _FORMAT, **to_json(record)}, indent=1, sort_keys=True)
    write_bytes(web_dir / RECORD_NAME, text.encode() + b"\n", mode=0o640)
