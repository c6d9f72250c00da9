# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measure the trees that the stages write: their days, their size and the free space."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

from .._base.coverage import Reach


@dataclass(frozen=True)
class Tree:
    """One folder of the pipeline."""

    name: str
    """The name of the tree: ``hosts``, ``combined``, ``raw fedora``…"""
    path: Path
    problem: str = ""
    """The reason why it cannot be measured; empty if it can."""
    total_bytes: int | None = None
    """The size of its file system; None if the folder does not exist."""
    free_bytes: int | None = None
    """The free space of its file system; None if the folder does not exist."""
    used_bytes: int | None = None
    """The size of its files, in trees of days only those in the window; None if unknown."""
    oldest: date | None = None
    newest: date | None = None

    @property
    def free_percent(self) -> float | None:
        """The share of the file system that is free."""
        if not self.total_bytes or self.free_bytes is None:
            return None
        return round(100 * self.free_bytes / self.total_bytes, 1)

    def to_json(self) -> dict[str, Any]:
        """Return the tree as it stands in the status."""
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


def measured(
    tree: Tree,
    days: Iterable[date],
    *,
    reach: Reach,
    used_bytes: int | None = None,
    folder_of_day: Callable[[date], Path] | None = None,
) -> Tree:
    """Return the tree with the space that it takes and the space that is left.

    ``used_bytes`` is passed if it is known already.
    """
    room = room_of(tree.path)
    if room.total is None:
        return replace(tree, problem="absent or not readable")
    if used_bytes is None:
        folders = (
            map(folder_of_day, days) if folder_of_day else [tree.path, *_folders_in(tree.path)]
        )
        used_bytes = _bytes_of(folders)
    return replace(
        tree,
        total_bytes=room.total,
        free_bytes=room.free,
        used_bytes=used_bytes,
        oldest=reach[0],
        newest=reach[1],
    )


class Room(NamedTuple):
    """The size and the free bytes of a file system."""

    total: int | None
    free: int | None


def room_of(path: Path) -> Room:
    """Return the room of the file system of a folder; None values if the folder is absent."""
    try:
        usage = shutil.disk_usage(path)
    except OSError:
        return Room(None, None)
    return Room(usage.total, usage.free)


def _bytes_of(folders: Iterable[Path]) -> int:
    """Return the size of the files directly in some folders, without those it cannot read."""
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
