"""The playbook status before anything is there and after a run, and what a run leaves."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from ansible_collections.fedora_infra.dnf_counting.tests.support.log_host import LogHost


@pytest.fixture
def log_host(tmp_path: Path) -> LogHost:
    made = LogHost(tmp_path, days=9)
    made.make_logs(50)
    return made


def test_a_machine_that_has_nothing_is_told_and_left_as_it_is(tmp_path: Path) -> None:
    nothing = LogHost(tmp_path, days=9)
    for options in ((), ("--check", "--limit", "log01")):
        played = nothing.play("status", *options, web_data_analysis_hosts=["proxy01"])
        assert played.code == 0, played.output
        assert played.changed == []
        assert played.output.count("\nUNKNOWN: log01, ") == 1
        assert "\nUNKNOWN   no run yet" in played.output
        assert not nothing.run_dir.exists()


def test_before_deploy_it_does_without_user_and_libraries(tmp_path: Path) -> None:
    nothing = LogHost(tmp_path, days=9)
    played = nothing.play(
        "status",
        web_data_analysis_hosts=["proxy01"],
        web_data_analysis_user="nobody-has-this-name",
        web_data_analysis_venv=str(tmp_path / "no-venv"),
    )
    assert played.code == 0, played.output
    assert "\nUNKNOWN   no run yet" in played.output


def test_a_run_leaves_its_status_and_the_playbook_shows_the_same(log_host: LogHost) -> None:
    command = log_host.root / "bin" / "check_dnf_counting"
    status_dir = log_host.run_dir / "countme-status"
    own = {
        "web_data_analysis_check_command": str(command),
        "web_data_analysis_metrics_file": str(log_host.root / "dnf_counting.prom"),
    }
    deployed = log_host.play("deploy", **own)
    assert deployed.code == 0, deployed.output
    assert "Install the check command" in deployed.changed
    ran = log_host.play("daily", **own)
    assert ran.code == 0, ran.output
    status = json.loads((status_dir / "status.json").read_text())
    assert "dnf_counting_problems" in (log_host.root / "dnf_counting.prom").read_text()
    assert str(status_dir / "status.html") in ran.said_by("Report the status")
    assert {host["name"] for host in status["hosts"]} >= {"proxy01", "dl01"}
    assert {stage["stage"] for stage in status["stages"]} >= {"sync", "combine", "raw"}
    assert {p["severity"] for p in status["problems"] if p["stage"] != "disk"} == set()

    checked = subprocess.run(
        [command, status_dir / "status.json"], env={}, capture_output=True, text=True, check=False
    )
    assert checked.stdout.startswith("COUNTING ")
    assert os.access(command, os.X_OK)

    before = (status_dir / "status.json").stat().st_mtime_ns
    part = log_host.play("daily", "--tags", "report", **own)
    assert part.code == 0, part.output
    assert (status_dir / "status.json").stat().st_mtime_ns > before

    before = (status_dir / "status.json").stat().st_mtime_ns
    shown = log_host.play("status", **own)
    assert shown.code == 0, shown.output
    assert shown.changed == []
    assert (status_dir / "status.json").stat().st_mtime_ns == before
    # as somebody who looks at it sees it: lines as they are, in columns
    for line in ("STAGE ", "HOST ", "PROFILE ", "TREE ", "Last sync: "):
        assert f"\n{line}" in shown.output
    lines = shown.output.splitlines()
    hosts = [line for line in lines if line.startswith(("HOST ", "proxy01 ", "dl01 "))]
    assert {line.rindex(" ") for line in hosts if line[0] != "H"} == {hosts[0].index(" NEWEST")}
    # and nowhere as a list in quotes
    assert '"STAGE ' not in shown.output
