# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Copies of this collection as other versions, to update a log host from one to another.

    collection_copies.py FOLDER

makes all of COPIES, each in a folder of its own below FOLDER that collections are looked for in.
Libraries of other versions are those that counting needs, without messages: fewer are installed
sooner.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import sys
import tarfile
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

CHECKOUT = Path(__file__).parents[2]
VERSION = re.findall(r"(?m)^version: (.*)$", (CHECKOUT / "galaxy.yml").read_text())[0]
FILES = Path("roles") / "web_data_analysis" / "files"
#: What the libraries in the environment need beside those of counting, for scheduled runs.
LIBRARIES = (
    *("ansible-core", "cffi", "cryptography", "duckdb", "jinja2", "markupsafe", "numpy"),
    *("packaging", "pyarrow", "pycparser", "pyyaml", "resolvelib", "typing-extensions"),
    *("vl-convert-python", "zstandard"),
)
#: The version of a small library; another one, and the hash of its wheel.
PACKAGING = re.findall(
    r"(?m)^packaging==(\S+)", (CHECKOUT / FILES / "requirements.txt").read_text()
)[0]
OTHER_PACKAGING = (
    "packaging==26.2 \\\n"
    "    --hash=sha256:5fc45236b9446107ff2415ce77c807cee2862cb6fac22b8a73826d0693b0980e\n"
)
#: What a module of the broken version says.
BROKEN = '{"failed": true, "msg": "this version is broken"}'


class Copy(NamedTuple):
    """A version of the collection; ``lacks`` is a library that no longer comes with it."""

    version: str
    other_packaging: bool = False
    lacks: str = ""
    broken: bool = False


COPIES = {
    # as it is here, with all libraries
    "old": Copy(VERSION),
    "new": Copy("99.0.1", other_packaging=True),
    "broken": Copy("99.0.2", other_packaging=True, broken=True),
    # another environment, for which there is no index
    "unreachable": Copy("99.0.3", other_packaging=True, lacks="typing-extensions"),
}


def loaded(name: str) -> ModuleType:
    """A program among the role's files, as a module."""
    spec = importlib.util.spec_from_file_location(name, CHECKOUT / FILES / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def requirements(text: str, copy: Copy) -> str:
    """The pins of LIBRARIES, one of them perhaps another."""
    pins = re.findall(r"^[a-z0-9-]+==(?:[^\n]*\\\n)*[^\n]*\n", text, re.MULTILINE)
    wanted = [pin for pin in pins if pin.partition("==")[0] in {*LIBRARIES} - {copy.lacks}]
    if copy.other_packaging:
        wanted = [pin for pin in wanted if not pin.startswith("packaging==")] + [OTHER_PACKAGING]
    return "".join(wanted)


def make_copy(copy: Copy, folder: Path) -> Path:
    """The copy's own folder, below ``folder``, which is one that collections are looked for in."""
    pack_collection = loaded("pack_collection")
    archive = folder.with_suffix(".tar")
    folder.mkdir(parents=True)
    pack_collection.pack(CHECKOUT, archive)
    with tarfile.open(archive) as opened:
        opened.extractall(folder, filter="data")
    archive.unlink()
    place = folder / str(pack_collection.PLACE)
    galaxy = place / "galaxy.yml"
    galaxy.write_text(re.sub(r"(?m)^version: .*$", f"version: {copy.version}", galaxy.read_text()))
    if copy.version != VERSION:
        pins = place / FILES / "requirements.txt"
        pins.write_text(requirements(pins.read_text(), copy))
    if copy.broken:
        module = place / "plugins" / "modules" / "countme_raw.py"
        module.write_text(f"#!/usr/bin/python\nprint('{BROKEN}')\n")
    return place


def environment(folder: Path, **settings: str) -> dict[str, str]:
    """That of a process whose Ansible uses the copy in a folder."""
    return {**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(folder), "NO_COLOR": "1", **settings}


if __name__ == "__main__":
    target = Path(sys.argv[1])
    shutil.rmtree(target, ignore_errors=True)
    for copy_name, wanted_copy in COPIES.items():
        make_copy(wanted_copy, target / copy_name)
