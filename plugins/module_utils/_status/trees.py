# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The folders that the stages fill: how far back they reach, what they take, what room is left."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

from .._base.errors import CountingError
from .._logs.combined_tree import newest_days, oldest_days
from .._logs.paths import day_folder
from .settings import StatusSettings


@dataclass(frozen=True)
class Tree:
    """One folder of the pipeline."""

    name: str
    """What is in it: ``hosts``, ``combined``, ``raw fedora``…"""
    path: Path
    problem: str = ""
    """Why it can't be looked at; empty where it can, or where it is not there yet."""
    total_bytes: int | None = None
    """Of its file system; None where the folder is not there."""
    free_bytes: int | None = None
    used_bytes: int | None = None
    """Of its files, for trees of days those of the days that are looked at; None if unknown."""
    oldest: date | None = None
    newest: date | None = None

    @property
    def free_percent(self) -> float | None:
        """The share of the file system that is free."""
        if not self.total_bytes or self.free_bytes is None:
            return None
        return round(100 * self.free_bytes / self.total_bytes, 1)

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "path": str(self.path),
            "problem": self.problem,
            "total_bytes": self.total_bytes,
            "free_bytes": self.free_bytes,
            "free_percent": self.free_percent,
            "used_bytes": self.used_bytes,
            "oldest": str(self.oldest) if self.oldest else None,
            "newest": str(self.newest) if self.newest else None,
        }


def named_trees(settings: StatusSettings) -> list[Tree]:
    """The folders of all stages, not looked at yet."""
    combine, publish = settings.combine, settings.publish
    trees = [Tree("hosts", combine.src), Tree("combined", combine.dest)]
    for profile in settings.profiles:
        trees.append(Tree(f"raw {profile.name}", profile.raw_days))
    totals = {profile.totals_db.parent for profile in settings.profiles}
    trees += [Tree("totals", folder) for folder in sorted(totals)]
    if settings.condense:
        trees.append(Tree("condensed", settings.condense.folder))
    return [*trees, *([Tree("published", publish.dest)] if publish else [])]


def look_at(
    tree: Tree,
    days: Iterable[date],
    *,
    reach: tuple[date | None, date | None],
    hosts_bytes: int,
) -> Tree:
    """The tree with what it takes and what room it has; ``reach`` and ``hosts_bytes`` are known."""
    room = room_of(tree.path)
    if room.total is None:
        return replace(tree, problem="not there, or not to be read")
    if tree.name == "hosts":
        used = hosts_bytes
    elif tree.name == "combined":
        used = bytes_of_days(tree.path, days)
    else:
        used = bytes_in([tree.path, *_folders_in(tree.path)])
    return replace(
        tree,
        total_bytes=room.total,
        free_bytes=room.free,
        used_bytes=used,
        oldest=reach[0],
        newest=reach[1],
    )


class Room(NamedTuple):
    """Bytes of a file system."""

    total: int | None
    free: int | None


def room_of(path: Path) -> Room:
    """The room of the file system that a folder is on; nothing where the folder is not there."""
    try:
        usage = shutil.disk_usage(path)
    except OSError:
        return Room(None, None)
    return Room(usage.total, usage.free)


def bytes_in(folders: Iterable[Path]) -> int:
    """What the files directly in some folders take; what can't be read counts nothing."""
    return sum(_bytes_in(folder) for folder in folders)


def _bytes_in(folder: Path) -> int:
    size = 0
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_file(follow_symlinks=False):
                    size += entry.stat(follow_symlinks=False).st_size
    except OSError:
        pass
    return size


def _folders_in(folder: Path) -> list[Path]:
    try:
        return [path for path in folder.iterdir() if path.is_dir() and not path.is_symlink()]
    except OSError:
        return []


def bytes_of_days(root: Path, days: Iterable[date]) -> int:
    """What the combined logs of some days take."""
    return bytes_in(day_folder(root, day) for day in days)


def reach_of_days(root: Path) -> tuple[date | None, date | None]:
    """The oldest and the newest day that have a folder below ``root``.

    Raises SourceError where a folder is there but can't be read.
    """
    return next(oldest_days(root), None), next(newest_days(root), None)


def reach_of_hosts(root: Path, hosts: Iterable[str]) -> tuple[date | None, date | None]:
    """The oldest and the newest day of any host in the hosts tree."""
    oldest, newest = [], []
    for host in hosts:
        try:
            first, last = reach_of_days(root / host)
        except CountingError:
            continue  # that host's days say so
        oldest += [first] if first else []
        newest += [last] if last else []
    return min(oldest, default=None), max(newest, default=None)
