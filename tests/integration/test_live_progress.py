# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A module's progress on the screen of ansible-playbook, here and over ssh; and an interrupted run.

The log host is one that takes connections and says nothing, so that a sync lasts until its limit.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._storage.files import (
    current_writer,
)
from ansible_collections.fedora_infra.dnf_counting.tests.support.rabbitmq import silent_listener
from ansible_collections.fedora_infra.dnf_counting.tests.support.ssh_server import (
    SERVER,
    running_ssh_server,
)
from ansible_collections.fedora_infra.dnf_counting.tests.support.waiting import is_at_work, until

ANSIBLE = Path(sys.executable).with_name("ansible")
ROOT = Path(__file__).parents[2]
MODULE = "fedora_infra.dnf_counting.http_log_sync"
#: The folder into which a module's code is unpacked.
PAYLOAD = "ansible_*_payload_*"


@pytest.fixture(scope="module", params=["local", "ssh"])
def way(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The variables of a log host, by the way it is reached."""
    python = {"ansible_python_interpreter": sys.executable}
    if request.param == "local":
        yield {"ansible_connection": "local", **python}
        return
    if not SERVER:
        pytest.skip("needs sshd")
    with running_ssh_server(tmp_path_factory.mktemp("ssh")) as variables:
        yield {**variables, **python}


def command(folder: Path, way: dict[str, Any], *arguments: str, **options: object) -> list[str]:
    inventory = folder / "inventory.json"
    inventory.write_text(json.dumps({"all": {"hosts": {"loghost": way}}}))
    options |= {"hosts": ["p1"], "dest": f"{folder}/hosts", "attempts": 1}
    options.setdefault("progress_file", f"{folder}/progress.jsonl")
    return [
        *(str(ANSIBLE), "loghost", "--inventory", str(inventory), "--module-name", MODULE),
        *("--args", json.dumps(options), *arguments),
    ]


def said(arguments: list[str]) -> str:
    done = subprocess.run(arguments, cwd=ROOT, capture_output=True, text=True, check=False)
    # what the command answers is for programs, too: progress is shown beside it
    assert "[loghost] " not in done.stdout
    return done.stdout + done.stderr


def test_progress_is_shown_while_the_module_works(tmp_path: Path, way: dict[str, Any]) -> None:
    # of an earlier step: not to be shown
    (tmp_path / "progress.jsonl").write_text(
        '{"event": "start"}\n{"event": "unit_retry", "unit": "old"}\n'
    )
    with silent_listener() as port:
        source = f"rsync://127.0.0.1:{port}/log/"
        limits = {"source": source, "stall_timeout": 3, "connect_timeout": 3}
        output = said(command(tmp_path, way, **limits))
        assert "  [loghost] sync p1 20" in output
        assert "old" not in output
        assert "FAILED!" in output  # the result is that of the module
        quiet = said(command(tmp_path, way, "-e", "dnf_counting_progress=false", **limits))
    assert "[loghost] sync" not in quiet
    assert "FAILED!" in quiet


@pytest.mark.parametrize("late", [True, False], ids=["late", "at once"])
def test_progress_never_seems_to_be_of_another_task(tmp_path: Path, late: bool) -> None:
    play = tmp_path / "play.yml"
    with silent_listener() as port:
        options = {
            "hosts": ["p1"],
            "source": f"rsync://127.0.0.1:{port}/log/",
            "dest": f"{tmp_path}/hosts",
            "progress_file": f"{tmp_path}/progress.jsonl",
            "attempts": 1,
            "stall_timeout": 3,
            "connect_timeout": 3,
        }
        task = {"name": "Fetch {{ what }}", MODULE: options, "vars": {"what": "logs"}}
        play.write_text(json.dumps([{"hosts": "all", "gather_facts": False, "tasks": [task]}]))
        playbook = [str(ANSIBLE.with_name("ansible-playbook")), "-i", "loghost,", "-c", "local"]
        playbook += ["-e", f"ansible_python_interpreter={sys.executable}", str(play)]
        skipped = {"ANSIBLE_DISPLAY_SKIPPED_HOSTS": str(not late).lower()}
        shown = subprocess.run(
            playbook,
            cwd=ROOT,
            env={**os.environ, **skipped},
            capture_output=True,
            text=True,
            check=False,
        ).stdout
    heading = "AT WORK [loghost : Fetch logs]" if late else "TASK [Fetch logs]"
    at = [shown.index(text) for text in (heading, "  [loghost] sync p1 20", "FAILED!")]
    assert at == sorted(at)
    assert (shown.index("TASK [Fetch logs]") > at[1]) is late
    assert ("AT WORK" in shown) is late


def test_the_result_is_the_same_as_without(tmp_path: Path, way: dict[str, Any]) -> None:
    (tmp_path / "source").mkdir()

    def result(*arguments: str) -> Any:
        output = said(command(tmp_path, way, *arguments, source=f"{tmp_path}/source"))
        found = json.loads(output[output.index("{") : output.rindex("}") + 1])
        return {name: type(value) for name, value in found.items()}

    assert result() == result("-e", "dnf_counting_progress=false")
    assert result("--check") == result("--check", "-e", "dnf_counting_progress=false")
    assert "ansible_job_id" in result("--background", "20", "--poll", "0")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "terminated"])
def test_an_interrupted_playbook_ends_the_work_it_started(
    tmp_path: Path, way: dict[str, Any], number: int
) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\nTMPDIR={temporary} exec {sys.executable} "$@"\n')
    python.chmod(0o755)
    way = {
        **way,
        "ansible_remote_tmp": str(temporary / "ansible"),
        "ansible_python_interpreter": str(python),
    }
    with silent_listener() as port:
        source = f"rsync://127.0.0.1:{port}/log/"
        playbook = subprocess.Popen(
            command(tmp_path, way, source=source, stall_timeout=600, connect_timeout=600),
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        hosts = tmp_path / "hosts"
        until(lambda: current_writer(hosts) != "")
        module = int(current_writer(hosts).split()[1].rstrip(","))
        until(lambda: children_of(module))
        rsyncs = children_of(module)
        assert [*temporary.glob(PAYLOAD)]
        # Ctrl-C reaches all in the foreground; Ansible's own processes leave it
        os.killpg(playbook.pid, number)
        playbook.wait(60)
        until(lambda: current_writer(hosts) == "")
    last = (tmp_path / "progress.jsonl").read_text().splitlines()[-1]
    assert json.loads(last)["result"] == "failed"
    assert "it was ended " in json.loads(last)["reason"]
    # no rsync is left, and nothing that only the module would have removed
    until(lambda: not any(map(is_at_work, [module, *rsyncs])))
    assert not [*temporary.glob(PAYLOAD), *temporary.glob("ansible/ansible-tmp-*")]


def children_of(process: int) -> list[int]:
    listed = subprocess.run(
        ["ps", "-o", "pid=", "--ppid", str(process)], capture_output=True, text=True, check=False
    )
    return [int(child) for child in listed.stdout.split()]
