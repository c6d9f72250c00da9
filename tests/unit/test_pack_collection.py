"""Which version of the collection and of its libraries a log host is to have."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from ansible_collections.fedora_infra.dnf_counting.tests.support.collection_copies import (
    CHECKOUT,
    COPIES,
    loaded,
    make_copy,
)

pack_collection = loaded("pack_collection")
PINS = """\
# made by a tool
ansible-core==2.19.14 ; python_full_version < '3.12' \\
    --hash=sha256:00
ansible-core==2.20.10 ; python_full_version >= '3.12' \\
    --hash=sha256:01
cffi==2.1.1 ; platform_python_implementation != 'PyPy' \\
    --hash=sha256:02 \\
    --hash=sha256:03
tomli==2.5.0 ; sys_platform == 'win32' \\
    --hash=sha256:04
vl-convert-python==1.9.0.post1 \\
    --hash=sha256:05
"""


@pytest.mark.parametrize(("python", "core"), [("3.11.2", "2.19.14"), ("3.13.0", "2.20.10")])
def test_libraries_are_those_for_the_python_of_the_log_host(python: str, core: str) -> None:
    assert pack_collection.libraries(PINS, python) == {
        "ansible-core": core,
        "cffi": "2.1.1",
        "vl-convert-python": "1.9.0.post1",
    }


def version_of(collection: Path, archive: Path, python: str = "3.11.2") -> dict[str, str]:
    pack_collection.pack(collection, archive)
    return dict(pack_collection.version(collection, archive, python))


def test_folders_are_named_after_all_that_is_in_them(tmp_path: Path) -> None:
    place = make_copy(COPIES["new"], tmp_path / "new")
    first = version_of(place, tmp_path / "first.tar")
    assert first["collection"] == COPIES["new"].version
    assert version_of(place, tmp_path / "second.tar") == first
    assert version_of(place, tmp_path / "other.tar", "3.11.9") == first
    newer = version_of(place, tmp_path / "newer.tar", "3.13.1")
    assert newer["collection_dir"] == first["collection_dir"]
    assert newer["libraries_dir"] != first["libraries_dir"]
    (place / "README.md").write_text("other")
    other = version_of(place, tmp_path / "other.tar")
    assert other["libraries_dir"] == first["libraries_dir"]
    assert other["collection_dir"] != first["collection_dir"]


def test_what_galaxy_installed_has_its_version_in_its_manifest(tmp_path: Path) -> None:
    shutil.copy(CHECKOUT / "galaxy.yml", tmp_path)
    (tmp_path / "MANIFEST.json").write_text('{"collection_info": {"version": "1.2.3"}}')
    assert pack_collection.collection_version(tmp_path) == "1.2.3"


def test_every_library_of_the_real_list_has_one_version() -> None:
    pins = (CHECKOUT / pack_collection.REQUIREMENTS).read_text()
    for python in ("3.11.0", "3.12.0", "3.13.0", "3.14.0"):
        found = pack_collection.libraries(pins, python)
        assert {"duckdb", "pyarrow", "numpy", "ansible-core", "fedora-messaging"} <= found.keys()
