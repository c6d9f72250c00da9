"""A log host that was set up and counted over ssh."""

from __future__ import annotations

import os
from pathlib import Path

RUN = Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"]) / "sample-run"


def test_what_was_counted_over_ssh_is_there() -> None:
    assert len(list((RUN / "countme" / "raw").glob("*.parquet"))) == 2
    assert (RUN / "countme-status" / "status.json").stat().st_size > 1000
