# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A stage of the pipeline: one declaration, and one runner for all stages.

The declaration has the name of the stage, the trees that it reads and writes, the functions that
plan and make its units, and the topics of its messages. Modules, messages, run history, status and
documents use it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

from .coverage import Coverage
from .observer import NOBODY, Observer
from .records import Status, WorkUnit

#: Statuses that make a run count as changed; a plan has ``due``, a run the others.
CHANGES: frozenset[Status] = frozenset({"due", "made", "trimmed"})


#: The first words of all topics, after the prefix in the configuration of fedora-messaging.
TOPIC_PREFIX = "logging.stats"


class _Planned(Protocol):
    """The units of a stage with all facts about them, before or after its work."""

    @property
    def units(self) -> Sequence[WorkUnit]:
        """Every unit that the run covers, in the order in which results name them."""


S = TypeVar("S")
P = TypeVar("P", bound=_Planned)


@dataclass(frozen=True)
class StageRun:
    """The circumstances of one run of a stage, which are the same for every stage."""

    now: datetime
    run_id: str = ""
    """The same for all stages of a nightly run; messages and locks name it."""
    check_mode: bool = False
    observer: Observer = NOBODY

    @property
    def today(self) -> date:
        """The day in UTC."""
        return self.now.astimezone(UTC).date()


@dataclass(frozen=True)
class Outcome:
    """The result of a run: the units as they are now, and what an operator needs beside them."""

    units: Sequence[WorkUnit]
    failure: str = ""
    """The reason why the stage as a whole has failed; empty where it has not."""
    stage_warnings: Sequence[str] = ()
    """Warnings for an operator that belong to no unit."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """Further values of the result, such as the newest week; JSON values only."""

    @property
    def warnings(self) -> list[str]:
        """All warnings for an operator; those of units name the unit."""
        of_units = [f"{unit.name}: {text}" for unit in self.units for text in unit.warnings]
        return [*of_units, *self.stage_warnings]

    @property
    def changed(self) -> bool:
        """Return true if anything was made, or would be made in check mode."""
        return any(unit.status in CHANGES for unit in self.units)


class UnitTopics(NamedTuple):
    """The topics of messages about the units of one kind."""

    words: str
    """The words between the topic of the stage and the event; ``{kind}`` is the kind's name."""
    parts: tuple[str, ...]
    """The fields of the body that take the parts of the unit's name, in their order."""
    fail: str = "fail"
    """The event of a unit that failed."""
    retry: str = ""
    """The event of a failed attempt that another follows; empty for no message."""
    skip: str = ""
    """The event of a unit whose host is unknown; empty for the event of a failure."""


@dataclass(frozen=True)
class Topics:
    """The topics of messages about a stage. Topics of the earlier system stay as they were."""

    base: str
    """The first words of each topic."""
    is_command: bool = False
    """True for one of several commands of an update, whose events are ``BASE.command.EVENT``."""
    units: Mapping[str, UnitTopics] = field(default_factory=dict)
    """By kind of unit; ``*`` stands for any kind."""


def any_due(planned: _Planned) -> bool:
    """Return true if a unit of the plan is due."""
    return any(unit.status == "due" for unit in planned.units)


def outcome_of(_settings: Any, planned: _Planned) -> Outcome:
    """Return the outcome of a stage that fails if one of its units has failed."""
    return Outcome(planned.units, failure_of(planned.units))


def failure_of(units: Sequence[WorkUnit], kind: str = "units") -> str:
    """Return the failure of a stage that fails if a unit has failed; ``kind`` names the units."""
    failed = [unit.name for unit in units if unit.status == "failed"]
    return f"{len(failed)} of {len(units)} {kind} failed: {', '.join(failed)}" if failed else ""


@dataclass(frozen=True)
class Stage(Generic[S, P]):
    """The declaration of a stage. ``S`` are its settings, ``P`` is its plan."""

    name: str
    """The one name of the stage in tags, messages, run history, status, metrics and reports."""
    title: str
    """The name of the work in a sentence: ``Combine the logs of the hosts by time``."""
    reads: tuple[str, ...]
    """The names of the trees of files that it reads."""
    writes: tuple[str, ...]
    """The names of the trees of files that it writes."""
    topics: Topics
    settings_from: Callable[[Mapping[str, Any], datetime], S]
    """Return the settings for the options of the module and the present time."""
    plan: Callable[[S, StageRun], P]
    """Compare the inputs with the records of the outputs; write nothing."""
    lock: Callable[[S, StageRun], AbstractContextManager[None]]
    """Return a context in which this run is the only writer of the stage's outputs."""
    make: Callable[[S, P, StageRun], P]
    """Make the units that are due, and return the plan with their units as they are now."""
    outcome: Callable[[S, P], Outcome] = outcome_of
    """Return the outcome of a plan, made or not: the rule by which the stage fails is here."""
    libraries: tuple[str, ...] = ()
    """The distributions that it needs, as a package index names them."""
    coverage: Coverage[S] | None = None
    """The coverage of its units; None if the coverage of another stage shows its work."""
    is_due: Callable[[P], bool] = any_due
    """Return true if a run has anything to do."""
    preview: Callable[[S, P, StageRun], P] | None = None
    """Find the units that are due in check mode, if the plan alone does not contain them."""


def run_stage(stage: Stage[S, P], settings: S, run: StageRun) -> Outcome:
    """Make what is out of date; in check mode, return what would be made and write nothing.

    The plan is made again under the lock, because another run may have written in between. Raises
    CountingError if the stage as a whole cannot work.
    """
    planned = stage.plan(settings, run)
    if run.check_mode:
        if stage.preview:
            planned = stage.preview(settings, planned, run)
    elif stage.is_due(planned):
        with stage.lock(settings, run):
            planned = stage.make(settings, stage.plan(settings, run), run)
    return stage.outcome(settings, planned)
