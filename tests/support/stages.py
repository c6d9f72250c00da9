"""Run a stage as its module does, in this process."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._base.stage import (
    Outcome,
    Stage,
    StageRun,
    run_stage,
)


def outcome_of(
    stage: Stage[Any, Any], settings: Any, *, now: datetime | None = None, **run: Any
) -> Outcome:
    """Return the outcome of a stage; ``run`` are fields of StageRun."""
    return run_stage(stage, settings, StageRun(now or datetime.now(UTC), **run))
