# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The status of the whole pipeline, for modules, files, pages and monitors.

It is one structure, and every output is made from it alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from .._base.coverage import HostCoverage, StageCoverage, WeekCoverage
from .._base.days_and_weeks import week_end, week_name, week_start
from .._base.problem import Problem
from .._sync.coverage import UnmatchedLog
from .._totals.quality import FACTS
from .._watch.spool import Waiting
from .runs import StepTimes
from .schedule import NextRun
from .thresholds import overall
from .trees import Tree

#: The version of the structure. It grows when a reader of an older version would misread it.
_FORMAT = 1

#: The most names of logs that no group combines.
_MOST_UNMATCHED = 50


@dataclass(frozen=True)
class Status:
    """The state of the pipeline at one moment."""

    generated_at: datetime
    log_host: str
    days: tuple[date, ...]
    run_id: str = ""
    problems: tuple[Problem, ...] = ()
    stages: tuple[StageCoverage, ...] = ()
    hosts: tuple[HostCoverage, ...] = ()
    unmatched: tuple[UnmatchedLog, ...] = ()
    weeks: tuple[WeekCoverage, ...] = ()
    steps: tuple[StepTimes, ...] = ()
    trees: tuple[Tree, ...] = ()
    synced_at: datetime | None = None
    """The time when the last sync ended; None if it is not known."""
    next_run: NextRun | None = None
    at_work: tuple[str, ...] = field(default=())
    """The trees that a process writes to now, each with the process."""
    unsent: Waiting | None = None

    @property
    def state(self) -> str:
        """``ok``, or the severity of the worst problem."""
        return overall(self.problems)

    def stages_called(self, name: str) -> Sequence[StageCoverage]:
        """Return the coverage of a stage, one for each profile."""
        return [stage for stage in self.stages if stage.stage == name]

    def to_json(self) -> dict[str, Any]:
        """Return the status as JSON values."""
        return {
            "format": _FORMAT,
            "generated_at": self.generated_at.isoformat(timespec="seconds"),
            "log_host": self.log_host,
            "run_id": self.run_id,
            "state": self.state,
            "window": {
                "since": str(self.days[0]),
                "until": str(self.days[-1]),
                "days": len(self.days),
            },
            "problems": [problem.to_json() for problem in self.problems],
            "stages": [stage.to_json() for stage in self.stages],
            "hosts": [host.to_json() for host in self.hosts],
            "unmatched_logs": [
                {"name": one.name, "hosts": list(one.hosts), "newest": str(one.newest)}
                for one in self.unmatched[:_MOST_UNMATCHED]
            ],
            "weeks": [_week_to_json(week) for week in self.weeks],
            "steps": [step.to_json() for step in self.steps],
            "trees": [tree.to_json() for tree in self.trees],
            "synced_at": self.synced_at and self.synced_at.isoformat(timespec="seconds"),
            "next_run": _next_run(self.next_run),
            "at_work": list(self.at_work),
            "unsent_messages": None if self.unsent is None else self.unsent.messages,
        }


def _next_run(run: NextRun | None) -> dict[str, str] | None:
    if run is None:
        return None
    return {"at": run.at.isoformat(timespec="seconds"), "source": run.source}


def _week_to_json(one: WeekCoverage) -> dict[str, Any]:
    """Return a week and its quality; the facts of a week without a record are null."""
    return {
        "profile": one.profile,
        "name": week_name(one.week),
        "week": one.week,
        "week_start": str(week_start(one.week)),
        "week_end": str(week_end(one.week)),
        "state": one.covered.state,
        "reasons": list(one.covered.reasons),
        **(one.quality.facts() if one.quality else dict.fromkeys(FACTS)),
    }
