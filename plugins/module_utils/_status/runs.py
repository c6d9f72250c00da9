# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps of the last runs: what became of each, and how long it took against what is usual."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from .._watch.history import Step, latest_steps, usual_seconds

#: With so many runs the median is taken, and so many are drawn.
USUAL_RUNS = 14
SHOWN_RUNS = 28


@dataclass(frozen=True)
class StepTimes:
    """One stage, or one subject of it, over the last runs."""

    stage: str
    subject: str
    last: Step
    usual_seconds: float | None
    """The median of its last runs that made something; None where there is none."""
    runs: tuple[Step, ...]
    """The last ones, the oldest first."""

    @property
    def title(self) -> str:
        """What it is called in sentences and tables."""
        words = self.stage.replace("_", " ")
        return f"{words} {self.subject}" if self.subject else words

    def factor(self, now: datetime) -> float | None:
        """How often the usual time the last run took, or takes so far."""
        seconds = self.last.seconds
        if self.last.result == "running":
            seconds = (now - self.last.started).total_seconds()
        if seconds is None or not self.usual_seconds:
            return None
        return seconds / self.usual_seconds

    def to_json(self) -> dict[str, Any]:
        return {
            "stage": self.stage,
            "subject": self.subject,
            "last": step_to_json(self.last),
            "usual_seconds": self.usual_seconds,
            "runs": [step_to_json(step) for step in self.runs],
        }


def step_to_json(step: Step) -> dict[str, Any]:
    """A step as it stands in the status; its times are ISO 8601, UTC."""
    return {
        "run_id": step.run_id,
        "started": step.started.isoformat(timespec="seconds"),
        "finished": step.finished.isoformat(timespec="seconds") if step.finished else None,
        "result": step.result,
        "seconds": step.seconds,
        "reason": step.reason,
    }


def step_times(steps: Sequence[Step]) -> list[StepTimes]:
    """Each stage and subject with its last runs; in the order in which they last started."""
    times = []
    for (stage, subject), last in latest_steps(steps).items():
        own = [step for step in steps if (step.stage, step.subject) == (stage, subject)]
        before = [step for step in own if step is not last]
        usual = usual_seconds(before, stage, subject, runs=USUAL_RUNS)
        times.append(
            StepTimes(
                stage,
                subject,
                last,
                usual,
                tuple(own[-SHOWN_RUNS:]),
            )
        )
    return sorted(times, key=lambda one: one.last.started)
