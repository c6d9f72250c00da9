# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The folders of one host. rsync writes to a shadow: hard links whose names contain the dates.

rsync cannot rename the files that it fetches, and it fetches all days of a host at once. During a
run each log ``HOST/YYYY/MM/DD/http/NAME`` therefore has a second name ``HOST/.sync/NAME-YYYYMMDD``.
rsync replaces files by renaming, so the first name keeps the old, complete log until the new one is
complete. The new logs then move into place, and no log is ever incomplete.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import stat
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import NamedTuple

from .._base.errors import OutputError, SourceError, printable
from .._logs.paths import (
    dated_name,
    host_day_folder,
    is_log_name,
    split_compression,
    undated_name,
)
from .._storage.files import write_error
from .rsync import PARTIAL, TransferLimits

_SHADOW = ".sync"

#: The name of a file that rsync is receiving: .NAME.XXXXXX.
_UNFINISHED = re.compile(r"\.(?P<name>.+)\.[A-Za-z0-9]{6}")


class ListedLog(NamedTuple):
    """A log with the facts by which rsync compares it: size (bytes) and time (whole seconds)."""

    name: str
    """Without the date."""
    size: int
    mtime: int


@dataclass
class FetchedLogs:
    """The logs that were fetched from a host, in all attempts."""

    logs: dict[date, list[ListedLog]] = field(default_factory=dict)
    refused: dict[date | None, list[str]] = field(default_factory=dict)
    """The reasons why files were refused, by day; None for files that belong to no day."""
    known: dict[str, int] = field(default_factory=dict)
    """The logs that are here: their dated names with their inodes."""
    here_before: set[str] = field(default_factory=set)
    """The dated names of the logs that were here before the first attempt."""
    _accepted: set[tuple[date, str]] = field(default_factory=set)

    def note_known(self, known: Mapping[str, int]) -> None:
        """Note the logs that are here before an attempt."""
        fetched = {dated_name(log.name, day) for day, logs in self.logs.items() for log in logs}
        self.here_before |= known.keys() - fetched
        self.known.update(known)

    def accept(self, day: date, log: ListedLog) -> None:
        """Note a fetched log. A log that is fetched in each attempt counts once, as the last one."""
        logs = self.logs.setdefault(day, [])
        if (day, log.name) in self._accepted:
            logs[:] = [one for one in logs if one.name != log.name]
        self._accepted.add((day, log.name))
        logs.append(log)

    def refuse(self, day: date | None, reason: str) -> None:
        """Note the reason why a file was refused."""
        self.refused.setdefault(day, []).append(reason)


@dataclass(frozen=True)
class HostTree:
    """The folders of one host below ``dest``."""

    dest: Path
    host: str
    limits: TransferLimits = field(default_factory=TransferLimits)
    file_mode: int = 0o640

    @property
    def folder(self) -> Path:
        """The folder of the host."""
        return self.dest / self.host

    @property
    def shadow(self) -> Path:
        """The folder with the shadow."""
        return self.dest / self.host / _SHADOW

    def day_path(self, day: date) -> Path:
        """Return the folder with the logs of a day."""
        return host_day_folder(self.dest, self.host, day)


def _folder_exists(dest: Path, folder: Path) -> bool:
    """Return whether a folder below ``dest`` exists, with no symbolic link on the path to it.

    Raises OutputError if a part of the path is no folder.
    """
    path = dest
    for part in folder.relative_to(dest).parts:
        path = path / part
        try:
            kind = os.stat(path, follow_symlinks=False).st_mode
        except FileNotFoundError:
            return False
        except OSError as error:
            raise write_error(path, error) from error
        if not stat.S_ISDIR(kind):
            raise OutputError(
                path,
                expected="a folder",
                found="a symbolic link" if stat.S_ISLNK(kind) else "something else",
                advice="Move it away; the next run fetches what is missing.",
            )
    return True


def make_folders(dest: Path, folder: Path, file_mode: int) -> None:
    """Create the folders from ``dest`` down to ``folder``. Raises OutputError.

    Users who may read the logs may enter the folders; the umask has no effect.
    """
    if _folder_exists(dest, folder):
        return
    mode = 0o700 | (file_mode | file_mode >> 2) & 0o055
    path = dest
    for part in folder.relative_to(dest).parts:
        path = path / part
        try:
            path.mkdir()
            # keep a set-group-ID bit that the folder inherited
            path.chmod(mode | stat.S_IMODE(path.stat().st_mode) & stat.S_ISGID)
        except FileExistsError:
            continue
        except OSError as error:
            raise write_error(path, error) from error


def logs_of_day(tree: HostTree, day: date) -> dict[str, os.stat_result]:
    """Return the logs of a host and day by name. Other files are ignored. Raises OutputError."""
    folder = tree.day_path(day)
    if not _folder_exists(tree.dest, folder):
        return {}
    return {
        name: status
        for name, status in _entries(folder)
        if stat.S_ISREG(status.st_mode)
        and is_log_name(name)
        and split_compression(name)[0].endswith("log")
    }


def _entries(folder: Path) -> Iterator[tuple[str, os.stat_result]]:
    """Yield the names in a folder with their status. Do not follow links; skip vanished files."""
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                with contextlib.suppress(FileNotFoundError):
                    yield entry.name, entry.stat(follow_symlinks=False)
    except FileNotFoundError:
        return
    except OSError as error:
        raise write_error(folder, error) from error


def make_shadow(tree: HostTree, days: Collection[date]) -> dict[str, int]:
    """Link the logs of some days into the shadow. Raises OutputError.

    Return their dated names with their inodes.
    """
    make_folders(tree.dest, tree.shadow, tree.file_mode)
    shadow = str(tree.shadow)
    inodes = {}
    for day in days:
        folder = str(tree.day_path(day))
        for name, status in logs_of_day(tree, day).items():
            dated = dated_name(name, day)
            inodes[dated] = status.st_ino
            try:
                os.link(f"{folder}/{name}", f"{shadow}/{dated}", follow_symlinks=False)
            except FileExistsError:
                pass
            except OSError as error:
                raise write_error(tree.shadow / dated, error) from error
    return inodes


def fetched_so_far(tree: HostTree, known: Mapping[str, int]) -> tuple[int, int]:
    """Return the files and bytes that have arrived. Raises SourceError if they exceed a limit."""
    files = fetched_bytes = 0
    for name, status in _entries(tree.shadow):
        if known.get(name) != status.st_ino and stat.S_ISREG(status.st_mode):
            files += 1
            fetched_bytes += status.st_size
    limits = tree.limits
    if files > limits.host_files or fetched_bytes > limits.host_bytes:
        raise SourceError(
            "its logs",
            expected=f"at most {limits.host_files} files and {limits.host_bytes} bytes in a run",
            found=f"{files} files and {fetched_bytes} bytes, and more to come",
            advice="Examine that host. If these are its logs, raise max_host_files or max_host_size.",
        )
    return files, fetched_bytes


def move_into_place(
    tree: HostTree,
    fetched: FetchedLogs,
    *,
    days: Collection[date] | None = None,
    keep_partial: bool = True,
) -> None:
    """Move complete logs to their names without dates, and remove the rest of the shadow.

    Logs of other days than ``days`` are refused, by default none. Keep partial files so that rsync
    can resume, unless the transfer is complete. Raises OutputError.
    """
    _folder_exists(tree.dest, tree.shadow)
    for name, status in sorted(_entries(tree.shadow)):
        try:
            if fetched.known.get(name) == status.st_ino:
                (tree.shadow / name).unlink()
            elif name != PARTIAL or not stat.S_ISDIR(status.st_mode):
                _move_file(tree, name, status, fetched, days)
        except OSError as error:
            raise write_error(tree.shadow / name, error) from error
    if not keep_partial:
        shutil.rmtree(tree.shadow / PARTIAL, ignore_errors=True)
    for folder in (tree.shadow / PARTIAL, tree.shadow, tree.folder):
        with contextlib.suppress(OSError):
            folder.rmdir()


def _move_file(
    tree: HostTree,
    name: str,
    status: os.stat_result,
    fetched: FetchedLogs,
    days: Collection[date] | None,
) -> None:
    path = tree.shadow / name
    unfinished = _UNFINISHED.fullmatch(name)
    if unfinished and stat.S_ISREG(status.st_mode):
        _keep_partial(path, unfinished["name"], status.st_size)
        return
    rotated = undated_name(name)
    if rotated is None or (objection := _objection(rotated[1], status, tree.limits, days)):
        reason = "not the name of a rotated log" if rotated is None else objection
        fetched.refuse(rotated[1] if rotated else None, f"refused {printable(name)}: {reason}")
        _remove(path, status)
        return
    log_name, day = rotated
    target = tree.day_path(day) / log_name
    if _inode(target) == status.st_ino:
        # a rename onto another name of the same file would do nothing and leave both names
        path.unlink()
        return
    make_folders(tree.dest, target.parent, tree.file_mode)
    path.chmod(tree.file_mode)
    path.replace(target)
    seconds = status.st_mtime_ns // 10**9
    fetched.accept(day, ListedLog(log_name, status.st_size, seconds))


def _objection(
    day: date, status: os.stat_result, limits: TransferLimits, days: Collection[date] | None
) -> str:
    """Return the reason why a log cannot be accepted; empty if it can."""
    if not stat.S_ISREG(status.st_mode):
        return "not a regular file"
    if status.st_size > limits.file_bytes:
        return "larger than max_file_size"
    if days is not None and day not in days:
        return "not requested"
    return ""


def _keep_partial(path: Path, name: str, size: int) -> None:
    """Keep the unfinished file of a killed rsync, unless the partial file here is larger."""
    kept = path.parent / PARTIAL / name
    if undated_name(name) is None or size <= _size(kept):
        path.unlink()
        return
    kept.parent.mkdir(mode=0o700, exist_ok=True)
    path.replace(kept)


def _size(path: Path) -> int:
    try:
        return path.lstat().st_size
    except FileNotFoundError:
        return 0


def _inode(path: Path) -> int | None:
    try:
        return path.lstat().st_ino
    except FileNotFoundError:
        return None


def _remove(path: Path, status: os.stat_result) -> None:
    if stat.S_ISDIR(status.st_mode):
        shutil.rmtree(path)
    else:
        path.unlink()
