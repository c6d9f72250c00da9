# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What earlier syncs tell the next one: how long hosts took, which days are whole.

Losing it costs nothing but a longer list: rsync compares the files themselves.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from .._base.errors import SourceError
from .._storage.files import open_regular, write_bytes

MEMORY_NAME = ".sync.json"
_KEPT_DAYS = 100


@dataclass(frozen=True)
class HostMemory:
    """What is known of a host."""

    listed_since: date
    """When it was first in the host list."""
    seconds: float | None = None
    """How long it takes: half of the last time and half of what was known before."""
    last_log: date | None = None
    """The last day it had a log for."""
    whole: tuple[date, ...] = ()
    """Days that were fetched whole, as the host listed them then; ascending."""

    def after(
        self, *, seconds: float, with_logs: Iterable[date], whole: Iterable[date]
    ) -> HostMemory:
        """What is known after a sync."""
        logs = [*with_logs, *([self.last_log] if self.last_log else [])]
        return replace(
            self,
            seconds=round(seconds if self.seconds is None else (self.seconds + seconds) / 2, 3),
            last_log=max(logs, default=None),
            whole=tuple(sorted({*self.whole, *whole})[-_KEPT_DAYS:]),
        )


def load_memory(dest: Path) -> dict[str, HostMemory]:
    """What is known by host; nothing where there is no such file or it can't be understood."""
    try:
        with open_regular(dest / MEMORY_NAME) as memory:
            hosts = json.load(memory)["hosts"]
        return {host: _host_from_json(record) for host, record in hosts.items()}
    except (SourceError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def synced_at(dest: Path) -> datetime | None:
    """When the last sync ended; None where that is not known."""
    try:
        return datetime.fromtimestamp((dest / MEMORY_NAME).stat().st_mtime, UTC)
    except OSError:
        return None


def save_memory(dest: Path, memory: Mapping[str, HostMemory]) -> None:
    """Keep it for the next sync. Raises OutputError."""
    hosts = {host: _host_to_json(known) for host, known in sorted(memory.items())}
    text = json.dumps({"format": 1, "hosts": hosts}, indent=1)
    write_bytes(dest / MEMORY_NAME, text.encode() + b"\n")


def _host_from_json(record: Mapping[str, Any]) -> HostMemory:
    last_log = record["last_log"]
    return HostMemory(
        listed_since=date.fromisoformat(record["listed_since"]),
        seconds=None if record["seconds"] is None else float(record["seconds"]),
        last_log=date.fromisoformat(last_log) if last_log else None,
        whole=tuple(date.fromisoformat(day) for day in record["whole"]),
    )


def _host_to_json(known: HostMemory) -> dict[str, Any]:
    return {
        "listed_since": str(known.listed_since),
        "seconds": known.seconds,
        "last_log": str(known.last_log) if known.last_log else None,
        "whole": [str(day) for day in known.whole],
    }
