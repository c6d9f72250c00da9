# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Coverage of the sync: the days of each host, and the logs that no group combines."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property

from .._base.coverage import (
    LATE,
    MISSING,
    NOT_EXPECTED,
    PARTIAL,
    PRESENT,
    UNREADABLE,
    Calendar,
    CoverageContext,
    CoverageState,
    HostCoverage,
    StageCoverage,
    State,
    worst,
)
from .._base.errors import CountingError, SettingsError, printable
from .._logs.combined_tree import CombinedDay
from .._logs.hosts_tree import HostGroup, HostsTree, logs_of_day
from .._logs.paths import checked_host
from .memory import HostMemory
from .plan import HostSource, plan_hosts

_ALL_LOGS = (HostGroup("all", "*", "*"),)


@dataclass(frozen=True)
class HostsInputs:
    """The inputs of the coverage: the hosts' tree, the host list, and the records about hosts."""

    tree: HostsTree
    listed: tuple[str, ...]
    """The host list."""
    memory: Mapping[str, HostMemory] = field(default_factory=dict)
    """The memory of the sync, by host."""
    records: Mapping[date, CombinedDay] = field(default_factory=dict)
    """The records of the combined days."""


@dataclass(frozen=True)
class UnmatchedLog:
    """A log in the hosts' tree that no group combines."""

    name: str
    hosts: tuple[str, ...]
    newest: date


@dataclass(frozen=True)
class HostsCoverage:
    """The coverage of all hosts, and the logs that are not combined."""

    hosts: tuple[HostCoverage, ...] = ()
    unmatched: tuple[UnmatchedLog, ...] = ()
    uncombined_hosts: Mapping[str, date] = field(default_factory=dict)
    """Hosts of a group with no combined log on their newest day with logs, and that day."""
    bytes: int = 0
    """The size on disk of the logs of these days in the hosts' tree."""


def cover_hosts(
    inputs: HostsInputs,
    groups: Sequence[HostGroup],
    calendar: Calendar,
) -> HostsCoverage:
    """Return the coverage of all hosts that are listed, have a folder, or are in a record."""
    days = calendar.days
    open_days = _open_days(inputs, days)
    names = {*inputs.listed, *inputs.tree.hosts, *_recorded_hosts(inputs.records)}
    hosts, size = [], 0
    matched: dict[str, tuple[date, bool]] = {}
    loose: dict[str, dict[str, date]] = {}
    for name in sorted(names):
        host = _Host(inputs, name, calendar, frozenset(open_days.get(name, ())))
        covered: dict[date, CoverageState] = {}
        for day in days:
            logs, problem = _logs_here(inputs.tree, name, day)
            covered[day] = problem or host.covered(day, logs)
            size += sum(logs.values())
            if logs and any(group.has_host(name) for group in groups):
                free = [log for log in logs if not _is_combined(groups, name, log)]
                matched[name] = (day, len(free) < len(logs))
                for log in free:
                    loose.setdefault(log, {})[name] = day
        hosts.append(host.coverage(covered))
    return HostsCoverage(
        hosts=tuple(hosts),
        unmatched=tuple(
            UnmatchedLog(log, tuple(sorted(by_host)), max(by_host.values()))
            for log, by_host in sorted(loose.items())
        ),
        uncombined_hosts={name: day for name, (day, found) in matched.items() if not found},
        bytes=size,
    )


def _open_days(inputs: HostsInputs, days: Sequence[date]) -> dict[str, tuple[date, ...]]:
    """Return, by host, the days that the next sync would request again."""
    plans = plan_hosts(
        [HostSource(host, "") for host in inputs.memory],
        [days[-1] + timedelta(days=1)],
        dest=inputs.tree.root,
        memory=inputs.memory,
        catch_up_days=(days[-1] - days[0]).days + 2,
    )
    return {plan.host: plan.catch_up for plan in plans}


def _recorded_hosts(records: Mapping[date, CombinedDay]) -> set[str]:
    logs = [log for record in records.values() for log in record.logs.values()]
    return {host for log in logs for host in (*log.hosts_expected, *log.hosts_present)}


def _logs_here(
    tree: HostsTree, host: str, day: date
) -> tuple[dict[str, int], CoverageState | None]:
    """Return the logs of a host and day with their sizes, or the reason why they are unreadable."""
    if host not in tree.hosts:
        return {}, None
    try:
        found = logs_of_day(HostsTree(tree.root, (host,), ()), _ALL_LOGS, day)
    except CountingError as error:
        return {}, CoverageState(UNREADABLE, (str(error),))
    return {
        name: sum(file.size for log in logs for file in log.files.values())
        for name, logs in found.items()
    }, None


def _is_combined(groups: Sequence[HostGroup], host: str, log: str) -> bool:
    return any(group.has_host(host) and group.has_log(log) for group in groups)


@dataclass(frozen=True)
class _Host:
    """One host, with all inputs of its coverage."""

    inputs: HostsInputs
    name: str
    calendar: Calendar
    open_days: frozenset[date]

    def covered(self, day: date, logs: Collection[str]) -> CoverageState:
        if logs or self._is_in_record(day, "hosts_present"):
            return self._present(day, logs)
        if not self._is_expected(day):
            return CoverageState(NOT_EXPECTED)
        return CoverageState(LATE if self.calendar.is_open(day) else MISSING)

    def _present(self, day: date, logs: Collection[str]) -> CoverageState:
        known = self.inputs.memory.get(self.name)
        if known and known.whole and day >= known.whole[0] and day in self.open_days and logs:
            return CoverageState(
                PARTIAL, ("some logs may be missing; the sync will request them again",)
            )
        lacking = sorted(self.usual_logs & self._logs_without_it(day) - {*logs})
        if lacking:
            return CoverageState(PARTIAL, (f"without {', '.join(map(printable, lacking))}",))
        return CoverageState(PRESENT)

    def _logs_without_it(self, day: date) -> set[str]:
        """Return the combined logs of a day that lack it although they expect it."""
        record = self.inputs.records.get(day)
        return {
            name
            for name, log in (record.logs.items() if record else ())
            if self.name in log.hosts_expected and self.name not in log.hosts_present
        }

    @cached_property
    def usual_logs(self) -> set[str]:
        """The combined logs that have it on some day. Not every host of a group serves each site."""
        return {
            name
            for record in self.inputs.records.values()
            for name, log in record.logs.items()
            if self.name in log.hosts_present
        }

    def _is_expected(self, day: date) -> bool:
        known = self.inputs.memory.get(self.name)
        since = known.listed_since if known else None
        listed = self.name in self.inputs.listed and since is not None and day >= since
        return listed or self._is_in_record(day, "hosts_expected")

    def _is_in_record(self, day: date, column: str) -> bool:
        record = self.inputs.records.get(day)
        return record is not None and any(
            self.name in getattr(log, column) for log in record.logs.values()
        )

    def coverage(self, covered: Mapping[date, CoverageState]) -> HostCoverage:
        known = self.inputs.memory.get(self.name)
        there = [day for day, one in covered.items() if one.state in (PRESENT, PARTIAL)]
        there += [known.last_log] if known and known.last_log else []
        return HostCoverage(
            name=_safe_name(self.name),
            listed=self.name in self.inputs.listed,
            days=covered,
            newest=max(there, default=None),
        )


def _safe_name(name: str) -> str:
    """Return the name of a host from a record, which may contain any text."""
    try:
        return checked_host(name)
    except SettingsError:
        return printable(name)


def cover_sync(context: CoverageContext) -> list[StageCoverage]:
    """Return the coverage of the sync, day by day over all hosts."""
    hosts = context.hosts
    units = {str(day): _sync_day(hosts, day) for day in context.calendar.days}
    newest = max((host.newest for host in hosts if host.newest), default=None)
    return [StageCoverage("day", units, newest)]


def _sync_day(hosts: Sequence[HostCoverage], day: date) -> CoverageState:
    by_state: dict[State, list[str]] = {}
    for host in hosts:
        by_state.setdefault(host.days[day].state, []).append(host.name)
    by_state.pop(NOT_EXPECTED, None)
    reasons = tuple(
        f"{state}: {', '.join(names)}"
        for state, names in sorted(by_state.items())
        if state != PRESENT
    )
    covered = worst(CoverageState(state) for state in by_state)
    if covered.state == MISSING and PRESENT in by_state:
        return CoverageState(PARTIAL, reasons)
    return CoverageState(covered.state, reasons)
