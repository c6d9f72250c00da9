# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A whole run of the sync stage: what is known of the hosts, plan, hosts, what is known then."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from .._base.errors import OutputError
from .._base.records import WorkUnit
from .._storage.files import sync_file_system, writer_lock
from .hosts import Settings, sync_hosts
from .memory import HostMemory, load_memory, save_memory
from .plan import HostOutcome, HostPlan, Source, plan_hosts, remembered


@dataclass(frozen=True)
class SyncRun:
    """What became of a run."""

    plans: Sequence[HostPlan]
    outcomes: Sequence[HostOutcome]
    memory: Mapping[str, HostMemory]
    """What is known of all hosts now."""
    not_on_disk: str = ""
    """Why what arrived may not be on disk; empty where it is."""
    warnings: tuple[str, ...] = ()
    """What somebody has to look at, beside what outcomes and units tell."""

    @property
    def units(self) -> list[WorkUnit]:
        """Those of all hosts and days."""
        return [unit for outcome in self.outcomes for unit in outcome.units]

    @property
    def changed(self) -> bool:
        """Whether anything arrived, or would."""
        return any(unit.figures["files"] for unit in self.units)


def run_sync(
    sources: Sequence[Source],
    days: Sequence[date],
    settings: Settings,
    *,
    catch_up_days: int,
    today: date,
    run_id: str = "",
    look_only: bool = False,
) -> SyncRun:
    """Sync the days, and those of ``catch_up_days`` up to their end that are not known to be whole.

    With ``look_only`` nothing is written. Raises LockedError where another run is at work.
    """
    dest = settings.dest
    with contextlib.nullcontext() if look_only else writer_lock(dest, run_id=run_id):
        memory = load_memory(dest)
        plans = plan_hosts(sources, days, dest=dest, memory=memory, catch_up_days=catch_up_days)
        outcomes = sync_hosts(plans, settings, look_only=look_only)
        done = SyncRun(plans, outcomes, remembered(memory, outcomes, today=today))
        return done if look_only else _kept(done, dest)


def _kept(done: SyncRun, dest: Path) -> SyncRun:
    """Have what arrived on disk, and only then remember it.

    Once for all hosts, as thousands of fsyncs take long. Before that a power failure leaves short
    logs, which rsync tells from whole ones by their size, so no day may be remembered as whole.
    """
    try:
        if done.changed:
            sync_file_system(dest)
    except OutputError as error:
        return replace(done, not_on_disk=str(error))
    try:
        save_memory(dest, done.memory)
    except OutputError as error:
        return replace(done, warnings=(str(error),))  # what was fetched counts all the same
    return done
