"""The releases of ansible-core and Python that are supported are the same wherever they are written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
#: By release of ansible-core, the Pythons that can run it.
PYTHONS = {
    "2.19": {"3.11", "3.12", "3.13"},
    "2.20": {"3.12", "3.13", "3.14"},
    "2.21": {"3.12", "3.13", "3.14"},
}
RANGE = "ansible-core>=2.19,<2.22"


def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def test_the_workflow_tests_every_pair_that_can_run() -> None:
    workflow: dict[str, Any] = yaml.safe_load(text_of(".github/workflows/test.yml"))
    matrix = workflow["jobs"]["supported"]["strategy"]["matrix"]
    excluded = {(pair["core"], pair["python"]) for pair in matrix["exclude"]}
    tested = {(core, python) for core in matrix["core"] for python in matrix["python"]} - excluded
    assert tested == {(core, python) for core, pythons in PYTHONS.items() for python in pythons}


@pytest.mark.parametrize(
    "name",
    [
        "requirements-dev.txt",
        "roles/web_data_analysis/files/requirements.in",
        "execution-environment.yml",
    ],
)
def test_what_is_installed_is_supported(name: str) -> None:
    assert RANGE in text_of(name)


def test_the_oldest_release_is_the_one_that_the_collection_names() -> None:
    oldest = min(PYTHONS)
    assert yaml.safe_load(text_of("meta/runtime.yml"))["requires_ansible"] == f">={oldest}.0"
    role = yaml.safe_load(text_of("roles/web_data_analysis/meta/main.yml"))
    assert role["galaxy_info"]["min_ansible_version"] == oldest
    for readme in ("README.md", "roles/web_data_analysis/README.md"):
        assert f"ansible-core {oldest} or newer" in text_of(readme)


def test_ansible_test_has_a_list_for_each_release() -> None:
    lists = {path.name for path in (ROOT / "tests" / "sanity").glob("ignore-*.txt")}
    assert lists == {f"ignore-{core}.txt" for core in PYTHONS}


def test_every_python_has_pinned_libraries() -> None:
    pinned = text_of("roles/web_data_analysis/files/requirements.txt").splitlines()[0]
    pythons = sorted(set.union(*PYTHONS.values()), key=lambda name: int(name.partition(".")[2]))
    assert pinned.endswith(f"for Python {pythons[0]} to {pythons[-1]}.")
