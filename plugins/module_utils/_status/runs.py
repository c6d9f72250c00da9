# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps of the last runs: their results, and their durations compared with the usual ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from .._watch.history import Step, latest_steps, usual_seconds

#: The number of runs for the median.
_USUAL_RUNS = 14
#: The number of runs that are drawn.
_SHOWN_RUNS = 28


@dataclass(frozen=True)
class StepTimes:
    """The last runs of a stage, or of one subject of it."""

    stage: str
    subject: str
    last: Step
    usual_seconds: float | None
    """The median of its last runs that made something; None without such a run."""
    runs: tuple[Step, ...]
    """The last runs, the oldest first."""

    @property
    def title(self) -> str:
        """The name in sentences and tables."""
        words = self.stage.replace("_", " ")
        return f"{words} {self.subject}" if self.subject else words

    def factor(self, now: datetime) -> float | None:
        """Return the duration of the last run, or so far, divided by the usual duration."""
        seconds = self.last.seconds
        if self.last.result == "running":
            seconds = (now - self.last.started).total_seconds()
        if seconds is None or not self.usual_seconds:
            return None
        return seconds / self.usual_seconds

    def to_json(self) -> dict[str, Any]:
        """Return the runs as they stand in the status."""
        return {
            "stage": self.stage,
            "subject": self.subject,
            "last": _step_to_json(self.last),
            "usual_seconds": self.usual_seconds,
            "runs": [_step_to_json(step) for step in self.runs],
        }


def _step_to_json(step: Step) -> dict[str, Any]:
    """Return a step as it stands in the status; its times are ISO 8601, UTC."""
    return {
        "run_id": step.run_id,
        "started": step.started.isoformat(timespec="seconds"),
        "finished": step.finished.isoformat(timespec="seconds") if step.finished else None,
        "result": step.result,
        "seconds": step.seconds,
        "reason": step.reason,
    }


def step_times(steps: Sequence[Step]) -> list[StepTimes]:
    """Return the last runs of each stage and subject, in the order of their last starts."""
    times = []
    for (stage, subject), last in latest_steps(steps).items():
        own = [step for step in steps if (step.stage, step.subject) == (stage, subject)]
        before = [step for step in own if step is not last]
        usual = usual_seconds(before, stage, subject, runs=_USUAL_RUNS)
        times.append(
            StepTimes(
                stage,
                subject,
                last,
                usual,
                tuple(own[-_SHOWN_RUNS:]),
            )
        )
    return sorted(times, key=lambda one: one.last.started)
