# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A whole run of the combine stage: checks, plan, logs, links."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from .._base.days_and_weeks import utc_today
from .._base.errors import CountingError, LockedError
from .._base.observer import NOBODY, Observer
from .._base.records import WorkUnit
from .._logs.hosts_tree import HostsTree, read_hosts_tree
from .._storage.files import check_mount, writer_at_work, writer_lock
from .latest import PlannedLatest, plan_latest, swap_latest
from .make import combine
from .plan import CombineSettings, PlannedLog, plan

#: The compress stage locks the tree for moments; another combine run does for longer.
_PATIENCE_SECONDS = 1.0


@dataclass(frozen=True)
class CombineRun:
    """What became of a run."""

    units: list[WorkUnit]
    ignored_folders: tuple[str, ...]
    unexpected_hosts: tuple[str, ...]
    groups_without_hosts: tuple[str, ...]
    failed_days: tuple[str, ...]
    warnings: tuple[str, ...]


def run_combine(
    settings: CombineSettings,
    days: Sequence[date],
    *,
    check_mode: bool = False,
    run_id: str = "",
    today: date | None = None,
    observer: Observer = NOBODY,
) -> CombineRun:
    """Combine what is due. Raises CountingError where nothing at all can be done."""
    today = today or utc_today()
    settings.check_outputs()
    check_mount(settings.require_mount)
    _check_no_sync(settings.src)
    tree = read_hosts_tree(settings.src)
    planned = plan(settings, tree, days, today=today)
    links = _plan_latest(settings, planned, [log.unit for log in planned])
    is_due = any(log.is_due for log in planned) or (links and links.unit.status == "due")
    units = [log.unit for log in planned]
    if is_due and not check_mode:
        with writer_lock(settings.dest, run_id=run_id, patience_seconds=_PATIENCE_SECONDS):
            check_mount(settings.require_mount)  # it may have gone while the plan was made
            planned = plan(settings, tree, days, today=today)
            units = combine(
                planned,
                settings.dest,
                workers=settings.workers,
                temp_dir=settings.temp_dir,
                require_mount=settings.require_mount,
                observer=observer,
            )
            links = _swap(settings, _plan_latest(settings, planned, units))
    if links:
        units = [*units, links.unit]
    return _result(settings, tree, planned, units)


def _check_no_sync(src: Path) -> None:
    writer = writer_at_work(src)
    if writer:
        raise LockedError(
            src,
            expected="the hosts' logs at rest",
            found=f"a sync at work ({writer})",
            advice="Wait until it has ended; this run changed nothing.",
        )


def _plan_latest(
    settings: CombineSettings, planned: Sequence[PlannedLog], units: Sequence[WorkUnit]
) -> PlannedLatest | None:
    if settings.latest is None:
        return None
    due: dict[date, list[str]] = {}
    unfinished = set()
    for log, unit in zip(planned, units, strict=True):
        if unit.status in ("due", "made"):
            due.setdefault(log.day, []).append(log.name)
        elif unit.status in ("waiting", "failed"):
            unfinished.add(log.day)
    return plan_latest(settings.latest, settings.dest, due=due, unfinished=unfinished)


def _swap(settings: CombineSettings, links: PlannedLatest | None) -> PlannedLatest | None:
    if links is None or settings.latest is None or links.unit.status != "due":
        return links
    try:
        swap_latest(settings.latest, links.links, version=links.version)
    except CountingError as error:
        return replace(links, unit=replace(links.unit, status="failed", reasons=(str(error),)))
    return replace(links, unit=replace(links.unit, status="made"))


@dataclass(frozen=True)
class StrayHosts:
    """Where the host list, the patterns of the groups and the hosts tree don't agree; sorted."""

    unexpected: tuple[str, ...]
    """Hosts of a group that have a folder and are not expected, where any are."""
    unmatched: tuple[str, ...]
    """Hosts that have a folder and are in no group."""
    without_group: tuple[str, ...]
    """Expected hosts that are in no group."""
    empty_groups: tuple[str, ...]
    """Groups whose pattern matches no folder."""


def stray_hosts(settings: CombineSettings, tree: HostsTree) -> StrayHosts:
    """Compare the host list, the groups and the hosts tree."""
    here, expected = set(tree.hosts), set(settings.expected_hosts)
    grouped = {h for h in here | expected if any(g.has_host(h) for g in settings.groups)}
    return StrayHosts(
        unexpected=tuple(sorted(here & grouped - expected)) if expected else (),
        unmatched=tuple(sorted(here - grouped)),
        without_group=tuple(sorted(expected - grouped)),
        empty_groups=tuple(g.name for g in settings.groups if not any(map(g.has_host, here))),
    )


def _result(
    settings: CombineSettings,
    tree: HostsTree,
    planned: Sequence[PlannedLog],
    units: Sequence[WorkUnit],
) -> CombineRun:
    stray = stray_hosts(settings, tree)
    failed = [f"{log.day}" for log, u in zip(planned, units, strict=False) if u.status == "failed"]
    if any(unit.name == "latest" and unit.status == "failed" for unit in units):
        failed.append("latest")
    return CombineRun(
        units=list(units),
        ignored_folders=tree.odd_names,
        unexpected_hosts=stray.unexpected,
        groups_without_hosts=stray.empty_groups,
        failed_days=tuple(sorted(set(failed))),
        warnings=tuple(_warnings(settings, units, tree.odd_names, stray)),
    )


def _warnings(
    settings: CombineSettings,
    units: Sequence[WorkUnit],
    odd_names: Sequence[str],
    stray: StrayHosts,
) -> list[str]:
    warnings = [f"{unit.name}: {warning}" for unit in units for warning in unit.warnings]
    if odd_names:
        warnings.append(
            f"{settings.src}: folders that can't be hosts' are ignored: {', '.join(odd_names)}"
        )
    if stray.unexpected:
        names = ", ".join(stray.unexpected)
        warnings.append(f"hosts that are not in expected_hosts have logs: {names}")
    if stray.without_group:
        names = ", ".join(stray.without_group)
        warnings.append(f"expected hosts that no group's pattern matches: {names}")
    if stray.empty_groups:
        names = ", ".join(stray.empty_groups)
        warnings.append(f"groups whose pattern matches no host in {settings.src}: {names}")
    return warnings
