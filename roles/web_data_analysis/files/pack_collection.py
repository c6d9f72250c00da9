# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pack what of this collection a run needs: the same files make the same archive, byte by byte.

    pack_collection.py COLLECTION ARCHIVE PYTHON

Says on standard output, as JSON, which version that is: the collection's, and those of the
libraries for PYTHON, such as 3.11.2. It runs with the Python of Ansible, which has its libraries.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
import tarfile
from pathlib import Path
from typing import Any

import yaml
from packaging.requirements import Requirement

WANTED = ("plugins", "roles", "playbooks", "meta", "README.md", "LICENSE", "requirements.txt",
          "galaxy.yml", "MANIFEST.json")  # fmt: skip
#: Where collections are looked for, below the folder that the archive is unpacked in.
PLACE = "ansible_collections/fedora_infra/dnf_counting"
REQUIREMENTS = "roles/web_data_analysis/files/requirements.txt"
#: To be raised when environments are made in another way.
WAY = "1"


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


def collection_version(collection: Path) -> str:
    """From what Galaxy installs, or from a checkout."""
    manifest = collection / "MANIFEST.json"
    if manifest.exists():
        return str(json.loads(manifest.read_bytes())["collection_info"]["version"])
    return str(yaml.safe_load((collection / "galaxy.yml").read_bytes())["version"])


def libraries(requirements: str, python: str) -> dict[str, str]:
    """The version of each library that is installed for a version of Python."""
    environment = {
        "python_full_version": python,
        "python_version": short(python),
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
    }
    found = {}
    for line in re.findall(r"^[A-Za-z0-9][^\n\\]*", requirements, re.MULTILINE):
        wanted = Requirement(line)
        if wanted.marker is None or wanted.marker.evaluate(environment):
            (pin,) = wanted.specifier
            found[wanted.name] = pin.version
    return found


def short(python: str) -> str:
    return ".".join(python.split(".")[:2])


def hashed(*parts: bytes) -> str:
    return hashlib.sha256(b"\0".join(parts)).hexdigest()[:16]


def version(collection: Path, archive: Path, python: str) -> dict[str, Any]:
    """The version that a log host with that Python is to have, with the names of its folders."""
    requirements = (collection / REQUIREMENTS).read_bytes()
    made_by = [WAY.encode(), short(python).encode(), requirements]
    return {
        "collection": collection_version(collection),
        "collection_dir": f"collection-{hashed(archive.read_bytes())}",
        "python": short(python),
        "libraries": libraries(requirements.decode(), python),
        "libraries_dir": f"libraries-{hashed(*made_by)}",
    }


if __name__ == "__main__":
    source, packed = Path(sys.argv[1]).resolve(), Path(sys.argv[2])
    pack(source, packed)
    print(json.dumps(version(source, packed, sys.argv[3])))
