# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the command that runs the stages gives to them."""

from __future__ import annotations

import runpy
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

COMMAND = Path(__file__).parents[2] / "roles/web_data_analysis/files/run_dnf_counting.py"


def test_a_log_gets_each_line_at_once() -> None:
    settings = {"work_dir": "/srv", "ansible_config": "/srv/ansible.cfg"}
    version = SimpleNamespace(libraries=Path("/srv/venv"), collection=Path("/srv/collection"))
    environment = runpy.run_path(str(COMMAND))["environment"](settings, version)
    # it ends without writing what it has kept back
    program = "import os; print('a line'); os._exit(0)"
    said = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
    ).stdout
    assert said == "a line\n"
