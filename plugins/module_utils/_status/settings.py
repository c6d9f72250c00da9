# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the status is read by: the same settings as those of the stages."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from .._base.errors import CountingError, SettingsError
from .._combine.plan import CombineSettings
from .._condense.days import CondensedDays
from .._publish.plan import FileSettings
from .._publish.profile import Profile
from .._sync.plan import sources_of
from .problem import CRITICAL, Problem, Thresholds


@dataclass(frozen=True)
class StatusSettings:
    """What the stages are set to; the same as in a run."""

    combine: CombineSettings
    """Its ``expected_hosts`` are the host list."""
    profiles: tuple[Profile, ...] = ()
    publish: FileSettings | None = None
    condense: CondensedDays | None = None
    hash_hosts: bool = False
    revise_weeks: int = 4
    totals_settle_days: int = 7
    history_db: Path | None = None
    messaging_spool: Path | None = None
    timer: str = ""
    cron_file: Path | None = None
    written: tuple[Path, ...] = ()
    """Where files of the status are to be written; they are not looked at."""
    thresholds: Thresholds = field(default_factory=Thresholds)
    missing_libraries: tuple[str, ...] = ()
    """What can't be imported here; raw days and totals are not looked at without."""
    silent: frozenset[Path] = frozenset()
    """Places that do not answer: who looks at them waits for ever, so nobody does."""

    def places(self) -> dict[Path, tuple[str, str]]:
        """All that is looked at, with the stage that it is of and what it is called."""
        combine, places = self.combine, dict[Path | None, tuple[str, str]]()
        places[combine.src] = ("sync", "hosts")
        places[combine.require_mount] = places[combine.dest] = ("combine", "combined")
        if self.condense:
            places[self.condense.folder] = ("condense", "condensed")
        for one in self.profiles:
            places[one.raw_days] = ("count_raw", f"raw {one.name}")
            places[one.totals_db] = places[one.totals_csv] = ("count_totals", f"totals {one.name}")
        if self.publish:
            places[self.publish.dest] = ("publish", "published")
        places[self.history_db] = ("history", "run history")
        places[self.messaging_spool] = ("messages", "messages")
        places[self.cron_file] = ("schedule", "cron jobs")
        places |= dict.fromkeys(self.written, ("disk", "status files"))
        return {place: of for place, of in places.items() if place is not None}

    def answers(self, *places: Path | None) -> bool:
        """Whether none of some places is silent."""
        return self.silent.isdisjoint(places)


def listed_hosts(entries: Iterable[object]) -> tuple[list[str], list[Problem]]:
    """The names in a host list as the sync takes it; what is wrong with the others is a problem."""
    names: set[str] = set()
    problems = []
    for entry in entries:
        try:
            names.update(source.host for source in sources_of([entry], "{host}::log/"))
        except SettingsError as error:
            problems.append(problem_of(CRITICAL, "settings", error))
    return sorted(names), problems


def problem_of(severity: str, stage: str, error: CountingError) -> Problem:
    """An error of the library as a problem."""
    what = f"{error.place}: expected {error.expected}, found {error.found}"
    return Problem(severity, stage, what, "", error.advice)
