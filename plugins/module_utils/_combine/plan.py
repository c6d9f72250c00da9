# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What there is to combine, by comparing the records with the hosts' logs. Writes nothing.

The hosts tree is a cache: logs go from it after a while, and what was combined from them stays
good. So only new and changed logs make a day out of date, and a day that some hosts' logs are gone
of is not made again from the others alone.
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
    """What an operator chooses."""

    src: Path
    dest: Path
    groups: tuple[HostGroup, ...] = DEFAULT_GROUPS
    expected_hosts: tuple[str, ...] = ()
    settle_days: int = 2
    """A day younger than this is combined only when all expected hosts have delivered."""
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
        """Raise SettingsError for one in the hosts tree, whatever links or dots lead there."""
        tree = self.src.resolve()
        for option, folder in (("dest", self.dest), ("latest", self.latest)):
            real = folder and folder.resolve()
            if real and (tree == real or tree in real.parents):
                raise wrong_option(
                    option,
                    expected=f"a folder outside of the hosts tree {self.src}",
                    found=printable(str(folder)),
                )


@dataclass(frozen=True)
class PlannedLog:
    """One combined log: its unit, and what is needed to make it."""

    day: date
    name: str
    unit: WorkUnit
    host_logs: tuple[HostLog, ...] = ()
    hosts_expected: tuple[str, ...] = ()
    record: CombinedLog | None = None
    group: str = ""
    """The first of the groups it belongs to that has a host with it."""

    @property
    def inputs(self) -> dict[Path, InputFile]:
        """The files of all hosts, as they were when the plan was made."""
        return {path: file for log in self.host_logs for path, file in log.files.items()}

    @property
    def bytes_to_read(self) -> int:
        """Size on disk of the files that are merged."""
        return sum(one.files[one.paths[0]].size for one in self.host_logs)

    @property
    def is_due(self) -> bool:
        return self.unit.status == "due"


def plan(
    settings: CombineSettings, tree: HostsTree, days: Sequence[date], *, today: date
) -> list[PlannedLog]:
    """One entry for each combined log of each day, made or to be made; days ascending."""
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
    awaited = _awaited(settings, present) if is_young else {}
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
            forms=combined.get(name, []),
            awaited=_awaited_for(settings, awaited, name),
        )
        for name in sorted({*present, *combined, *recorded.logs})
    ]
    return planned or [_empty_day(settings, day, awaited)]


def _group_of(groups: Sequence[HostGroup], name: str, host_logs: Sequence[HostLog]) -> str:
    """Patterns of names may overlap, so its hosts tell; where no host has it, the first will do."""
    of_log = [group for group in groups if group.has_log(name)]
    having = (one for one in of_log if any(one.has_host(log.host) for log in host_logs))
    return next((group.name for group in (*having, *of_log)), "")


def _empty_day(
    settings: CombineSettings, day: date, awaited: Mapping[str, tuple[str, ...]]
) -> PlannedLog:
    hosts = sorted({host for hosts in awaited.values() for host in hosts})
    if hosts:
        return PlannedLog(day, "", WorkUnit(f"{day}", "waiting", (_waiting_for(hosts),)))
    reason = f"no host has a log of that day in {settings.src}"
    return PlannedLog(day, "", WorkUnit(f"{day}", "missing", (reason,)))


def _awaited(
    settings: CombineSettings, present: Mapping[str, tuple[HostLog, ...]]
) -> dict[str, tuple[str, ...]]:
    """For each group the expected hosts that have delivered none of its logs."""
    awaited = {}
    for group in settings.groups:
        delivered = {
            log.host for name, logs in present.items() if group.has_log(name) for log in logs
        }
        hosts = {host for host in settings.expected_hosts if group.has_host(host)}
        awaited[group.name] = tuple(sorted(hosts - delivered))
    return awaited


def _awaited_for(
    settings: CombineSettings, awaited: Mapping[str, tuple[str, ...]], name: str
) -> list[str]:
    names = group_names(settings.groups, name)
    return sorted({host for group in names for host in awaited.get(group, ())})


def _waiting_for(hosts: Iterable[str]) -> str:
    return f"waiting for {', '.join(hosts)}"


def _plan_log(log: PlannedLog, *, forms: Sequence[Path], awaited: Sequence[str]) -> PlannedLog:
    try:
        why_due = _why_due(log, forms)
    except OSError as error:
        return _with_status(log, "failed", [str(read_error(forms[0], error))])
    if not why_due:
        nothing_sound = log.record is not None and not log.record.inputs
        status: Status = "blocked" if nothing_sound else "unchanged"
        left_out = rejections(log.record)
        return _with_status(log, status, left_out, warnings=left_out)
    if awaited:
        return _with_status(log, "waiting", [_waiting_for(awaited)])
    gone = _gone_hosts(log)
    if gone:
        reasons = [*why_due, _advice_for_gone(gone)]
        return _with_status(log, "blocked", reasons, warnings=reasons)
    return _with_status(log, "due", why_due)


def _with_status(
    log: PlannedLog, status: Status, reasons: Sequence[str], *, warnings: Sequence[str] = ()
) -> PlannedLog:
    figures = log_figures(log.record) if log.record else {}
    unit = WorkUnit(log.unit.name, status, tuple(reasons), figures, tuple(warnings))
    return replace(log, unit=unit)


def log_figures(record: CombinedLog) -> dict[str, object]:
    """What a record says, for the unit of its log."""
    missing = sorted(set(record.hosts_expected) - set(record.hosts_present))
    return {
        "hosts": len(record.hosts_present),
        "hosts_missing": missing,
        "lines": record.lines,
        "bytes": record.bytes,
        "undated": record.undated,
    }


def _why_due(log: PlannedLog, forms: Sequence[Path]) -> list[str]:
    if log.record is None:
        if not log.host_logs:
            return []
        return ["combined without a record"] if forms else ["not combined yet"]
    known = [one.file for one in log.record.inputs]
    known += [one.file for one in log.record.rejected]
    changes = differences(known, log.inputs.values())
    reasons = replace(changes, gone=()).reasons
    if log.record.inputs:
        reasons += _output_problem(log.record, forms)
    return reasons


def _output_problem(record: CombinedLog, forms: Sequence[Path]) -> list[str]:
    if not forms:
        return ["the combined log is gone"]
    plain = forms[0]
    if not plain.name.endswith("log"):
        return []
    try:
        size = plain.stat(follow_symlinks=False).st_size
    except FileNotFoundError:  # compressed or removed just now
        return _output_problem(record, variants_of_log(plain.parent, plain.name))
    if size == record.bytes:
        return []
    return [f"the combined log has {size} bytes instead of {record.bytes}"]


def _gone_hosts(log: PlannedLog) -> list[str]:
    """Hosts that are in the combined log, and have no log of that day any more in any form."""
    if log.record is None:
        return []
    here = {one.host for one in log.host_logs}
    return sorted({one.host for one in log.record.inputs} - here)


def _advice_for_gone(hosts: Sequence[str]) -> str:
    return (
        f"made with logs that are gone meanwhile, of {', '.join(hosts)}; left as it is. Sync that "
        "day again, or remove the combined log and its record to combine what is left"
    )


def rejections(record: CombinedLog | None) -> list[str]:
    """The reasons of a unit whose log was made without some hosts."""
    return [f"left out: {one.reason}" for one in record.rejected] if record else []
