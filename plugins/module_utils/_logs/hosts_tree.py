# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The hosts' logs as they lie in the hosts tree, in groups of hosts that serve the same sites."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fnmatch import fnmatchcase
from pathlib import Path

from .._base.errors import CountingError, SettingsError, printable
from .._base.records import InputFile
from .._storage.files import read_error
from .combined_tree import reach_of_days
from .paths import checked_host, host_day_folder, is_log_name, split_compression


@dataclass(frozen=True)
class Group:
    """Hosts whose logs of one name are combined: ``hosts`` and ``logs`` are shell-like patterns."""

    name: str
    hosts: str
    logs: str
    """Matched with the name of the log without the ending of its compression."""

    def has_host(self, host: str) -> bool:
        return fnmatchcase(host, self.hosts)

    def has_log(self, name: str) -> bool:
        return fnmatchcase(name, self.logs)


DEFAULT_GROUPS = (
    Group("proxy", "proxy*", "*access.log"),
    Group("download", "dl*", "dl*access.log"),
    Group("people", "people*", "fedora*access.log"),
)


def groups_from(option: Sequence[Mapping[str, str]] | None) -> tuple[Group, ...]:
    """Return the groups of an option ``groups``; the default groups if it is left out."""
    return DEFAULT_GROUPS if option is None else tuple(Group(**group) for group in option)


@dataclass(frozen=True)
class HostLog:
    """All forms of one host's log of a day: plain first, usually just one."""

    host: str
    files: Mapping[Path, InputFile]
    """As they were when they were listed."""

    @property
    def paths(self) -> list[Path]:
        return list(self.files)


@dataclass(frozen=True)
class HostsTree:
    """The hosts that have a folder in the hosts tree, and the folders that can't be a host's."""

    root: Path
    hosts: tuple[str, ...]
    odd_names: tuple[str, ...]


def read_hosts_tree(root: Path) -> HostsTree:
    """List the hosts. Raises SourceError if there is no such tree."""
    try:
        with os.scandir(root) as entries:
            folders = sorted(e.name for e in entries if e.is_dir(follow_symlinks=False))
    except OSError as error:
        raise read_error(
            root,
            error,
            expected="the folder with the hosts' logs",
            advice="Run the sync first, mount the file system, or correct the option src.",
        ) from error
    hosts, odd = [], []
    for name in folders:
        if name.startswith("."):
            continue
        try:
            hosts.append(checked_host(name))
        except SettingsError:
            odd.append(printable(name))
    return HostsTree(root, tuple(hosts), tuple(odd))


def group_names(groups: Sequence[Group], name: str) -> list[str]:
    """The names of the groups that combine a log of this name."""
    return [group.name for group in groups if group.has_log(name)]


def hosts_for_log(groups: Iterable[Group], hosts: Iterable[str], name: str) -> tuple[str, ...]:
    """Those of ``hosts`` that serve the log called ``name``, by their groups; sorted."""
    of_log = [group for group in groups if group.has_log(name)]
    return tuple(sorted(h for h in set(hosts) if any(group.has_host(h) for group in of_log)))


def logs_of_day(
    tree: HostsTree, groups: Sequence[Group], day: date
) -> Mapping[str, tuple[HostLog, ...]]:
    """For each name of a log what the hosts of its groups have of that day, hosts sorted.

    Raises SourceError where a host's folder can't be read: the day would miss that host unseen.
    """
    logs: dict[str, list[HostLog]] = {}
    for host in tree.hosts:
        of_host = [group for group in groups if group.has_host(host)]
        if not of_host:
            continue
        for name, files in _host_day(tree.root, host, day).items():
            if any(group.has_log(name) for group in of_host):
                logs.setdefault(name, []).append(HostLog(host, files))
    return {name: tuple(found) for name, found in sorted(logs.items())}


def _host_day(root: Path, host: str, day: date) -> dict[str, dict[Path, InputFile]]:
    """The logs in a host's folder of a day; none where a part of the way is a symbolic link."""
    folder = host_day_folder(root, host, day)
    logs: dict[str, dict[Path, InputFile]] = {}
    try:
        names = _file_names(root, folder)
        for file_name in names:
            name = split_compression(file_name)[0]
            if is_log_name(file_name) and name.endswith("log"):
                with contextlib.suppress(FileNotFoundError):  # replaced or pruned just now
                    path = folder / file_name
                    logs.setdefault(name, {})[path] = InputFile.seen(path, root)
    except OSError as error:
        raise read_error(folder, error) from error
    return {name: files for name, files in logs.items() if files}


def _file_names(root: Path, folder: Path) -> list[str]:
    if not _is_own_folder(root, folder):
        return []
    with os.scandir(folder) as entries:
        return sorted(entry.name for entry in entries if entry.is_file(follow_symlinks=False))


def _is_own_folder(root: Path, folder: Path) -> bool:
    """Whether ``folder`` is there, and below ``root`` without a symbolic link on the way."""
    way = [folder, *folder.parents]
    below = way[: way.index(root)]
    return folder.is_dir() and not any(part.is_symlink() for part in below)


def reach_of_hosts(root: Path, hosts: Iterable[str]) -> tuple[date | None, date | None]:
    """Return the oldest and the newest day of any host in the hosts' tree."""
    oldest, newest = [], []
    for host in hosts:
        try:
            first, last = reach_of_days(root / host)
        except CountingError:
            continue  # the coverage of that host reports it
        oldest += [first] if first else []
        newest += [last] if last else []
    return min(oldest, default=None), max(newest, default=None)


def reach_of_tree(root: Path) -> tuple[date | None, date | None]:
    """Return the oldest and the newest day of the hosts' tree; None where there is no tree yet."""
    return reach_of_hosts(root, existing_hosts_tree(root).hosts)


def existing_hosts_tree(root: Path) -> HostsTree:
    """List the hosts; none if there is no such tree yet. Raises SourceError if it is unreadable."""
    try:
        return read_hosts_tree(root)
    except CountingError as error:
        if isinstance(error.__cause__, FileNotFoundError):
            return HostsTree(root, (), ())
        raise
