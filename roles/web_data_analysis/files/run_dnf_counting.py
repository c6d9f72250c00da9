# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run all stages as the counting user, and never two runs at the same time.

    run_dnf_counting [OPTION OF ansible-playbook...]

The settings are in run_dnf_counting.json in the same folder. Root becomes the counting user first.
If another run is at work, the command reports it and ends with exit code 75. A run uses the
versions of the collection and the libraries that were in use at its start until its end.
"""

from __future__ import annotations

import datetime
import fcntl
import json
import os
import pwd
import sys
import time
from pathlib import Path
from typing import NamedTuple

BUSY = 75
REFUSED = 77


class Version(NamedTuple):
    """The folders of the collection and the libraries of a run."""

    collection: Path
    libraries: Path


class RunError(Exception):
    """The run cannot start; ``code`` is the exit code."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code


def become(user: str) -> None:
    """Become ``user``. Raises RunError if that is impossible."""
    account = pwd.getpwnam(user)
    if account.pw_uid == 0:
        raise RunError(REFUSED, f"expected a counting user without privileges, found {user}.")
    if os.geteuid() == 0:
        os.initgroups(user, account.pw_gid)
        os.setgid(account.pw_gid)
        os.setuid(account.pw_uid)
    elif os.geteuid() != account.pw_uid:
        found = pwd.getpwuid(os.geteuid()).pw_name
        raise RunError(REFUSED, f"expected to be {user} or root, found {found}.")


def take(descriptor: int) -> None:
    """Take a lock that an update may hold for a moment. Raises BlockingIOError if a run holds it."""
    for _look in range(10):
        try:
            return fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(0.1)
    return fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def lock(path: str, now: datetime.datetime) -> int:
    """Return the descriptor that holds the lock while it is open. Raises RunError with its holder."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o640)
    try:
        take(descriptor)
    except BlockingIOError as error:
        holder = os.read(descriptor, 200).decode("ascii", "replace").strip() or "unknown"
        raise RunError(
            BUSY, f"expected to be the only run, found another one ({holder}). "
                  "Nothing was done. Wait until it has ended."
        ) from error  # fmt: skip
    os.ftruncate(descriptor, 0)
    os.write(descriptor, f"process {os.getpid()} since {now:%Y-%m-%d %H:%M:%S} UTC\n".encode())
    os.set_inheritable(descriptor, True)
    return descriptor


def version_in_use(versions: Path) -> Version:
    """Return the version that the last update has switched to; see versions.py."""
    now = json.loads((versions / "versions.json").read_text(encoding="utf-8"))["now"]
    return Version(versions / now["collection_dir"], versions / now["libraries_dir"])


def environment(settings: dict[str, str], version: Version) -> dict[str, str]:
    """Return the whole environment of the run, because cron sets almost nothing."""
    return {
        "PATH": f"{version.libraries}/bin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME": settings["work_dir"],
        "LC_ALL": "C.UTF-8",
        # Each line is written at once, so that output and warnings are in order.
        "PYTHONUNBUFFERED": "1",
        "ANSIBLE_CONFIG": settings["ansible_config"],
        "ANSIBLE_COLLECTIONS_PATH": str(version.collection),
        **{name: os.environ[name] for name in ("TERM", "JOURNAL_STREAM") if name in os.environ},
    }


def write_to_log(path: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o640)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)


def main() -> None:
    settings = json.loads(Path(__file__).resolve().with_suffix(".json").read_text(encoding="utf-8"))
    try:
        become(settings["user"])
        os.chdir(settings["work_dir"])
        if settings["log_file"] and not sys.stdout.isatty():
            write_to_log(settings["log_file"])
        lock(settings["lock"], datetime.datetime.now(datetime.UTC))
        version = version_in_use(Path(settings["versions"]))
        playbook = str(version.libraries / "bin" / "ansible-playbook")
        libraries = json.dumps({"web_data_analysis_venv": str(version.libraries)})
        command = [playbook, settings["playbook"], "--extra-vars", libraries, *sys.argv[1:]]
        os.execve(playbook, command, environment(settings, version))  # noqa: S606 (keeps the lock)
    except RunError as error:
        print(f"run_dnf_counting: {error}", file=sys.stderr)
        sys.exit(error.code)
    except (KeyError, ValueError, OSError) as error:
        print(f"run_dnf_counting: expected to run as {settings['user']} in "
              f"{settings['work_dir']}, found {error}. Deploy again.", file=sys.stderr)  # fmt: skip
        sys.exit(1)


if __name__ == "__main__":
    main()
