"""Run a module of the collection for real: its file, in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

MODULES = Path(__file__).parents[2] / "plugins" / "modules"


class StartedModule:
    """A module at work."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def result(self, *, ok: bool = True) -> dict[str, Any]:
        """Wait for the module and return its result; assert that it failed or not, as ``ok`` says."""
        output, errors = self._process.communicate()
        assert output, errors
        result: dict[str, Any] = json.loads(output)
        assert result.get("failed", False) is not ok, result.get("msg", result)
        return result


def start_module(
    name: str,
    *,
    check: bool = False,
    diff: bool = False,
    process: Mapping[str, Any] = MappingProxyType({}),
    **options: Any,
) -> StartedModule:
    """Start a module. An option that is None is not given.

    ``process`` has settings of the process, as ``subprocess.run`` takes them.
    """
    arguments = {
        "_ansible_check_mode": check,
        "_ansible_diff": diff,
        **{
            name: str(value) if isinstance(value, Path) else value
            for name, value in options.items()
            if value is not None
        },
    }
    started = subprocess.Popen(
        [sys.executable, MODULES / f"{name}.py"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **process,
    )
    assert started.stdin is not None
    # the arguments fit into the pipe; the module waits for their end
    started.stdin.write(json.dumps({"ANSIBLE_MODULE_ARGS": arguments}))
    started.stdin.close()
    started.stdin = None
    return StartedModule(started)


def run_module(name: str, *, ok: bool = True, **options: Any) -> dict[str, Any]:
    """Run a module and return its result; see :func:`start_module` for the options."""
    return start_module(name, **options).result(ok=ok)


def statuses(result: dict[str, Any]) -> dict[str, str]:
    """Return the status of each unit by its name."""
    return {unit["name"]: unit["status"] for unit in result["units"]}
