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


class HostSource(NamedTuple):
    """A host, and the address of the folder with its rotated logs."""

    host: str
    address: str


@dataclass(frozen=True)
class HostPlan:
    """The days that one connection to a host requests."""

    host: str
    address: str
    days: tuple[date, ...]
    """The window of the run."""
    catch_up: tuple[date, ...] = ()
    """Days before the window whose logs may not all be here."""


def sources_of(hosts: Iterable[object], template: str) -> list[HostSource]:
    """Return the sources for the entries of a host list, each host once and sorted.

    An entry is a name, or a mapping with ``name`` and ``source``. Raises SettingsError.
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
    return [HostSource(*pair) for pair in sorted(found.items())]


def _source(entry: object, template: str) -> HostSource:
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
    return HostSource(host, source_address(template, host))


def plan_hosts(
    sources: Iterable[HostSource],
    days: Sequence[date],
    *,
    dest: Path,
    memory: Mapping[str, HostMemory],
    catch_up_days: int,
) -> list[HostPlan]:
    """Return the plan of each host. The slowest host comes first, so that the run ends soonest."""
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
    """Return the days before the window that are less than ``catch_up_days`` before its end."""
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
        return False  # the sync of that host will report the error, and other hosts go on


def _seconds(host: str, memory: Mapping[str, HostMemory]) -> float:
    """Return the expected duration of a host; a new host may be the slowest."""
    known = memory.get(host)
    return inf if known is None or known.seconds is None else known.seconds
