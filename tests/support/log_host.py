# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A log host in a folder: the playbooks run for real against sample logs and rsync daemons."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from ansible_collections.fedora_infra.dnf_counting.tests.support.oracle import (
    oracle_totals,
    sorted_rows,
)

CHECKOUT = Path(__file__).parents[2]
SAMPLE = CHECKOUT / "sample"
FEDORA = "mirrors.fedoraproject.org-access.log"
CENTOS = "mirrors.centos.org-access.log"
#: Below the folder of runs, what deploying makes there, with its mode.
FOLDERS = {
    "combined": 0o750,
    "condensed": 0o750,
    "countme": 0o750,
    "countme-status": 0o755,
    "countme/raw": 0o750,
    "countme/raw-centos": 0o750,
    "hosts": 0o750,
    "html": 0o755,
    "mirrors": 0o755,
}
#: The tasks of a run that has something to do in each stage.
STAGES_AT_WORK = [
    "Fetch the logs of the hosts",
    "Combine the logs of the hosts by time",
    "Condense the logs of the mirror list to the clients of each day",
    "Find the hits in the combined logs, raw fedora",
    "Count the weeks that are due, totals fedora",
    "Find the hits in the combined logs, raw centos",
    "Count the weeks that are due, totals centos",
    "Publish the totals, charts and pages",
]


class Seen(NamedTuple):
    """One file, link or folder that runs made."""

    content: str
    mtime_ns: int


@dataclass(frozen=True)
class Played:
    """What a playbook run said."""

    code: int
    output: str

    @property
    def changed(self) -> list[str]:
        """Names of the tasks that changed something."""
        return self._tasks_that_were("changed")

    @property
    def ran(self) -> list[str]:
        """Names of the tasks that were not skipped and did not fail."""
        return self._tasks_that_were("ok|changed")

    def said_by(self, task: str) -> str:
        """What a task put out; empty where it was skipped."""
        _before, _name, after = self.output.partition(f" : {task}] ")
        said = after.partition("\nTASK [")[0]
        return said if re.search(r"^ok: \[", said, flags=re.MULTILINE) else ""

    def _tasks_that_were(self, results: str) -> list[str]:
        tasks = re.split(r"^TASK \[", self.output, flags=re.MULTILINE)[1:]
        return [
            task.partition("]")[0].rpartition(" : ")[2]
            for task in tasks
            if re.search(rf"^(?:{results}): \[", task, flags=re.MULTILINE)
        ]


@dataclass(frozen=True)
class LogHost:
    """Everything below ``root``; ``root/run/log-hosts/HOST/httpd`` is what the hosts serve."""

    root: Path
    days: int
    pages: bool = False
    """Whether it makes charts and pages, which takes longer than all else."""

    @property
    def run_dir(self) -> Path:
        return self.root / "run"

    @property
    def published(self) -> Path:
        return self.run_dir / "html"

    def httpd(self, host: str) -> Path:
        return self.run_dir / "log-hosts" / host / "httpd"

    def make_logs(self, systems: int = 200) -> None:
        command = [sys.executable, SAMPLE / "logs.py", self.run_dir / "log-hosts"]
        options = [f"--days={self.days}", f"--systems={systems}"]
        subprocess.run([*command, *options], check=True, capture_output=True)

    def make_folders(self) -> None:
        """Make what the playbook deploy makes here: the folders."""
        for name, mode in FOLDERS.items():
            (self.run_dir / name).mkdir(parents=True)
            (self.run_dir / name).chmod(mode)

    def hosts_and(self, *others: object) -> str:
        """The list of log hosts: those that the sample serves, with their ports, and others."""
        served = f"{self.run_dir}/rsyncd/hosts.json"
        lookup = f"lookup('ansible.builtin.file', '{served}', errors='ignore')"
        return f"{{{{ ({lookup} | default('[]', true) | from_json) + {json.dumps(others)} }}}}"

    def play(self, playbook: str, *options: str, **variables: Any) -> Played:
        """Run a playbook of the collection with some variables set otherwise."""
        command = [
            Path(sys.executable).with_name("ansible-playbook"),
            *("--inventory", self.write_inventory(**variables)),
            *(f"fedora_infra.dnf_counting.{playbook}", *options),
        ]
        done = subprocess.run(
            command,
            cwd=CHECKOUT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        return Played(done.returncode, done.stdout)

    def write_inventory(self, **variables: Any) -> Path:
        """Write an inventory of this log host, with some variables set otherwise."""
        inventory = self.root / "inventory.json"
        inventory.write_text(json.dumps(self._inventory(variables)), encoding="utf-8")
        return inventory

    def _inventory(self, variables: dict[str, Any]) -> dict[str, Any]:
        settings = {
            "ansible_connection": "local",
            "ansible_python_interpreter": sys.executable,
            "sample_dir": str(SAMPLE),
            "sample_run_dir": str(self.run_dir),
            "sample_days": self.days,
            "web_data_analysis_hosts": self.hosts_and(),
            "web_data_analysis_before_run": [str(self.root / "start.yml")],
            "web_data_analysis_after_run": [str(SAMPLE / "tasks" / "after_run.yml")],
            "web_data_analysis_hosts_dir": str(self.run_dir / "hosts"),
            "web_data_analysis_combined_dir": str(self.run_dir / "combined"),
            "web_data_analysis_require_mount": "",
            "web_data_analysis_state_dir": str(self.run_dir / "countme"),
            "web_data_analysis_publish_dir": str(self.published),
            "web_data_analysis_web_dir": str(self.run_dir) if self.pages else "",
            "web_data_analysis_condense_dir": str(self.run_dir / "condensed"),
            "web_data_analysis_user": "",
            "web_data_analysis_venv": "",
            "web_data_analysis_sync_days": self.days,
            "web_data_analysis_catch_up_days": self.days,
            "web_data_analysis_sync_attempts": 1,
            "web_data_analysis_settle_days": 1,
            # whatever day of the month it is
            "web_data_analysis_plain_days": 1000,
        }
        # the daemons, without making the logs that a test took away
        (self.root / "start.yml").write_text(json.dumps(_START), encoding="utf-8")
        return {"dnf_counting": {"hosts": {"log01": {**settings, **variables}}}}

    def state(self) -> dict[str, Seen]:
        """Return all that runs make: content and time of files, the aim of links, folders."""
        made = [self.run_dir / name for name in FOLDERS if "/" not in name]
        return {str(path): _seen(path) for folder in made for path in folder.rglob("*")}


def _seen(path: Path) -> Seen:
    if path.is_symlink():
        return Seen(os.readlink(path), 0)
    if path.is_dir():
        return Seen("a folder", 0)
    return Seen(hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_mtime_ns)


_START = [
    {
        "name": "Start the simulated hosts",
        "ansible.builtin.command": {
            "argv": [
                "{{ ansible_python_interpreter }}",
                "{{ sample_dir }}/log_hosts.py",
                "start",
                "{{ sample_run_dir }}",
            ]
        },
        "changed_when": False,
        "check_mode": False,
    }
]


def assert_totals_are_the_oracles(log_host: LogHost, work: Path) -> None:
    """Compare the totals, and those that readers get, with the earlier system's own program."""
    for log_name, totals in ((FEDORA, "totals.csv"), (CENTOS, "totals-centos.csv")):
        expected = oracle_totals(log_host.run_dir / "combined", log_name, work / totals)
        assert len(expected) > 2
        assert sorted_rows(log_host.published / totals) == expected
        assert sorted_rows(log_host.run_dir / "countme" / totals) == expected
