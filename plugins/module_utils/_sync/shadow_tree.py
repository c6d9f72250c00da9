# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The folders of one host: rsync works on a shadow of hard links whose names carry the dates.

rsync can't rename what it fetches, and all days of a host are fetched at once, so the logs under
``HOST/YYYY/MM/DD/http/NAME`` get a second name ``HOST/.sync/NAME-YYYYMMDD`` for the time of a run.
rsync replaces files by renaming, so the first name keeps the old log, whole, until the new one is
whole as well. What arrived then moves to its place; nothing is ever half there.
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
from .rsync import PARTIAL, Limits

SHADOW = ".sync"

# While it receives a file, rsync calls it .NAME.XXXXXX.
_UNFINISHED = re.compile(r"\.(?P<name>.+)\.[A-Za-z0-9]{6}")


class Listed(NamedTuple):
    """One log, as rsync compares it: by size (bytes) and time (whole seconds)."""

    name: str
    """Without the date."""
    size: int
    mtime: int


@dataclass
class Arrived:
    """What came of a fetch."""

    logs: dict[date, list[Listed]] = field(default_factory=dict)
    refused: dict[date | None, list[str]] = field(default_factory=dict)
    """Why something was not accepted; under None what belongs to no day."""
    known: dict[str, int] = field(default_factory=dict)
    """The logs that are here: dated names with their inodes."""
    known_at_first: set[str] = field(default_factory=set)
    """Those that were here before any of them arrived."""
    _accepted: set[tuple[date, str]] = field(default_factory=set)

    def note_known(self, known: Mapping[str, int]) -> None:
        """Note which logs are here before an attempt."""
        came = {dated_name(log.name, day) for day, logs in self.logs.items() for log in logs}
        self.known_at_first |= known.keys() - came
        self.known.update(known)

    def accept(self, day: date, log: Listed) -> None:
        """Note a log that came; only the last of that name, should it come at each attempt."""
        logs = self.logs.setdefault(day, [])
        if (day, log.name) in self._accepted:
            logs[:] = [one for one in logs if one.name != log.name]
        self._accepted.add((day, log.name))
        logs.append(log)

    def refuse(self, day: date | None, reason: str) -> None:
        self.refused.setdefault(day, []).append(reason)


@dataclass(frozen=True)
class HostTree:
    """The folders of one host below ``dest``."""

    dest: Path
    host: str
    limits: Limits = field(default_factory=Limits)
    file_mode: int = 0o640

    @property
    def folder(self) -> Path:
        return self.dest / self.host

    @property
    def shadow(self) -> Path:
        return self.dest / self.host / SHADOW

    def day_path(self, day: date) -> Path:
        """Where the logs of a day lie."""
        return host_day_folder(self.dest, self.host, day)


def check_folders(dest: Path, folder: Path) -> bool:
    """Whether a folder below ``dest`` exists, no part of the way being a symbolic link.

    Raises OutputError where something else is in the way.
    """
    way = dest
    for part in folder.relative_to(dest).parts:
        way = way / part
        try:
            kind = os.stat(way, follow_symlinks=False).st_mode
        except FileNotFoundError:
            return False
        except OSError as error:
            raise write_error(way, error) from error
        if not stat.S_ISDIR(kind):
            raise OutputError(
                way,
                expected="a folder",
                found="a symbolic link" if stat.S_ISLNK(kind) else "something else",
                advice="Move it away; the next run fetches what is missing.",
            )
    return True


def make_folders(dest: Path, folder: Path, file_mode: int) -> None:
    """Create the folders from ``dest`` down to ``folder``, whatever the umask.

    Who may read the logs may enter them. Raises OutputError.
    """
    if check_folders(dest, folder):
        return
    mode = 0o700 | (file_mode | file_mode >> 2) & 0o055
    way = dest
    for part in folder.relative_to(dest).parts:
        way = way / part
        try:
            way.mkdir()
            # keep a set-group-ID bit that the folder inherited
            way.chmod(mode | stat.S_IMODE(way.stat().st_mode) & stat.S_ISGID)
        except FileExistsError:
            continue
        except OSError as error:
            raise write_error(way, error) from error


def logs_of_day(tree: HostTree, day: date) -> dict[str, os.stat_result]:
    """The logs of a host and day by name; things that are no logs of ours don't count."""
    folder = tree.day_path(day)
    if not check_folders(tree.dest, folder):
        return {}
    return {
        name: status
        for name, status in _entries(folder)
        if stat.S_ISREG(status.st_mode)
        and is_log_name(name)
        and split_compression(name)[0].endswith("log")
    }


def _entries(folder: Path) -> Iterator[tuple[str, os.stat_result]]:
    """Names and kinds in a folder, links not followed; what vanishes meanwhile is left out."""
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                with contextlib.suppress(FileNotFoundError):
                    yield entry.name, entry.stat(follow_symlinks=False)
    except FileNotFoundError:
        return
    except OSError as error:
        raise write_error(folder, error) from error


def lay_out(tree: HostTree, days: Collection[date]) -> dict[str, int]:
    """Make the shadow of some days. Gives its dated names with their inodes. Raises OutputError."""
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


def progress_in(tree: HostTree, known: Mapping[str, int]) -> tuple[int, int]:
    """Files and bytes that arrived so far. Raises SourceError for more than a host may send."""
    files = arrived_bytes = 0
    for name, status in _entries(tree.shadow):
        if known.get(name) != status.st_ino and stat.S_ISREG(status.st_mode):
            files += 1
            arrived_bytes += status.st_size
    limits = tree.limits
    if files > limits.host_files or arrived_bytes > limits.host_bytes:
        raise SourceError(
            "its logs",
            expected=f"at most {limits.host_files} files and {limits.host_bytes} bytes in a run",
            found=f"{files} files and {arrived_bytes} bytes, and more to come",
            advice="Look at that host; if it is right, raise max_host_files or max_host_size.",
        )
    return files, arrived_bytes


def put_in_place(
    tree: HostTree,
    arrived: Arrived,
    *,
    days: Collection[date] | None = None,
    keep_partial: bool = True,
) -> None:
    """Move what arrived whole to the names without dates; remove the rest of the shadow.

    Only logs of ``days`` are accepted, by default of any. Partial files stay for resumption unless
    all is there. Raises OutputError.
    """
    check_folders(tree.dest, tree.shadow)
    for name, status in sorted(_entries(tree.shadow)):
        try:
            if arrived.known.get(name) == status.st_ino:
                (tree.shadow / name).unlink()
            elif name != PARTIAL or not stat.S_ISDIR(status.st_mode):
                _put(tree, name, status, arrived, days)
        except OSError as error:
            raise write_error(tree.shadow / name, error) from error
    if not keep_partial:
        shutil.rmtree(tree.shadow / PARTIAL, ignore_errors=True)
    for folder in (tree.shadow / PARTIAL, tree.shadow, tree.folder):
        with contextlib.suppress(OSError):
            folder.rmdir()


def _put(
    tree: HostTree,
    name: str,
    status: os.stat_result,
    arrived: Arrived,
    days: Collection[date] | None,
) -> None:
    path = tree.shadow / name
    unfinished = _UNFINISHED.fullmatch(name)
    if unfinished and stat.S_ISREG(status.st_mode):
        _keep_partial(path, unfinished["name"], status.st_size)
        return
    rotated = undated_name(name)
    if rotated is None or (objection := _objection(rotated[1], status, tree.limits, days)):
        why = "not the name of a rotated log" if rotated is None else objection
        arrived.refuse(rotated[1] if rotated else None, f"refused {printable(name)}: {why}")
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
    arrived.accept(day, Listed(log_name, status.st_size, seconds))


def _objection(
    day: date, status: os.stat_result, limits: Limits, days: Collection[date] | None
) -> str:
    if not stat.S_ISREG(status.st_mode):
        return "not a regular file"
    if status.st_size > limits.file_bytes:
        return "larger than max_file_size"
    if days is not None and day not in days:
        return "not asked for"
    return ""


def _keep_partial(path: Path, name: str, size: int) -> None:
    """Keep what a killed rsync left, unless it is nothing or we have more of that file."""
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
