"""Running a module of the collection for real: its file, in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

MODULES = Path(__file__).parents[2] / "plugins" / "modules"


def run_module(
    name: str,
    *,
    check: bool = False,
    diff: bool = False,
    ok: bool = True,
    process: Mapping[str, Any] = MappingProxyType({}),
    **options: Any,
) -> dict[str, Any]:
    """The module's result; asserts that it failed or not, as ``ok`` says. None: not given.

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
    finished = subprocess.run(
        [sys.executable, MODULES / f"{name}.py"],
        input=json.dumps({"ANSIBLE_MODULE_ARGS": arguments}),
        capture_output=True,
        text=True,
        check=False,
        **process,
    )
    assert finished.stdout, finished.stderr
    result: dict[str, Any] = json.loads(finished.stdout)
    assert result.get("failed", False) is not ok, result.get("msg", result)
    return result


def statuses(result: dict[str, Any]) -> dict[str, str]:
    """Status by unit."""
    return {unit["name"]: unit["status"] for unit in result["units"]}
