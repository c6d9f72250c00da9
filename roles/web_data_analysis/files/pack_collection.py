# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pack the files of this collection that a run needs. The same files give the same archive.

    pack_collection.py COLLECTION ARCHIVE PYTHON

The program writes the version as JSON to standard output: the version of the collection, and the
versions of the libraries for PYTHON, such as 3.11.2. It needs the Python of Ansible with its
libraries.
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
#: The place of the collection in the archive, where Ansible finds it.
PLACE = "ansible_collections/fedora_infra/dnf_counting"
REQUIREMENTS = "roles/web_data_analysis/files/requirements.txt"
#: Increase this number if the way of making environments changes.
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
    """Return an entry without the properties in which two checkouts of the same files differ."""
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
    """Return the version of an installed collection, or of a checkout."""
    manifest = collection / "MANIFEST.json"
    if manifest.exists():
        return str(json.loads(manifest.read_bytes())["collection_info"]["version"])
    return str(yaml.safe_load((collection / "galaxy.yml").read_bytes())["version"])


def libraries(requirements: str, python: str) -> dict[str, str]:
    """Return the version of each library that is installed for a version of Python."""
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
    """Return the new version for a log host with that Python, with the names of its folders."""
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
