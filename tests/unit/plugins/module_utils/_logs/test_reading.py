"""Reading logs in every form: whole, or with an error that says where."""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._base.errors import (
    SourceError,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._logs import (
    reading as logs_reading,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._logs.reading import (
    LogFile,
    check_same_content,
    log_digest,
    open_log,
)

TEXT = b"".join(b"line %d of a log\n" % number for number in range(20_000))

Compress = Callable[[bytes], bytes]
FORMS: list[tuple[str, Compress]] = [
    (".xz", lzma.compress),
    (".gz", gzip.compress),
    (".bz2", bz2.compress),
    (".zst", zstandard.ZstdCompressor(write_checksum=True).compress),
]
every_form = pytest.mark.parametrize(("ending", "compress"), FORMS, ids=[f[0][1:] for f in FORMS])


def read(path: Path) -> bytes:
    with open_log(path) as log:
        return log.read()


def written(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def test_a_plain_log_is_read_as_it_is(tmp_path: Path) -> None:
    assert read(written(tmp_path, "a.log", TEXT + b"\0\xff\r")) == TEXT + b"\0\xff\r"


@every_form
def test_a_compressed_log_is_read_whole(tmp_path: Path, ending: str, compress: Compress) -> None:
    assert read(written(tmp_path, f"a.log{ending}", compress(TEXT))) == TEXT


@every_form
def test_an_empty_log_is_no_error(tmp_path: Path, ending: str, compress: Compress) -> None:
    assert read(written(tmp_path, f"a.log{ending}", compress(b""))) == b""


@every_form
def test_frames_behind_each_other_are_one_log(
    tmp_path: Path, ending: str, compress: Compress
) -> None:
    content = compress(TEXT) + compress(b"") + compress(b"the end")
    assert read(written(tmp_path, f"a.log{ending}", content)) == TEXT + b"the end"


@pytest.mark.parametrize("ending", [".xz", ".gz"])
def test_padding_with_zeros_is_no_damage(tmp_path: Path, ending: str) -> None:
    compress = dict(FORMS)[ending]
    content = compress(TEXT) + bytes(200_000) + compress(TEXT) + bytes(8)
    assert read(written(tmp_path, f"a.log{ending}", content)) == TEXT + TEXT


@every_form
@pytest.mark.parametrize(
    "damaged",
    [
        pytest.param(lambda whole: whole[: len(whole) // 2], id="cut"),
        pytest.param(lambda whole: whole[:-1], id="last-byte-missing"),
        pytest.param(lambda whole: whole[:3], id="three-bytes"),
        pytest.param(lambda whole: b"", id="no-byte"),
        pytest.param(lambda whole: b"203.0.113.5 - - [", id="plain-text"),
        pytest.param(lambda whole: whole + b"garbage", id="garbage-behind"),
        pytest.param(lambda whole: whole + whole[:-5], id="second-frame-cut"),
        pytest.param(
            lambda whole: whole[: len(whole) // 2] + b"!?" + whole[len(whole) // 2 + 2 :],
            id="bytes-changed",
        ),
    ],
)
def test_damage_is_an_error_that_names_the_file(
    tmp_path: Path, ending: str, compress: Compress, damaged: Callable[[bytes], bytes]
) -> None:
    path = written(tmp_path, f"a.log{ending}", damaged(compress(TEXT)))
    with pytest.raises(SourceError) as error:
        read(path)
    assert str(path) in str(error.value)
    assert "before byte" in str(error.value)


@every_form
def test_incident_hostile_source_a_decompression_bomb_fills_no_memory(
    tmp_path: Path, ending: str, compress: Compress
) -> None:
    path = written(tmp_path, f"a.log{ending}", compress(bytes(16 << 20)))
    largest, total = 0, 0
    with LogFile(path) as log:
        while piece := log.read(1 << 16):
            largest = max(largest, len(piece))
            total += len(piece)
    assert total == 16 << 20
    assert largest <= 1 << 16


def test_incident_hostile_source_a_dictionary_that_fills_memory_is_refused(tmp_path: Path) -> None:
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 0, "dict_size": 1 << 30}]
    path = written(tmp_path, "a.log.xz", lzma.compress(b"x", filters=filters))
    with pytest.raises(SourceError):
        read(path)


def test_a_symbolic_link_is_not_followed(tmp_path: Path) -> None:
    written(tmp_path, "real.log", TEXT)
    (tmp_path / "a.log").symlink_to("real.log")
    with pytest.raises(SourceError, match="symbolic link"):
        read(tmp_path / "a.log")


def test_a_pipe_does_not_hang_the_reader(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.log")
    with pytest.raises(SourceError, match="something else"):
        read(tmp_path / "a.log")


def test_forms_of_one_log_are_the_same_whatever_their_compression(tmp_path: Path) -> None:
    plain = written(tmp_path, "access.log", b"a line\n")
    packed = written(tmp_path, "access.log.xz", lzma.compress(b"a line\n"))
    unnamed = written(tmp_path, "unfinished", lzma.compress(b"a line\n"))
    assert log_digest(plain) == log_digest(packed) == log_digest(unnamed, ".xz")
    check_same_content([plain, packed])


def test_forms_that_differ_are_an_error_that_names_all_of_them(tmp_path: Path) -> None:
    plain = written(tmp_path, "access.log", b"a line\n")
    packed = written(tmp_path, "access.log.xz", lzma.compress(b"another line\n"))
    with pytest.raises(SourceError, match="different content") as caught:
        check_same_content([plain, packed])
    assert caught.value.place == f"{plain} and {packed}"


def test_one_form_alone_is_not_read(tmp_path: Path) -> None:
    check_same_content([tmp_path / "not there"])


def test_without_its_library_a_zstd_log_is_refused_with_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.log.zst"
    path.write_bytes(zstandard.ZstdCompressor().compress(TEXT))
    monkeypatch.setattr(logs_reading, "not_installed", list)
    with pytest.raises(SourceError, match=r"a\.log\.zst: expected .* zstandard.* Install it"):
        log_digest(path)
