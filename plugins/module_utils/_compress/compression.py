# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compress old combined logs. At every moment there is at least one complete variant of a log.

The compressed log is written beside the plain one, read back from the disk and compared. If both
are equal, it gets its name, and the plain log is removed. A run that is ended at any moment leaves
a state from which the next run continues.
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

#: The levels of each compression, and its default level.
_LEVELS = {"xz": (range(10), 6), "zst": (range(1, 20), 12)}

#: The longest wait for a run of combine in the same tree.
PATIENCE_SECONDS = 2 * 60 * 60


@dataclass(frozen=True)
class CompressSettings:
    """The settings of the stage."""

    src: Path
    """The tree of combined logs."""
    before: date
    """Logs of earlier days are compressed."""
    form: str = "xz"
    """The compression, ``xz`` or ``zst``."""
    level: int | None = None
    workers: int = 1
    nice: int = 0
    """The niceness of the process while it compresses."""

    def __post_init__(self) -> None:
        levels = _LEVELS[self.form][0]
        if self.level is not None and self.level not in levels:
            raise wrong_option(
                "level",
                expected=f"{levels[0]} to {levels[-1]} for {self.form}",
                found=str(self.level),
            )


@dataclass(frozen=True)
class PlannedCompression:
    """A plain log that is due to be compressed, or a folder that cannot be read."""

    path: Path
    unit: WorkUnit


def first_day_to_keep(today: date, *, before: date | None, keep_days: int | None) -> date:
    """Return the first day whose logs stay plain, by default the first of this month."""
    if before is not None:
        return before
    if keep_days is not None:
        return today - timedelta(days=keep_days)
    return today.replace(day=1)


def plan_compression(settings: CompressSettings) -> list[PlannedCompression]:
    """Return all plain logs of days before ``settings.before``, the oldest first. Write nothing.

    The newest day stays plain, because the links in ``latest`` point to it. Raises SourceError if
    there is no tree of combined logs.
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
    """Return the plain logs of a day, or a failed unit; None for a day without logs."""
    try:
        logs = combined_logs(src, day)
    except SourceError as error:
        return [
            PlannedCompression(day_folder(src, day), WorkUnit(f"{day}", "failed", (str(error),)))
        ]
    if not logs:
        return None
    planned = []
    for name, variants in logs.items():
        if not variants or variants[0].name != name:
            continue
        plain = variants[0]
        unit = WorkUnit(f"{day} {name}", "due", ("still plain",))
        try:
            if not stat.S_ISREG(plain.stat(follow_symlinks=False).st_mode):
                continue
        except FileNotFoundError:  # it was removed since the listing
            continue
        except OSError as error:
            unit = WorkUnit(unit.name, "failed", (str(read_error(plain, error)),))
        planned.append(PlannedCompression(plain, unit))
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
            unit = _made_unit(one, settings, observer)
        observer.ended(unit)
        return replace(one, unit=unit)

    due = [one for one in planned if one.unit.status == "due"]
    observer.expect("bytes", sum(size_now(one.path) for one in due))
    with ThreadPoolExecutor(workers) as executor:
        return list(executor.map(compress_and_report, planned))


def _made_unit(one: PlannedCompression, settings: CompressSettings, observer: Observer) -> WorkUnit:
    """Compress a log, and return its unit."""
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
    """Replace a log by its compressed variant; return the bytes before and after."""
    target = path.with_name(f"{path.name}.{settings.form}")
    with ExitStack() as lock:
        with open_regular(path) as plain:
            before = os.fstat(plain.fileno())
            if target.is_symlink() or target.exists():
                # a run that was ended just before the removal of the plain log left both variants
                _check_is_compressed(target, path)
                lock.enter_context(_swap_lock(settings))
            else:
                _write_compressed(plain, target, before, settings, lock, on_read)
        _check_unchanged(path, before)
        path.unlink()
        sync_folder(path.parent)
    return before.st_size, target.stat().st_size


def _check_is_compressed(target: Path, plain: Path) -> None:
    """Raise SourceError unless ``target`` has the content of the plain log.

    If they differ, an operator has to decide which one is right.
    """
    try:
        digest = log_digest(target)
    except SourceError as error:
        raise SourceError(
            target,
            expected="no file, or the compressed variant of the log beside it",
            found=error.found,
            advice="Check that the plain log is complete, then remove this file; the next run makes "
            "it again.",
        ) from error
    check_same_digests({plain: log_digest(plain), target: digest})


@contextlib.contextmanager
def _swap_lock(settings: CompressSettings) -> Iterator[None]:
    """Hold the lock of the tree while the compressed log replaces the plain one."""
    with writer_lock(settings.src, patience_seconds=PATIENCE_SECONDS):
        yield


def _write_compressed(
    plain: Any,
    target: Path,
    before: os.stat_result,
    settings: CompressSettings,
    lock: ExitStack,
    on_read: Callable[[int], None],
) -> None:
    with replacing(target, mode=stat.S_IMODE(before.st_mode)) as unfinished:
        expected = _copy_compressed(plain, unfinished, settings, on_read)
        if log_digest(unfinished, f".{settings.form}") != expected:
            raise OutputError(
                target,
                expected="the content that was written, when it is read back",
                found="other content",
                advice="Check for errors of that disk or share; the plain log is unchanged.",
            )
        if os.geteuid() == 0:
            os.chown(unfinished, before.st_uid, before.st_gid)
        os.utime(unfinished, ns=(before.st_atime_ns, before.st_mtime_ns))
        lock.enter_context(_swap_lock(settings))
        _check_unchanged(target.with_suffix(""), before)


def _copy_compressed(
    plain: Any, unfinished: Path, settings: CompressSettings, on_read: Callable[[int], None]
) -> bytes:
    """Write the compressed log; return the digest of the plain one."""
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
        # the file has to be read back from the disk, and must not displace others from memory
        os.posix_fadvise(output.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    return digest.digest()


def _compressor(settings: CompressSettings) -> Any:
    level = _LEVELS[settings.form][1] if settings.level is None else settings.level
    if settings.form == "xz":
        return lzma.LZMACompressor(lzma.FORMAT_XZ, check=lzma.CHECK_SHA256, preset=level)
    return zstandard.ZstdCompressor(level=level, write_checksum=True).compressobj()


def _check_unchanged(path: Path, before: os.stat_result) -> None:
    now = path.stat(follow_symlinks=False)
    facts = [(one.st_ino, one.st_size, one.st_mtime_ns) for one in (before, now)]
    if facts[0] != facts[1]:
        raise OutputError(
            path,
            expected="a log that does not change while it is compressed",
            found="a change",
            advice="Nothing to do: the next run compresses it.",
        )


def set_niceness(niceness: int) -> None:
    """Lower the priority of this process to ``niceness``, unless it is lower already."""
    current = os.getpriority(os.PRIO_PROCESS, 0)
    os.setpriority(os.PRIO_PROCESS, 0, max(current, niceness))
