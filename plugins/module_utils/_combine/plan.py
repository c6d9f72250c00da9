# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plan which logs to combine, by comparing the records with the hosts' logs. Write nothing.

The hosts' tree is a cache: its logs are removed after a while, and the combined logs made from them
stay valid. Only new and changed logs make a combined log out of date. If some of its logs are gone,
it is not made again from the others alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from .._base.errors import CountingError, printable, wrong_option
from .._base.records import InputFile, Status, WorkUnit, differences
from .._logs.combined_tree import CombinedLog, combined_logs, read_combined_day
from .._logs.hosts_tree import (
    DEFAULT_GROUPS,
    HostGroup,
    HostLog,
    HostsTree,
    group_names,
    hosts_for_log,
    logs_of_day,
)
from .._logs.paths import variants_of_log
from .._storage.files import read_error


@dataclass(frozen=True)
class CombineSettings:
    """The settings of the stage."""

    src: Path
    dest: Path
    groups: tuple[HostGroup, ...] = DEFAULT_GROUPS
    expected_hosts: tuple[str, ...] = ()
    settle_days: int = 2
    """A day younger than this is combined only if all expected hosts have logs."""
    workers: int = 2
    latest: Path | None = None
    temp_dir: Path | None = None
    require_mount: Path | None = None
    days: tuple[date, ...] = ()
    """The days to combine, ascending."""
    max_failed_days: int = 0
    """The stage fails if more days than this have failed."""

    def __post_init__(self) -> None:
        names = [group.name for group in self.groups]
        if not names or len(set(names)) < len(names):
            raise wrong_option(
                "groups",
                expected="at least one group, each with its own name",
                found=", ".join(names) or "none",
            )
        if self.latest is not None and not (self.latest.is_absolute() and self.latest.name):
            raise wrong_option(
                "latest",
                expected="the absolute path of a folder, or an empty text",
                found=printable(str(self.latest)),
            )

    def check_outputs(self) -> None:
        """Raise SettingsError if an output is inside the hosts' tree, also through links or dots."""
        tree = self.src.resolve()
        for option, folder in (("dest", self.dest), ("latest", self.latest)):
            real = folder and folder.resolve()
            if real and (tree == real or tree in real.parents):
                raise wrong_option(
                    option,
                    expected=f"a folder outside of the hosts' tree {self.src}",
                    found=printable(str(folder)),
                )


@dataclass(frozen=True)
class PlannedLog:
    """One combined log: its unit, and the facts for making it."""

    day: date
    name: str
    unit: WorkUnit
    host_logs: tuple[HostLog, ...] = ()
    hosts_expected: tuple[str, ...] = ()
    record: CombinedLog | None = None
    group: str = ""
    """The first group that combines it and has a host with it."""

    @property
    def inputs(self) -> dict[Path, InputFile]:
        """The files of all hosts, in their state when the plan was made."""
        return {path: file for log in self.host_logs for path, file in log.files.items()}

    @property
    def bytes_to_read(self) -> int:
        """The size on disk of the files that are merged."""
        return sum(one.files[one.paths[0]].size for one in self.host_logs)

    @property
    def is_due(self) -> bool:
        """True if a run makes it."""
        return self.unit.status == "due"


def plan_logs(
    settings: CombineSettings, tree: HostsTree, days: Sequence[date], *, today: date
) -> list[PlannedLog]:
    """Return the combined logs of the days, made or due, in the order of the days."""
    return [log for day in days for log in _plan_day(settings, tree, day, today)]


def _plan_day(
    settings: CombineSettings, tree: HostsTree, day: date, today: date
) -> list[PlannedLog]:
    try:
        recorded = read_combined_day(settings.dest, day)
        present = logs_of_day(tree, settings.groups, day)
        combined = combined_logs(settings.dest, day)
    except (CountingError, OSError) as error:
        return [PlannedLog(day, "", WorkUnit(f"{day}", "failed", (str(error),)))]
    is_young = (today - day).days < settings.settle_days
    awaited = _awaited_hosts(settings, present) if is_young else {}
    planned = [
        _plan_log(
            PlannedLog(
                day,
                name,
                WorkUnit(f"{day} {name}", "due"),
                host_logs=present.get(name, ()),
                hosts_expected=hosts_for_log(settings.groups, settings.expected_hosts, name),
                record=recorded.logs.get(name),
                group=_group_of(settings.groups, name, present.get(name, ())),
            ),
            variants=combined.get(name, []),
            awaited=_awaited_for(settings, awaited, name),
        )
        for name in sorted({*present, *combined, *recorded.logs})
    ]
    return planned or [_empty_day(settings, day, awaited)]


def _group_of(groups: Sequence[HostGroup], name: str, host_logs: Sequence[HostLog]) -> str:
    """Return the group of a log: the first one that has a host with it, or else the first one.

    The hosts decide, because the patterns of several groups may match the name.
    """
    of_log = [group for group in groups if group.has_log(name)]
    with_host = (one for one in of_log if any(one.has_host(log.host) for log in host_logs))
    return next((group.name for group in (*with_host, *of_log)), "")


def _empty_day(
    settings: CombineSettings, day: date, awaited: Mapping[str, tuple[str, ...]]
) -> PlannedLog:
    hosts = sorted({host for hosts in awaited.values() for host in hosts})
    if hosts:
        return PlannedLog(day, "", WorkUnit(f"{day}", "waiting", (_waiting_for(hosts),)))
    reason = f"no host has a log of that day in {settings.src}"
    return PlannedLog(day, "", WorkUnit(f"{day}", "missing", (reason,)))


def _awaited_hosts(
    settings: CombineSettings, present: Mapping[str, tuple[HostLog, ...]]
) -> dict[str, tuple[str, ...]]:
    """Return, by group, the expected hosts without any of its logs."""
    awaited = {}
    for group in settings.groups:
        present_hosts = {
            log.host for name, logs in present.items() if group.has_log(name) for log in logs
        }
        hosts = {host for host in settings.expected_hosts if group.has_host(host)}
        awaited[group.name] = tuple(sorted(hosts - present_hosts))
    return awaited


def _awaited_for(
    settings: CombineSettings, awaited: Mapping[str, tuple[str, ...]], name: str
) -> list[str]:
    names = group_names(settings.groups, name)
    return sorted({host for group in names for host in awaited.get(group, ())})


def _waiting_for(hosts: Iterable[str]) -> str:
    return f"waiting for {', '.join(hosts)}"


def _plan_log(log: PlannedLog, *, variants: Sequence[Path], awaited: Sequence[str]) -> PlannedLog:
    try:
        due_reasons = _due_reasons(log, variants)
    except OSError as error:
        return _with_status(log, "failed", [str(read_error(variants[0], error))])
    if not due_reasons:
        all_damaged = log.record is not None and not log.record.inputs
        status: Status = "blocked" if all_damaged else "unchanged"
        left_out = rejections(log.record)
        return _with_status(log, status, left_out, warnings=left_out)
    if awaited:
        return _with_status(log, "waiting", [_waiting_for(awaited)])
    gone = _gone_hosts(log)
    if gone:
        reasons = [*due_reasons, _advice_for_gone(gone)]
        return _with_status(log, "blocked", reasons, warnings=reasons)
    return _with_status(log, "due", due_reasons)


def _with_status(
    log: PlannedLog, status: Status, reasons: Sequence[str], *, warnings: Sequence[str] = ()
) -> PlannedLog:
    figures = log_figures(log.record) if log.record else {}
    unit = WorkUnit(log.unit.name, status, tuple(reasons), figures, tuple(warnings))
    return replace(log, unit=unit)


def log_figures(record: CombinedLog) -> dict[str, object]:
    """Return the figures of a record for the unit of its log."""
    missing = sorted(set(record.hosts_expected) - set(record.hosts_present))
    return {
        "hosts": len(record.hosts_present),
        "hosts_missing": missing,
        "lines": record.lines,
        "bytes": record.bytes,
        "undated": record.undated,
    }


def _due_reasons(log: PlannedLog, variants: Sequence[Path]) -> list[str]:
    if log.record is None:
        if not log.host_logs:
            return []
        return ["combined without a record"] if variants else ["not combined yet"]
    known = [one.file for one in log.record.inputs]
    known += [one.file for one in log.record.rejected]
    changes = differences(known, log.inputs.values())
    reasons = replace(changes, gone=()).reasons
    if log.record.inputs:
        reasons += _output_problem(log.record, variants)
    return reasons


def _output_problem(record: CombinedLog, variants: Sequence[Path]) -> list[str]:
    if not variants:
        return ["the combined log is gone"]
    plain = variants[0]
    if not plain.name.endswith("log"):
        return []
    try:
        size = plain.stat(follow_symlinks=False).st_size
    except FileNotFoundError:  # it was compressed or removed since the listing
        return _output_problem(record, variants_of_log(plain.parent, plain.name))
    if size == record.bytes:
        return []
    return [f"the combined log has {size} bytes instead of {record.bytes}"]


def _gone_hosts(log: PlannedLog) -> list[str]:
    """Return the hosts that are in the combined log but no longer have a log of that day."""
    if log.record is None:
        return []
    here = {one.host for one in log.host_logs}
    return sorted({one.host for one in log.record.inputs} - here)


def _advice_for_gone(hosts: Sequence[str]) -> str:
    return (
        f"it was made with logs of {', '.join(hosts)} that are gone now, and stays unchanged. Sync "
        "that day again, or remove the combined log and its record to combine the logs that remain"
    )


def rejections(record: CombinedLog | None) -> list[str]:
    """Return the reasons of a unit whose log was made without the damaged logs of some hosts."""
    return [f"left out: {one.reason}" for one in record.rejected] if record else []
