"""The workflow on the code host tests what the collection says it supports, with few rights."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / ".github" / "workflows" / "test.yml").read_text(encoding="utf-8")
WORKFLOW: dict[str, Any] = yaml.safe_load(TEXT)
#: Pythons that can run a release of ansible-core.
PYTHONS = {
    "2.18": {"3.11", "3.12", "3.13"},
    "2.19": {"3.11", "3.12", "3.13"},
    "2.20": {"3.12", "3.13", "3.14"},
}


def test_it_may_read_only_and_uses_nothing_that_can_change_under_it() -> None:
    assert WORKFLOW["permissions"] == {"contents": "read"}
    assert not any("permissions" in job for job in WORKFLOW["jobs"].values())
    used = re.findall(r"uses: (\S+)", TEXT)
    assert used
    for action in used:
        assert re.fullmatch(r"actions/[a-z-]+@[0-9a-f]{40}", action)
    assert "secrets." not in TEXT


def test_it_tests_all_that_is_supported_and_nothing_that_cannot_be() -> None:
    matrix = WORKFLOW["jobs"]["supported"]["strategy"]["matrix"]
    excluded = {(pair["core"], pair["python"]) for pair in matrix["exclude"]}
    tested = {(core, python) for core in matrix["core"] for python in matrix["python"]} - excluded
    assert {core for core, _python in tested} == set(PYTHONS)
    assert {python for _core, python in tested} == {"3.11", "3.12", "3.13"}
    assert all(python in PYTHONS[core] for core, python in tested)
    runtime = yaml.safe_load((ROOT / "meta" / "runtime.yml").read_text(encoding="utf-8"))
    assert runtime["requires_ansible"] == f">={matrix['core'][0]}.0"
    assert "ansible-core>=2.18,<2.21" in (ROOT / "requirements-dev.txt").read_text()


def test_it_runs_what_the_checkout_runs() -> None:
    commands = [
        step["run"] for job in WORKFLOW["jobs"].values() for step in job["steps"] if "run" in step
    ]
    assert ".ci/run" in commands
    assert 'make test "PYTHON=$PYTHON"' in commands
