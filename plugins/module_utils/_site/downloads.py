# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The list of all downloads, with sizes and dates."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from .._charts.address_charts import AddressSource
from .._publish.profile import Profile
from .._publish.record import ProfileRecord
from .dictionary import meaning_of, meaning_of_mirrors, reading_order
from .plan import mirrors_files


class Download(NamedTuple):
    """A file that readers can get."""

    name: str
    href: str
    """The path relative to the web root, as in a link."""
    holds: str
    bytes: int
    changed: int
    """Seconds since the Unix epoch."""


class Group(NamedTuple):
    """The files of a profile, or of a condensed log."""

    title: str
    about: str
    files: list[Download]
    weeks: list[Download]
    """Files of single weeks, newest first."""


def link(path: Path, web_dir: Path) -> str:
    """Return a path below the web root as it stands in a link."""
    return quote(path.relative_to(web_dir).as_posix())


def _published_group(
    profile: Profile, record: ProfileRecord, *, dest: Path, web_dir: Path
) -> Group:
    """Return the published files of a profile."""
    folder = f"{profile.week_folder}/"
    weeks: list[Download] = []
    others: list[Download] = []
    names = sorted(record.files, key=lambda name: reading_order(name, profile.prefix))
    for name in names:
        file = record.files[name]
        holds = meaning_of(name, profile.prefix)
        changed = file.mtime_ns // 1_000_000_000
        one = Download(name, link(dest / name, web_dir), holds, file.size, changed)
        (weeks if name.startswith(folder) else others).append(one)
    return Group(profile.label, "", others, weeks[::-1])


def _addresses_group(source: AddressSource, web_dir: Path, *, of_log: str) -> Group:
    """Return the files of client addresses a day. ``of_log`` ends the title."""
    found = []
    for path in mirrors_files(source):
        seen = os.stat(path, follow_symlinks=False)
        found.append(
            Download(
                path.name,
                link(path, web_dir),
                meaning_of_mirrors(path.name),
                seen.st_size,
                int(seen.st_mtime),
            )
        )
    return Group(
        f"Client addresses a day{of_log}",
        "Distinct addresses that requested a list of mirrors on a day. They are not machines.",
        found,
        [],
    )


def groups_of(
    profiles: Sequence[Profile],
    records: Mapping[str, ProfileRecord],
    *,
    dest: Path,
    addresses: Sequence[AddressSource],
    web_dir: Path,
) -> list[Group]:
    """Return all downloads: the files of each profile, then the files of client addresses."""
    groups = [
        _published_group(one, records[one.name], dest=dest, web_dir=web_dir)
        for one in profiles
        if one.name in records and records[one.name].files
    ]
    several = len(addresses) > 1
    of_addresses = [
        _addresses_group(one, web_dir, of_log=f", {one.label}" if several else "")
        for one in addresses
    ]
    return [*groups, *(group for group in of_addresses if group.files)]
