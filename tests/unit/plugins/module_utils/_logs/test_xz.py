# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""xz by liblzma and by Python's own decompressor: the same bytes, and the same files refused."""

from __future__ import annotations

import ctypes
import io
import lzma
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._base.errors import (
    SourceError,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._logs import (
    reading as logs_reading,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._logs import xz as logs_xz
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._logs.xz import liblzma

pytestmark = pytest.mark.skipif(not liblzma(), reason="no liblzma on this machine")

Read = Callable[[bytes], "bytes | None"]

_TEXT = b"".join(b"line %d of a log\n" % number for number in range(30_000))
_STREAM = lzma.compress(_TEXT, preset=1)


def _plain(path: Path, monkeypatch: pytest.MonkeyPatch, *, by_liblzma: bool) -> bytes | None:
    """The bytes of a log, by one of the two; None where it is refused."""
    with monkeypatch.context() as patch:
        if not by_liblzma:
            patch.setattr(logs_reading, "liblzma", lambda: None)
        try:
            return b"".join(logs_reading.log_pieces(path))
        except SourceError:
            return None


@pytest.fixture
def agreed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Read:
    def read(content: bytes) -> bytes | None:
        path = tmp_path / "access.log.xz"
        path.write_bytes(content)
        found = _plain(path, monkeypatch, by_liblzma=True)
        assert found == _plain(path, monkeypatch, by_liblzma=False)
        return found

    return read


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (_STREAM, _TEXT),
        (_STREAM + _STREAM, _TEXT + _TEXT),
        (_STREAM + bytes(8) + _STREAM + bytes(200_000), _TEXT + _TEXT),
        (lzma.compress(b"", check=lzma.CHECK_NONE), b""),
        (lzma.compress(_TEXT, check=lzma.CHECK_SHA256), _TEXT),
        (b"", None),
        (bytes(12), None),
        (_STREAM[:-1], None),
        (_STREAM + b"rubbish", None),
        (_STREAM + _STREAM[:-20], None),
        (lzma.compress(_TEXT, format=lzma.FORMAT_ALONE), None),
    ],
    ids=lambda value: "" if value is None or len(value) > 20 else repr(value),
)
def test_streams_are_read_to_their_end_or_refused(
    agreed: Read, content: bytes, expected: bytes | None
) -> None:
    assert agreed(content) == expected


def test_what_is_cut_short_or_changed_anywhere_is_refused_alike(agreed: Read) -> None:
    chance = Random(7)
    refused = 0
    for _unused in range(60):
        content = bytearray(_STREAM)
        place = chance.randrange(len(content))
        if chance.random() < 0.5:
            del content[place:]
        else:
            content[place] ^= 1 << chance.randrange(8)
        refused += agreed(bytes(content)) is None
    assert refused == 60


def test_a_stream_that_needs_too_much_memory_is_refused(agreed: Read) -> None:
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 0, "dict_size": 512 << 20}]
    assert agreed(lzma.compress(b"a line\n", filters=filters)) is None


def test_padding_is_skipped_in_pieces_however_long_it_is(
    agreed: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = 0
    string_at = ctypes.string_at

    def counted(*place: int) -> bytes:
        nonlocal looks
        looks += 1
        return string_at(*place)

    monkeypatch.setattr(ctypes, "string_at", counted)
    assert agreed(_STREAM + bytes(16 << 20) + _STREAM) == _TEXT + _TEXT
    assert looks < 1000


def test_a_machine_without_memory_is_no_damage_of_a_log() -> None:
    class NoMemory:
        def lzma_stream_decoder(self, *_given: object) -> int:
            return 5

        def lzma_end(self, _stream: object) -> None:
            return None

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(logs_xz, "liblzma", NoMemory)
        with pytest.raises(MemoryError):
            logs_xz.XzReader(io.BytesIO(_STREAM), memory=1 << 20)
