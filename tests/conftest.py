"""How the tests are spread over processes."""

from __future__ import annotations

import os

import pytest

#: What takes longest begins first, so that no process is left alone with it in the end. Names are
#: beginnings of test identifiers; the order is that of the seconds they took.
LONGEST_FIRST = (
    "tests/molecule/",
    "tests/integration/test_daily_playbook.py",
    "tests/integration/test_messages_of_a_run.py",
    "tests/integration/test_pages_in_browser.py",
    "tests/lint/test_gates.py::test_gate[ansible-test sanity]",
    "tests/integration/test_published_pages.py",
    "tests/integration/test_status_playbook.py",
    "tests/faults/",
    "tests/lint/",
    "tests/integration/",
)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Return the number of processes: more than cores, since many tests wait for others."""
    return (os.cpu_count() or 1) + 1


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the tests that take longest first."""

    def place(item: pytest.Item) -> int:
        found = (n for n, name in enumerate(LONGEST_FIRST) if item.nodeid.startswith(name))
        return next(found, len(LONGEST_FIRST))

    items.sort(key=place)
