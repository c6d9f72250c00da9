# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The hosts' tree: the logs of each host by day, and groups of hosts that serve the same sites."""

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
class HostGroup:
    """Hosts whose logs of the same name are combined."""

    name: str
    hosts: str
    """A shell pattern for the names of the hosts."""
    logs: str
    """A shell pattern for the names of the logs, without the ending of a compression."""

    def has_host(self, host: str) -> bool:
        """Return whether a host belongs to the group."""
        return fnmatchcase(host, self.hosts)

    def has_log(self, name: str) -> bool:
        """Return whether the group combines logs of this name."""
        return fnmatchcase(name, self.logs)


DEFAULT_GROUPS = (
    HostGroup("proxy", "proxy*", "*access.log"),
    HostGroup("download", "dl*", "dl*access.log"),
    HostGroup("people", "people*", "fedora*access.log"),
)


def groups_from(option: Sequence[Mapping[str, str]] | None) -> tuple[HostGroup, ...]:
    """Return the groups of an option ``groups``; the default groups if it is left out."""
    return DEFAULT_GROUPS if option is None else tuple(HostGroup(**group) for group in option)


@dataclass(frozen=True)
class HostLog:
    """One log of a host and day: its variants, plain first; usually there is only one."""

    host: str
    files: Mapping[Path, InputFile]
    """The state of each file when it was listed."""

    @property
    def paths(self) -> list[Path]:
        """The paths of the variants."""
        return list(self.files)


@dataclass(frozen=True)
class HostsTree:
    """The folders of the hosts' tree."""

    root: Path
    hosts: tuple[str, ...]
    """The hosts that have a folder."""
    odd_names: tuple[str, ...]
    """The other folders, whose names are no host names; printable."""


def read_hosts_tree(root: Path) -> HostsTree:
    """List the hosts of the tree. Raises SourceError if there is no tree or it is unreadable."""
    try:
        with os.scandir(root) as entries:
            folders = sorted(e.name for e in entries if e.is_dir(follow_symlinks=False))
    except OSError as error:
        raise read_error(
            root,
            error,
            expected="the hosts' tree",
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


def group_names(groups: Sequence[HostGroup], name: str) -> list[str]:
    """Return the names of the groups that combine logs of this name."""
    return [group.name for group in groups if group.has_log(name)]


def hosts_for_log(groups: Iterable[HostGroup], hosts: Iterable[str], name: str) -> tuple[str, ...]:
    """Return the hosts that write the log called ``name``, according to their groups; sorted."""
    of_log = [group for group in groups if group.has_log(name)]
    return tuple(sorted(h for h in set(hosts) if any(group.has_host(h) for group in of_log)))


def logs_of_day(
    tree: HostsTree, groups: Sequence[HostGroup], day: date
) -> Mapping[str, tuple[HostLog, ...]]:
    """Return the hosts' logs of a day by the name of the log, sorted by host.

    Raises SourceError if the folder of a host cannot be read. Otherwise the combined log would lack
    that host without a notice.
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
    """Return the logs of a host and day; none if a part of the path is a symbolic link."""
    folder = host_day_folder(root, host, day)
    logs: dict[str, dict[Path, InputFile]] = {}
    try:
        names = _file_names(root, folder)
        for file_name in names:
            name = split_compression(file_name)[0]
            if is_log_name(file_name) and name.endswith("log"):
                with contextlib.suppress(FileNotFoundError):  # it was removed since the listing
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
    """Return whether ``folder`` exists below ``root``, with no symbolic link in between."""
    path = [folder, *folder.parents]
    below = path[: path.index(root)]
    return folder.is_dir() and not any(part.is_symlink() for part in below)


def _reach_of_hosts(root: Path, hosts: Iterable[str]) -> tuple[date | None, date | None]:
    """Return the oldest and the newest day of the hosts in the hosts' tree."""
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
    """Return the oldest and the newest day of the hosts' tree; None if there is no tree yet."""
    return _reach_of_hosts(root, existing_hosts_tree(root).hosts)


def existing_hosts_tree(root: Path) -> HostsTree:
    """List the hosts; none if there is no such tree yet. Raises SourceError if it is unreadable."""
    try:
        return read_hosts_tree(root)
    except CountingError as error:
        if isinstance(error.__cause__, FileNotFoundError):
            return HostsTree(root, (), ())
        raise
