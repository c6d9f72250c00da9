# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The stage ``sync``."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

from .._base.coverage import Coverage, CoverageContext, StageCoverage, StageTree
from .._base.days_and_weeks import days_from, utc_today
from .._base.errors import OutputError, printable, wrong_option
from .._base.records import WorkUnit
from .._base.stage import Outcome, Stage, StageRun, Topics, UnitTopics
from .._logs.hosts_tree import reach_of_tree
from .._storage.files import sync_file_system, writer_lock
from .coverage import cover_sync
from .hosts import TransferSettings, sync_hosts
from .memory import HostMemory, load_memory, save_memory
from .outcome import HostOutcome, failure, gaps, silent_hosts, updated_memory
from .plan import HostPlan, HostSource, plan_hosts, sources_of
from .rsync import TransferLimits

_DEFAULT_DAYS = 3


@dataclass(frozen=True)
class SyncSettings:
    """The hosts and days to fetch, and the settings for fetching them."""

    sources: tuple[HostSource, ...]
    days: tuple[date, ...]
    transfer: TransferSettings
    catch_up_days: int = 14
    """Of this many days up to the last one, those whose logs may not all be here are requested."""
    missing_after_days: int = 3
    """A host without a log for this many days is reported."""
    max_failed_hosts: int | None = None
    """The stage fails if more hosts fail; by default, if all do."""


@dataclass(frozen=True)
class _SyncPlan:
    """The hosts to visit, and the outcomes of the visits."""

    hosts: Sequence[HostPlan]
    memory: Mapping[str, HostMemory]
    """The memory of all hosts."""
    outcomes: Sequence[HostOutcome] | None = None
    """None until the hosts were visited."""
    not_on_disk: str = ""
    """The reason why logs that arrived may not be on disk; empty if they are."""
    warnings: tuple[str, ...] = ()
    seconds: float = 0.0

    @property
    def units(self) -> list[WorkUnit]:
        """The units of all hosts and days. Before the visits, every day of the window is due."""
        if self.outcomes is None:
            return [WorkUnit(f"{one.host} {day}", "due") for one in self.hosts for day in one.days]
        return [unit for outcome in self.outcomes for unit in outcome.units]


def settings_from(options: Mapping[str, Any], now: datetime) -> SyncSettings:
    """Return the settings for the options of http_log_sync. Raises SettingsError."""
    is_named = bool(options["dates"] or options["since"])
    return SyncSettings(
        sources=tuple(sources_of(options["hosts"], options["source"])),
        days=days_from(options, today=utc_today(now), default_days=_DEFAULT_DAYS),
        transfer=TransferSettings(
            dest=Path(options["dest"]),
            limits=TransferLimits(
                connect_seconds=options["connect_timeout"],
                stall_seconds=options["stall_timeout"],
                host_seconds=options["host_timeout"],
                kib_per_second=options["bandwidth_limit"],
                file_bytes=options["max_file_size"],
                host_bytes=options["max_host_size"],
                host_files=options["max_host_files"],
            ),
            attempts=options["attempts"],
            retry_seconds=options["retry_delay"],
            workers=options["workers"],
            file_mode=_file_mode(options["mode"]),
        ),
        catch_up_days=0 if is_named else options["catch_up_days"],
        missing_after_days=options["missing_after_days"],
        max_failed_hosts=options["max_failed_hosts"],
    )


def _file_mode(text: str) -> int:
    try:
        mode = int(text, 8)
    except ValueError:
        mode = -1
    if not 0o400 <= mode <= 0o666:
        raise wrong_option(
            "mode",
            expected='the permissions of a log as an octal number such as "0640"',
            found=printable(text),
        )
    return mode


def _plan_sync(settings: SyncSettings, _run: StageRun) -> _SyncPlan:
    """Plan the days to request from each host, by the memory of the hosts."""
    memory = load_memory(settings.transfer.dest)
    hosts = plan_hosts(
        settings.sources,
        settings.days,
        dest=settings.transfer.dest,
        memory=memory,
        catch_up_days=settings.catch_up_days,
    )
    return _SyncPlan(hosts, memory)


def _fetch_logs(settings: SyncSettings, planned: _SyncPlan, run: StageRun) -> _SyncPlan:
    """Fetch the logs of all hosts, wait until they are on disk, and then write the memory.

    The wait is once for all hosts, because thousands of fsyncs take long. A power failure before
    its end leaves short logs, which rsync detects by their size, so no day may be remembered as
    complete until then.
    """
    dest = settings.transfer.dest
    done = _visited(settings, planned, run)
    try:
        if any(unit.figures["files"] for unit in done.units):
            sync_file_system(dest)
    except OutputError as error:
        return replace(done, not_on_disk=str(error))
    try:
        save_memory(dest, done.memory)
    except OutputError as error:
        # the logs that were fetched count all the same
        return replace(done, warnings=(str(error),))
    return done


def _visited(settings: SyncSettings, planned: _SyncPlan, run: StageRun) -> _SyncPlan:
    """Visit all hosts: list their logs in check mode, and fetch them otherwise."""
    begun = time.monotonic()
    transfer = replace(settings.transfer, observer=run.observer)
    outcomes = sync_hosts(planned.hosts, transfer, check_mode=run.check_mode)
    return replace(
        planned,
        outcomes=outcomes,
        memory=updated_memory(planned.memory, outcomes, today=run.today),
        seconds=round(time.monotonic() - begun, 3),
    )


def _sync_outcome(settings: SyncSettings, planned: _SyncPlan) -> Outcome:
    """Return the outcome; see ``max_failed_hosts`` for the rule by which the stage fails."""
    outcomes = planned.outcomes or ()
    silent = silent_hosts(
        [source.host for source in settings.sources],
        planned.memory,
        last_day=settings.days[-1],
        missing_after_days=settings.missing_after_days,
    )
    return Outcome(
        planned.units,
        planned.not_on_disk or failure(outcomes, settings.max_failed_hosts),
        tuple(_warnings(planned, outcomes, silent)),
        {
            "hosts": [outcome.to_json() for outcome in outcomes],
            "silent_hosts": silent,
            "gaps": gaps(planned.hosts, outcomes, planned.memory),
            "seconds": planned.seconds,
        },
    )


def _warnings(
    planned: _SyncPlan, outcomes: Sequence[HostOutcome], silent: Sequence[Mapping[str, Any]]
) -> Iterator[str]:
    yield from planned.warnings
    for host in silent:
        since = host["last_log"] or f"it was listed on {host['listed_since']}"
        yield f"{host['name']}: no log since {since}; examine it, or remove it from the host list."
    for outcome in outcomes:
        yield from (f"{outcome.host}: {warning}" for warning in outcome.warnings)


def _lock(settings: SyncSettings, run: StageRun) -> AbstractContextManager[None]:
    return writer_lock(settings.transfer.dest, run_id=run.run_id)


def _trees(settings: SyncSettings) -> list[StageTree]:
    dest = settings.transfer.dest
    return [StageTree("hosts", dest, reach=lambda: reach_of_tree(dest))]


def _cover(settings: SyncSettings, context: CoverageContext) -> list[StageCoverage]:
    if reason := context.why_unreadable(settings.transfer.dest):
        return context.unreadable_days(f"the hosts' logs: {reason}")
    return cover_sync(context)


SYNC: Stage[SyncSettings, _SyncPlan] = Stage(
    name="sync",
    title="Fetch the logs of the hosts",
    reads=(),
    writes=("hosts",),
    topics=Topics(
        "sync",
        units={
            "host": UnitTopics("host", ("synced_host",), skip="skip"),
            "logdate": UnitTopics(
                "host.logdate", ("synced_host", "log_date"), fail="fail.final", retry="fail.retry"
            ),
        },
    ),
    settings_from=settings_from,
    plan=_plan_sync,
    lock=_lock,
    coverage=Coverage(_trees, lambda settings: [settings.transfer.dest], _cover),
    make=_fetch_logs,
    outcome=_sync_outcome,
    preview=_visited,
)
