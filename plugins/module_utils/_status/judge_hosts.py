# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Problems of hosts: days that did not come, and where host list, groups and tree don't agree."""

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

#: Logs of a host that came so many days ago, or later, show that it serves.
_SERVING_DAYS = 7
#: So many names are given in one problem.
_MOST_NAMES = 10


@dataclass(frozen=True)
class Findings:
    """What the judgement needs beside the status."""

    thresholds: Thresholds
    begin: date | None
    """The oldest day of anything."""
    today: date
    stray: StrayHosts
    odd_names: tuple[str, ...] = ()
    uncombined_hosts: Mapping[str, date] = field(default_factory=dict)
    is_scheduled: bool = False
    """Whether a timer or a file of cron jobs is named."""
    is_blind: bool = False
    """Whether some places do not answer, so that days may be there of which nothing is known."""


def names_of(names: list[str]) -> str:
    more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    return ", ".join(names[:_MOST_NAMES]) + more


def judged_days(findings: Findings, days: list[date]) -> list[date]:
    since = findings.today - timedelta(days=findings.thresholds.judged_days)
    return [day for day in days if day >= since]


def host_days(status: Status, findings: Findings) -> Iterator[Problem]:
    """Hosts that lack days; those that lack the same days together."""
    by_days: dict[tuple[str, tuple[date, ...]], list[str]] = {}
    for host in status.hosts:
        for state in (MISSING, PARTIAL, UNREADABLE):
            days = judged_days(findings, host.days_that_are(state))
            if days:
                by_days.setdefault((state, tuple(days)), []).append(host.name)
    for (state, span), names in by_days.items():
        problem = _host_problem(state, list(span), names, findings)
        if problem:
            yield problem


def _host_problem(
    state: str, days: list[date], names: list[str], findings: Findings
) -> Problem | None:
    spelled, since = format_days(days), str(days[0])
    if state == MISSING:
        severity = too_high(len(days), findings.thresholds.host_missing_days)
        if severity is None:
            return None
        return Problem(
            severity,
            "sync",
            f"{names_of(names)}: no log of {spelled}",
            since,
            "See that the host runs, rotates and serves its logs; the next syncs ask for these "
            "days again. If it is gone for good, take it off the host list.",
        )
    if state == PARTIAL:
        return Problem(
            WARNING,
            "sync",
            f"{names_of(names)}: logs of {spelled} may be incomplete",
            since,
            "The next sync asks for them again; see why the last one did not end well.",
        )
    return Problem(
        CRITICAL,
        "sync",
        f"{names_of(names)}: the logs of {spelled} can't be read",
        since,
        "Let the counting user read them; the reasons of these days name the place.",
    )


def share_of_hosts(status: Status, findings: Findings) -> Iterator[Problem]:
    """How many hosts lack the newest day whose logs should be there."""
    for day in reversed(status.days):
        expected = [h for h in status.hosts if h.days[day].state not in (NOT_EXPECTED, LATE)]
        if not expected or not any(h.days[day].state in (MISSING, PRESENT) for h in expected):
            continue
        missing = [host.name for host in expected if host.days[day].state == MISSING]
        share = 100 * len(missing) / len(expected)
        if severity := too_high(share, findings.thresholds.hosts_missing_percent):
            yield Problem(
                severity,
                "sync",
                f"{len(missing)} of {len(expected)} hosts have no log of {day}",
                str(day),
                "See whether this machine reaches them: its network, their firewalls.",
            )
        return


def _serving(hosts: Mapping[str, HostCoverage], names: tuple[str, ...], today: date) -> list[str]:
    """Those that have logs of the last days; others may just not be pruned yet."""
    since = today - timedelta(days=_SERVING_DAYS)
    newest = {name: hosts[name].newest for name in names if name in hosts}
    return [name for name, day in newest.items() if day is not None and day >= since]


def host_list(status: Status, findings: Findings) -> Iterator[Problem]:
    """Where the host list, the groups and the hosts tree don't agree."""
    hosts, stray = {host.name: host for host in status.hosts}, findings.stray
    unexpected = _serving(hosts, stray.unexpected, findings.today)
    never_asked = sorted(h.name for h in status.hosts if h.listed and not _was_asked(h))
    found = [
        (
            unexpected,
            "hosts that have logs and are not in the host list",
            "Add them to the host list.",
        ),
        (
            _serving(hosts, stray.unmatched, findings.today),
            "hosts that have logs, and are in no group: nothing of theirs is combined",
            "Correct the patterns of the groups, or add a group.",
        ),
        (
            _serving(hosts, tuple(sorted(findings.uncombined_hosts)), findings.today),
            "hosts whose logs no group's pattern matches: nothing of theirs is combined",
            "Correct the patterns of the logs in the groups.",
        ),
        (
            list(stray.without_group),
            "hosts in the host list that are in no group",
            "Correct the patterns of the groups, or the host list.",
        ),
        (
            never_asked,
            "hosts in the host list of which no log ever came",
            "Run the sync; see that the names are right, and that they serve their logs.",
        ),
        (
            list(stray.empty_groups),
            "groups whose pattern matches no host in the hosts tree",
            "Correct the pattern; hosts may have other names now.",
        ),
        (
            list(findings.odd_names),
            "folders in the hosts tree whose names can't be those of hosts",
            "Look at them, and remove them.",
        ),
    ]
    for names, what, advice in found:
        if names:
            yield Problem(WARNING, "sync", f"{what}: {names_of(names)}", "", advice)


def _was_asked(host: HostCoverage) -> bool:
    """Whether there ever was, or should have been, a log of it."""
    return host.newest is not None or any(one.state != NOT_EXPECTED for one in host.days.values())
