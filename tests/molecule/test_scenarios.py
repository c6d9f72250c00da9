"""Every molecule scenario: prepare, converge, a second run without change, verify."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from ansible_collections.fedora_infra.dnf_counting.tests.support.throwaway_machine import (
    in_throwaway_machine,
    reason_against,
)

CHECKOUT = Path(__file__).parents[2]
SCENARIOS = sorted(
    path.parent.name for path in (CHECKOUT / "extensions" / "molecule").glob("*/molecule.yml")
)
#: Scenarios that change the machine they run on; those that need systemd to run it.
ON_A_THROWAWAY_MACHINE = {
    "deploy": False,
    "absent": False,
    "ssh": False,
    "systemd": True,
    "update": False,
}


def command_for(scenario: str) -> list[str]:
    molecule = str(Path(sys.executable).with_name("molecule"))
    command = [molecule, "test", "--scenario-name", scenario]
    if scenario not in ON_A_THROWAWAY_MACHINE:
        return command
    systemd = ON_A_THROWAWAY_MACHINE[scenario]
    if reason := reason_against(systemd=systemd):
        pytest.skip(reason)
    # as careful roots have it; whoever else has to read something is to be able to all the same
    careful = ["sh", "-c", 'umask 077 && exec "$@"', "careful", *command]
    return in_throwaway_machine(*careful, systemd=systemd)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_scenario(scenario: str, tmp_path: Path) -> None:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    bin_folder = Path(sys.executable).parent
    done = subprocess.run(
        command_for(scenario),
        cwd=CHECKOUT,
        # a cache of its own: several checkouts may be tested at the same time
        env={
            **kept,
            "PATH": f"{bin_folder}{os.pathsep}{kept['PATH']}",
            "MOLECULE_EPHEMERAL_DIRECTORY": str(tmp_path / "molecule"),
            "NO_COLOR": "1",
        },
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-20_000:]
