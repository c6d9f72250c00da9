# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The memory of the sync: for each host the duration of its syncs, and the days that are complete.

Without it the next sync only compares more files: rsync compares the files themselves.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path

from .._base.errors import SourceError
from .._base.json_records import from_json, to_json
from .._storage.files import open_regular, write_bytes

MEMORY_NAME = ".sync.json"
_KEPT_DAYS = 100


@dataclass(frozen=True)
class HostMemory:
    """The memory of one host."""

    listed_since: date
    """The first day on which it was in the host list."""
    seconds: float | None = None
    """The expected duration: the mean of the last duration and the one expected before."""
    last_log: date | None = None
    """The newest day for which it had a log."""
    whole: tuple[date, ...] = ()
    """Days whose logs were all fetched, as the host listed them then; ascending."""

    def after(
        self, *, seconds: float, with_logs: Iterable[date], whole: Iterable[date]
    ) -> HostMemory:
        """Return the memory after a sync."""
        logs = [*with_logs, *([self.last_log] if self.last_log else [])]
        return replace(
            self,
            seconds=round(seconds if self.seconds is None else (self.seconds + seconds) / 2, 3),
            last_log=max(logs, default=None),
            whole=tuple(sorted({*self.whole, *whole})[-_KEPT_DAYS:]),
        )


def load_memory(dest: Path) -> dict[str, HostMemory]:
    """Read the memory by host; return an empty one if the file is absent or damaged."""
    try:
        with open_regular(dest / MEMORY_NAME) as memory:
            hosts = json.load(memory)["hosts"]
        return {host: from_json(HostMemory, record) for host, record in hosts.items()}
    except (SourceError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def synced_at(dest: Path) -> datetime | None:
    """Return the time when the last sync ended; None if it is not known."""
    try:
        return datetime.fromtimestamp((dest / MEMORY_NAME).stat().st_mtime, UTC)
    except OSError:
        return None


def save_memory(dest: Path, memory: Mapping[str, HostMemory]) -> None:
    """Write the memory for the next sync. Raises OutputError."""
    text = json.dumps({"format": 1, "hosts": to_json(dict(sorted(memory.items())))}, indent=1)
    write_bytes(dest / MEMORY_NAME, text.encode() + b"\n")
