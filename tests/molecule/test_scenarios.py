"""Every molecule scenario: prepare, converge, a second run without change, verify."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]
SCENARIOS = sorted(
    path.parent.name for path in (CHECKOUT / "extensions" / "molecule").glob("*/molecule.yml")
)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_scenario(scenario: str, tmp_path: Path) -> None:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    bin_folder = Path(sys.executable).parent
    done = subprocess.run(
        [bin_folder / "molecule", "test", "--scenario-name", scenario],
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
