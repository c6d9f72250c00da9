# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fetch the rotated logs of all hosts in parallel, over one connection for each host."""

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
from .outcome import Attempts, HostOutcome, host_outcome
from .plan import HostPlan
from .rsync import (
    RsyncResult,
    TransferLimits,
    Verdict,
    fetch_arguments,
    list_arguments,
    run_rsync,
)
from .rsync_endings import verdict_of
from .shadow_tree import (
    FetchedLogs,
    HostTree,
    ListedLog,
    fetched_so_far,
    logs_of_day,
    make_shadow,
    move_into_place,
)

#: The list of a host may be long. The output of a fetch is only read for errors and stays short.
_LIST_BYTES = 16 << 20


class _Rsync(Protocol):
    """A function that runs one rsync; see ``run_rsync``."""

    def __call__(
        self,
        arguments: Sequence[str],
        *,
        stall_seconds: float,
        wall_seconds: float,
        progress: Callable[[], object] = ...,
        stopping: threading.Event | None = ...,
        kept_bytes: int = ...,
    ) -> RsyncResult:
        """Run rsync and return its result."""


@dataclass(frozen=True)
class TransferSettings:
    """The settings for fetching logs."""

    dest: Path
    limits: TransferLimits = field(default_factory=TransferLimits)
    attempts: int = 3
    retry_seconds: float = 10
    """The pause before the second attempt. It doubles each time, and varies randomly by half."""
    workers: int = 10
    file_mode: int = 0o640
    rsync: _Rsync = run_rsync
    stopping: threading.Event = field(default_factory=threading.Event)
    observer: Observer = NOBODY

    def tree(self, host: str) -> HostTree:
        """Return the folders of a host."""
        return HostTree(self.dest, host, self.limits, self.file_mode)


def sync_hosts(
    plans: Sequence[HostPlan],
    settings: TransferSettings,
    *,
    check_mode: bool = False,
) -> list[HostOutcome]:
    """Fetch the logs of hosts in the given order, ``workers`` hosts at a time.

    In check mode only list the logs. Return the outcomes sorted by host. The caller holds the
    writer lock of ``settings.dest``.
    """
    one_host = list_host if check_mode else fetch_host
    outcomes = []
    settings.observer.expect("hosts", len(plans))
    with ThreadPoolExecutor(max_workers=settings.workers) as pool:
        try:
            futures: list[Future[HostOutcome]] = [
                pool.submit(one_host, plan, settings) for plan in plans
            ]
            for done in as_completed(futures):
                outcome = done.result()
                outcomes.append(outcome)
                settings.observer.advance("hosts", unit=outcome.host)
        except BaseException:
            settings.stopping.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return sorted(outcomes, key=lambda outcome: outcome.host)


def fetch_host(plan: HostPlan, settings: TransferSettings) -> HostOutcome:
    """Fetch the logs of one host. Errors of the host or its folder are in the outcome."""
    return _visit(plan, settings, _fetch, made="made")


def list_host(plan: HostPlan, settings: TransferSettings) -> HostOutcome:
    """Return the outcome that fetching would have, from the host's list alone. Write nothing."""
    return _visit(plan, settings, _list, made="due")


def _visit(
    plan: HostPlan,
    settings: TransferSettings,
    attempt: Callable[[HostPlan, TransferSettings, FetchedLogs, float], Verdict],
    *,
    made: Status,
) -> HostOutcome:
    begun = time.monotonic()
    fetched = FetchedLogs()
    _report_started(plan, settings.observer)

    def report_retry(verdict: Verdict) -> None:
        for unit in _due_units(plan):
            settings.observer.retrying(unit, verdict.reason, kind="logdate")

    try:
        verdict, count = _with_attempts(
            settings, begun, lambda left: attempt(plan, settings, fetched, left), report_retry
        )
    except CountingError as error:
        verdict, count = Verdict(False, "failed", False, str(error)), 1
    attempts = Attempts(verdict, count, time.monotonic() - begun)
    outcome = host_outcome(plan, settings.tree(plan.host), attempts, fetched, made=made)
    _report_ended(outcome, settings.observer)
    return outcome


def _due_units(plan: HostPlan) -> list[WorkUnit]:
    return [WorkUnit(f"{plan.host} {day}", "due") for day in plan.days]


def _report_started(plan: HostPlan, observer: Observer) -> None:
    observer.started(WorkUnit(plan.host, "due"), kind="host")
    for unit in _due_units(plan):
        observer.started(unit, kind="logdate")


def _report_ended(outcome: HostOutcome, observer: Observer) -> None:
    for unit in outcome.units:
        observer.ended(unit, kind="logdate")
    figures = {name: outcome.to_json()[name] for name in ("files", "bytes", "attempts", "seconds")}
    reasons = (outcome.reason,) if outcome.reason else ()
    host = WorkUnit(outcome.host, outcome.status, reasons, figures, outcome.warnings)
    observer.ended(host, kind="host")


def _with_attempts(
    settings: TransferSettings,
    begun: float,
    attempt: Callable[[float], Verdict],
    report_retry: Callable[[Verdict], None],
) -> tuple[Verdict, int]:
    """Attempt until it succeeds, a retry cannot help, or the time of the host is over.

    Return the last verdict and the number of attempts.
    """
    for number in range(1, settings.attempts + 1):
        left = settings.limits.host_seconds - (time.monotonic() - begun)
        verdict = attempt(left)
        # random, so that hosts that failed at the same time do not retry at the same time
        pause = settings.retry_seconds * 2 ** (number - 1) * random.uniform(0.5, 1.5)  # noqa: S311
        left = settings.limits.host_seconds - (time.monotonic() - begun)
        if not verdict.retry or number == settings.attempts or pause >= left:
            break
        report_retry(verdict)
        if settings.stopping.wait(pause):
            break
    return verdict, number


def _fetch(
    plan: HostPlan, settings: TransferSettings, fetched: FetchedLogs, left: float
) -> Verdict:
    """Make one attempt: make the shadow, run rsync, and move complete logs into place."""
    tree = settings.tree(plan.host)
    days = {*plan.days, *plan.catch_up}
    verdict = Verdict(False, "failed", False, "")
    move_into_place(tree, fetched)  # a killed run may have left logs
    try:
        known = make_shadow(tree, days)
        fetched.note_known(known)
        result = settings.rsync(
            fetch_arguments(plan.address, f"{tree.shadow}/", days, settings.limits),
            stall_seconds=settings.limits.stall_seconds,
            wall_seconds=left,
            progress=_progress_of(tree, known, settings.observer),
            stopping=settings.stopping,
        )
        fetched_so_far(tree, known)  # raises if the last files exceeded a limit
        verdict = verdict_of(result)
        _note_skipped(result.output, fetched)
    finally:
        move_into_place(tree, fetched, days=days, keep_partial=not verdict.good)
    return verdict


def _progress_of(tree: HostTree, known: dict[str, int], observer: Observer) -> Callable[[], object]:
    """Return a function that reports and returns the progress of a transfer."""
    reported = 0

    def report_progress() -> tuple[int, int]:
        nonlocal reported
        files, fetched_bytes = fetched_so_far(tree, known)
        if fetched_bytes > reported:
            observer.advance("bytes", fetched_bytes - reported, unit=tree.host)
            reported = fetched_bytes
        return files, fetched_bytes

    return report_progress


_SKIPPED = re.compile(
    r'skipping (?P<irregular>non-regular file) "(?P<name>.*)"|(?P<large>\S+) is over max-size'
)


def _note_skipped(output: str, fetched: FetchedLogs) -> None:
    """Note the files that rsync refused, according to its output."""
    for line in output.splitlines():
        if match := _SKIPPED.fullmatch(line.strip()):
            name = match["name"] or match["large"]
            reason = "not a regular file" if match["irregular"] else "larger than max_file_size"
            rotated = undated_name(name)
            fetched.refuse(rotated[1] if rotated else None, f"refused {printable(name)}: {reason}")


_LISTED = re.compile(
    r"(?P<kind>[-a-z])[-rwxsStT]{9}\S* +(?P<size>[0-9]+) "
    r"(?P<time>[0-9]{4,}/[0-9]{2}/[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}) (?P<name>.+)"
)


def parse_list(output: str, *, file_bytes: int) -> FetchedLogs:
    """Return the logs in the output of ``rsync --list-only``, and refuse those not acceptable."""
    listed = FetchedLogs()
    for line in output.splitlines():
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
            log = ListedLog(name, int(match["size"]), _listed_time(match["time"]))
            listed.logs.setdefault(day, []).append(log)
    return listed


def _listed_time(text: str) -> int:
    """Return seconds since the Unix epoch; 0 for a year that Python does not support."""
    try:
        when = datetime.strptime(text, "%Y/%m/%d %H:%M:%S")
    except ValueError:
        return 0
    return int(when.replace(tzinfo=UTC).timestamp())


def _list(plan: HostPlan, settings: TransferSettings, due: FetchedLogs, left: float) -> Verdict:
    """List the logs of a host once, and add to ``due`` those that differ from the logs here."""
    days = {*plan.days, *plan.catch_up}
    result = settings.rsync(
        list_arguments(plan.address, days, settings.limits),
        stall_seconds=settings.limits.stall_seconds,
        wall_seconds=left,
        stopping=settings.stopping,
        kept_bytes=_LIST_BYTES,
    )
    verdict = verdict_of(result)
    if not verdict.good:
        return verdict
    listed = parse_list(result.output, file_bytes=settings.limits.file_bytes)
    due.refused.update(listed.refused)
    for day in sorted(days):
        here = logs_of_day(settings.tree(plan.host), day)
        due.note_known({dated_name(name, day): one.st_ino for name, one in here.items()})
        same = {ListedLog(name, one.st_size, int(one.st_mtime)) for name, one in here.items()}
        if differing := [log for log in listed.logs.get(day, ()) if log not in same]:
            due.logs[day] = differing
    return verdict
