# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A share that can hang or turn read-only at any moment: a small file system of its own."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

_PROGRAMS = ("mkfs.ext4", "fsck.ext4", "fsfreeze", "losetup", "mount", "umount")
#: Why there can be no such share here; empty where there can.
REASON = (
    "mounts a file system, which needs root"
    if os.geteuid()
    else ", ".join(f"{name} is missing" for name in _PROGRAMS if not shutil.which(name))
)


class Share:
    """Mounted at ``path``."""

    def __init__(self, path: Path, device: str) -> None:
        self.path = path
        self._device = device

    def hang(self) -> None:
        """Whoever writes there waits, as on a share whose server is away."""
        _run("fsfreeze", "--freeze", self.path)

    def answer(self) -> None:
        """Writing goes on."""
        _run("fsfreeze", "--unfreeze", self.path)

    def turn_read_only(self) -> None:
        """As the kernel does it after an error of the disk, whoever has files open there."""
        number = Path(f"/sys/fs/ext4/{Path(self._device).name}/trigger_fs_error")
        number.write_text("1")

    def repair(self) -> None:
        """Unmount, check and mount again."""
        _run("umount", self.path)
        subprocess.run(["fsck.ext4", "-p", self._device], check=False, capture_output=True)
        self.mount()

    def mount(self) -> None:
        _run("mount", "-o", "errors=remount-ro", self._device, self.path)


@contextlib.contextmanager
def share(folder: Path) -> Iterator[Share]:
    """A share, mounted below ``folder``; gone afterwards."""
    image = folder / "share.img"
    with image.open("wb") as file:
        file.truncate(64 << 20)
    _run("mkfs.ext4", "-q", image)
    device = _run("losetup", "--find", "--show", image).strip()
    try:
        mounted = Share(folder / "share", device)
        mounted.path.mkdir()
        mounted.mount()
        try:
            yield mounted
        finally:
            with contextlib.suppress(subprocess.CalledProcessError):
                mounted.answer()
            _run("umount", mounted.path)
    finally:
        _run("losetup", "--detach", device)


def _run(*command: str | Path) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout
