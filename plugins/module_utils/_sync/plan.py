# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The hosts and days that a sync requests, in their order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from math import inf
from pathlib import Path
from typing import NamedTuple

from .._base.errors import CountingError, SettingsError, printable
from .._logs.paths import checked_host
from .memory import HostMemory
from .rsync import source_address
from .shadow_tree import HostTree, logs_of_day


class Source(NamedTuple):
    """A host and the folder its rotated logs come from."""

    host: str
    address: str


@dataclass(frozen=True)
class HostPlan:
    """What to ask one host for, in one connection."""

    host: str
    address: str
    days: tuple[date, ...]
    """The window."""
    catch_up: tuple[date, ...] = ()
    """Days before it that are not known to be whole here."""


def sources_of(hosts: Iterable[object], template: str) -> list[Source]:
    """The sources of a host list whose entries are names or mappings of ``name`` and ``source``.

    Sorted, each host once. Raises SettingsError.
    """
    found: dict[str, str] = {}
    for entry in hosts:
        host, address = _source(entry, template)
        if found.setdefault(host, address) != address:
            raise SettingsError(
                "option hosts",
                expected="one source for a host",
                found=f"two for {host}: {printable(found[host])} and {printable(address)}",
                advice="Remove one of them.",
            )
    if not found:
        raise SettingsError(
            "option hosts",
            expected="at least one host",
            found="none",
            advice="List the hosts whose logs are to be fetched.",
        )
    return [Source(*pair) for pair in sorted(found.items())]


def _source(entry: object, template: str) -> Source:
    if isinstance(entry, Mapping) and entry.keys() <= {"name", "source"} and "name" in entry:
        name, template = entry["name"], entry.get("source") or template
    else:
        name = entry
    if not isinstance(name, str) or not isinstance(template, str):
        raise SettingsError(
            "option hosts",
            expected="host names, or mappings with name and source",
            found=printable(str(entry)),
            advice="Correct that entry.",
        )
    host = checked_host(name)
    return Source(host, source_address(template, host))


def plan_hosts(
    sources: Iterable[Source],
    days: Sequence[date],
    *,
    dest: Path,
    memory: Mapping[str, HostMemory],
    catch_up_days: int,
) -> list[HostPlan]:
    """What to ask each host for; the slowest first, so that the whole ends soonest."""
    reach = _reach(days, catch_up_days)
    plans = [
        HostPlan(
            source.host,
            source.address,
            tuple(days),
            tuple(day for day in reach if not _is_whole(dest, source.host, day, memory)),
        )
        for source in sources
    ]
    return sorted(plans, key=lambda plan: (-_seconds(plan.host, memory), plan.host))


def _reach(days: Sequence[date], catch_up_days: int) -> list[date]:
    """The days before a window that are less than ``catch_up_days`` before its end."""
    end = days[0].toordinal()
    begin = max(days[-1].toordinal() - catch_up_days + 1, date.min.toordinal())
    return [date.fromordinal(number) for number in range(begin, end)]


def _is_whole(dest: Path, host: str, day: date, memory: Mapping[str, HostMemory]) -> bool:
    known = memory.get(host)
    if known is None or day not in known.whole:
        return False
    try:
        return bool(logs_of_day(HostTree(dest, host), day))
    except CountingError:
        return False  # the sync of that host will fail of it, and of that host alone


def _seconds(host: str, memory: Mapping[str, HostMemory]) -> float:
    """How long a host will take; one never seen may be the slowest."""
    known = memory.get(host)
    return inf if known is None or known.seconds is None else known.seconds
