"""Things that are made once in a run of the tests and are used by all of its processes."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable
from pathlib import Path

import pytest


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """Return a folder that ``make`` has filled; the first process that needs it makes it.

    The others wait for it. If it could not be made, they fail as well.
    """
    folder = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        # each process has a folder of its own below that of the run
        folder = folder.parent
    place, made = folder / f"shared-{name}", folder / f"shared-{name}.made"
    with (folder / f"shared-{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not place.exists():
            place.mkdir()
            make(place)
            made.touch()
    assert made.exists(), f"{name} could not be made: see the test that tried it first"
    return place
