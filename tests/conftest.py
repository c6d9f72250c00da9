"""How the tests are spread over processes."""

from __future__ import annotations

import os

import pytest

#: The tests that take longest begin first, so that no process is left alone with one in the end. These
#: are the beginnings of their names, in this order.
LONGEST_FIRST = (
    "tests/molecule/test_scenarios.py::test_scenario_deploy",
    "tests/molecule/test_scenarios.py::test_scenario[migrate]",
    "tests/integration/test_daily_playbook.py",
    "tests/molecule/test_scenarios.py::test_scenario[",
    "tests/integration/test_messages",
    "tests/lint/test_gates.py::test_gate[ansible-",
    # these wait for the scenario deploy
    "tests/molecule/",
    "tests/integration/test_pages_in_browser.py",
    "tests/faults/test_hanging_share.py",
    "tests/integration/test_status_playbook.py",
    "tests/integration/test_awx.py::test_a_run",
    "tests/lint/",
    "tests/integration/",
    "tests/faults/",
)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Return the number of processes: more than cores, since many tests wait for others."""
    return (os.cpu_count() or 1) + 1


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put the tests that take longest first, where several processes run them."""
    if not hasattr(config, "workerinput"):
        return

    def place(item: pytest.Item) -> int:
        found = (n for n, name in enumerate(LONGEST_FIRST) if item.nodeid.startswith(name))
        return next(found, len(LONGEST_FIRST))

    items.sort(key=place)
