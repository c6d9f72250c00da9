# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the benchmarks measure, and where they keep what they measure on."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).parents[2]
KEPT = CHECKOUT / "build" / "bench"


def seconds_of(work: Callable[[], object]) -> float:
    """How long some work takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def seconds_of_command(*command: str | Path) -> float:
    """How long a program takes; what it puts out is not looked at. Raises CalledProcessError."""
    os.sync()  # so that none is charged with what another one wrote
    return seconds_of(
        lambda: subprocess.run(
            command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
    )


def seconds_of_shell(line: str, *arguments: str | Path) -> float:
    """How long a line of shell takes; its arguments are $1 and so on."""
    return seconds_of_command("sh", "-c", line, "sh", *arguments)


def in_own_process(program: str, *arguments: str | Path) -> Any:
    """Run a Python program in a process of its own; what it prints, as JSON."""
    command = [sys.executable, "-c", program, *arguments]
    answer = subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads(answer.stdout)
