# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which hosts and days a sync asks for, in which order; and what became of each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from math import inf
from pathlib import Path
from typing import Any, NamedTuple

from .._base.days_and_weeks import format_days
from .._base.errors import CountingError, SettingsError, printable
from .._base.records import Status, WorkUnit
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


@dataclass(frozen=True)
class HostOutcome:
    """What became of one host."""

    host: str
    status: Status
    """``made`` or ``due``, ``unchanged``, ``missing`` (of every day), ``failed`` or ``unknown``."""
    units: tuple[WorkUnit, ...]
    attempts: int
    seconds: float
    reason: str = ""
    with_logs: tuple[date, ...] = ()
    """Days it has logs for here, now."""
    whole: tuple[date, ...] = ()
    """Those of them that are as the host listed them now."""
    warnings: tuple[str, ...] = ()
    """What was refused and belongs to none of the units."""

    @property
    def failed(self) -> bool:
        return self.status in ("failed", "unknown")

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.host,
            "status": self.status,
            "files": sum(unit.figures["files"] for unit in self.units),
            "bytes": sum(unit.figures["bytes"] for unit in self.units),
            "attempts": self.attempts,
            "seconds": round(self.seconds, 3),
            "reason": self.reason,
        }


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


def remembered(
    memory: Mapping[str, HostMemory], outcomes: Iterable[HostOutcome], *, today: date
) -> dict[str, HostMemory]:
    """The memory after a run; that of hosts which it did not ask stays."""
    return dict(memory) | {
        outcome.host: memory.get(outcome.host, HostMemory(today)).after(
            seconds=outcome.seconds, with_logs=outcome.with_logs, whole=outcome.whole
        )
        for outcome in outcomes
    }


def silent_hosts(
    hosts: Iterable[str],
    memory: Mapping[str, HostMemory],
    *,
    last_day: date,
    missing_after_days: int,
) -> list[dict[str, Any]]:
    """Hosts that are listed and had no log for so many days up to the last of the window."""
    silent = []
    for host in sorted(hosts):
        known = memory[host]
        since = known.last_log or known.listed_since
        if (last_day - since).days >= missing_after_days:
            last = str(known.last_log) if known.last_log else None
            silent.append({"name": host, "last_log": last, "listed_since": str(known.listed_since)})
    return silent


def gaps(
    plans: Iterable[HostPlan], outcomes: Iterable[HostOutcome], memory: Mapping[str, HostMemory]
) -> dict[str, str]:
    """By host the days before the window that it was listed on and that have no log here yet."""
    here = {outcome.host: outcome.with_logs for outcome in outcomes}
    found = {}
    for plan in sorted(plans, key=lambda plan: plan.host):
        known = memory.get(plan.host)
        lacking = [
            day
            for day in plan.catch_up
            if known and day >= known.listed_since and day not in here.get(plan.host, ())
        ]
        if lacking:
            found[plan.host] = format_days(lacking)
    return found


def failure(outcomes: Sequence[HostOutcome], max_failed_hosts: int | None) -> str:
    """Why the whole counts as failed; empty where it doesn't.

    Without a threshold only the failure of all hosts is one: a proxy that is down must not keep
    the others from being counted, and the days it lacks are fetched later.
    """
    failed = [outcome for outcome in outcomes if outcome.failed]
    allowed = len(outcomes) - 1 if max_failed_hosts is None else max_failed_hosts
    if len(failed) <= allowed:
        return ""
    named = "; ".join(f"{one.host}: {one.reason}" for one in failed[:5])
    more = f" (and {len(failed) - 5} more)" if len(failed) > 5 else ""
    return (
        f"host list: expected at most {allowed} of {len(outcomes)} hosts to fail, "
        f"found {len(failed)}. {named}{more}"
    )
