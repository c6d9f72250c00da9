"""Files of the role's tasks, run on this machine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ANSIBLE_PLAYBOOK = Path(sys.executable).with_name("ansible-playbook")
ROLE = "fedora_infra.dnf_counting.web_data_analysis"


def run_tasks(
    folder: Path,
    name: str,
    *more: dict[str, Any],
    facts: dict[str, Any] | None = None,
    **variables: Any,
) -> tuple[int, str]:
    """Run one file of the role's tasks on this machine, then more tasks, in a folder.

    ``facts`` are variables that the tasks may set. Return the exit code and the output.
    """
    role = {"name": ROLE, "tasks_from": name, "public": True}
    include = {"name": "Do it", "ansible.builtin.include_role": role}
    before = [{"ansible.builtin.set_fact": facts}] if facts else []
    play = folder / "play.json"
    play.write_text(
        json.dumps([{"hosts": "all", "gather_subset": ["min"], "tasks": [*before, include, *more]}])
    )
    own = {
        "ansible_python_interpreter": sys.executable,
        "web_data_analysis_user": "",
        "web_data_analysis_systemd": {"stat": {"exists": False}},
        **variables,
    }
    done = subprocess.run(
        [ANSIBLE_PLAYBOOK, "-i", "log01,", "-c", "local", "-e", json.dumps(own), play],
        cwd=folder,
        env={**os.environ, "ANSIBLE_NOCOLOR": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout
