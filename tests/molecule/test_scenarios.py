"""Every molecule scenario: prepare, converge, a second run without change, verify."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from ansible_collections.fedora_infra.dnf_counting.tests.support.ports import free_port
from ansible_collections.fedora_infra.dnf_counting.tests.support.shared import made_once
from ansible_collections.fedora_infra.dnf_counting.tests.support.throwaway_machine import (
    in_throwaway_machine,
    reason_against,
)

CHECKOUT = Path(__file__).parents[2]
SCENARIOS = {
    path.parent.name for path in (CHECKOUT / "extensions" / "molecule").glob("*/molecule.yml")
}
#: They begin on a throw-away machine that the scenario deploy has set up; systemd runs some of them.
AFTER_DEPLOY = {"systemd": True, "update": False}
#: As careful roots have it; whoever else has to read something is to be able to all the same.
CAREFUL = ("sh", "-c", 'umask 077 && exec "$@"', "careful")


def molecule(scenario: str) -> list[str]:
    return [str(Path(sys.executable).with_name("molecule")), "test", "--scenario-name", scenario]


def run(command: list[str], folder: Path) -> None:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    done = subprocess.run(
        command,
        cwd=CHECKOUT,
        # a cache of its own: several checkouts may be tested at the same time
        env={
            **kept,
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{kept['PATH']}",
            "MOLECULE_EPHEMERAL_DIRECTORY": str(folder / "molecule"),
            "NO_COLOR": "1",
            "SSH_PORT": str(free_port()),
        },
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-20_000:]


@pytest.fixture(scope="session")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Run the scenario deploy; return an archive of what it has made of the machine."""
    if reason := reason_against():
        pytest.skip(reason)

    def deploy(folder: Path) -> None:
        command = (*CAREFUL, *molecule("deploy"))
        run(in_throwaway_machine(*command, keep=folder / "machine.tar"), folder)

    return made_once(tmp_path_factory, "deployed", deploy) / "machine.tar"


def test_scenario_deploy(deployed: Path) -> None:
    assert deployed.stat().st_size > 0


@pytest.mark.parametrize("scenario", AFTER_DEPLOY)
def test_scenario_after_deploy(scenario: str, deployed: Path, tmp_path: Path) -> None:
    systemd = AFTER_DEPLOY[scenario]
    if reason := reason_against(systemd=systemd):
        pytest.skip(reason)
    command = (*CAREFUL, *molecule(scenario))
    run(in_throwaway_machine(*command, systemd=systemd, begin_with=deployed), tmp_path)


@pytest.mark.parametrize("scenario", sorted(SCENARIOS - {"deploy"} - AFTER_DEPLOY.keys()))
def test_scenario(scenario: str, tmp_path: Path) -> None:
    run(molecule(scenario), tmp_path)
