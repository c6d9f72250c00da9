"""What was written is on disk, and only what differs is written."""

from __future__ import annotations

import ctypes
import errno
import os
from pathlib import Path

import pytest
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._base.errors import (
    OutputError,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._storage import (
    files as storage_files,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._storage.files import (
    replace_if_changed,
    sync_file_system,
)


def test_the_file_system_of_a_folder_is_synced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced = []
    real = storage_files._SYNCFS

    def noting(descriptor: int) -> int:
        synced.append((os.readlink(f"/proc/self/fd/{descriptor}"), real(descriptor)))
        return synced[-1][1]

    monkeypatch.setattr(storage_files, "_SYNCFS", noting)
    sync_file_system(tmp_path)
    assert synced == [(str(tmp_path), 0)]


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=f"{tmp_path}/gone: expected to write there"):
        sync_file_system(tmp_path / "gone")


def test_what_the_disk_refuses_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refusing(descriptor: int) -> int:
        assert descriptor > 2
        ctypes.set_errno(errno.EIO)
        return -1

    monkeypatch.setattr(storage_files, "_SYNCFS", refusing)
    with pytest.raises(OutputError, match="found Input/output error"):
        sync_file_system(tmp_path)


def test_a_file_is_replaced_only_by_other_content(tmp_path: Path) -> None:
    path = tmp_path / "a.svg"
    assert replace_if_changed(path, b"one")
    assert not replace_if_changed(path, b"one")
    assert replace_if_changed(path, b"on")
    assert path.read_bytes() == b"on"
    path.unlink()
    path.symlink_to(tmp_path / "elsewhere")
    assert replace_if_changed(path, b"two")
    assert not path.is_symlink()
    assert path.stat().st_mode & 0o777 == 0o644
    assert not replace_if_changed(path, b"two", mode=0o600)
    assert replace_if_changed(path, b"three", mode=0o600)
    assert path.stat().st_mode & 0o777 == 0o600
