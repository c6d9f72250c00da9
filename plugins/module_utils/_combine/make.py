# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make the combined logs that are due: merge the hosts' logs, write the result and its record."""

from __future__ import annotations

import hashlib
import os
import resource
import secrets
import shutil
import tempfile
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from .._base.errors import CountingError, OutputError, SourceError
from .._base.observer import NOBODY, Observer
from .._base.records import WorkUnit
from .._logs.combined_tree import (
    CombinedDay,
    CombinedInput,
    CombinedLog,
    RejectedInput,
    read_combined_day,
    stale_variants,
    write_combined_day,
)
from .._logs.hosts_tree import HostLog
from .._logs.paths import day_folder, variants_of_log
from .._logs.reading import check_same_digests, log_digest, log_pieces
from .._storage.files import check_mount, replacing
from .merge import MergedLog, merge_logs
from .merge_memory import MemoryShare, keep_freed_memory, merge_memory
from .plan import PlannedLog, log_figures, rejections

_MOST_OPEN_FILES = 1 << 16
_NO_MEMORY = "no memory left to merge its sources. Free some, or lower workers; then run again"


def combine(
    planned: Sequence[PlannedLog],
    dest: Path,
    *,
    workers: int,
    temp_dir: Path | None = None,
    require_mount: Path | None = None,
    observer: Observer = NOBODY,
) -> list[WorkUnit]:
    """Make the logs that are due, ``workers`` at a time; return all units in the given order.

    The caller holds the writer lock of the combined tree. ``require_mount`` is checked before each
    log, because a share may vanish in the middle of a run.
    """
    scratch = _new_scratch_folder(dest, temp_dir)
    _allow_open_files()
    # one more than there are processors, because the threads wait for each other at times
    reading = len(os.sched_getaffinity(0)) + 1
    keep_freed_memory()
    try:
        with ThreadPoolExecutor(workers) as logs, ThreadPoolExecutor(reading) as readers:
            combiner = _Combiner(dest, readers, scratch, require_mount, observer)

            def make_and_report(log: PlannedLog) -> WorkUnit:
                observer.started(log.unit, kind=log.group)
                unit = combiner.make(log)
                observer.ended(unit, kind=log.group)
                return unit

            observer.expect("bytes", sum(log.bytes_to_read for log in planned if log.is_due))
            due = {
                log.unit.name: logs.submit(make_and_report, log) for log in planned if log.is_due
            }
            return [due[log.unit.name].result() if log.is_due else log.unit for log in planned]
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _new_scratch_folder(dest: Path, temp_dir: Path | None) -> Path:
    """Create a folder that only this user can enter; remove those of killed runs.

    Its name cannot be guessed, so that no other user can create it before.
    """
    place = temp_dir or dest
    prefix = f".sorting-{hashlib.sha256(os.fsencode(dest)).hexdigest()[:12]}-"
    for left in place.glob(f"{prefix}*"):
        shutil.rmtree(left, ignore_errors=True)  # a folder of another user stays and is harmless
    try:
        place.mkdir(parents=True, exist_ok=True)
        return Path(tempfile.mkdtemp(prefix=prefix, dir=place))
    except OSError:
        # only logs that have to be sorted need the folder and will fail
        return place / f"{prefix}{secrets.token_hex(8)}"


def _allow_open_files() -> None:
    """Raise the limit of open files for thousands of hosts, as far as the system allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _MOST_OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, _MOST_OPEN_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


@dataclass(frozen=True)
class _ChosenLog:
    """The file of a host that is merged, equal variants of it, and rejected variants."""

    host: str
    path: Path | None
    same: tuple[Path, ...] = ()
    rejected: tuple[tuple[Path, str], ...] = ()


class _Combiner:
    """Makes combined logs. It holds everything that the logs of a run share."""

    def __init__(
        self,
        dest: Path,
        readers: Executor,
        scratch: Path,
        require_mount: Path | None,
        observer: Observer,
    ) -> None:
        self._dest = dest
        self._readers = readers
        self._memory = MemoryShare()
        self._scratch = scratch
        self._require_mount = require_mount
        self._observer = observer
        self._record_lock = threading.Lock()

    def make(self, log: PlannedLog) -> WorkUnit:
        """Make one log and return its unit, which also reports an error."""
        started = time.monotonic()
        try:
            record = self._make(log)
        except _AllDamagedError as damaged:
            reasons = ("the logs of all hosts are damaged", *rejections(damaged.record))
            return WorkUnit(log.unit.name, "failed", reasons)
        except CountingError as error:
            return WorkUnit(log.unit.name, "failed", (str(error),))
        except OSError as error:
            return WorkUnit(log.unit.name, "failed", (f"{error.filename}: {error.strerror}",))
        except MemoryError as error:
            return WorkUnit(log.unit.name, "failed", (f"{_NO_MEMORY} ({error})",))
        figures = {**log_figures(record), "seconds": round(time.monotonic() - started, 3)}
        left_out = tuple(rejections(record))
        return WorkUnit(log.unit.name, "made", (*log.unit.reasons, *left_out), figures, left_out)

    def _make(self, log: PlannedLog) -> CombinedLog:
        check_mount(self._require_mount)
        chosen = [self._choose(one) for one in log.host_logs]
        target = day_folder(self._dest, log.day) / log.name
        try:
            record = self._merge(log, chosen, target)
        except _AllDamagedError as damaged:
            # an earlier combined log stays, and the record prevents a retry until a log changes
            rejected = damaged.record.rejected
            kept = replace(log.record, rejected=rejected) if log.record else damaged.record
            self._write_record(log, kept)
            raise
        for path in stale_variants(target):
            path.unlink(missing_ok=True)
        self._write_record(log, record)
        return record

    def _choose(self, host_log: HostLog) -> _ChosenLog:
        """Choose the variant of a log that is merged. All of them are rejected if they differ."""
        if len(host_log.paths) == 1:
            return _ChosenLog(host_log.host, host_log.paths[0])
        sound: dict[Path, bytes] = {}
        rejected = []
        for path, digest in zip(
            host_log.paths, self._readers.map(_digest, host_log.paths), strict=True
        ):
            if isinstance(digest, bytes):
                sound[path] = digest
            else:
                rejected.append((path, str(digest)))
        try:
            check_same_digests(sound)
        except SourceError as different:
            rejected += [(path, str(different)) for path in sound]
            sound = {}
        paths = list(sound)
        merged = paths[0] if paths else None
        return _ChosenLog(host_log.host, merged, tuple(paths[1:]), tuple(rejected))

    def _merge(self, log: PlannedLog, chosen: Sequence[_ChosenLog], target: Path) -> CombinedLog:
        merged_hosts = [one for one in chosen if one.path is not None]
        paths = [one.path for one in merged_hosts if one.path is not None]
        scratch = self._scratch / f"{log.day}-{log.name}"
        try:
            with self._memory.of(merge_memory(paths)), replacing(target) as unfinished:
                merged = merge_logs(
                    paths,
                    unfinished,
                    scratch=scratch,
                    executor=self._readers,
                    on_read=partial(self._observer.advance, "bytes", unit=log.unit.name),
                )
                record = _record(log, chosen, merged_hosts, merged)
                if not record.inputs:
                    raise _AllDamagedError(record)
                _check_size(unfinished, target, merged.bytes)
                if log.record is None:
                    _refuse_to_shrink(target, merged.bytes)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
        return record

    def _write_record(self, log: PlannedLog, record: CombinedLog) -> None:
        with self._record_lock:
            day = read_combined_day(self._dest, log.day)
            logs = {**day.logs, log.name: record}
            write_combined_day(self._dest, CombinedDay(day.day, logs))


class _AllDamagedError(Exception):
    def __init__(self, record: CombinedLog) -> None:
        super().__init__("all sources are damaged")
        self.record = record


def _digest(path: Path) -> bytes | SourceError:
    try:
        return log_digest(path)
    except SourceError as error:
        return error


def _record(
    log: PlannedLog,
    chosen: Sequence[_ChosenLog],
    merged_hosts: Sequence[_ChosenLog],
    merged: MergedLog,
) -> CombinedLog:
    files = log.inputs
    inputs, rejected = [], []
    for number, one in enumerate(merged_hosts):
        if one.path is None:
            continue
        if number in merged.damaged:
            reason = str(merged.damaged[number])
            rejected.append(RejectedInput(files[one.path], one.host, reason))
            continue
        source = merged.sources[number]
        inputs.append(
            CombinedInput(files[one.path], one.host, source.lines, source.bytes, source.undated)
        )
        inputs += [CombinedInput(files[path], one.host, 0, 0, 0) for path in one.same]
    for one in chosen:
        rejected += [RejectedInput(files[path], one.host, reason) for path, reason in one.rejected]
    return CombinedLog(
        inputs=tuple(inputs),
        hosts_expected=log.hosts_expected,
        hosts_present=tuple(sorted({one.host for one in inputs})),
        rejected=tuple(rejected),
        lines=merged.lines,
        bytes=merged.bytes,
        undated=merged.undated,
        first=merged.first,
        last=merged.last,
    )


def _check_size(unfinished: Path, target: Path, size: int) -> None:
    """Raise OutputError if the size on disk differs, although writing reported no error."""
    found = unfinished.stat().st_size
    if found != size:
        raise OutputError(
            target,
            expected=f"{size} bytes on disk",
            found=f"{found} bytes",
            advice="Check space, quota and errors of that file system, then run again.",
        )


def _refuse_to_shrink(target: Path, size: int) -> None:
    """Raise OutputError if a log without a record would become smaller.

    It may have been made from hosts' logs that are gone now.
    """
    for path in variants_of_log(target.parent, target.name):
        before = sum(map(len, log_pieces(path)))
        if size < before:
            raise OutputError(
                path,
                expected=f"at least its {before} bytes from the hosts' logs that exist now",
                found=f"{size} bytes",
                advice="It has no record, and was probably made when there were more hosts' logs. "
                "It stays unchanged. Remove it to combine the logs that exist now.",
            )
