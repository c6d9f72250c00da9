# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sync: bring the rotated logs of all hosts here, one connection a host, hosts in parallel."""

from __future__ import annotations

import random
import re
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from .._base.errors import CountingError, printable
from .._base.observer import NOBODY, Observer
from .._base.records import Status, WorkUnit
from .._logs.paths import dated_name, undated_name
from .outcome import HostOutcome, Tried, outcome_of
from .plan import HostPlan
from .rsync import Ended, Limits, Verdict, fetch_arguments, list_arguments, run_rsync
from .rsync_endings import explained
from .shadow_tree import Arrived, HostTree, Listed, lay_out, logs_of_day, progress_in, put_in_place

# The list of a host may be long; what rsync says while it fetches is only read for its errors.
_LIST_BYTES = 16 << 20


class Rsync(Protocol):
    """Runs one rsync; see :func:`_rsync.run_rsync`."""

    def __call__(
        self,
        arguments: Sequence[str],
        *,
        stall_seconds: float,
        wall_seconds: float,
        progress: Callable[[], object] = ...,
        stopping: threading.Event | None = ...,
        kept_bytes: int = ...,
    ) -> Ended:
        """How it ended."""


@dataclass(frozen=True)
class Settings:
    """How to sync."""

    dest: Path
    limits: Limits = field(default_factory=Limits)
    attempts: int = 3
    retry_seconds: float = 10
    """Pause before the second try; doubled before each further one, and spread by a half."""
    workers: int = 10
    file_mode: int = 0o640
    rsync: Rsync = run_rsync
    stopping: threading.Event = field(default_factory=threading.Event)
    observer: Observer = NOBODY

    def tree(self, host: str) -> HostTree:
        """The folders of a host."""
        return HostTree(self.dest, host, self.limits, self.file_mode)


def sync_hosts(
    plans: Sequence[HostPlan],
    settings: Settings,
    *,
    look_only: bool = False,
) -> list[HostOutcome]:
    """Sync (or ``look_only``: list) hosts in the given order, ``workers`` at a time.

    Gives the outcomes sorted by host. To be called under the writer lock of ``settings.dest``.
    """
    one_host = look_at_host if look_only else sync_host
    outcomes = []
    settings.observer.expect("hosts", len(plans))
    with ThreadPoolExecutor(max_workers=settings.workers) as pool:
        try:
            at_work: list[Future[HostOutcome]] = [
                pool.submit(one_host, plan, settings) for plan in plans
            ]
            for done in as_completed(at_work):
                outcome = done.result()
                outcomes.append(outcome)
                settings.observer.advance("hosts", unit=outcome.host)
        except BaseException:
            settings.stopping.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return sorted(outcomes, key=lambda outcome: outcome.host)


def sync_host(plan: HostPlan, settings: Settings) -> HostOutcome:
    """Bring one host's logs here. Never raises for what is wrong with that host or its folder."""
    return _visit(plan, settings, _fetch, made="made")


def look_at_host(plan: HostPlan, settings: Settings) -> HostOutcome:
    """What :func:`sync_host` would do, from the host's list alone; writes nothing."""
    return _visit(plan, settings, _list, made="due")


def _visit(
    plan: HostPlan,
    settings: Settings,
    attempt: Callable[[HostPlan, Settings, Arrived, float], Verdict],
    *,
    made: Status,
) -> HostOutcome:
    begun = time.monotonic()
    arrived = Arrived()
    _tell_started(plan, settings.observer)

    def again(verdict: Verdict) -> None:
        for unit in _units_ahead(plan):
            settings.observer.retrying(unit, verdict.words, kind="logdate")

    try:
        verdict, attempts = _with_attempts(
            settings, begun, lambda left: attempt(plan, settings, arrived, left), again
        )
    except CountingError as error:
        verdict, attempts = Verdict(False, "failed", False, str(error)), 1
    tried = Tried(verdict, attempts, time.monotonic() - begun)
    outcome = outcome_of(plan, settings.tree(plan.host), tried, arrived, made=made)
    _tell_ended(outcome, settings.observer)
    return outcome


def _units_ahead(plan: HostPlan) -> list[WorkUnit]:
    return [WorkUnit(f"{plan.host} {day}", "due") for day in plan.days]


def _tell_started(plan: HostPlan, observer: Observer) -> None:
    observer.started(WorkUnit(plan.host, "due"), kind="host")
    for unit in _units_ahead(plan):
        observer.started(unit, kind="logdate")


def _tell_ended(outcome: HostOutcome, observer: Observer) -> None:
    for unit in outcome.units:
        observer.ended(unit, kind="logdate")
    figures = {name: outcome.to_json()[name] for name in ("files", "bytes", "attempts", "seconds")}
    reasons = (outcome.reason,) if outcome.reason else ()
    host = WorkUnit(outcome.host, outcome.status, reasons, figures, outcome.warnings)
    observer.ended(host, kind="host")


def _with_attempts(
    settings: Settings,
    begun: float,
    attempt: Callable[[float], Verdict],
    again: Callable[[Verdict], None],
) -> tuple[Verdict, int]:
    """Try until it is good, can't become so, or the host's time is over; and how often it was."""
    for number in range(1, settings.attempts + 1):
        left = settings.limits.host_seconds - (time.monotonic() - begun)
        verdict = attempt(left)
        # random: so that hosts that failed together don't come back together
        pause = settings.retry_seconds * 2 ** (number - 1) * random.uniform(0.5, 1.5)  # noqa: S311
        left = settings.limits.host_seconds - (time.monotonic() - begun)
        if not verdict.again or number == settings.attempts or pause >= left:
            break
        again(verdict)
        if settings.stopping.wait(pause):
            break
    return verdict, number


def _fetch(plan: HostPlan, settings: Settings, arrived: Arrived, left: float) -> Verdict:
    """One try: shadow, rsync, and what arrived to its place, whatever the end."""
    tree = settings.tree(plan.host)
    days = {*plan.days, *plan.catch_up}
    verdict = Verdict(False, "failed", False, "")
    put_in_place(tree, arrived)  # what a killed run left
    try:
        known = lay_out(tree, days)
        arrived.note_known(known)
        ended = settings.rsync(
            fetch_arguments(plan.address, f"{tree.shadow}/", days, settings.limits),
            stall_seconds=settings.limits.stall_seconds,
            wall_seconds=left,
            progress=_moved(tree, known, settings.observer),
            stopping=settings.stopping,
        )
        progress_in(tree, known)  # too much may have come since the last look
        verdict = explained(ended)
        _note_skipped(ended.text, arrived)
    finally:
        put_in_place(tree, arrived, days=days, keep_partial=not verdict.good)
    return verdict


def _moved(tree: HostTree, known: dict[str, int], observer: Observer) -> Callable[[], object]:
    """What has arrived so far, which is told whenever it is asked for."""
    told = 0

    def look() -> tuple[int, int]:
        nonlocal told
        files, arrived_bytes = progress_in(tree, known)
        if arrived_bytes > told:
            observer.advance("bytes", arrived_bytes - told, unit=tree.host)
            told = arrived_bytes
        return files, arrived_bytes

    return look


_SKIPPED = re.compile(
    r'skipping (?P<why>non-regular file) "(?P<name>.*)"|(?P<large>\S+) is over max-size'
)


def _note_skipped(text: str, arrived: Arrived) -> None:
    """What rsync itself refused for us."""
    for line in text.splitlines():
        if match := _SKIPPED.fullmatch(line.strip()):
            name = match["name"] or match["large"]
            why = "not a regular file" if match["why"] else "larger than max_file_size"
            rotated = undated_name(name)
            arrived.refuse(rotated[1] if rotated else None, f"refused {printable(name)}: {why}")


_LISTED = re.compile(
    r"(?P<kind>[-a-z])[-rwxsStT]{9}\S* +(?P<size>[0-9]+) "
    r"(?P<time>[0-9]{4,}/[0-9]{2}/[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}) (?P<name>.+)"
)


def parse_list(text: str, *, file_bytes: int) -> Arrived:
    """The logs in what ``rsync --list-only`` says, by day; what can't be accepted is refused."""
    listed = Arrived()
    for line in text.splitlines():
        match = _LISTED.fullmatch(line)
        rotated = undated_name(match["name"]) if match else None
        if match is None or rotated is None:
            continue
        name, day = rotated
        if match["kind"] != "-":
            listed.refuse(day, f"refused {printable(match['name'])}: not a regular file")
        elif int(match["size"]) > file_bytes:
            listed.refuse(day, f"refused {printable(match['name'])}: larger than max_file_size")
        else:
            log = Listed(name, int(match["size"]), _listed_time(match["time"]))
            listed.logs.setdefault(day, []).append(log)
    return listed


def _listed_time(text: str) -> int:
    """Seconds since the Unix epoch; a host may date its files to years that are none here: 0."""
    try:
        when = datetime.strptime(text, "%Y/%m/%d %H:%M:%S")
    except ValueError:
        return 0
    return int(when.replace(tzinfo=UTC).timestamp())


def _list(plan: HostPlan, settings: Settings, due: Arrived, left: float) -> Verdict:
    """One look at a host's list; ``due`` gets what differs from the logs here."""
    days = {*plan.days, *plan.catch_up}
    ended = settings.rsync(
        list_arguments(plan.address, days, settings.limits),
        stall_seconds=settings.limits.stall_seconds,
        wall_seconds=left,
        stopping=settings.stopping,
        kept_bytes=_LIST_BYTES,
    )
    verdict = explained(ended)
    if not verdict.good:
        return verdict
    listed = parse_list(ended.text, file_bytes=settings.limits.file_bytes)
    due.refused.update(listed.refused)
    for day in sorted(days):
        here = logs_of_day(settings.tree(plan.host), day)
        due.note_known({dated_name(name, day): one.st_ino for name, one in here.items()})
        same = {Listed(name, one.st_size, int(one.st_mtime)) for name, one in here.items()}
        if differing := [log for log in listed.logs.get(day, ()) if log not in same]:
            due.logs[day] = differing
    return verdict
