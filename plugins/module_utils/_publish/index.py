# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The list of all published files, for programs."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from .._base.records import WorkUnit
from .._storage.files import has_content, replace_if_changed
from .files import INDEX
from .makers import SCHEMA_VERSION, as_json
from .record import ProfileRecord

INDEX_NAME = INDEX.pattern


def _index_of(records: Mapping[str, ProfileRecord]) -> bytes:
    """Return the list as JSON: names, sizes, hashes and times."""
    profiles = {
        name: {
            "prefix": record.settings["prefix"],
            "min_hits": record.settings["min_hits"],
            "weeks": len(record.weeks),
        }
        for name, record in sorted(records.items())
        if record.files
    }
    files = [
        {
            "name": name,
            "profile": profile,
            "size": one.size,
            "sha256": one.sha256,
            "modified": datetime.fromtimestamp(one.mtime_ns // 10**9, UTC).isoformat(),
        }
        for profile, record in sorted(records.items())
        for name, one in sorted(record.files.items())
    ]
    return as_json({"schema_version": SCHEMA_VERSION, "profiles": profiles, "files": files})


def plan_index(dest: Path, records: Mapping[str, ProfileRecord], *, due: bool) -> WorkUnit:
    """Return the unit of the list; ``due`` is true if published files are to change."""
    if due:
        return WorkUnit(INDEX_NAME, "due", ("published files change",))
    if not any(record.files for record in records.values()):
        return WorkUnit(INDEX_NAME, "waiting", ("nothing is published yet",))
    if has_content(dest / INDEX_NAME, _index_of(records)):
        return WorkUnit(INDEX_NAME, "unchanged")
    return WorkUnit(INDEX_NAME, "due", ("missing or altered",))


def write_index(dest: Path, records: Mapping[str, ProfileRecord]) -> WorkUnit:
    """Write the list if it differs, and return its unit."""
    content = _index_of(records)
    if not replace_if_changed(dest / INDEX_NAME, content):
        return WorkUnit(INDEX_NAME, "unchanged")
    return WorkUnit(INDEX_NAME, "made", ("published files changed",), {"bytes": len(content)})
