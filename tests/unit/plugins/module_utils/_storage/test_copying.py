"""Copies of files, within the kernel and by hand."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._base.errors import (
    SourceError,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._storage import copying
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._storage.copying import (
    copy_bytes,
    copy_file,
)

CONTENT = os.urandom(3_000_001)


@pytest.fixture(name="source")
def _source(tmp_path: Path) -> Path:
    path = tmp_path / "source"
    path.write_bytes(CONTENT)
    return path


@pytest.fixture(name="by_hand", params=[False, True], ids=["in-kernel", "by-hand"], autouse=True)
def _by_hand(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_arguments: object) -> int:
        raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))

    if request.param:
        monkeypatch.setattr(os, "copy_file_range", refuse)


def test_a_file_is_copied_whole(source: Path, tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.write_bytes(CONTENT * 2)
    copy_file(source, target)
    assert target.read_bytes() == CONTENT


@pytest.mark.parametrize("count", [0, 5, 2_000_000, len(CONTENT)])
def test_writing_goes_on_after_the_first_bytes(source: Path, tmp_path: Path, count: int) -> None:
    target = tmp_path / "target"
    with source.open("rb") as reader, target.open("wb") as writer:
        assert copy_bytes(reader, writer, count) == count
        writer.write(b"tail")
    assert target.read_bytes() == CONTENT[:count] + b"tail"


def test_a_source_that_is_too_short_is_copied_to_its_end(source: Path, tmp_path: Path) -> None:
    with source.open("rb") as reader, (tmp_path / "target").open("wb") as writer:
        assert copy_bytes(reader, writer, len(CONTENT) + 1) == len(CONTENT)


def test_a_file_that_changes_while_it_is_copied_is_refused(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def copy_and_append(reader: object, writer: object) -> int:
        with source.open("ab") as other:
            other.write(b"more")
        return 0

    monkeypatch.setattr(copying, "copy_bytes", copy_and_append)
    with pytest.raises(SourceError, match="a change of its size or time"):
        copy_file(source, tmp_path / "target")
