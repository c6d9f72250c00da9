# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Test the collection with its libraries before they are used.

    self_test.py SETTINGS

The test runs as the counting user, with the Python of the libraries. SETTINGS is a JSON object:
``libraries`` has their names and versions; ``config_dir`` has the configuration of scheduled runs,
or is empty; ``messaging_config`` is the configuration of fedora-messaging, or empty. The test
writes each error as a line to standard output. With errors, its exit code is 1.
"""

from __future__ import annotations

import csv
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import datetime
from importlib import metadata
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
#: The folder with ``ansible_collections``.
COLLECTIONS = HERE.joinpath(*[".."] * 6).resolve()
COLLECTION = "fedora_infra.dnf_counting"
LOG_NAME = "mirrors.example.org-access.log"
#: The week of ``self_test.log``, and the day after it with requests of the next week.
DAYS = {"since": "2021-09-27", "until": "2021-10-04"}
#: A test takes seconds, so a longer one hangs.
LIMIT_SECONDS = 1800
#: The number of characters from the end of a program's output.
OUTPUT_LENGTH = 1500

#: The stages from a log to pages with charts.
PLAY = [
    {
        "name": "Count a small log",
        "hosts": "localhost",
        "gather_facts": False,
        "tasks": [
            {
                "name": "Find hits",
                f"{COLLECTION}.countme_raw": {
                    "src": "{{ folder }}/logs",
                    "log_name": LOG_NAME,
                    "raw_dir": "{{ folder }}/raw",
                    **DAYS,
                },
            },
            {
                "name": "Count weeks",
                f"{COLLECTION}.countme_totals": {
                    "raw_dir": "{{ folder }}/raw",
                    "totals_db": "{{ folder }}/totals.db",
                    "totals_csv": "{{ folder }}/totals.csv",
                },
            },
            {
                "name": "Publish",
                f"{COLLECTION}.stats_publish": {
                    "dest": "{{ folder }}/html/countme",
                    "web_dir": "{{ folder }}/html",
                    "profiles": [
                        {
                            "name": "test",
                            "prefix": "totals",
                            "totals_db": "{{ folder }}/totals.db",
                            "totals_csv": "{{ folder }}/totals.csv",
                            "log_name": LOG_NAME,
                            "raw_dir": "{{ folder }}/raw",
                        }
                    ],
                },
            },
        ],
    }
]


def run_program(command: list[str | Path], folder: Path, **settings: str) -> tuple[bool, str]:
    """Run a program in the environment of a run; return true if it succeeded, and its output."""
    environment = {
        "PATH": f"{Path(sys.executable).parent}:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME": str(folder),
        "LC_ALL": "C.UTF-8",
        "ANSIBLE_HOME": str(folder / "ansible"),
        "ANSIBLE_REMOTE_TEMP": str(folder / "ansible" / "tmp"),
        "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS),
        "ANSIBLE_NOCOLOR": "1",
        **settings,
    }
    try:
        done = subprocess.run(
            [str(part) for part in command],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=LIMIT_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return False, str(error)
    return done.returncode == 0, done.stdout


def end_of(output: str) -> str:
    return " ".join(output[-OUTPUT_LENGTH:].split()) or "nothing"


def failure_in(output: str) -> str:
    """Return the failure of a playbook, or the end of its output if there is no clear failure."""
    for result in re.findall(r"^fatal: \[[^\]]+\]: FAILED! => (\{.*\})$", output, re.MULTILINE):
        failed = json.loads(result)
        return end_of(f"{failed.get('msg', '')} {failed.get('module_stderr', '')}")
    return end_of(output)


def wrong_libraries(settings: dict[str, Any], _folder: Path) -> Iterator[str]:
    for name, version in settings["libraries"].items():
        try:
            found = metadata.version(name)
        except metadata.PackageNotFoundError:
            found = "none"
        if found != version:
            yield f"library {name}: expected {version}, found {found}"
    from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._base import (
        libs as base_libs,
    )

    for name, traceback in base_libs.missing(base_libs.DISTRIBUTIONS).items():
        yield f"library {name}: expected to import it, found {end_of(traceback)}"


def write_logs(folder: Path) -> None:
    """Write each line to the combined log of its day."""
    for line in (HERE / "self_test.log").read_text(encoding="ascii").splitlines(keepends=True):
        (day,) = re.findall(r"\[([^:]+):", line)
        log = folder / "logs" / f"{datetime.strptime(day, '%d/%b/%Y'):%Y/%m/%d}" / LOG_NAME
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("a", encoding="ascii") as opened:
            opened.write(line)


def rows_of(path: Path) -> list[list[str]]:
    with path.open(encoding="ascii", newline="") as opened:
        return sorted(csv.reader(opened))


def wrong_counting(_settings: dict[str, Any], folder: Path) -> Iterator[str]:
    write_logs(folder)
    play = folder / "play.json"
    play.write_text(json.dumps(PLAY), encoding="ascii")
    playbook = Path(sys.executable).with_name("ansible-playbook")
    extra = json.dumps({"folder": str(folder)})
    succeeded, output = run_program([playbook, play, "--extra-vars", extra], folder)
    if not succeeded:
        yield f"counting: expected to count the log of the self-test, found {failure_in(output)}"
        return
    expected, found = rows_of(HERE / "self_test.csv"), rows_of(folder / "totals.csv")
    if found != expected:
        differing = [",".join(row) for row in found if row not in expected] or "rows missing"
        yield f"counting: expected the totals in self_test.csv, found {differing}"


def wrong_configuration(settings: dict[str, Any], folder: Path) -> Iterator[str]:
    if not settings["config_dir"]:
        return
    # A new version of Ansible may refuse the configuration of the version before.
    succeeded, output = run_program(
        [Path(sys.executable).with_name("ansible-playbook"), "--list-hosts", "--list-tasks",
         f"{COLLECTION}.daily"],
        folder,
        ANSIBLE_CONFIG=f"{settings['config_dir']}/ansible.cfg",
        ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED="true",
    )  # fmt: skip
    if not succeeded or not re.search(r"hosts \([1-9]", output):
        yield (
            f"configuration: expected that a run can start with {settings['config_dir']}, "
            f"found {end_of(output)}"
        )


def wrong_messaging(settings: dict[str, Any], _folder: Path) -> Iterator[str]:
    if not settings["messaging_config"]:
        return
    from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._watch import (
        bus as watch_bus,
    )

    try:
        watch_bus.read_configuration(Path(settings["messaging_config"]))
    except watch_bus.BusDownError as error:
        yield f"messaging: expected a library and its configuration, found that {error}"


def problems(settings: dict[str, Any]) -> Iterator[str]:
    """Yield all errors. The tests do not depend on each other."""
    for test in (wrong_libraries, wrong_counting, wrong_configuration, wrong_messaging):
        with tempfile.TemporaryDirectory(prefix="dnf_counting-") as folder:
            yield from test(settings, Path(folder))


def main() -> None:
    sys.path.insert(0, str(COLLECTIONS))
    found = list(problems(json.loads(sys.argv[1])))
    print("\n".join(found) or "no errors")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
