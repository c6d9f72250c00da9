"""The versions on a log host: made beside the one in use, switched at once, healed after a kill."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.fedora_infra.dnf_counting.tests.support.collection_copies import loaded

versions = loaded("versions")
Version = dict[str, Any]
Run = Callable[..., "subprocess.CompletedProcess[str]"]


def version(number: int, **libraries: str) -> Version:
    pins = {"duckdb": "2.0.0", **libraries}
    name = "-".join(f"{library}{pin}" for library, pin in sorted(pins.items()))
    return {
        "collection": f"1.{number}.0",
        "collection_dir": f"collection-{number}",
        "python": "3.11",
        "libraries": pins,
        "libraries_dir": f"libraries-{name}",
    }


A, B, C = version(1), version(2, numpy="2.4.6"), version(3, numpy="2.5.0")


class Pip:
    """Stands in for the programs that make an environment; fails where it is told to."""

    def __init__(self, fails: str = "", kills: bool = False) -> None:
        self.fails, self.kills = fails, kills
        self.commands: list[list[str]] = []

    def __call__(self, command: list[str], **_options: Any) -> subprocess.CompletedProcess[str]:
        self.commands.append(command)
        if "venv" in command:
            python = Path(command[-1]) / "bin" / "python"
            python.parent.mkdir(parents=True)
            python.touch(mode=0o755)
        elif self.kills:
            raise KeyboardInterrupt
        elif self.fails:
            return subprocess.CompletedProcess(command, 1, self.fails)
        return subprocess.CompletedProcess(command, 0, "")


class LogHost:
    """The folders of a log host."""

    def __init__(self, folder: Path) -> None:
        self.venv, self.folder, self.lock = folder / "venv", folder / "versions", folder / "lock"
        self.folder.mkdir()

    def settings(self, wanted: Version, **others: Any) -> dict[str, Any]:
        return {
            "venv": str(self.venv),
            "versions": str(self.folder),
            "run_lock": str(self.lock),
            "python": "python3",
            "state": "updated",
            "check": False,
            "archive": "wanted.tar",
            "wanted": wanted,
            **others,
        }

    def make(self, wanted: Version, run: Run | None = None) -> None:
        with tarfile.open(self.folder / "wanted.tar", "w") as archive:
            archive.add(__file__, "of_the_collection")
        versions.make(self.settings(wanted), run=run or Pip())

    def update(self, wanted: Version) -> dict[str, Any]:
        self.make(wanted)
        return dict(versions.switch(self.settings(wanted)))

    def revert(self, installed: Version) -> dict[str, Any]:
        return dict(versions.switch(self.settings(installed, state="reverted")))

    @property
    def in_use(self) -> tuple[Version, Version | None]:
        record = json.loads((self.folder / "versions.json").read_text())
        now = record["now"]
        assert self.venv.resolve() == self.folder / now["libraries_dir"]
        assert (self.folder / "collection").resolve() == self.folder / now["collection_dir"]
        return now, record["before"]

    @property
    def folders(self) -> set[str]:
        return {path.name for path in self.folder.iterdir() if path.is_dir()} - {"collection"}


@pytest.fixture(name="log_host")
def fixture_log_host(tmp_path: Path) -> LogHost:
    return LogHost(tmp_path)


def folders_of(*of: Version) -> set[str]:
    return {each[kind] for each in of for kind in ("collection_dir", "libraries_dir")}


def test_the_version_before_is_kept_and_older_ones_are_not(log_host: LogHost) -> None:
    assert log_host.update(A)["changed"]
    assert log_host.in_use == (A, None)
    log_host.update(B)
    assert log_host.in_use == (B, A)
    assert log_host.update(C)["removed"] == ["collection-1", "libraries-duckdb2.0.0", "wanted.tar"]
    assert log_host.in_use == (C, B)
    assert log_host.folders == folders_of(B, C)


def test_a_second_update_changes_nothing(log_host: LogHost) -> None:
    log_host.update(A)
    found = versions.look(log_host.settings(A))
    assert (found["missing"], found["untested"], found["changes"]) == ([], False, [])
    assert not versions.switch(log_host.settings(A))["changed"]


def test_going_back_is_done_once_and_undone_by_an_update(log_host: LogHost) -> None:
    log_host.update(A)
    log_host.update(B)
    assert log_host.revert(B)["changes"] == ["collection: 1.2.0 -> 1.1.0", "numpy: 2.4.6 -> none"]
    assert log_host.in_use == (A, A)
    assert not log_host.revert(B)["changed"]
    assert log_host.folders == folders_of(A, B)
    log_host.update(C)
    assert log_host.in_use == (C, A)
    assert log_host.folders == folders_of(A, C)


def test_there_is_no_going_back_before_the_first_update(log_host: LogHost) -> None:
    log_host.update(A)
    with pytest.raises(versions.VersionError, match="expected a version before"):
        log_host.revert(A)


def test_libraries_that_do_not_change_are_not_made_again(log_host: LogHost) -> None:
    log_host.update(A)
    other = {**A, "collection": "1.1.1", "collection_dir": "collection-other"}
    pip = Pip()
    log_host.make(other, pip)
    assert pip.commands == []
    log_host.update(other)
    assert log_host.in_use == (other, A)


def test_without_an_index_nothing_is_left_and_nothing_changes(log_host: LogHost) -> None:
    log_host.update(A)
    with pytest.raises(
        versions.VersionError, match=r"No route to host.*collection 1\.1\.0 is in use"
    ):
        log_host.make(B, Pip(fails="No route to host"))
    assert log_host.in_use == (A, None)
    assert not (log_host.folder / B["libraries_dir"]).exists()


def test_an_environment_that_was_killed_half_way_is_made_anew(log_host: LogHost) -> None:
    log_host.update(A)
    with pytest.raises(KeyboardInterrupt):
        log_host.make(B, Pip(kills=True))
    assert (log_host.folder / B["libraries_dir"] / "bin" / "python").exists()
    found = versions.look(log_host.settings(B))
    assert found["missing"] == [B["libraries_dir"]]
    assert log_host.in_use == (A, None)
    pip = Pip()
    log_host.make(B, pip)
    assert len(pip.commands) == 2
    log_host.update(B)
    assert log_host.in_use == (B, A)


@pytest.mark.parametrize("step", ["record", "link", "remove_others"])
def test_a_switch_that_was_killed_is_healed_by_the_next(
    log_host: LogHost, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_arguments: Any) -> None:
        raise KeyboardInterrupt

    log_host.update(A)
    log_host.make(B)
    with monkeypatch.context() as patched:
        patched.setattr(versions, step, killed)
        with pytest.raises(KeyboardInterrupt):
            versions.switch(log_host.settings(B))
    assert log_host.venv.exists()
    assert log_host.update(B)["changed"]
    assert log_host.in_use == (B, A)
    assert log_host.folders == folders_of(A, B)


def test_what_a_run_at_work_may_use_is_not_removed(log_host: LogHost) -> None:
    log_host.update(A)
    log_host.update(B)
    with log_host.lock.open("w") as lock:
        lock.write("process 12 since\x1b[2J noon\n")
        lock.flush()
        fcntl.flock(lock, fcntl.LOCK_EX)
        switched = log_host.update(C)
        assert switched["running"] == "process 12 since[2J noon"
        assert log_host.folders == folders_of(A, B, C)
    assert versions.switch(log_host.settings(C))["changed"]
    assert log_host.folders == folders_of(B, C)


def test_a_lock_that_leads_elsewhere_is_not_followed(log_host: LogHost) -> None:
    log_host.lock.symlink_to("/etc/passwd")
    with pytest.raises(OSError, match="symbolic link"):
        versions.who_runs(str(log_host.lock))


def test_a_folder_in_the_place_of_the_link_is_left_alone(log_host: LogHost) -> None:
    (log_host.venv / "bin").mkdir(parents=True)
    with pytest.raises(versions.VersionError, match="a folder that the role"):
        log_host.update(A)
    assert (log_host.venv / "bin").is_dir()
    assert not (log_host.folder / "versions.json").exists()


def test_what_another_update_removed_meanwhile_is_not_switched_to(log_host: LogHost) -> None:
    log_host.update(A)
    log_host.make(B)
    log_host.update(C)
    assert folders_of(B).isdisjoint(log_host.folders)
    with pytest.raises(versions.VersionError, match="another update has removed it"):
        versions.switch(log_host.settings(B))
    assert log_host.in_use == (C, A)


def test_two_updates_at_a_time_are_one_too_many(log_host: LogHost) -> None:
    with (
        versions.alone(log_host.settings(A)),
        pytest.raises(versions.VersionError, match="another update"),
    ):
        log_host.make(A)


def test_a_pip_that_outlives_its_update_keeps_others_out(log_host: LogHost) -> None:
    """Killed, an update leaves its pip at work in the folder that the next one would clear."""

    def leave_one(command: list[str], **options: Any) -> subprocess.CompletedProcess[str]:
        if "pip" not in command:
            return Pip()(command)
        kept = {name: options[name] for name in ("stdin", "close_fds")}
        others.append(subprocess.Popen(["sleep", "600"], **kept))
        raise KeyboardInterrupt

    others: list[subprocess.Popen[bytes]] = []
    with pytest.raises(KeyboardInterrupt):
        log_host.make(A, leave_one)
    try:
        with pytest.raises(versions.VersionError, match="another update"):
            log_host.make(A)
    finally:
        others[0].kill()
        others[0].wait()
    log_host.update(A)
    assert log_host.in_use == (A, None)


def test_a_version_that_fails_its_test_goes_but_not_what_it_shares(log_host: LogHost) -> None:
    log_host.update(A)
    other = {**A, "collection_dir": "collection-other"}
    log_host.make(other)
    assert versions.discard(log_host.settings(other)) == {"removed": ["collection-other"]}
    assert log_host.in_use == (A, None)
    assert log_host.folders == folders_of(A)


def test_check_mode_tells_and_changes_nothing(log_host: LogHost) -> None:
    log_host.update(A)
    told = versions.switch(log_host.settings(B, check=True))
    assert told["changed"]
    assert told["changes"] == ["collection: 1.1.0 -> 1.2.0", "numpy: none -> 2.4.6"]
    assert log_host.in_use == (A, None)


def test_a_damaged_record_is_as_good_as_none(log_host: LogHost) -> None:
    log_host.update(A)
    (log_host.folder / "versions.json").write_text("{")
    assert log_host.update(B)["changes"][0] == "collection: none -> 1.2.0"
    assert log_host.in_use == (B, None)


def test_another_python_needs_another_environment() -> None:
    newer = {**A, "python": "3.13", "libraries_dir": "libraries-3.13"}
    told = list(versions.changes(A, newer))
    assert told == ["Python: 3.11 -> 3.13", "libraries: the same versions, made again"]


def test_the_umask_of_root_plays_no_role(log_host: LogHost, tmp_path: Path) -> None:
    program = Path(versions.__file__)
    (tmp_path / "python3").write_text(
        '#!/bin/sh\n[ "$3" != venv ] || { mkdir -p "$4/bin"; cp "$0" "$4/bin/python"; }\n'
    )
    (tmp_path / "python3").chmod(0o755)
    with tarfile.open(log_host.folder / "wanted.tar", "w") as archive:
        archive.add(__file__, "below/of_the_collection")
    settings = json.dumps(log_host.settings(A, python=str(tmp_path / "python3")))
    done = subprocess.run(
        ["python3", "-I", program, "make", settings],
        capture_output=True,
        text=True,
        check=False,
        umask=0o077,
    )
    assert done.returncode == 0, done.stderr
    for folder, _folders, names in os.walk(log_host.folder):
        for path in [Path(folder), *(Path(folder, name) for name in names)]:
            if path.name not in (".lock", "wanted.tar", "versions"):
                assert path.stat().st_mode & 0o044 == 0o044, path
