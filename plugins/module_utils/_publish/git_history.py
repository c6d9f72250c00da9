# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A git history of the files of single weeks: who revised what, and when, can be looked up.

The repository lies outside of the web root and uses the published folder as its work tree, so that
nothing is copied. Only the weeks are committed: small text files that seldom change.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple, TypeAlias

from .._base.errors import CountingError, OutputError, SettingsError, printable, wrong_option
from .._base.records import WorkUnit
from .._storage.files import write_error, writer_lock

UNIT_NAME = "git history"

#: A commit of a few weeks takes less than a second, the first one of ten years some seconds.
TIMEOUT_SECONDS = 600.0

_IDENTITY = re.compile(r"([^<>\x00-\x1f]*[^<>\s]) *<([^<>\s]+@[^<>\s]+)>")

#: Whatever the user or the machine has configured: no hooks, no signing, bytes as they are.
_SETTINGS = (
    "core.hooksPath=/dev/null",
    "core.attributesFile=/dev/null",
    "core.excludesFile=/dev/null",
    "core.autocrlf=false",
    "core.fsmonitor=false",
    "core.quotePath=true",
    "commit.gpgSign=false",
    "gc.auto=0",
    "gc.autoDetach=false",
    "maintenance.auto=false",
)


class Done(NamedTuple):
    """How a git command ended."""

    code: int
    stdout: str
    stderr: str


#: Runs a command with exactly this environment.
Runner: TypeAlias = Callable[[Sequence[str], Mapping[str, str]], Done]


@dataclass(frozen=True)
class History:
    """Where the history is kept, and who its commits are by."""

    repository: Path
    name: str
    mail: str


def history_of(repository: str | None, identity: str, *, web_root: Path) -> History | None:
    """The history as an operator configured it; None where it is off.

    Raises SettingsError where readers of ``web_root`` could read it, or nobody is named.
    """
    if not repository:
        return None
    path = Path(repository)
    root = web_root.resolve()
    if not path.is_absolute() or path.resolve() == root or root in path.resolve().parents:
        raise SettingsError(
            "option git_history",
            expected=f"an absolute path outside of {web_root}",
            found=printable(repository),
            advice="Put the repository where the web server doesn't show it.",
        )
    parts = _IDENTITY.fullmatch(identity.strip())
    if not parts:
        raise wrong_option(
            "git_identity",
            expected="a name and an address, as in 'Counting <counting@example.org>'",
            found=printable(identity),
        )
    return History(path, parts[1], parts[2])


def run_git(command: Sequence[str], environment: Mapping[str, str]) -> Done:
    """Run git. Raises OSError where that can't be done or takes too long."""
    try:
        done = subprocess.run(
            list(command),
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            timeout=TIMEOUT_SECONDS,
        )
    except subprocess.TimeoutExpired as error:
        raise OSError(f"no end after {error.timeout:.0f} s") from error
    return Done(
        done.returncode,
        done.stdout.decode("utf-8", "backslashreplace"),
        done.stderr.decode("utf-8", "backslashreplace"),
    )


def plan_history(
    history: History,
    dest: Path,
    folders: Sequence[str],
    *,
    weeks_due: bool,
    run: Runner = run_git,
) -> WorkUnit:
    """Whether a commit is due. Reads only. ``folders`` are those of single weeks below ``dest``."""
    if weeks_due:
        return WorkUnit(UNIT_NAME, "due", ("files of weeks change",))
    present = _present(dest, folders)
    if not present:
        return WorkUnit(UNIT_NAME, "waiting", ("no week is published yet",))
    if not _is_there(history.repository):
        return WorkUnit(UNIT_NAME, "due", (f"no repository yet at {history.repository}",))
    try:
        changed = _changed(_Git(history, dest, run), present)
    except CountingError as error:
        return WorkUnit(UNIT_NAME, "failed", (str(error),))
    if changed:
        return WorkUnit(
            UNIT_NAME, "due", (f"{changed} files of weeks differ from the last commit",)
        )
    return WorkUnit(UNIT_NAME, "unchanged")


def keep_history(
    history: History,
    dest: Path,
    folders: Sequence[str],
    *,
    now: datetime | None = None,
    run: Runner = run_git,
) -> WorkUnit:
    """Commit what changed in the files of weeks. A failure is in the unit, never raised."""
    planned = plan_history(history, dest, folders, weeks_due=False, run=run)
    if planned.status != "due":
        return planned
    git = _Git(history, dest, run, now)
    try:
        with writer_lock(history.repository, now=now):
            _remove_left_locks(history.repository, now or datetime.now(UTC))
            changed, commit = _commit(git, history, dest, folders)
    except CountingError as error:
        return WorkUnit(UNIT_NAME, "failed", (str(error),))
    except OSError as error:
        return WorkUnit(UNIT_NAME, "failed", (str(write_error(history.repository, error)),))
    if not changed:  # another run has committed meanwhile
        return WorkUnit(UNIT_NAME, "unchanged")
    return WorkUnit(UNIT_NAME, "made", planned.reasons, {"commit": commit, "files": changed})


def _is_there(repository: Path) -> bool:
    """Whether all that makes a repository is there; a run that is killed may leave half of it."""
    return all((repository / name).exists() for name in ("HEAD", "objects", "refs"))


def _remove_left_locks(repository: Path, now: datetime) -> None:
    """Remove what a git that was killed left, and would stop all later ones.

    No git of ours is at work, as we hold the lock; one of somebody else ends in less time.
    """
    oldest = now.timestamp() - TIMEOUT_SECONDS
    for pattern in ("*.lock", "refs/heads/*.lock"):
        for path in repository.glob(pattern):
            if path.lstat().st_mtime < oldest:
                path.unlink()


def _commit(git: _Git, history: History, dest: Path, folders: Sequence[str]) -> tuple[int, str]:
    """How many files were committed, and the commit."""
    if not _is_there(history.repository):
        git("init", "--quiet", "--bare", "--template=", "--initial-branch=main", bare=True)
    changed = {folder: _changed(git, [folder]) for folder in _present(dest, folders)}
    count = sum(changed.values())
    if not count:
        return 0, ""
    git("add", "--all", "--force", "--", *(_weeks_in(one) for one, n in changed.items() if n))
    message = f"{count} {'week' if count == 1 else 'weeks'} published"
    git("commit", "--quiet", "--no-verify", f"--message={message}")
    return count, git("rev-parse", "HEAD").strip()


def _present(dest: Path, folders: Sequence[str]) -> list[str]:
    return [folder for folder in folders if (dest / folder).is_dir()]


def _weeks_in(folder: str) -> str:
    return f":(glob){folder}/[0-9]*.csv"


def _changed(git: _Git, folders: Sequence[str]) -> int:
    """How many files of weeks differ from what is committed; unfinished ones are left out."""
    listed = git(
        "--no-optional-locks",
        *("status", "--porcelain", "-z", "--no-renames", "--ignored", "--untracked-files=all"),
        *("--", *map(_weeks_in, folders)),
    )
    return sum(1 for one in listed.split("\0") if one)


class _Git:
    """Git on the history's repository, by argument list, with no configuration but the given."""

    def __init__(
        self, history: History, dest: Path, run: Runner, now: datetime | None = None
    ) -> None:
        self._history = history
        self._dest = dest
        self._run = run
        self._now = now or datetime.now(UTC)

    def __call__(self, *arguments: str, bare: bool = False) -> str:
        """What git says. Raises OutputError where it fails."""
        repository = self._history.repository
        tree = [] if bare else [f"--work-tree={self._dest}"]
        settings = [part for one in _SETTINGS for part in ("-c", one)]
        command = ["git", *settings, f"--git-dir={repository}", *tree, *arguments]
        try:
            done = self._run(command, self._environment())
        except OSError as error:
            raise self._failure(str(error.strerror or error)) from error
        if done.code:
            raise self._failure(done.stderr.strip() or f"exit status {done.code}")
        return done.stdout

    def _environment(self) -> dict[str, str]:
        when = f"{int(self._now.timestamp())} +0000"
        return {
            "PATH": os.environ.get("PATH", os.defpath),
            "LC_ALL": "C",
            # no home: nothing of the user's is read
            "HOME": "/nonexistent",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": "/dev/null",
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_AUTHOR_NAME": self._history.name,
            "GIT_AUTHOR_EMAIL": self._history.mail,
            "GIT_AUTHOR_DATE": when,
            "GIT_COMMITTER_NAME": self._history.name,
            "GIT_COMMITTER_EMAIL": self._history.mail,
            "GIT_COMMITTER_DATE": when,
        }

    def _failure(self, found: str) -> OutputError:
        return OutputError(
            self._history.repository,
            expected="to keep the history of the published weeks with git",
            found=printable(found, 300),
            advice="All is published. Correct it, or leave git_history out; the next run commits.",
        )
