# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every scenario of a whole log host checks and plays, with a host of testinfra."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ansible_collections.fedora_infra.dnf_counting.tests.support.log_host import Played
from ansible_collections.fedora_infra.dnf_counting.tests.support.waiting import until

STATUS = "/var/lib/countme-status/status.json"
RUN = "/srv/countme/bin/run_dnf_counting"
LOCK = "/var/lib/countme/.run.lock"
CHECK = "/srv/countme/bin/check_dnf_counting"
PUBLISHED = "/var/www/html/csv-reports/countme"

#: What runs write.
MADE = (
    "/var/log/hosts",
    "/srv/stats",
    "/var/lib/countme",
    "/var/lib/countme-status",
    "/var/www/html/csv-reports",
)

#: Folder: who owns it, and how private it is.
FOLDERS = {
    "/var/log/hosts": ("countme", 0o750),
    "/srv/stats": ("root", 0o755),
    "/srv/stats/combined-http": ("countme", 0o750),
    "/srv/stats/mirrors": ("countme", 0o750),
    "/var/lib/countme": ("countme", 0o750),
    "/var/lib/countme/raw": ("countme", 0o750),
    "/var/lib/countme-status": ("countme", 0o755),
    PUBLISHED: ("countme", 0o755),
    "/etc/dnf_counting": ("root", 0o750),
    "/srv/countme": ("root", 0o755),
    "/srv/countme/venv-versions": ("root", 0o755),
}


def played(playbook: str, *options: str, **environment: str) -> Played:
    """Run a playbook of the collection as a scenario does."""
    machine = Path(os.environ["MOLECULE_PROJECT_DIRECTORY"], "extensions/molecule/machine.yml")
    done = subprocess.run(
        [
            *(Path(sys.executable).with_name("ansible-playbook"), f"--extra-vars=@{machine}"),
            *("--inventory", os.environ["MOLECULE_INVENTORY_FILE"]),
            *(f"fedora_infra.dnf_counting.{playbook}", *options),
        ],
        env={**os.environ, "NO_COLOR": "1", **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    print(done.stdout)
    return Played(done.returncode, done.stdout)


def wait_for(happened: Callable[[], object], what: str) -> None:
    """Wait for what the machine does; to ask it starts a program."""
    until(happened, what, seconds=1800, every_seconds=0.5)


def assert_that_all_is_counted(host: Any) -> None:
    """The monitor is green, everybody can read what is published, and root made none of it."""
    checked = host.run(f"runuser -u nobody -- {CHECK} {STATUS}")
    assert checked.rc == 0, checked.stdout
    assert checked.stdout.startswith("COUNTING OK")
    for path in (f"{PUBLISHED}/totals.csv", f"{PUBLISHED}/../index.html"):
        assert host.run(f"runuser -u nobody -- head -c 20 {path}").stdout, path
    assert host.run(f"grep -c Fedora {PUBLISHED}/totals.csv").rc == 0
    others = host.run(f"find {' '.join(MADE)} -mindepth 1 -not -user countme")
    assert (others.rc, others.stdout) == (0, "")


def assert_that_folders_are_right(host: Any) -> None:
    found = {path: (host.file(path).user, host.file(path).mode) for path in FOLDERS}
    assert found == FOLDERS
    user = host.user("countme")
    assert user.uid != 0
    assert user.shell.endswith("/nologin")
