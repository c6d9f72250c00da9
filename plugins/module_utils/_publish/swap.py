# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Move finished files to the readers: each by a rename, and only if it differs."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from .._base.errors import OutputError
from .._storage.files import make_folder, replacing, write_error
from .makers import write_gzip
from .record import FileRecord, is_unchanged, published_now, sha256_of

#: The folder in which files are made. It is below the published one, on the same file system.
_STAGE_NAME = ".publishing"


class Swapped(NamedTuple):
    """The published files as they are now, and the names of those that were replaced or removed."""

    files: dict[str, FileRecord]
    made: frozenset[str]
    removed: tuple[str, ...]


def make_dest(dest: Path) -> None:
    """Make the folder of the published files if it is not there. Raises OutputError."""
    try:
        if not dest.exists():
            make_folder(dest)
            dest.chmod(0o755)  # for readers, whatever the umask
    except OSError as error:
        raise write_error(dest, error) from error


@contextlib.contextmanager
def staging_folder(dest: Path) -> Iterator[Path]:
    """Make an empty private folder, and remove it at the end. A killed run may have left one."""
    stage = dest / _STAGE_NAME
    _remove(stage)
    try:
        stage.mkdir(mode=0o700)
    except OSError as error:
        raise write_error(stage, error) from error
    try:
        yield stage
    finally:
        _remove(stage)


def _remove(stage: Path) -> None:
    if stage.is_symlink():
        stage.unlink()
    shutil.rmtree(stage, ignore_errors=True)


def swap_in(
    stage: Path,
    dest: Path,
    recorded: Mapping[str, FileRecord],
    wanted: Sequence[str],
    *,
    compressed: Sequence[str],
    now: datetime,
) -> Swapped:
    """Replace the published files that differ from the staged ones.

    ``wanted`` are the names to be published. Files that are neither staged nor ``.gz`` stay as they
    are. All slow work comes first, so that the files change within a moment of each other.
    """

    def hashed(name: str) -> tuple[str, str]:
        return name, sha256_of(stage / name)

    staged = {name for name in wanted if (stage / name).is_file()}
    with ThreadPoolExecutor(max_workers=min(4, os.cpu_count() or 1)) as pool:
        hashes = dict(pool.map(hashed, staged))
        packed = [
            name
            for name in compressed
            if not (
                _is_published(dest, name, hashes[name], recorded)
                and is_unchanged(dest / f"{name}.gz", recorded.get(f"{name}.gz"))
            )
        ]
        list(pool.map(lambda name: write_gzip(stage / name, stage / f"{name}.gz"), packed))
        archives = [f"{name}.gz" for name in packed]
        hashes |= pool.map(hashed, archives)
    differing = {
        name for name, sha256 in hashes.items() if not _is_published(dest, name, sha256, recorded)
    }
    for name in sorted(differing):
        _sync(stage / name)
    for name in sorted(differing):
        _put(stage / name, dest, name, now)
    files = {
        name: published_now(dest / name, hashes[name]) if name in hashes else recorded[name]
        for name in wanted
    }
    removed = tuple(sorted(name for name in recorded if name not in files))
    for name in removed:
        (dest / name).unlink(missing_ok=True)
    return Swapped(files, frozenset(differing), removed)


def _is_published(dest: Path, name: str, sha256: str, recorded: Mapping[str, FileRecord]) -> bool:
    """Return true if the published file has this content already."""
    path = dest / name
    if is_unchanged(path, recorded.get(name)):
        return recorded[name].sha256 == sha256
    return path.is_file() and not path.is_symlink() and sha256_of(path) == sha256


def _sync(path: Path) -> None:
    with path.open("rb") as opened:
        os.fsync(opened.fileno())


def _put(staged: Path, dest: Path, name: str, now: datetime) -> None:
    folder = (dest / name).parent
    if folder.is_symlink():
        raise OutputError(
            folder,
            expected="a folder",
            found="a symbolic link",
            advice="Remove it; the next run makes the folder.",
        )
    if folder != dest and not folder.exists():
        make_folder(folder)
        folder.chmod(0o755)
    with replacing(dest / name) as unfinished:
        os.utime(staged, (int(now.timestamp()),) * 2)
        staged.rename(unfinished)
