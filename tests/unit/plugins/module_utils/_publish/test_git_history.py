"""The history of the published weeks, kept by a real git."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._base.errors import (
    SettingsError,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._base.records import (
    WorkUnit,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._publish.git_history import (
    History,
    history_of,
    keep_history,
    plan_history,
)

FOLDERS = ["weeks", "weeks-centos"]
NOW = datetime(2021, 10, 5, 9, 0, tzinfo=UTC)


@pytest.fixture(name="dest")
def _dest(tmp_path: Path) -> Path:
    dest = tmp_path / "web" / "countme"
    write_week(dest, "2021-W38", "a\r\n")
    write_week(dest, "2021-W39", "b\r\n")
    return dest


@pytest.fixture(name="history")
def _history(tmp_path: Path) -> History:
    return History(tmp_path / "state" / "weeks.git", "Counting", "counting@example.org")


def write_week(dest: Path, week: str, text: str, folder: str = "weeks") -> None:
    (dest / folder).mkdir(parents=True, exist_ok=True)
    (dest / folder / f"{week}.csv").write_bytes(text.encode())


def git(history: History, *arguments: str) -> str:
    done = subprocess.run(
        ["git", f"--git-dir={history.repository}", *arguments],
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def keep(history: History, dest: Path) -> WorkUnit:
    return keep_history(history, dest, FOLDERS, now=NOW)


def test_first_run_commits_all_weeks_second_nothing(history: History, dest: Path) -> None:
    first = keep(history, dest)
    assert (first.status, first.figures["files"]) == ("made", 2)
    assert git(history, "ls-tree", "-r", "--name-only", "HEAD").split() == [
        "weeks/2021-W38.csv",
        "weeks/2021-W39.csv",
    ]
    assert git(history, "log", "-1", "--format=%an <%ae> %cn %at %s") == (
        "Counting <counting@example.org> Counting 1633424400 2 weeks published"
    )
    assert keep(history, dest).status == "unchanged"
    assert git(history, "rev-list", "--count", "HEAD") == "1"


def test_bytes_are_kept_as_they_are(history: History, dest: Path) -> None:
    keep(history, dest)
    shown = subprocess.run(
        ["git", f"--git-dir={history.repository}", "show", "HEAD:weeks/2021-W38.csv"],
        capture_output=True,
        check=True,
    )
    assert shown.stdout == b"a\r\n"


def test_revised_new_and_removed_weeks_are_one_commit(history: History, dest: Path) -> None:
    keep(history, dest)
    write_week(dest, "2021-W38", "revised\r\n")
    write_week(dest, "2021-W39", "c\r\n", folder="weeks-centos")
    (dest / "weeks" / "2021-W39.csv").unlink()
    assert keep(history, dest).figures["files"] == 3
    assert git(history, "show", "--format=", "--name-status", "HEAD").split("\n") == [
        "A\tweeks-centos/2021-W39.csv",
        "M\tweeks/2021-W38.csv",
        "D\tweeks/2021-W39.csv",
    ]


def test_only_weeks_are_committed(history: History, dest: Path) -> None:
    (dest / "totals.csv").write_text("large")
    (dest / "weeks" / ".2021-W40.csv.unfinished").write_text("half")
    keep(history, dest)
    assert len(git(history, "ls-tree", "-r", "--name-only", "HEAD").split()) == 2
    assert not list(dest.rglob(".git*"))


def test_touched_weeks_are_no_commit(history: History, dest: Path) -> None:
    keep(history, dest)
    write_week(dest, "2021-W38", "a\r\n")
    assert keep(history, dest).status == "unchanged"
    assert plan(history, dest) == "unchanged"


def plan(history: History, dest: Path, *, weeks_due: bool = False) -> str:
    return plan_history(history, dest, FOLDERS, weeks_due=weeks_due).status


def test_a_commit_is_due_by_the_files_and_planning_writes_nothing(
    history: History, dest: Path
) -> None:
    assert plan(history, dest) == "due"
    assert not history.repository.exists()
    keep(history, dest)
    before = {path: path.stat().st_mtime_ns for path in history.repository.rglob("*")}
    assert (plan(history, dest), plan(history, dest, weeks_due=True)) == ("unchanged", "due")
    write_week(dest, "2021-W38", "revised\r\n")
    assert plan(history, dest) == "due"
    assert before == {path: path.stat().st_mtime_ns for path in history.repository.rglob("*")}
    keep(history, dest)
    (dest / "weeks" / "2021-W38.csv").unlink()
    assert plan(history, dest) == "due"


def test_a_folder_without_weeks_is_no_reason_to_fail(history: History, dest: Path) -> None:
    (dest / "weeks-centos").mkdir()
    assert keep(history, dest).figures["files"] == 2


def test_nothing_published_yet_waits(history: History, tmp_path: Path) -> None:
    assert keep(history, tmp_path / "nothing").status == "waiting"
    assert not history.repository.exists()


def test_hooks_and_configuration_of_others_are_not_obeyed(
    history: History, dest: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(history, dest)
    (history.repository / "hooks").mkdir(exist_ok=True)
    for name in ("pre-commit", "commit-msg", "post-commit"):
        hook = history.repository / "hooks" / name
        hook.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran-{name}\nexit 1\n")
        hook.chmod(0o755)
    home = tmp_path / "home"
    home.mkdir()
    (home / ".gitconfig").write_text("[user]\nname = Somebody\n[core]\nautocrlf = true\n")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("GIT_DIR", "/nonexistent")
    monkeypatch.setenv("GIT_AUTHOR_NAME", "Somebody")
    write_week(dest, "2021-W38", "revised\r\n")
    assert keep(history, dest).status == "made"
    for name in ("GIT_DIR", "GIT_AUTHOR_NAME"):
        monkeypatch.delenv(name)
    assert git(history, "log", "-1", "--format=%an %cn") == "Counting Counting"
    assert not list(tmp_path.glob("ran-*"))


def test_a_failure_of_git_is_reported_and_the_next_run_commits(
    history: History, dest: Path
) -> None:
    history.repository.mkdir(parents=True)
    (history.repository / "HEAD").write_text("damaged")
    failed = keep(history, dest)
    assert failed.status == "failed"
    assert str(history.repository) in failed.reasons[0]
    (history.repository / "HEAD").unlink()
    assert keep(history, dest).status == "made"


def _no_git(*_unused: object, **_unused_too: object) -> None:
    raise FileNotFoundError(2, "No such file or directory")


def _hanging_git(*_unused: object, timeout: float, **_unused_too: object) -> None:
    raise subprocess.TimeoutExpired("git", timeout)


@pytest.mark.parametrize(
    ("run", "found"), [(_no_git, "No such file"), (_hanging_git, "no end after 600 s")]
)
def test_a_missing_or_hanging_git_is_reported(
    history: History, dest: Path, run: Callable[..., None], found: str
) -> None:
    failed = keep_history(history, dest, FOLDERS, now=NOW, run=run)  # type: ignore[arg-type]
    assert failed.status == "failed"
    assert found in failed.reasons[0]


@pytest.mark.parametrize(
    "repository", ["{web}", "{web}/weeks.git", "{web}/../web/x.git", "weeks.git"]
)
def test_a_repository_that_readers_could_see_is_refused(tmp_path: Path, repository: str) -> None:
    web = tmp_path / "web"
    with pytest.raises(SettingsError, match="git_history"):
        history_of(repository.format(web=web), "A <a@example.org>", web_root=web)


@pytest.mark.parametrize(
    "identity", ["", "nobody", "<a@example.org>", "A <a>", "A <a@b> x", "A\n<a@example.org>"]
)
def test_an_identity_that_git_would_not_take_is_refused(tmp_path: Path, identity: str) -> None:
    with pytest.raises(SettingsError, match="git_identity"):
        history_of("/srv/weeks.git", identity, web_root=tmp_path)


def test_off_without_a_repository(tmp_path: Path) -> None:
    assert history_of("", "", web_root=tmp_path) is None
    found = history_of("/srv/w.git", "Counting team <c@example.org>", web_root=tmp_path)
    assert found == History(Path("/srv/w.git"), "Counting team", "c@example.org")


def test_the_lock_of_a_killed_git_is_named_and_stays_due(history: History, dest: Path) -> None:
    keep(history, dest)
    write_week(dest, "2021-W39", "c\r\n")
    lock = history.repository / "index.lock"
    lock.touch()
    failed = keep(history, dest)
    assert failed.status == "failed"
    assert str(lock) in failed.reasons[0]
    assert plan(history, dest) == "due"
    lock.unlink()
    assert keep(history, dest).status == "made"
    assert keep(history, dest).status == "unchanged"


@pytest.mark.parametrize("lost", ["objects", "refs"])
def test_a_repository_half_made_is_made_whole(history: History, dest: Path, lost: str) -> None:
    history.repository.mkdir(parents=True)
    subprocess.run(["git", "init", "--quiet", "--bare", history.repository], check=True)
    path = history.repository / lost
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    assert keep(history, dest).status == "made"
    assert keep(history, dest).status == "unchanged"
