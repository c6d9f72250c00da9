# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The folder of links to the newest combined day, replaced in one step.

``latest`` is itself a symbolic link to a hidden folder of links beside it. A new one is made whole,
then the link is renamed over the old one: also on NFS a reader sees one of the two, never a gap.
"""

from __future__ import annotations

import ctypes
import glob
import heapq
import os
import re
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from .._base.errors import OutputError, SourceError
from .._base.records import WorkUnit
from .._logs.combined_tree import combined_logs, newest_days
from .._logs.paths import day_folder
from .._storage.files import make_folder, read_error, sync_folder, write_error

_AT_FDCWD = -100
_RENAME_EXCHANGE = 2
#: How what is made beside the links is called, behind their own name: by the day, or for a moment.
_OURS = re.compile(r"[0-9-]+\+*|link|taken-over")


@dataclass(frozen=True)
class PlannedLatest:
    """The unit of the links, and the links there are to be."""

    unit: WorkUnit
    links: Mapping[str, str] = field(default_factory=dict)
    version: str = ""


def plan_latest(
    latest: Path, combined: Path, *, due: Mapping[date, Sequence[str]], unfinished: Iterable[date]
) -> PlannedLatest:
    """Link to the newest day that has logs, once those that are ``due`` are made.

    ``due`` has their names for each day; days that are ``unfinished`` don't count. Where the tree
    or the links can't be read the unit has failed, and says why.
    """
    try:
        return _plan_latest(latest, combined, due, unfinished)
    except SourceError as error:
        return PlannedLatest(WorkUnit("latest", "failed", (str(error),)))
    except OSError as error:
        return PlannedLatest(WorkUnit("latest", "failed", (str(read_error(latest, error)),)))


def _plan_latest(
    latest: Path, combined: Path, due: Mapping[date, Sequence[str]], unfinished: Iterable[date]
) -> PlannedLatest:
    left_out = set(unfinished)
    for day in heapq.merge(sorted(due, reverse=True), newest_days(combined), reverse=True):
        if day in left_out:
            continue
        logs = {name: forms[0] for name, forms in combined_logs(combined, day).items()}
        logs |= {name: day_folder(combined, day) / name for name in due.get(day, ())}
        if logs:
            links = wanted_links(latest, list(logs.values()))
            return _planned(latest, day, links)
    return PlannedLatest(WorkUnit("latest", "missing", ("no day is combined yet",)))


def _planned(latest: Path, day: date, links: Mapping[str, str]) -> PlannedLatest:
    if latest.is_symlink() and current_links(latest) == links:
        return PlannedLatest(WorkUnit("latest", "unchanged", (), {"day": day.isoformat()}), links)
    unit = WorkUnit("latest", "due", (f"to link to {day}",), {"day": day.isoformat()})
    return PlannedLatest(unit, links, day.isoformat())


def current_links(latest: Path) -> dict[str, str]:
    """The links there are: name to target as it is written. Empty where there is no folder."""
    try:
        return {one.name: os.readlink(one) for one in latest.iterdir() if one.is_symlink()}
    except (FileNotFoundError, NotADirectoryError):
        return {}


def wanted_links(latest: Path, logs: Sequence[Path]) -> dict[str, str]:
    """The links to these logs, relative so that the tree can be mounted anywhere."""
    place = os.path.join(os.path.realpath(latest.parent), latest.name)
    return {
        log.name: os.path.relpath(os.path.realpath(log.parent), place) + f"/{log.name}"
        for log in logs
    }


def swap_latest(latest: Path, links: Mapping[str, str], *, version: str) -> None:
    """Make ``latest`` hold just these links. Raises OutputError."""
    prefix = f".{latest.name}."
    folder = latest.with_name(f"{prefix}{version}")
    try:
        make_folder(latest.parent)
        before = os.readlink(latest) if latest.is_symlink() else None
        while folder.name == before:
            folder = folder.with_name(f"{folder.name}+")
        _remove(folder)
        folder.mkdir(mode=0o755)
        folder.chmod(0o755)
        for name, target in links.items():
            (folder / name).symlink_to(target)
        sync_folder(folder)
        _put_in_place(latest, folder)
        sync_folder(latest.parent)
        for old in latest.parent.glob(f"{glob.escape(prefix)}*"):
            ours = _OURS.fullmatch(old.name.removeprefix(prefix))
            if ours and old.name not in (folder.name, before):  # a reader may still be in that
                _remove(old)
    except OSError as error:
        raise write_error(latest, error) from error


def _put_in_place(latest: Path, folder: Path) -> None:
    link = latest.with_name(f".{latest.name}.link")
    _remove(link)
    link.symlink_to(folder.name)
    if latest.is_symlink() or not latest.exists():
        link.replace(latest)
        return
    _check_only_links(latest)
    if not _exchange(link, latest):
        # no exchange on this file system: once, at take-over, there is a gap of two renames
        latest.rename(latest.with_name(f".{latest.name}.taken-over"))
        link.rename(latest)


def _check_only_links(latest: Path) -> None:
    """A folder an earlier system left has links only; anything else is not ours to remove."""
    if not latest.is_dir() or any(not one.is_symlink() for one in latest.iterdir()):
        raise OutputError(
            latest,
            expected="a folder with nothing but symbolic links, or nothing",
            found="something else",
            advice="Move it away, or choose another place by the option latest.",
        )


def _exchange(one: Path, other: Path) -> bool:
    """Let two names change places in one step; False where that is not to be had."""
    libc = ctypes.CDLL(None, use_errno=True)
    if not hasattr(libc, "renameat2"):
        return False
    names = (os.fsencode(one), os.fsencode(other))
    status = libc.renameat2(_AT_FDCWD, names[0], _AT_FDCWD, names[1], _RENAME_EXCHANGE)
    return bool(status == 0)


def _remove(path: Path) -> None:
    if path.is_symlink() or not path.is_dir():
        path.unlink(missing_ok=True)
    else:
        shutil.rmtree(path)
