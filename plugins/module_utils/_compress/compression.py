# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compress combined logs that are not written to any more, without ever having less than one copy.

The compressed form is written beside the log, read back from the disk and compared, and only when
both are equal takes its name; then the plain form goes. Whenever it is ended, the next run goes on.
"""

from __future__ import annotations

import contextlib
import hashlib
import lzma
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from .._base.errors import CountingError, OutputError, SourceError, wrong_option
from .._base.libs import zstandard
from .._base.observer import NOBODY, Observer
from .._base.records import WorkUnit
from .._logs.combined_tree import combined_logs, newest_days
from .._logs.paths import day_folder
from .._logs.reading import READ_SIZE, check_same_digests, log_digest
from .._storage.files import (
    open_regular,
    read_error,
    replacing,
    size_now,
    sync_folder,
    write_error,
    writer_lock,
)

#: Levels by form, and the one that is taken if none is given.
LEVELS = {"xz": (range(10), 6), "zst": (range(1, 20), 12)}

#: How long to wait for a combine that is at work in the same tree.
PATIENCE_SECONDS = 2 * 60 * 60


@dataclass(frozen=True)
class CompressSettings:
    """What an operator chooses."""

    src: Path
    """The tree of combined logs."""
    before: date
    """Logs of earlier days are compressed."""
    form: str = "xz"
    level: int | None = None
    workers: int = 1
    nice: int = 0
    """How much lower the priority of the process is while it compresses."""

    def __post_init__(self) -> None:
        levels = LEVELS[self.form][0]
        if self.level is not None and self.level not in levels:
            raise wrong_option(
                "level",
                expected=f"{levels[0]} to {levels[-1]} for {self.form}",
                found=str(self.level),
            )


@dataclass(frozen=True)
class PlannedCompression:
    """A plain log that is to be compressed; or a place that failed, for it can't be read."""

    path: Path
    unit: WorkUnit


def first_day_to_keep(today: date, *, before: date | None, keep_days: int | None) -> date:
    """The first day whose logs stay plain: by default that of this month."""
    if before is not None:
        return before
    if keep_days is not None:
        return today - timedelta(days=keep_days)
    return today.replace(day=1)


def plan_compression(settings: CompressSettings) -> list[PlannedCompression]:
    """All plain logs of days before the bound, the oldest first. Writes nothing.

    The newest day stays as it is, for the links in ``latest`` point to it. Raises SourceError if
    there is no such tree.
    """
    try:
        os.listdir(settings.src)
    except OSError as error:
        raise read_error(
            settings.src,
            error,
            expected="the tree of combined logs",
            advice="Mount the file system, or correct the option src.",
        ) from error
    days = [(day, _plan_day(settings.src, day)) for day in newest_days(settings.src)]
    with_logs = [(day, planned) for day, planned in days if planned is not None]
    return [
        one for day, planned in reversed(with_logs[1:]) if day < settings.before for one in planned
    ]


def _plan_day(src: Path, day: date) -> list[PlannedCompression] | None:
    """The plain logs of a day, or its failure; None for a day without any logs."""
    try:
        logs = combined_logs(src, day)
    except SourceError as error:
        return [
            PlannedCompression(day_folder(src, day), WorkUnit(f"{day}", "failed", (str(error),)))
        ]
    if not logs:
        return None
    planned = []
    for name, forms in logs.items():
        if not forms or forms[0].name != name:
            continue
        unit = WorkUnit(f"{day} {name}", "due", ("still plain",))
        try:
            if not stat.S_ISREG(forms[0].stat(follow_symlinks=False).st_mode):
                continue
        except FileNotFoundError:  # removed just now
            continue
        except OSError as error:
            unit = WorkUnit(unit.name, "failed", (str(read_error(forms[0], error)),))
        planned.append(PlannedCompression(forms[0], unit))
    return planned


def compress_logs(
    planned: Sequence[PlannedCompression],
    settings: CompressSettings,
    *,
    observer: Observer = NOBODY,
) -> list[PlannedCompression]:
    """Compress the logs that are due, and return all with their units as they are now.

    At most as many logs as there are processors are compressed at a time.
    """
    workers = min(settings.workers, len(os.sched_getaffinity(0)))

    def compress_and_report(one: PlannedCompression) -> PlannedCompression:
        unit = one.unit
        if unit.status == "due":
            observer.started(unit)
            unit = _compressed(one, settings, observer)
        observer.ended(unit)
        return replace(one, unit=unit)

    due = [one for one in planned if one.unit.status == "due"]
    observer.expect("bytes", sum(size_now(one.path) for one in due))
    with ThreadPoolExecutor(workers) as executor:
        return list(executor.map(compress_and_report, planned))


def _compressed(
    one: PlannedCompression, settings: CompressSettings, observer: Observer
) -> WorkUnit:
    try:
        before, after = _compress(
            one.path, settings, lambda count: observer.advance("bytes", count, unit=one.unit.name)
        )
    except CountingError as error:
        return WorkUnit(one.unit.name, "failed", (str(error),))
    except OSError as error:
        return WorkUnit(one.unit.name, "failed", (str(write_error(one.path, error)),))
    figures = {"bytes": before, "bytes_compressed": after}
    return WorkUnit(one.unit.name, "made", one.unit.reasons, figures)


def _compress(
    path: Path, settings: CompressSettings, on_read: Callable[[int], None]
) -> tuple[int, int]:
    """Put the compressed form in the place of a log; bytes before and after."""
    target = path.with_name(f"{path.name}.{settings.form}")
    with ExitStack() as lock:
        with open_regular(path) as plain:
            seen = os.fstat(plain.fileno())
            if target.is_symlink() or target.exists():
                # a run that was ended at the last moment left both forms
                _check_is_compressed(target, path)
                lock.enter_context(_swap_lock(settings))
            else:
                _write_compressed(plain, target, seen, settings, lock, on_read)
        _check_unchanged(path, seen)
        path.unlink()
        sync_folder(path.parent)
    return seen.st_size, target.stat().st_size


def _check_is_compressed(target: Path, plain: Path) -> None:
    """Raise SourceError unless ``target`` is all of the plain log: which is right can't be told."""
    try:
        digest = log_digest(target)
    except SourceError as error:
        raise SourceError(
            target,
            expected="nothing, or the compressed form of the log beside it",
            found=error.found,
            advice="See that the plain log is whole, then remove this; the next run makes it anew.",
        ) from error
    check_same_digests({plain: log_digest(plain), target: digest})


@contextlib.contextmanager
def _swap_lock(settings: CompressSettings) -> Iterator[None]:
    """Be alone in the tree for the moment in which the forms change places."""
    with writer_lock(settings.src, patience_seconds=PATIENCE_SECONDS):
        yield


def _write_compressed(
    plain: Any,
    target: Path,
    seen: os.stat_result,
    settings: CompressSettings,
    lock: ExitStack,
    on_read: Callable[[int], None],
) -> None:
    with replacing(target, mode=stat.S_IMODE(seen.st_mode)) as unfinished:
        expected = _copy_compressed(plain, unfinished, settings, on_read)
        if log_digest(unfinished, f".{settings.form}") != expected:
            raise OutputError(
                target,
                expected="to read back what was written",
                found="something else",
                advice="Look for errors of that disk or share; the plain log is untouched.",
            )
        if os.geteuid() == 0:
            os.chown(unfinished, seen.st_uid, seen.st_gid)
        os.utime(unfinished, ns=(seen.st_atime_ns, seen.st_mtime_ns))
        lock.enter_context(_swap_lock(settings))
        _check_unchanged(target.with_suffix(""), seen)


def _copy_compressed(
    plain: Any, unfinished: Path, settings: CompressSettings, on_read: Callable[[int], None]
) -> bytes:
    """Write the compressed form; the digest of the plain one."""
    digest = hashlib.blake2b()
    compressor = _compressor(settings)
    with unfinished.open("wb") as output:
        while piece := plain.read(READ_SIZE):
            digest.update(piece)
            output.write(compressor.compress(piece))
            on_read(len(piece))
        output.write(compressor.flush())
        output.flush()
        os.fsync(output.fileno())
        # so that it is read back from the disk, and does not push others out of memory
        os.posix_fadvise(output.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    return digest.digest()


def _compressor(settings: CompressSettings) -> Any:
    level = LEVELS[settings.form][1] if settings.level is None else settings.level
    if settings.form == "xz":
        return lzma.LZMACompressor(lzma.FORMAT_XZ, check=lzma.CHECK_SHA256, preset=level)
    return zstandard.ZstdCompressor(level=level, write_checksum=True).compressobj()


def _check_unchanged(path: Path, seen: os.stat_result) -> None:
    now = path.stat(follow_symlinks=False)
    if (now.st_ino, now.st_size, now.st_mtime_ns) != (seen.st_ino, seen.st_size, seen.st_mtime_ns):
        raise OutputError(
            path,
            expected="a log that is not written to any more",
            found="that it changed meanwhile",
            advice="Nothing to do: the next run compresses it.",
        )


def be_nice(niceness: int) -> None:
    """Give this program a lower priority; one that is lower already stays so."""
    current = os.getpriority(os.PRIO_PROCESS, 0)
    os.setpriority(os.PRIO_PROCESS, 0, max(current, niceness))
