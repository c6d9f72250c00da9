"""The list of published files."""

from __future__ import annotations

from pathlib import Path
from typing import IO

import pytest
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._publish.index import (
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
