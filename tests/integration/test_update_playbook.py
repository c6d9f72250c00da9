"""The update of log hosts that have no versions: libraries of the system, and none at all."""

from __future__ import annotations

from pathlib import Path

from ansible_collections.fedora_infra.dnf_counting.tests.support.log_host import LogHost


def test_libraries_of_the_system_are_looked_for_and_left_alone(tmp_path: Path) -> None:
    updated = LogHost(tmp_path, days=1).play("update_packages")
    assert updated.code == 0, updated.output
    assert updated.changed == []
    assert "nothing to change" in updated.said_by("Report that there is nothing to update")


def test_a_machine_that_is_no_log_host_yet_is_left_as_it_is(tmp_path: Path) -> None:
    venv = tmp_path / "venv"
    refused = LogHost(tmp_path, days=1).play("update_packages", web_data_analysis_venv=str(venv))
    assert refused.code == 2
    assert "found none. Set it up with fedora_infra.dnf_counting.deploy" in refused.output
    assert not list(tmp_path.glob("venv*"))
