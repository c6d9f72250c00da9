# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What became of a host and its days, from how its rsync ended and what arrived."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from .._base.errors import CountingError
from .._base.records import Status, WorkUnit
from .._logs.paths import dated_name
from .plan import HostOutcome, HostPlan
from .rsync import Verdict
from .shadow_tree import Arrived, HostTree, Listed, logs_of_day

#: The status of a host is the first of these that one of its days has.
_WORST_FIRST: tuple[Status, ...] = ("unknown", "failed", "made", "due", "unchanged")


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
