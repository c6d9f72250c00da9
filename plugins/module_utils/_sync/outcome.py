# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What became of a host and its days, from how its rsync ended and what arrived."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from .._base.days_and_weeks import format_days
from .._base.errors import CountingError
from .._base.records import Status, WorkUnit
from .._logs.paths import dated_name
from .memory import HostMemory
from .plan import HostPlan
from .rsync import Verdict
from .shadow_tree import Arrived, HostTree, Listed, logs_of_day

#: The status of a host is the first of these that one of its days has.
_WORST_FIRST: tuple[Status, ...] = ("unknown", "failed", "made", "due", "unchanged")


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


@dataclass(frozen=True)
class Tried:
    """How the attempts at a host ended."""

    verdict: Verdict
    """Of the last one."""
    attempts: int
    seconds: float
    """Of all of them, with their pauses."""


def outcome_of(
    plan: HostPlan, tree: HostTree, tried: Tried, arrived: Arrived, *, made: Status
) -> HostOutcome:
    """The outcome of a host; ``made`` is the status of days of which something arrived.

    Days before the window have a unit only where something of them arrived or was refused.
    """
    verdict = tried.verdict
    with_logs = tuple(_days_here(plan, tree))
    refused_days = {day for day in arrived.refused if day}
    spoken_of = {*plan.days, *arrived.logs, *(refused_days & {*plan.catch_up})}
    units = tuple(
        _day_unit(plan.host, day, tried, arrived, _status_of(day, arrived, with_logs, made))
        for day in sorted(spoken_of)
    )
    strays = _never_asked_for(plan, arrived)
    return HostOutcome(
        host=plan.host,
        status=_host_status([unit.status for unit in units]),
        units=units,
        attempts=tried.attempts,
        seconds=tried.seconds,
        reason="; ".join([*filter(None, [verdict.words]), *strays]),
        with_logs=with_logs,
        whole=_whole(verdict, with_logs, refused_days),
        warnings=_in_short(strays) if verdict.good else (),
    )


def _status_of(day: date, arrived: Arrived, with_logs: Collection[date], made: Status) -> Status:
    if day in arrived.logs:
        return made
    return "unchanged" if day in with_logs else "missing"


def _day_unit(host: str, day: date, tried: Tried, arrived: Arrived, status: Status) -> WorkUnit:
    """The unit of a day, whose status this is unless the host failed."""
    verdict = tried.verdict
    logs = arrived.logs.get(day, [])
    refused = list(dict.fromkeys(arrived.refused.get(day, [])))  # once, however many attempts
    figures = {
        "files": len(logs),
        "bytes": sum(log.size for log in logs),
        "attempts": tried.attempts,
        "seconds": round(tried.seconds, 3),
    }
    if not verdict.good:
        return WorkUnit(f"{host} {day}", verdict.status, (verdict.words, *refused), figures)
    reasons = _changes(day, logs, arrived)
    if status == "missing":
        reasons = [f"no log of {day} on {host} {'that can be taken' if refused else 'yet'}"]
    if verdict.words:
        reasons.append(verdict.words)
    return WorkUnit(f"{host} {day}", status, (*reasons, *refused), figures, _in_short(refused))


def _whole(
    verdict: Verdict, with_logs: Iterable[date], refused_days: Collection[date]
) -> tuple[date, ...]:
    """Days that need not be asked for again: all is here, and nothing of them was refused."""
    if not verdict.good or verdict.words:
        return ()
    return tuple(day for day in with_logs if day not in refused_days)


def _never_asked_for(plan: HostPlan, arrived: Arrived) -> list[str]:
    """What was refused of no day, or of days that have no unit; once, however many attempts."""
    asked = {*plan.days, *plan.catch_up}
    refused = [why for day, whys in arrived.refused.items() if day not in asked for why in whys]
    return list(dict.fromkeys(refused))


def _in_short(refused: Sequence[str]) -> tuple[str, ...]:
    """One warning for a day or a host, however much is refused."""
    if not refused:
        return ()
    more = f" (and {len(refused) - 1} more)" if len(refused) > 1 else ""
    return (f"{refused[0]}{more}",)


def _days_here(plan: HostPlan, tree: HostTree) -> Iterable[date]:
    for day in sorted({*plan.days, *plan.catch_up}):
        try:
            if logs_of_day(tree, day):
                yield day
        except CountingError:
            continue  # the attempt has already failed of it


def _changes(day: date, logs: Sequence[Listed], arrived: Arrived) -> list[str]:
    new = sum(1 for log in logs if dated_name(log.name, day) not in arrived.known_at_first)
    counts = ((new, "new"), (len(logs) - new, "changed"))
    return [f"{count} {kind} log{'s' * (count > 1)}" for count, kind in counts if count]


def _host_status(statuses: Sequence[Status]) -> Status:
    for status in _WORST_FIRST:
        if status in statuses:
            return status
    return "missing"


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
