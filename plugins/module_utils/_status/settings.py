# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The settings of the status: those of the last run of each stage, and those of the operator."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from .._base.coverage import StageTree
from .._base.errors import CountingError, printable
from .._base.problem import CRITICAL, UNKNOWN, Problem, problem_of
from .._base.stage import Stage
from .._pipeline.stages import STAGES
from .._watch.history import StageSettings
from .thresholds import Thresholds


@dataclass(frozen=True)
class ConfiguredStage:
    """A stage with the settings of its last run."""

    stage: Stage[Any, Any]
    settings: Any
    subject: str = ""
    """The subject of the run, such as a profile; empty where the stage has only one."""

    def trees(self) -> list[StageTree]:
        """Return the trees that the stage writes."""
        return list(self.stage.coverage.trees(self.settings)) if self.stage.coverage else []

    def places(self) -> list[Path]:
        """Return all places that are read to find its coverage."""
        places = self.stage.coverage.places(self.settings) if self.stage.coverage else ()
        return [place for place in places if place is not None]

    def name_of(self, tree: StageTree) -> str:
        """Return the name of one of its trees, with the subject where each has its own."""
        return f"{tree.name} {self.subject}" if tree.of_subject and self.subject else tree.name


@dataclass(frozen=True)
class StatusSettings:
    """The settings of the status."""

    stages: tuple[ConfiguredStage, ...] = ()
    """In the order of a nightly run."""
    history_db: Path | None = None
    messaging_spool: Path | None = None
    timer: str = ""
    written: tuple[Path, ...] = ()
    """The places where files of the status are written; they are not read."""
    thresholds: Thresholds = field(default_factory=Thresholds)
    silent: frozenset[Path] = frozenset()
    """Places that do not answer. Reading one would wait for ever, so they are not read."""

    def of_stage(self, name: str) -> Any:
        """Return the settings of the first stage of that name; None where it never ran."""
        return next((one.settings for one in self.stages if one.stage.name == name), None)

    def places(self) -> dict[Path, tuple[str, str]]:
        """Return all places that are read, with the stage and the name for each."""
        places: dict[Path | None, tuple[str, str]] = {}
        for one in self.stages:
            names = [one.name_of(tree) for tree in one.trees()]
            title = f"{one.stage.name} {one.subject}" if one.subject else one.stage.name
            for place in one.places():
                places.setdefault(place, (one.stage.name, names[0] if names else title))
            for tree in one.trees():
                places[tree.path] = (one.stage.name, one.name_of(tree))
        places[self.history_db] = ("history", "run history")
        places[self.messaging_spool] = ("messages", "messages")
        places |= dict.fromkeys(self.written, ("disk", "status files"))
        return {place: of for place, of in places.items() if place is not None}

    def answers(self, *places: Path | None) -> bool:
        """Return true if none of some places is silent."""
        return self.silent.isdisjoint(places)


def configured_stages(
    recorded: Iterable[StageSettings], now: datetime
) -> tuple[list[ConfiguredStage], list[Problem]]:
    """Return the stages with the settings of their last runs, in the order of a nightly run.

    Settings that are refused now are problems. A profile that is published no longer is left out.
    """
    by_stage: dict[str, list[StageSettings]] = {}
    for one in recorded:
        by_stage.setdefault(one.stage, []).append(one)
    configured, problems = [], []
    for stage in STAGES:
        for one in by_stage.get(stage.name, ()):
            if stage.coverage is None or _is_withdrawn(one, by_stage.get("publish", ())):
                continue
            try:
                settings = stage.settings_from(one.options, now)
            except CountingError as error:
                problems.append(problem_of(CRITICAL, "settings", error))
            except (KeyError, TypeError, ValueError) as error:
                problems.append(_of_another_version(one, error))
            else:
                configured.append(ConfiguredStage(stage, settings, one.subject))
    return configured, problems


def _of_another_version(one: StageSettings, error: Exception) -> Problem:
    """Return the problem that recorded options lack an option of this version, or are damaged."""
    return Problem(
        UNKNOWN,
        "settings",
        f"{one.stage} {one.subject}".strip() + ": expected the options of this version in the run "
        f"history, found others ({type(error).__name__}: {printable(str(error))})",
        one.started.isoformat(timespec="seconds"),
        "Wait for the next run of this stage, which records its options again.",
    )


def _is_withdrawn(one: StageSettings, published: Sequence[StageSettings]) -> bool:
    """Return true for a subject that later runs publish no longer."""
    for publish in published:
        names = {profile["name"] for profile in publish.options["profiles"]}
        if one.stage in ("raw", "totals") and one.subject and publish.started > one.started:
            return one.subject not in names
    return False


def spool_of(recorded: Sequence[StageSettings]) -> Path | None:
    """Return the spool of the last run that sends messages; None where it sends none."""
    newest: Mapping[str, Any] = (
        max(recorded, key=lambda one: one.started).options if recorded else {}
    )
    if not newest.get("messaging_config"):
        return None
    return Path(newest["messaging_spool"])
