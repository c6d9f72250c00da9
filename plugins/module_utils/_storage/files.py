# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write whole files only, and let only one run write to a tree at a time."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import fcntl
import json
import os
import shutil
import stat
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from .._base.errors import LockedError, OutputError, SourceError

#: Unfinished outputs are named ``.NAME.unfinished``: never read, overwritten by the next try.
UNFINISHED = ".unfinished"
_LOCK_NAME = ".writing"
_LOCK_POLL_SECONDS = 0.05
# Python has no function for it, but every C library for Linux has one.
_SYNCFS = ctypes.CDLL(None, use_errno=True).syncfs


def write_error(path: Path, error: OSError) -> OutputError:
    """Return the error for an operator for an OSError in writing."""
    advice = {
        errno.ENOSPC: "Free some space there, or inodes (df -i); the next run continues.",
        errno.EDQUOT: "Raise the quota or free some space; the next run continues.",
        errno.ENOLCK: "Start the lock service of that share, or mount it with local_lock=flock.",
        errno.EROFS: "Mount the file system writable.",
        errno.EACCES: "Give the counting user write permission there.",
        errno.EPERM: "Give the counting user write permission there.",
    }.get(error.errno or 0, "Examine that path, then run again.")
    return OutputError(
        path, expected="to write there", found=os.strerror(error.errno or 0), advice=advice
    )


def read_error(
    path: Path | str,
    error: OSError,
    *,
    expected: str = "to read that place",
    advice: str = "Examine that place and its file system, then run again.",
) -> SourceError:
    """Return the error for an operator for an OSError in reading."""
    found = os.strerror(error.errno or 0)
    return SourceError(path, expected=expected, found=found, advice=advice)


def sync_folder(folder: Path) -> None:
    """Write the renames in a folder to disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_folder(folder: Path) -> None:
    """Create a folder and its parents. Raises OutputError if it fails."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise write_error(folder, error) from error


@contextlib.contextmanager
def replacing(path: Path, *, mode: int = 0o644) -> Iterator[Path]:
    """Give a temporary path beside ``path``, and rename it to ``path`` if the block succeeds.

    The file is complete, is on disk and has ``mode`` before the rename; the umask has no effect.
    After a failure ``path`` is unchanged. Raises OutputError if the file cannot be written.
    """
    make_folder(path.parent)
    unfinished = path.with_name(f".{path.name}{UNFINISHED}")
    try:
        # a run that was killed may have left one, perhaps of another owner or another type
        unfinished.unlink(missing_ok=True)
        yield unfinished
        with unfinished.open("rb") as finished:
            os.fchmod(finished.fileno(), mode)
            os.fsync(finished.fileno())
        unfinished.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        raise write_error(path, error) from error
    finally:
        with contextlib.suppress(OSError):
            unfinished.unlink(missing_ok=True)


def check_mount(proof: Path | None) -> None:
    """Raise OutputError unless the share is mounted, so that no run fills an empty mount point."""
    if proof is None or (proof.is_dir() and os.path.ismount(proof)) or proof.is_file():
        return
    raise OutputError(
        proof,
        expected="a marker file or a mount point, which shows that the share is mounted",
        found="a folder that is not a mount point" if proof.is_dir() else "nothing",
        advice="Mount the share, then run again; nothing was written.",
    )


def remove_unfinished(folder: Path) -> None:
    """Remove the unfinished files of killed runs from a folder. The caller holds its lock."""
    for path in folder.glob(f".*{UNFINISHED}*"):
        try:
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()
        except OSError as error:
            raise write_error(path, error) from error


def write_bytes(path: Path, content: bytes, *, mode: int = 0o644) -> None:
    """Replace the file at ``path`` by ``content``, completely or not at all."""
    with replacing(path, mode=mode) as unfinished:
        unfinished.write_bytes(content)


def has_content(path: Path, content: bytes) -> bool:
    """Return whether a regular file with exactly this content is at ``path``.

    Return false for a link and for a file that cannot be read: both need to be replaced.
    """
    try:
        with open_regular(path) as there:
            return there.read(len(content) + 1) == content
    except (SourceError, OSError):
        return False


def replace_if_changed(path: Path, content: bytes, *, mode: int = 0o644) -> bool:
    """Write ``content`` to ``path`` unless it is there already; return whether it was written."""
    if has_content(path, content):
        return False
    write_bytes(path, content, mode=mode)
    return True


def size_now(path: Path) -> int:
    """Return the bytes on disk, for the progress of the work on a file.

    Return 0 if the size is unknown; opening the file will report the error.
    """
    try:
        return path.stat(follow_symlinks=False).st_size
    except OSError:
        return 0


def open_regular(path: Path) -> IO[bytes]:
    """Open a regular file for reading. The last part of its path must not be a symbolic link.

    Raises SourceError otherwise, so that a link in a tree of logs never leads out of the tree.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        found = "a symbolic link" if error.errno == errno.ELOOP else os.strerror(error.errno or 0)
        raise SourceError(
            path,
            expected="a readable regular file",
            found=found,
            advice="Remove it or make it readable; the next run reads it.",
        ) from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise SourceError(
            path,
            expected="a readable regular file",
            found="something else (a folder, device, socket or pipe)",
            advice="Remove it; the next run continues without it.",
        )
    return os.fdopen(descriptor, "rb")


@contextlib.contextmanager
def writer_lock(
    folder: Path,
    *,
    run_id: str = "",
    now: datetime | None = None,
    patience_seconds: float = 0,
    name: str = _LOCK_NAME,
) -> Iterator[None]:
    """Make this process the only writer below ``folder`` while the block runs.

    The lock is advisory and ends with the process, so it is never stale. Each ``name`` is a lock of
    its own, for one kind of work. Raises LockedError after ``patience_seconds``; the error names
    the process that holds the lock, and the time since when.
    """
    make_folder(folder)
    path = folder / name
    since = (now or datetime.now(UTC)).isoformat(timespec="seconds")
    holder = json.dumps({"pid": os.getpid(), "run_id": run_id, "since": since}).encode()
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise write_error(path, error) from error
    with os.fdopen(descriptor, "r+b", buffering=0) as lock:
        try:
            _take_lock(lock, patience_seconds)
            lock.truncate(0)
            lock.write(holder)
        except BlockingIOError as error:
            raise LockedError(
                folder,
                expected="to be the only writer",
                found=f"another run at work ({_holder_of(lock)})",
                advice="Wait until it has ended, or end it; this run changed nothing there.",
            ) from error
        except OSError as error:
            raise write_error(path, error) from error
        try:
            yield
        finally:
            # if the share is gone, the text stays; without the lock it has no meaning
            with contextlib.suppress(OSError):
                lock.truncate(0)


def _take_lock(lock: IO[bytes], patience_seconds: float) -> None:
    until = time.monotonic() + patience_seconds
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= until:
                raise
            time.sleep(_LOCK_POLL_SECONDS)
        else:
            return


def sync_file_system(folder: Path) -> None:
    """Write all data of the file system of a folder to disk. Raises OutputError if it fails.

    Unlike os.sync() this waits for no other file system, and reports data that were not written.
    """
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            if _SYNCFS(descriptor):
                number = ctypes.get_errno()
                raise OSError(number, os.strerror(number))
        finally:
            os.close(descriptor)
    except OSError as error:
        raise write_error(folder, error) from error


def current_writer(folder: Path) -> str:
    """Return the process that writes below ``folder`` now, or an empty text. Write nothing."""
    try:
        descriptor = os.open(folder / _LOCK_NAME, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return ""
    with os.fdopen(descriptor, "rb") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return _holder_of(lock)
    return ""


def _holder_of(lock: IO[bytes]) -> str:
    try:
        holder = json.load(lock)
        run = f", run {holder['run_id']}" if holder["run_id"] else ""
        return f"process {holder['pid']}{run}, since {holder['since']}"
    except (ValueError, KeyError, TypeError):
        return "its process is not known yet"
