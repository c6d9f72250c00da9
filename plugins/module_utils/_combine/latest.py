# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The folder ``latest`` with links to the newest combined day, replaced in one step.

``latest`` is itself a symbolic link to a hidden folder of links beside it. A new folder is completed
first, then a new link to it is renamed over the old one. A reader, also on NFS, sees one of the two
and never a gap.
"""

from __future__ import annotations

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

#: The last part of the names of the hidden folders and links: a day, or a name for a moment.
_OURS = re.compile(r"[0-9-]+\+*|link|taken-over")


@dataclass(frozen=True)
class PlannedLatest:
    """The unit of the links, and the links that a run makes."""

    unit: WorkUnit
    links: Mapping[str, str] = field(default_factory=dict)
    version: str = ""


def plan_latest(
    latest: Path, combined: Path, *, due: Mapping[date, Sequence[str]], unfinished: Iterable[date]
) -> PlannedLatest:
    """Plan links to the newest day with logs, including the logs that are due.

    ``due`` has the names of these logs by day. Days in ``unfinished`` are skipped. The unit has
    failed if the tree or the links cannot be read.
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
        logs = {name: variants[0] for name, variants in combined_logs(combined, day).items()}
        logs |= {name: day_folder(combined, day) / name for name in due.get(day, ())}
        if logs:
            links = _links_to(latest, list(logs.values()))
            return _planned(latest, day, links)
    return PlannedLatest(WorkUnit("latest", "missing", ("no day is combined yet",)))


def _planned(latest: Path, day: date, links: Mapping[str, str]) -> PlannedLatest:
    if latest.is_symlink() and _current_links(latest) == links:
        return PlannedLatest(WorkUnit("latest", "unchanged", (), {"day": day.isoformat()}), links)
    unit = WorkUnit("latest", "due", (f"to link to {day}",), {"day": day.isoformat()})
    return PlannedLatest(unit, links, day.isoformat())


def _current_links(latest: Path) -> dict[str, str]:
    """Return the targets of the present links by name; none if there is no folder."""
    try:
        return {one.name: os.readlink(one) for one in latest.iterdir() if one.is_symlink()}
    except (FileNotFoundError, NotADirectoryError):
        return {}


def _links_to(latest: Path, logs: Sequence[Path]) -> dict[str, str]:
    """Return links to the logs. They are relative, so that the tree can be mounted anywhere."""
    place = os.path.join(os.path.realpath(latest.parent), latest.name)
    return {
        log.name: os.path.relpath(os.path.realpath(log.parent), place) + f"/{log.name}"
        for log in logs
    }


def swap_latest(latest: Path, links: Mapping[str, str], *, version: str) -> None:
    """Replace ``latest`` by a folder with exactly these links. Raises OutputError."""
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
        _point_to(latest, folder)
        sync_folder(latest.parent)
        for old in latest.parent.glob(f"{glob.escape(prefix)}*"):
            ours = _OURS.fullmatch(old.name.removeprefix(prefix))
            # a reader may still be in the folder before
            if ours and old.name not in (folder.name, before):
                _remove(old)
    except OSError as error:
        raise write_error(latest, error) from error


def _point_to(latest: Path, folder: Path) -> None:
    link = latest.with_name(f".{latest.name}.link")
    _remove(link)
    link.symlink_to(folder.name)
    if not latest.is_symlink() and latest.exists():
        # the folder of the earlier system is replaced once, with a gap of a moment for readers
        _check_only_links(latest)
        taken_over = latest.with_name(f".{latest.name}.taken-over")
        _remove(taken_over)
        latest.rename(taken_over)
    link.replace(latest)


def _check_only_links(latest: Path) -> None:
    """Raise OutputError for other files: the folder of the earlier system has only links."""
    if not latest.is_dir() or any(not one.is_symlink() for one in latest.iterdir()):
        raise OutputError(
            latest,
            expected="a folder of symbolic links, or no folder",
            found="other files",
            advice="Move it away, or choose another place by the option latest.",
        )


def _remove(path: Path) -> None:
    if path.is_symlink() or not path.is_dir():
        path.unlink(missing_ok=True)
    else:
        shutil.rmtree(path)
