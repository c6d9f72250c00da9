# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keep a Git history of the files of single weeks.

The repository lies outside of the web root and uses the published folder as its work tree, so that
nothing is copied. Only the weeks are committed: small text files that seldom change.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TypeAlias

from .._base.errors import CountingError, OutputError, SettingsError, printable, wrong_option
from .._base.records import WorkUnit
from .._storage.files import make_folder, write_error

UNIT_NAME = "git history"

#: A commit of a few weeks takes less than a second, the first one of ten years some seconds.
TIMEOUT_SECONDS = 600.0

#: The time of this file in the repository is that of the last run that committed every change.
_STAMP = "weeks-committed"

_IDENTITY = re.compile(r"([^<>\x00-\x1f]*[^<>\s]) *<([^<>\s]+@[^<>\s]+)>")

#: Settings against hooks, signing, conversion of line ends and work in the background.
_SETTINGS = (
    "core.hooksPath=/dev/null",
    "core.attributesFile=/dev/null",
    "core.autocrlf=false",
    "core.fsmonitor=false",
    "commit.gpgSign=false",
    "gc.auto=0",
    "maintenance.auto=false",
)

Runner: TypeAlias = Callable[..., "subprocess.CompletedProcess[bytes]"]


@dataclass(frozen=True)
class History:
    """The repository of the history, and the author of its commits."""

    repository: Path
    name: str
    mail: str


def history_of(repository: str | None, identity: str, *, web_root: Path) -> History | None:
    """Return the configured history; None if it is off.

    Raises SettingsError if it lies where readers of ``web_root`` could read it, or if ``identity``
    names nobody.
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


def plan_history(
    history: History, dest: Path, folders: Sequence[str], *, weeks_due: bool
) -> WorkUnit:
    """Return the unit of the next commit. Reads only, and runs no git.

    ``folders`` are those of single weeks below ``dest``. ``weeks_due`` is true if files in them are
    to change.
    """
    if weeks_due:
        return WorkUnit(UNIT_NAME, "due", ("files of weeks change",))
    changed = max(_times(dest, folders), default=None)
    if changed is None:
        return WorkUnit(UNIT_NAME, "waiting", ("no week is published yet",))
    try:
        committed = (history.repository / _STAMP).stat().st_mtime_ns
    except OSError:
        return WorkUnit(UNIT_NAME, "due", (f"nothing committed yet to {history.repository}",))
    # the clock of a file system is coarse: equal times may be a change after the commit
    if committed <= changed:
        return WorkUnit(UNIT_NAME, "due", ("files of weeks are newer than the last commit",))
    return WorkUnit(UNIT_NAME, "unchanged")


def _times(dest: Path, folders: Sequence[str]) -> Iterator[int]:
    """Yield the times of change of all files of weeks, and of their folders for removed ones."""
    for folder in folders:
        if (dest / folder).is_dir():
            yield (dest / folder).stat().st_mtime_ns
            yield from (path.stat().st_mtime_ns for path in (dest / folder).glob("[0-9]*.csv"))


def keep_history(
    history: History,
    dest: Path,
    folders: Sequence[str],
    *,
    now: datetime,
    run: Runner = subprocess.run,
) -> WorkUnit:
    """Commit the changes in the files of weeks, and return the unit; a failure is not raised."""
    planned = plan_history(history, dest, folders, weeks_due=False)
    if planned.status != "due":
        return planned
    git = _Git(history, dest, now, run)
    try:
        make_folder(history.repository)
        # it completes a repository that a killed run left half made
        git("init", "--quiet", "--bare", "--template=", "--initial-branch=main")
        for folder in folders:
            if (dest / folder).is_dir():
                unfinished = f":(exclude,glob){folder}/.*"
                git("add", "--all", "--force", "--", folder, unfinished)
        changed = git("diff", "--cached", "--name-only").splitlines()
        if changed:
            weeks = f"{len(changed)} {'week' if len(changed) == 1 else 'weeks'}"
            git("commit", "--quiet", "--no-verify", f"--message={weeks} published")
            commit = git("rev-parse", "HEAD").strip()
        (history.repository / _STAMP).touch()
    except CountingError as error:
        return WorkUnit(UNIT_NAME, "failed", (str(error),))
    except OSError as error:
        return WorkUnit(UNIT_NAME, "failed", (str(write_error(history.repository, error)),))
    if not changed:
        return WorkUnit(UNIT_NAME, "unchanged")
    return WorkUnit(UNIT_NAME, "made", planned.reasons, {"commit": commit, "files": len(changed)})


@dataclass(frozen=True)
class _Git:
    """Git on the repository of the history, in a fixed environment."""

    history: History
    dest: Path
    now: datetime
    run: Runner

    def __call__(self, command: str, *arguments: str) -> str:
        """Return the output of a command. Raises OutputError if it fails."""
        repository = self.history.repository
        settings = [part for one in _SETTINGS for part in ("-c", one)]
        tree = [] if command == "init" else [f"--work-tree={self.dest}"]
        try:
            done = self.run(
                ["git", *settings, f"--git-dir={repository}", *tree, command, *arguments],
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                check=False,
                timeout=TIMEOUT_SECONDS,
            )
        except subprocess.TimeoutExpired as error:
            raise _git_error(self.history, f"no end after {error.timeout:.0f} s") from error
        except OSError as error:
            raise _git_error(self.history, str(error.strerror or error)) from error
        if done.returncode:
            errors = done.stderr.decode("utf-8", "backslashreplace").strip()
            raise _git_error(self.history, errors or f"exit status {done.returncode}")
        return done.stdout.decode("utf-8", "backslashreplace")

    def _environment(self) -> dict[str, str]:
        when = f"{int(self.now.timestamp())} +0000"
        return {
            "PATH": os.environ.get("PATH", os.defpath),
            "LC_ALL": "C",
            # without a home, nothing of the user's is read
            "HOME": "/nonexistent",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": "/dev/null",
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_AUTHOR_NAME": self.history.name,
            "GIT_AUTHOR_EMAIL": self.history.mail,
            "GIT_AUTHOR_DATE": when,
            "GIT_COMMITTER_NAME": self.history.name,
            "GIT_COMMITTER_EMAIL": self.history.mail,
            "GIT_COMMITTER_DATE": when,
        }


def _git_error(history: History, found: str) -> OutputError:
    return OutputError(
        history.repository,
        expected="to keep the history of the published weeks with git",
        found=printable(found, 300),
        advice="All is published. Correct it, or leave git_history out; the next run commits.",
    )
