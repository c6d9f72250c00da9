# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pack what of this collection a run needs: the same files make the same archive, byte by byte.

pack_collection.py COLLECTION ARCHIVE
"""

from __future__ import annotations

import sys
import tarfile
from pathlib import Path

WANTED = ("plugins", "roles", "playbooks", "meta", "README.md", "LICENSE", "requirements.txt",
          "galaxy.yml", "MANIFEST.json")  # fmt: skip
#: Where collections are looked for, below the folder that the archive is unpacked in.
PLACE = "ansible_collections/fedora_infra/dnf_counting"


def wanted_files(collection: Path) -> list[Path]:
    found = [collection / name for name in WANTED]
    below = [path for top in found if top.is_dir() for path in top.rglob("*")]
    return sorted(
        path
        for path in [*found, *below]
        if path.is_file() and not path.is_symlink() and "__pycache__" not in path.parts
    )


def plain(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    """Without what differs between two checkouts of the same files."""
    entry.uid = entry.gid = entry.mtime = 0
    entry.uname = entry.gname = ""
    entry.mode = 0o644
    return entry


def pack(collection: Path, archive: Path) -> None:
    with tarfile.open(archive, "w") as opened:
        for path in wanted_files(collection):
            name = f"{PLACE}/{path.relative_to(collection)}"
            opened.add(path, name, recursive=False, filter=plain)


if __name__ == "__main__":
    pack(Path(sys.argv[1]).resolve(), Path(sys.argv[2]))
