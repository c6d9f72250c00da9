# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The outcome of the sync for each host and day, and for the run as a whole."""

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
from .shadow_tree import FetchedLogs, HostTree, ListedLog, logs_of_day

#: The status of a host is the first of these that one of its days has.
_WORST_FIRST: tuple[Status, ...] = ("unknown", "failed", "made", "due", "unchanged")


@dataclass(frozen=True)
class HostOutcome:
    """The outcome of the sync for one host."""

    host: str
    status: Status
    """``made`` or ``due``, ``unchanged``, ``missing`` (no day has a log), ``failed`` or
    ``unknown``."""
    units: tuple[WorkUnit, ...]
    attempts: int
    seconds: float
    reason: str = ""
    with_logs: tuple[date, ...] = ()
    """The days with logs of it in the hosts' tree."""
    whole: tuple[date, ...] = ()
    """The days whose logs are all here, as the host listed them now."""
    warnings: tuple[str, ...] = ()
    """Reports of refused files that belong to no unit."""

    @property
    def failed(self) -> bool:
        """True if its logs could not be fetched."""
        return self.status in ("failed", "unknown")

    def to_json(self) -> dict[str, Any]:
        """Return the outcome as the module returns it."""
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
class Attempts:
    """The attempts to fetch the logs of a host."""

    verdict: Verdict
    """The verdict on the last attempt."""
    count: int
    seconds: float
    """The duration of all attempts, with the pauses."""


def host_outcome(
    plan: HostPlan, tree: HostTree, attempts: Attempts, fetched: FetchedLogs, *, made: Status
) -> HostOutcome:
    """Return the outcome of a host; ``made`` is the status of a day with fetched logs.

    Days before the window have a unit only if a log of them was fetched or refused.
    """
    verdict = attempts.verdict
    with_logs = tuple(_days_here(plan, tree))
    refused_days = {day for day in fetched.refused if day}
    days = {*plan.days, *fetched.logs, *(refused_days & {*plan.catch_up})}
    units = tuple(
        _day_unit(plan.host, day, attempts, fetched, _status_of(day, fetched, with_logs, made))
        for day in sorted(days)
    )
    strays = _refused_strays(plan, fetched)
    return HostOutcome(
        host=plan.host,
        status=_host_status([unit.status for unit in units]),
        units=units,
        attempts=attempts.count,
        seconds=attempts.seconds,
        reason="; ".join([*filter(None, [verdict.reason]), *strays]),
        with_logs=with_logs,
        whole=_whole(verdict, with_logs, refused_days),
        warnings=_one_warning(strays) if verdict.good else (),
    )


def _status_of(
    day: date, fetched: FetchedLogs, with_logs: Collection[date], made: Status
) -> Status:
    if day in fetched.logs:
        return made
    return "unchanged" if day in with_logs else "missing"


def _day_unit(
    host: str, day: date, attempts: Attempts, fetched: FetchedLogs, status: Status
) -> WorkUnit:
    """Return the unit of a day. It has this status unless the host failed."""
    verdict = attempts.verdict
    logs = fetched.logs.get(day, [])
    # a file that was refused in several attempts is reported once
    refused = list(dict.fromkeys(fetched.refused.get(day, [])))
    figures = {
        "files": len(logs),
        "bytes": sum(log.size for log in logs),
        "attempts": attempts.count,
        "seconds": round(attempts.seconds, 3),
    }
    if not verdict.good:
        return WorkUnit(f"{host} {day}", verdict.status, (verdict.reason, *refused), figures)
    reasons = _changes(day, logs, fetched)
    if status == "missing":
        reasons = [f"no log of {day} on {host}{', except refused ones' if refused else ' yet'}"]
    if verdict.reason:
        reasons.append(verdict.reason)
    return WorkUnit(f"{host} {day}", status, (*reasons, *refused), figures, _one_warning(refused))


def _whole(
    verdict: Verdict, with_logs: Iterable[date], refused_days: Collection[date]
) -> tuple[date, ...]:
    """Return the days that need no further request: all logs are here, and none was refused."""
    if not verdict.good or verdict.reason:
        return ()
    return tuple(day for day in with_logs if day not in refused_days)


def _refused_strays(plan: HostPlan, fetched: FetchedLogs) -> list[str]:
    """Return the refusals of files that belong to no requested day, each once."""
    requested = {*plan.days, *plan.catch_up}
    refused = [
        reason
        for day, reasons in fetched.refused.items()
        if day not in requested
        for reason in reasons
    ]
    return list(dict.fromkeys(refused))


def _one_warning(refused: Sequence[str]) -> tuple[str, ...]:
    """Return a single warning for all refusals of a day or a host."""
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
            continue  # the attempt has already failed with this error


def _changes(day: date, logs: Sequence[ListedLog], fetched: FetchedLogs) -> list[str]:
    new = sum(1 for log in logs if dated_name(log.name, day) not in fetched.here_before)
    counts = ((new, "new"), (len(logs) - new, "changed"))
    return [f"{count} {kind} log{'s' * (count > 1)}" for count, kind in counts if count]


def _host_status(statuses: Sequence[Status]) -> Status:
    for status in _WORST_FIRST:
        if status in statuses:
            return status
    return "missing"


def updated_memory(
    memory: Mapping[str, HostMemory], outcomes: Iterable[HostOutcome], *, today: date
) -> dict[str, HostMemory]:
    """Return the memory after a run. Hosts that the run did not visit keep theirs."""
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
    """Return the hosts without a log in the last ``missing_after_days`` days of the window."""
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
    """Return, by host, the days before the window without a log, if it was listed by then."""
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
    """Return the reason why the stage failed; empty if it did not.

    Without a threshold the stage fails only if all hosts fail. The logs of the others are counted
    although one proxy is down, and its missing days are fetched later.
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
