# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What ansible-playbook shows of a module at work: as other users, in loops, for programs to read.

The log host is one that takes connections and says nothing, so that a sync lasts some seconds.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._storage.files import (
    current_writer,
)
from ansible_collections.fedora_infra.dnf_counting.tests.support.rabbitmq import silent_listener
from ansible_collections.fedora_infra.dnf_counting.tests.support.ssh_server import (
    SERVER,
    running_ssh_server,
)
from ansible_collections.fedora_infra.dnf_counting.tests.support.waiting import until

PLAYBOOK = Path(sys.executable).with_name("ansible-playbook")
MODULE = "fedora_infra.dnf_counting.http_log_sync"
#: One that other users may run, too; the module needs no libraries.
PYTHON = "/usr/bin/python3"
#: What has to be seen of a step with one host and one day.
ENDS = [
    "sync p1 2026-11-01: failed: nothing arrived for 2 s",
    "sync p1: failed: nothing arrived for 2 s",
    "100 % of 1 host",
]
#: As ansible.posix.json: all there is to say in one document at the end.
JSON_CALLBACK = """\
import json
from ansible.plugins.callback import CallbackBase

class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "document"

    def v2_playbook_on_stats(self, stats):
        self._display.display(json.dumps({"hosts": sorted(stats.processed)}))
"""


@pytest.fixture(scope="module")
def ssh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """The variables of a log host that is reached over ssh, and its server's process."""
    if not SERVER:
        pytest.skip("needs sshd")
    with running_ssh_server(tmp_path_factory.mktemp("ssh")) as variables:
        yield variables


@pytest.fixture(params=["local", "ssh"])
def way(request: pytest.FixtureRequest) -> Any:
    if request.param == "local":
        return {"ansible_connection": "local"}
    return request.getfixturevalue("ssh")


class Control:
    """Where ansible-playbook runs, and a folder for all that it makes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.chmod(0o777)

    def command(
        self, hosts: dict[str, dict[str, Any]], *tasks: dict[str, Any], **options: object
    ) -> list[str]:
        inventory, playbook = self.folder / "inventory.json", self.folder / "playbook.yml"
        python = {"ansible_python_interpreter": PYTHON}
        named = {name: {**python, **variables} for name, variables in hosts.items()}
        inventory.write_text(json.dumps({"all": {"hosts": named}}))
        place = f"{self.folder}/{{{{ inventory_hostname }}}}{{{{ item | default('') }}}}"
        usual = {
            "hosts": ["p1"],
            "dates": ["2026-11-01"],
            "dest": f"{place}/hosts",
            "progress_file": f"{place}/progress.jsonl",
            "attempts": 1,
            "stall_timeout": 2,
            "connect_timeout": 2,
            "max_failed_hosts": 1,
        }
        play = {
            "hosts": "all",
            "gather_facts": False,
            "module_defaults": {MODULE: {**usual, **options}},
            "tasks": [{MODULE: {}, **task} for task in tasks or ({},)],
        }
        playbook.write_text(yaml.safe_dump([play]))
        return [str(PLAYBOOK), "--inventory", str(inventory), str(playbook)]

    def run(self, command: list[str], **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            cwd=self.folder,
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture
def control() -> Iterator[Control]:
    # other users get there, too, which pytest's own folders don't allow
    with tempfile.TemporaryDirectory() as folder:
        yield Control(Path(folder))


@pytest.fixture
def source() -> Iterator[str]:
    with silent_listener() as port:
        yield f"rsync://127.0.0.1:{port}/log/"


def printable(output: str, place: str) -> list[str]:
    start = f"  [{place}] "
    lines = [line.removeprefix(start) for line in output.splitlines() if line.startswith(start)]
    return [line for line in lines if not line.startswith("  0 %")]


def beginnings(lines: list[str]) -> list[str]:
    """Of lines of steps, so much as ENDS has."""
    wanted = itertools.cycle(ENDS)
    return [line[: len(end)] for line, end in zip(lines, wanted, strict=False)]


@pytest.mark.skipif(os.getuid() != 0, reason="needs root, to become somebody else")
@pytest.mark.parametrize("method", ["sudo", "su"])
def test_progress_of_another_user_is_shown(
    control: Control, way: dict[str, Any], source: str, method: str
) -> None:
    program = shutil.which(method)
    if not program:
        pytest.skip(f"needs {method}")
    # such as "sudo: unable to resolve host", which a terminal puts before the answer
    talkative = control.folder / method
    talkative.write_text(f'#!/bin/sh\necho "{method}: a word first" >&2\nexec {program} "$@"\n')
    talkative.chmod(0o755)
    become = {
        "ansible_become": True,
        "ansible_become_user": "nobody",
        "ansible_become_method": method,
        "ansible_become_exe": str(talkative),
        **({"ansible_become_flags": "-s /bin/sh"} if method == "su" else {}),
    }
    done = control.run(control.command({"loghost": {**way, **become}}, {}, source=source))
    assert done.returncode == 0, done.stdout + done.stderr
    assert beginnings(printable(done.stdout, "loghost")) == ENDS, done.stdout
    progress = control.folder / "loghost" / "progress.jsonl"
    assert progress.stat().st_uid == pwd.getpwnam("nobody").pw_uid


def test_tasks_of_all_kinds_show_what_becomes_of_them(
    control: Control, way: dict[str, Any], source: str
) -> None:
    hosts = {"one": way, "two": way}
    on_one = {"when": "inventory_hostname == 'one'"}
    again = {"until": False, "retries": 1, "delay": 1}
    tasks = (
        {"name": "several hosts"},
        {"name": "loop", "loop": ["a", "b"], **on_one},
        {"name": "failed_when", "failed_when": True, "ignore_errors": True, **on_one},
        {"name": "until", "ignore_errors": True, **again, **on_one},
        {"name": "delegate_to", "delegate_to": "two", **on_one},
        {"name": "async", "async": 60, "poll": 1, **on_one},
        {"name": "check_mode", "check_mode": True, **on_one},
        {"name": "no_log", "no_log": True, **on_one},
        {"name": "switched off", "vars": {"dnf_counting_progress": False}, **on_one},
    )
    done = control.run(control.command(hosts, *tasks, source=source))
    assert done.returncode == 0, done.stdout + done.stderr
    said = {}
    for part in done.stdout.split("\nTASK [")[1:]:
        name, _end, output = part.partition("]")
        said[name] = output
    assert list(said) == [task["name"] for task in tasks]
    assert beginnings(printable(said["several hosts"], "one")) == ENDS
    assert beginnings(printable(said["several hosts"], "two")) == ENDS
    for name, times in {"loop": 2, "failed_when": 1, "until": 2}.items():
        assert beginnings(printable(said[name], "one")) == times * ENDS, name
    assert beginnings(printable(said["delegate_to"], "one -> two")) == ENDS
    for name in ("async", "check_mode", "no_log", "switched off"):
        assert "] sync p1" not in said[name]
    # it goes to a file here: plain lines
    assert "\x1b" not in done.stdout + done.stderr


def test_an_output_for_programs_stays_readable_for_them(control: Control, source: str) -> None:
    plugins = control.folder / "callbacks"
    plugins.mkdir()
    (plugins / "document.py").write_text(JSON_CALLBACK)
    command = control.command({"loghost": {"ansible_connection": "local"}}, source=source)
    settings = {"ANSIBLE_CALLBACK_PLUGINS": str(plugins), "ANSIBLE_STDOUT_CALLBACK": "document"}
    done = control.run(command, **settings)
    assert json.loads(done.stdout) == {"hosts": ["loghost"]}
    assert beginnings(printable(done.stderr, "loghost")) == ENDS


def test_colours_are_those_that_ansible_is_told(control: Control, source: str) -> None:
    command = control.command({"loghost": {"ansible_connection": "local"}}, source=source)
    forced = {"ANSIBLE_FORCE_COLOR": "1", "ANSIBLE_COLOR_VERBOSE": "purple"}
    assert "\x1b[0;35m  [loghost] sync p1: failed" in control.run(command, **forced).stdout


@pytest.mark.parametrize("lost", ["session", "master"])
def test_a_connection_that_is_lost_is_told_by_ansible_and_ends_the_module(
    control: Control, ssh: dict[str, Any], source: str, lost: str
) -> None:
    folders = {"ansible_control_path_dir": str(control.folder / "cp")}
    patient = {"stall_timeout": 600, "connect_timeout": 600}
    command = control.command({"loghost": {**ssh, **folders}}, source=source, **patient)
    playbook = subprocess.Popen(
        command, cwd=control.folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    hosts = control.folder / "loghost" / "hosts"
    until(lambda: current_writer(hosts) != "")
    module = int(current_writer(hosts).split()[1].rstrip(","))
    os.kill(_session_of(module) if lost == "session" else _master_of(folders), signal.SIGKILL)
    output, _errors = playbook.communicate()
    assert "UNREACHABLE!" in output
    assert "unreachable=1" in output
    assert "Traceback" not in output
    until(lambda: current_writer(hosts) == "")
    progress = control.folder / "loghost" / "progress.jsonl"
    until(lambda: '"event": "end"' in progress.read_text())
    end = json.loads(progress.read_text().splitlines()[-1])
    assert end["result"] == "failed"
    assert "it was ended " in end["reason"]


def _session_of(process: int) -> int:
    """The process of the ssh server that the session of this one belongs to."""
    while "sshd" not in Path(f"/proc/{process}/comm").read_text():
        process = int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[1])
    return process


def _master_of(folders: dict[str, str]) -> int:
    """The process here that keeps the connection."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            command = path.read_text().replace("\0", " ")
            if command.startswith("ssh: ") and folders["ansible_control_path_dir"] in command:
                return int(path.parent.name)
    raise AssertionError("no connection is kept")
