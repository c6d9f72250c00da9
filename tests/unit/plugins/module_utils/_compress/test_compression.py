"""Compressing past months: never less than one good copy of a log."""

from __future__ import annotations

import errno
import lzma
import os
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import zstandard
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._base.errors import (
    LockedError,
    SettingsError,
    SourceError,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._base.records import (
    WorkUnit,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._compress import (
    compression,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._compress.compression import (
    CompressSettings,
    compress_logs,
    first_day_to_keep,
    plan_compression,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._compress.stage import (
    COMPRESS,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._storage.files import (
    writer_lock,
)
from ansible_collections.fedora_infra.dnf_counting.tests.support.stages import outcome_of

TEXT = b"a line of a log\n" * 100_000
NAME = "mirrors-access.log"
MTIME_NS = 1632800000123456789


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Three days of logs, two of them before October."""
    for day in ("2021/08/31", "2021/09/30", "2021/10/01"):
        path = tmp_path / day / NAME
        path.parent.mkdir(parents=True)
        path.write_bytes(TEXT)
        path.chmod(0o640)
        os.utime(path, ns=(MTIME_NS, MTIME_NS))
        path.with_name(".combine.json").write_text("{}")
    return tmp_path


def run(tree: Path, before: date = date(2021, 10, 1), **options: Any) -> list[WorkUnit]:
    settings = CompressSettings(tree, before, **{"level": 1, **options})
    return [one.unit for one in compress_logs(plan_compression(settings), settings)]


def test_logs_before_the_day_are_compressed_and_the_others_stay(tree: Path) -> None:
    units = run(tree)
    assert [(unit.name, unit.status) for unit in units] == [
        (f"2021-08-31 {NAME}", "made"),
        (f"2021-09-30 {NAME}", "made"),
    ]
    assert units[0].figures["bytes"] == len(TEXT)
    packed = tree / "2021/08/31" / f"{NAME}.xz"
    assert lzma.decompress(packed.read_bytes()) == TEXT
    assert sorted(os.listdir(packed.parent)) == [".combine.json", packed.name]
    assert (tree / "2021/10/01" / NAME).read_bytes() == TEXT
    assert run(tree) == []


def test_time_and_permissions_stay(tree: Path) -> None:
    run(tree)
    found = (tree / "2021/08/31" / f"{NAME}.xz").stat()
    assert found.st_mtime_ns == MTIME_NS
    assert found.st_mode & 0o7777 == 0o640


def test_zst_is_the_other_form(tree: Path) -> None:
    run(tree, form="zst", workers=2)
    packed = (tree / "2021/09/30" / f"{NAME}.zst").read_bytes()
    assert zstandard.ZstdDecompressor().decompressobj().decompress(packed) == TEXT


def test_the_newest_day_stays_plain_for_the_links_to_it(tree: Path) -> None:
    assert len(run(tree, date(2022, 1, 1))) == 2
    assert (tree / "2021/10/01" / NAME).exists()


@pytest.mark.parametrize(
    ("today", "options", "expected"),
    [
        pytest.param("2021-10-15", {}, "2021-10-01", id="this-month"),
        pytest.param("2021-10-01", {}, "2021-10-01", id="first-of-the-month"),
        pytest.param("2022-01-01", {}, "2022-01-01", id="new-year"),
        pytest.param("2021-10-15", {"keep_days": 31}, "2021-09-14", id="keep-days"),
        pytest.param("2021-10-15", {"before": date(2020, 2, 29)}, "2020-02-29", id="before"),
    ],
)
def test_the_first_day_to_keep(today: str, options: dict[str, Any], expected: str) -> None:
    options = {"before": None, "keep_days": None, **options}
    assert str(first_day_to_keep(date.fromisoformat(today), **options)) == expected


def test_what_reads_back_differently_never_replaces_a_log(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compression, "log_digest", lambda path, compression=None: b"other")
    units = run(tree)
    assert [unit.status for unit in units] == ["failed", "failed"]
    assert "read back" in units[0].reasons[0]
    assert sorted(os.listdir(tree / "2021/08/31")) == [".combine.json", NAME]


def test_a_log_that_is_written_to_meanwhile_stays(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest = compression.log_digest

    def slow_digest(path: Path, compression: str | None = None) -> bytes:
        with (tree / "2021/08/31" / NAME).open("ab") as log:
            log.write(b"one more line\n")
        return digest(path, compression=compression)

    monkeypatch.setattr(compression, "log_digest", slow_digest)
    units = run(tree)
    assert [unit.status for unit in units] == ["failed", "made"]
    assert sorted(os.listdir(tree / "2021/08/31")) == [".combine.json", NAME]


def test_incident_partial_transfer_a_run_killed_before_the_end_is_finished_by_the_next(
    tree: Path,
) -> None:
    folder = tree / "2021/08/31"
    (folder / f".{NAME}.xz.unfinished").write_bytes(b"half of it")
    (tree / "2021/09/30" / f"{NAME}.xz").write_bytes(lzma.compress(TEXT))
    assert [unit.status for unit in run(tree)] == ["made", "made"]
    assert sorted(os.listdir(folder)) == [".combine.json", f"{NAME}.xz"]
    assert sorted(os.listdir(tree / "2021/09/30")) == [".combine.json", f"{NAME}.xz"]


@pytest.mark.parametrize("other", [lzma.compress(b"other"), lzma.compress(TEXT)[:-7], b""])
def test_two_forms_that_differ_are_both_kept_and_named(tree: Path, other: bytes) -> None:
    packed = tree / "2021/08/31" / f"{NAME}.xz"
    packed.write_bytes(other)
    unit = run(tree)[0]
    assert unit.status == "failed"
    assert str(packed) in unit.reasons[0]
    assert (tree / "2021/08/31" / NAME).read_bytes() == TEXT
    assert packed.read_bytes() == other


def test_a_compressed_form_cut_short_by_another_program_is_told_with_the_next_step(
    tree: Path,
) -> None:
    cut = tree / "2021/08/31" / f"{NAME}.xz"
    cut.write_bytes(lzma.compress(TEXT)[:-8])
    failed, made = run(tree)
    assert (failed.status, made.status) == ("failed", "made")
    assert failed.reasons[0].startswith(f"{cut}: expected no file, or")
    assert "remove this" in failed.reasons[0]
    assert cut.with_name(NAME).read_bytes() == TEXT
    cut.unlink()
    assert [unit.status for unit in run(tree)] == ["made"]


def test_incident_disk_full_leaves_the_log_and_the_others_go_on(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = compression._copy_compressed

    def full(plain: Any, unfinished: Path, settings: CompressSettings, *more: Any) -> bytes:
        if "08" in unfinished.parts:
            unfinished.write_bytes(b"part")
            raise OSError(28, "No space left on device")
        return copy(plain, unfinished, settings, *more)

    monkeypatch.setattr(compression, "_copy_compressed", full)
    units = run(tree)
    assert [unit.status for unit in units] == ["failed", "made"]
    assert "Free some space" in units[0].reasons[0]
    assert sorted(os.listdir(tree / "2021/08/31")) == [".combine.json", NAME]


def test_a_link_is_not_followed(tree: Path) -> None:
    path = tree / "2021/08/31" / NAME
    path.rename(tree / "elsewhere")
    path.symlink_to(tree / "elsewhere")
    assert [unit.name for unit in run(tree)] == [f"2021-09-30 {NAME}"]
    assert (tree / "elsewhere").read_bytes() == TEXT


def test_incident_second_run_is_told_who_compresses(tree: Path) -> None:
    with (
        writer_lock(tree, run_id="first", name=".compressing"),
        pytest.raises(LockedError, match="run first"),
    ):
        outcome_of(COMPRESS, CompressSettings(tree, date(2021, 10, 1), level=1))


def test_forms_change_places_only_while_nobody_combines(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compression, "PATIENCE_SECONDS", 0)
    with writer_lock(tree, run_id="combine"):
        units = run(tree)
    assert [unit.status for unit in units] == ["failed", "failed"]
    assert "run combine" in units[0].reasons[0]
    assert sorted(os.listdir(tree / "2021/08/31")) == [".combine.json", NAME]


@pytest.mark.parametrize("options", [{"level": 10}, {"level": 0, "form": "zst"}])
def test_impossible_settings_are_refused(tree: Path, options: dict[str, Any]) -> None:
    with pytest.raises(SettingsError):
        run(tree, **options)


def test_incident_nfs_gone_a_missing_tree_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="Mount"):
        run(tmp_path / "gone")


def test_a_day_that_can_not_be_read_fails_and_the_others_are_compressed(tree: Path) -> None:
    (tree / "2021/08/29").symlink_to("29")
    units = {unit.name: unit for unit in run(tree)}
    assert units["2021-08-29"].status == "failed"
    assert "symbolic links" in units["2021-08-29"].reasons[0]
    assert units[f"2021-08-31 {NAME}"].status == "made"


def test_a_year_that_can_not_be_read_is_an_error_that_names_it(tree: Path) -> None:
    (tree / "2020").symlink_to("2020")
    with pytest.raises(SourceError, match=f"{tree}/2020: expected to read"):
        run(tree)


def test_a_log_that_can_not_be_looked_at_fails(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tree / "2021/08/31" / NAME
    fail_stat(monkeypatch, path, OSError(errno.EIO, "bad"))
    units = {unit.name: unit.status for unit in run(tree)}
    assert units == {f"2021-08-31 {NAME}": "failed", f"2021-09-30 {NAME}": "made"}


def test_a_log_that_is_removed_meanwhile_is_left_alone(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tree / "2021/08/31" / NAME
    fail_stat(monkeypatch, path, FileNotFoundError(errno.ENOENT, "gone"))
    assert [unit.name for unit in run(tree)] == [f"2021-09-30 {NAME}"]


def fail_stat(monkeypatch: pytest.MonkeyPatch, of: Path, failure: OSError) -> None:
    """Let the first ``stat`` of one path itself fail."""
    found = Path.stat
    coming = iter([failure])

    def stat(path: Path, *, follow_symlinks: bool = True) -> os.stat_result:
        if path == of and not follow_symlinks and (error := next(coming, None)):
            raise error
        return found(path, follow_symlinks=follow_symlinks)

    monkeypatch.setattr(Path, "stat", stat)
    # the listing uses it, which calls stat before Python 3.14
    monkeypatch.setattr(Path, "is_symlink", os.path.islink)
