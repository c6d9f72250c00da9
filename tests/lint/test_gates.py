"""Each gate that every commit has to pass, as a test that runs beside the others."""

from __future__ import annotations

import pytest
from ansible_collections.fedora_infra.dnf_counting.tests.lint import gates
from ansible_collections.fedora_infra.dnf_counting.tests.support.shared import made_once


@pytest.fixture(scope="session")
def copy(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Copy the tracked files to the place where Ansible's tools want a collection to be."""
    made_once(tmp_path_factory, "gates", lambda _folder: gates.copy_tracked_files())


@pytest.mark.usefixtures("copy")
@pytest.mark.parametrize("name", gates.GATES)
def test_gate(name: str) -> None:
    found = ""
    try:
        gates.GATES[name]()
    except gates.GateError as error:
        found = str(error)
    if found:
        pytest.fail(found, pytrace=False)
