"""Replacing published files."""

from __future__ import annotations

from pathlib import Path
from typing import IO

import pytest
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._base.errors import (
    OutputError,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._publish.run import (
    make_dest,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._publish.swap import (
    write_index,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._storage import (
    files as storage_files,
)


def test_an_index_that_cannot_be_read_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert write_index(tmp_path, {}).status == "made"
    assert write_index(tmp_path, {}).status == "unchanged"

    def unreadable(path: Path) -> IO[bytes]:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(storage_files, "open_regular", unreadable)
    assert write_index(tmp_path, {}).status == "made"


def test_a_folder_whose_mode_cannot_be_set_is_explained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(path: Path, _mode: int) -> None:
        raise PermissionError(1, "Operation not permitted", str(path))

    monkeypatch.setattr(Path, "chmod", refused)
    with pytest.raises(OutputError, match="write permission"):
        make_dest(tmp_path / "web")
