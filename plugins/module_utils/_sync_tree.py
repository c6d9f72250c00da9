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
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import NamedTuple

from ._errors import OutputError, SourceError, shown
from ._files import write_error
from ._log_paths import dated_name, day_folder, is_log_name, undated_name
from ._rsync import PARTIAL, Limits

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
    """The logs that were here before: dated names with their inodes."""

    def refuse(self, day: date | None, reason: str) -> None:
        self.refused.setdefault(day, []).append(reason)


def day_path(host_folder: Path, day: date) -> Path:
    """Where a host's logs of a day lie."""
    return day_folder(host_folder, day) / "http"


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


def logs_of_day(dest: Path, host_folder: Path, day: date) -> dict[str, os.stat_result]:
    """The logs of a host and day by name; things that are no logs of ours don't count."""
    folder = day_path(host_folder, day)
    if not check_folders(dest, folder):
        return {}
    found = {}
    for name, status in _entries(folder):
        with contextlib.suppress(ValueError):
            dated_name(name, day)
            if stat.S_ISREG(status.st_mode) and is_log_name(name):
                found[name] = status
    return found


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


def lay_out(
    dest: Path, host_folder: Path, days: Collection[date], *, file_mode: int
) -> dict[str, int]:
    """Make the shadow of some days. Gives its dated names with their inodes. Raises OutputError."""
    shadow = host_folder / SHADOW
    make_folders(dest, shadow, file_mode)
    inodes = {}
    for day in days:
        folder = day_path(host_folder, day)
        for name, status in logs_of_day(dest, host_folder, day).items():
            dated = dated_name(name, day)
            inodes[dated] = status.st_ino
            try:
                os.link(folder / name, shadow / dated, follow_symlinks=False)
            except FileExistsError:
                pass
            except OSError as error:
                raise write_error(shadow / dated, error) from error
    return inodes


def progress_in(shadow: Path, known: dict[str, int], limits: Limits) -> tuple[int, int]:
    """Files and bytes that arrived so far. Raises SourceError for more than a host may send."""
    files = arrived_bytes = 0
    for name, status in _entries(shadow):
        if known.get(name) != status.st_ino and stat.S_ISREG(status.st_mode):
            files += 1
            arrived_bytes += status.st_size
    if files > limits.host_files or arrived_bytes > limits.host_bytes:
        raise SourceError(
            "its logs",
            expected=f"at most {limits.host_files} files and {limits.host_bytes} bytes in a run",
            found=f"{files} files and {arrived_bytes} bytes, and more to come",
            advice="Look at that host; if it is right, raise max_host_files or max_host_size.",
        )
    return files, arrived_bytes


def put_in_place(
    dest: Path,
    host_folder: Path,
    limits: Limits,
    *,
    file_mode: int,
    arrived: Arrived,
    keep_partial: bool = True,
) -> None:
    """Move what arrived whole to the names without dates; remove the rest of the shadow.

    Partial files stay for resumption unless all is there. Raises OutputError.
    """
    shadow = host_folder / SHADOW
    check_folders(dest, shadow)
    for name, status in sorted(_entries(shadow)):
        if name == PARTIAL and stat.S_ISDIR(status.st_mode):
            continue
        try:
            _put(dest, host_folder, name, status, limits, file_mode, arrived)
        except OSError as error:
            raise write_error(shadow / name, error) from error
    if not keep_partial:
        shutil.rmtree(shadow / PARTIAL, ignore_errors=True)
    for folder in (shadow / PARTIAL, shadow, host_folder):
        with contextlib.suppress(OSError):
            folder.rmdir()


def _put(
    dest: Path,
    host_folder: Path,
    name: str,
    status: os.stat_result,
    limits: Limits,
    file_mode: int,
    arrived: Arrived,
) -> None:
    path = host_folder / SHADOW / name
    unfinished = _UNFINISHED.fullmatch(name)
    if unfinished and stat.S_ISREG(status.st_mode):
        _keep_partial(path, unfinished["name"], status.st_size)
        return
    rotated = undated_name(name)
    objection = _objection(rotated, status, limits)
    if objection or rotated is None:
        arrived.refuse(rotated[1] if rotated else None, f"refused {shown(name)}: {objection}")
        _remove(path, status)
        return
    log_name, day = rotated
    target = day_path(host_folder, day) / log_name
    if _inode(target) == status.st_ino:
        # a rename onto another name of the same file would do nothing and leave both names
        path.unlink()
        return
    make_folders(dest, target.parent, file_mode)
    path.chmod(file_mode)
    path.replace(target)
    arrived.logs.setdefault(day, []).append(
        Listed(log_name, status.st_size, int(status.st_mtime_ns // 10**9))
    )


def _objection(rotated: tuple[str, date] | None, status: os.stat_result, limits: Limits) -> str:
    if rotated is None:
        return "not the name of a rotated log"
    if not stat.S_ISREG(status.st_mode):
        return "not a regular file"
    if status.st_size > limits.file_bytes:
        return f"{status.st_size} bytes, more than max_file_size"
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
