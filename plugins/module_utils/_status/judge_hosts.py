# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Find the problems of hosts: missing days, and hosts on which list, groups and tree differ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

from .._base.coverage import LATE, MISSING, NOT_EXPECTED, PARTIAL, PRESENT, UNREADABLE, HostCoverage
from .._base.days_and_weeks import format_days
from .._base.problem import CRITICAL, WARNING, Problem
from .._combine.strays import StrayHosts
from .status import Status
from .thresholds import Thresholds, too_high

#: A host with logs of the last days, this many, is in service.
_SERVING_DAYS = 7
#: The most names in one problem.
_MOST_NAMES = 10


@dataclass(frozen=True)
class JudgementInputs:
    """The inputs of the judgement beside the status."""

    thresholds: Thresholds
    begin: date | None
    """The oldest day with any data."""
    today: date
    stray: StrayHosts
    odd_names: tuple[str, ...] = ()
    uncombined_hosts: Mapping[str, date] = field(default_factory=dict)
    is_scheduled: bool = False
    """True if the name of a timer is configured."""
    is_blind: bool = False
    """True if some places do not answer, so that the days in them are unknown."""


def names_of(names: list[str]) -> str:
    """Return the first names, and the number of the others."""
    more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    return ", ".join(names[:_MOST_NAMES]) + more


def judged_days(inputs: JudgementInputs, days: list[date]) -> list[date]:
    """Return the days that are young enough to be judged."""
    since = inputs.today - timedelta(days=inputs.thresholds.judged_days)
    return [day for day in days if day >= since]


def host_days(status: Status, inputs: JudgementInputs) -> Iterator[Problem]:
    """Yield the problems of hosts with missing days, one for all hosts that lack the same days."""
    by_days: dict[tuple[str, tuple[date, ...]], list[str]] = {}
    for host in status.hosts:
        for state in (MISSING, PARTIAL, UNREADABLE):
            days = judged_days(inputs, host.days_that_are(state))
            if days:
                by_days.setdefault((state, tuple(days)), []).append(host.name)
    for (state, span), names in by_days.items():
        problem = _host_problem(state, list(span), names, inputs)
        if problem:
            yield problem


def _host_problem(
    state: str, days: list[date], names: list[str], inputs: JudgementInputs
) -> Problem | None:
    span, since = format_days(days), str(days[0])
    if state == MISSING:
        severity = too_high(len(days), inputs.thresholds.host_missing_days)
        if severity is None:
            return None
        return Problem(
            severity,
            "sync",
            f"{names_of(names)}: no log of {span}",
            since,
            "Check that the host runs, rotates and serves its logs; the next syncs request these "
            "days again. If the host was removed, remove it from the host list.",
        )
    if state == PARTIAL:
        return Problem(
            WARNING,
            "sync",
            f"{names_of(names)}: logs of {span} may be incomplete",
            since,
            "The next sync requests them again; see why the last one did not succeed.",
        )
    return Problem(
        CRITICAL,
        "sync",
        f"{names_of(names)}: the logs of {span} can't be read",
        since,
        "Let the counting user read them; the reasons of these days name the place.",
    )


def share_of_hosts(status: Status, inputs: JudgementInputs) -> Iterator[Problem]:
    """Yield a problem if many hosts lack the newest day whose logs should be there."""
    for day in reversed(status.days):
        expected = [h for h in status.hosts if h.days[day].state not in (NOT_EXPECTED, LATE)]
        if not expected or not any(h.days[day].state in (MISSING, PRESENT) for h in expected):
            continue
        missing = [host.name for host in expected if host.days[day].state == MISSING]
        share = 100 * len(missing) / len(expected)
        if severity := too_high(share, inputs.thresholds.hosts_missing_percent):
            yield Problem(
                severity,
                "sync",
                f"{len(missing)} of {len(expected)} hosts have no log of {day}",
                str(day),
                "Check that this machine reaches them: its network, their firewalls.",
            )
        return


def _in_service(
    hosts: Mapping[str, HostCoverage], names: tuple[str, ...], today: date
) -> list[str]:
    """Return the hosts with logs of the last days; the folders of others may be left over."""
    since = today - timedelta(days=_SERVING_DAYS)
    newest = {name: hosts[name].newest for name in names if name in hosts}
    return [name for name, day in newest.items() if day is not None and day >= since]


def host_list(status: Status, inputs: JudgementInputs) -> Iterator[Problem]:
    """Yield the differences between the host list, the groups and the hosts' tree."""
    hosts, stray = {host.name: host for host in status.hosts}, inputs.stray
    unexpected = _in_service(hosts, stray.unexpected, inputs.today)
    without_log = sorted(h.name for h in status.hosts if h.listed and not _is_known(h))
    found = [
        (
            unexpected,
            "hosts that have logs and are not in the host list",
            "Add them to the host list.",
        ),
        (
            _in_service(hosts, stray.unmatched, inputs.today),
            "hosts that have logs, and are in no group: nothing of theirs is combined",
            "Correct the patterns of the groups, or add a group.",
        ),
        (
            _in_service(hosts, tuple(sorted(inputs.uncombined_hosts)), inputs.today),
            "hosts whose logs no group's pattern matches: nothing of theirs is combined",
            "Correct the patterns of the logs in the groups.",
        ),
        (
            list(stray.without_group),
            "hosts in the host list that are in no group",
            "Correct the patterns of the groups, or the host list.",
        ),
        (
            without_log,
            "hosts in the host list without any log so far",
            "Run the sync; check that the names are right and that the hosts serve their logs.",
        ),
        (
            list(stray.empty_groups),
            "groups whose pattern matches no host in the hosts' tree",
            "Correct the pattern; hosts may have other names now.",
        ),
        (
            list(inputs.odd_names),
            "folders in the hosts' tree whose names are no host names",
            "Examine and remove them.",
        ),
    ]
    for names, what, advice in found:
        if names:
            yield Problem(WARNING, "sync", f"{what}: {names_of(names)}", "", advice)


def _is_known(host: HostCoverage) -> bool:
    """Return whether the host ever had a log, or should have had one."""
    return host.newest is not None or any(one.state != NOT_EXPECTED for one in host.days.values())
