# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The stage ``combine``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

from .._base.days_and_weeks import days_from, utc_today
from .._base.errors import CountingError, LockedError
from .._base.records import WorkUnit
from .._base.stage import Outcome, Stage, StageRun, Topics, UnitTopics
from .._logs.hosts_tree import HostsTree, groups_from, read_hosts_tree
from .._logs.paths import checked_hosts
from .._storage.files import check_mount, current_writer, writer_lock
from .coverage import COMBINE_COVERAGE
from .latest import PlannedLatest, plan_latest, swap_latest
from .plan import CombineSettings, PlannedLog, plan_logs
from .strays import StrayHosts, stray_hosts

_DEFAULT_DAYS = 3
#: The stage compress holds the lock of the tree for moments, another run of combine for longer.
_PATIENCE_SECONDS = 1.0


@dataclass(frozen=True)
class _CombinePlan:
    """The combined logs of the days, and the links in ``latest``, planned or made."""

    tree: HostsTree
    logs: Sequence[PlannedLog]
    log_units: Sequence[WorkUnit]
    """The units of the logs, in the same order, as they are now."""
    latest: PlannedLatest | None = None

    @property
    def units(self) -> list[WorkUnit]:
        """The units of all logs, then that of the links."""
        return [*self.log_units, *([self.latest.unit] if self.latest else [])]

    @property
    def failed_days(self) -> list[str]:
        """The days of which a log failed, and ``latest`` if its links failed; sorted."""
        failed = {
            str(log.day)
            for log, unit in zip(self.logs, self.log_units, strict=True)
            if unit.status == "failed"
        }
        links_failed = self.latest is not None and self.latest.unit.status == "failed"
        return sorted(failed | ({"latest"} if links_failed else set()))


def settings_from(options: Mapping[str, Any], now: datetime) -> CombineSettings:
    """Return the settings for the options of http_log_combine. Raises SettingsError."""
    dest = Path(options["dest"])
    latest = options["latest"]
    return CombineSettings(
        src=Path(options["src"]),
        dest=dest,
        groups=groups_from(options["groups"]),
        expected_hosts=tuple(checked_hosts(options["expected_hosts"])),
        settle_days=options["settle_days"],
        workers=options["workers"],
        latest=dest / "latest" if latest is None else Path(latest) if latest else None,
        temp_dir=Path(options["temp_dir"]) if options["temp_dir"] else None,
        require_mount=Path(options["require_mount"]) if options["require_mount"] else None,
        days=days_from(options, today=utc_today(now), default_days=_DEFAULT_DAYS),
        max_failed_days=options["max_failed_days"],
    )


def _plan_combine(settings: CombineSettings, run: StageRun) -> _CombinePlan:
    """Compare the hosts' logs with the records of the combined logs. Raises CountingError."""
    settings.check_outputs()
    check_mount(settings.require_mount)
    _check_no_sync(settings.src)
    tree = read_hosts_tree(settings.src)
    logs = plan_logs(settings, tree, settings.days, today=run.today)
    units = [log.unit for log in logs]
    return _CombinePlan(tree, logs, units, _plan_latest(settings, logs, units))


def _make_combined(settings: CombineSettings, planned: _CombinePlan, run: StageRun) -> _CombinePlan:
    """Make the combined logs that are due, then the links in ``latest``."""
    # imported only when something is due, so that an unchanged night stays light
    from .make import combine

    units = combine(
        planned.logs,
        settings.dest,
        workers=settings.workers,
        temp_dir=settings.temp_dir,
        require_mount=settings.require_mount,
        observer=run.observer,
    )
    latest = _swapped(settings, _plan_latest(settings, planned.logs, units))
    return replace(planned, log_units=units, latest=latest)


def _combine_outcome(settings: CombineSettings, planned: _CombinePlan) -> Outcome:
    """Return the outcome; the stage fails if more days than ``max_failed_days`` have failed."""
    stray = stray_hosts(settings, planned.tree)
    days = planned.failed_days
    failure = (
        f"{len(days)} of the days could not be combined ({', '.join(days)}); see units for the "
        "reasons"
    )
    return Outcome(
        planned.units,
        failure if len(days) > settings.max_failed_days else "",
        tuple(_warnings(settings, planned.tree.odd_names, stray)),
        {
            "ignored_folders": list(planned.tree.odd_names),
            "unexpected_hosts": list(stray.unexpected),
            "groups_without_hosts": list(stray.empty_groups),
        },
    )


def _lock(settings: CombineSettings, run: StageRun) -> AbstractContextManager[None]:
    return writer_lock(settings.dest, run_id=run.run_id, patience_seconds=_PATIENCE_SECONDS)


def _check_no_sync(src: Path) -> None:
    writer = current_writer(src)
    if writer:
        raise LockedError(
            src,
            expected="no sync that writes there",
            found=f"a running sync ({writer})",
            advice="Wait until it has ended; this run changed nothing.",
        )


def _plan_latest(
    settings: CombineSettings, logs: Sequence[PlannedLog], units: Sequence[WorkUnit]
) -> PlannedLatest | None:
    if settings.latest is None:
        return None
    due: dict[date, list[str]] = {}
    unfinished = set()
    for log, unit in zip(logs, units, strict=True):
        if unit.status in ("due", "made"):
            due.setdefault(log.day, []).append(log.name)
        elif unit.status in ("waiting", "failed"):
            unfinished.add(log.day)
    return plan_latest(settings.latest, settings.dest, due=due, unfinished=unfinished)


def _swapped(settings: CombineSettings, links: PlannedLatest | None) -> PlannedLatest | None:
    if links is None or settings.latest is None or links.unit.status != "due":
        return links
    try:
        swap_latest(settings.latest, links.links, version=links.version)
    except CountingError as error:
        return replace(links, unit=replace(links.unit, status="failed", reasons=(str(error),)))
    return replace(links, unit=replace(links.unit, status="made"))


def _warnings(
    settings: CombineSettings, odd_names: Sequence[str], stray: StrayHosts
) -> Iterator[str]:
    if odd_names:
        names = ", ".join(odd_names)
        yield f"{settings.src}: folders whose names are no host names are ignored: {names}"
    if stray.unexpected:
        names = ", ".join(stray.unexpected)
        yield f"hosts that are not in expected_hosts have logs: {names}"
    if stray.without_group:
        names = ", ".join(stray.without_group)
        yield f"expected hosts that no group's pattern matches: {names}"
    if stray.empty_groups:
        names = ", ".join(stray.empty_groups)
        yield f"groups whose pattern matches no host in {settings.src}: {names}"


COMBINE: Stage[CombineSettings, _CombinePlan] = Stage(
    name="combine",
    title="Combine the logs of the hosts by time",
    reads=("hosts",),
    writes=("combined",),
    topics=Topics(
        "combinehttplogs", units={"*": UnitTopics("logmerge.{kind}", ("log_date", "log"))}
    ),
    settings_from=settings_from,
    plan=_plan_combine,
    lock=_lock,
    make=_make_combined,
    coverage=COMBINE_COVERAGE,
    libraries=("numpy", "pyarrow", "zstandard"),
    outcome=_combine_outcome,
)
