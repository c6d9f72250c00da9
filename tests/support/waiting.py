"""Waiting for what other processes do, on a machine that may be busy."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

#: Seconds. It is only reached where something is wrong.
PATIENCE = 300.0


def until(
    happened: Callable[[], object],
    what: str = "it",
    *,
    seconds: float = PATIENCE,
    every_seconds: float = 0.02,
) -> None:
    """Wait for something to come true; assert that it does."""
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline, f"expected {what} within {seconds:g} s"
        time.sleep(every_seconds)


def is_at_work(process: int) -> bool:
    """Return whether a process is there and has not ended; one that has may wait to be reaped."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        # the process can end between the opening and the reading of that file
        return False
