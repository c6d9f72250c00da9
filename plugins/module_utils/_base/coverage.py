# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Coverage: the state of each day, week or host, in the terms of the status.

The plan of a stage lists the work of a run. Coverage translates it for an operator: for instance, a
day that is due and was never made is ``late``, and one that was made before is ``out_of_date``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Final, Generic, Literal, NamedTuple, TypeAlias, TypeVar

from .problem import Problem

State: TypeAlias = Literal[
    "present",
    "partial",
    "late",
    "missing",
    "out_of_date",
    "blocked",
    "unreadable",
    "trimmed",
    "waiting",
    "not_expected",
]

PRESENT: Final = "present"
"""It exists, and was made from the present inputs."""
PARTIAL: Final = "partial"
"""It exists, but lacks a host, a damaged log, or a day of the week."""
LATE: Final = "late"
"""It does not exist yet; it may still come, or the next run makes it."""
MISSING: Final = "missing"
"""It does not exist, and is no longer expected."""
OUT_OF_DATE: Final = "out_of_date"
"""It exists, but was made from other inputs than the present ones; the next run makes it again."""
BLOCKED: Final = "blocked"
"""It cannot be made, or made again, before an operator has examined it."""
UNREADABLE: Final = "unreadable"
"""It cannot be judged, because something could not be read."""
TRIMMED: Final = "trimmed"
"""It was removed as planned, after it was counted."""
WAITING: Final = "waiting"
"""It is a week that is not over."""
NOT_EXPECTED: Final = "not_expected"
"""It is not expected: it is before the first day, or before a host was listed."""

#: All states, the worst first.
STATES: tuple[State, ...] = (
    UNREADABLE,
    BLOCKED,
    MISSING,
    OUT_OF_DATE,
    PARTIAL,
    LATE,
    WAITING,
    PRESENT,
    TRIMMED,
    NOT_EXPECTED,
)

#: The most reasons that are kept for one day, which may have as many logs as there are sites.
_MOST_REASONS = 20


class CoverageState(NamedTuple):
    """The state of one day, week or host-day, and why it is not simply present."""

    state: State
    reasons: tuple[str, ...] = ()
    damaged: bool = False
    """True if a damaged log was left out of it."""


@dataclass(frozen=True)
class WeekCoverage:
    """A week of one profile: its state, and its recorded quality."""

    profile: str
    week: int
    covered: CoverageState
    quality: Any = None
    """The ``WeekQuality`` that is published; None for a week without a record."""


@dataclass(frozen=True)
class StageCoverage:
    """The states of all units of a stage, and the problems in finding them."""

    kind: str
    """The kind of its units: ``day``, ``week`` or ``profile``."""
    units: Mapping[str, CoverageState] = field(default_factory=dict)
    """By the name of the day (``2021-09-28``), week (``2021-W39``) or profile."""
    newest: date | None = None
    """The newest day with an output; for weeks the last day of the newest one."""
    weeks: tuple[WeekCoverage, ...] = ()
    """The weeks with their quality, where the units are weeks."""
    problems: tuple[Problem, ...] = ()
    stage: str = ""
    """The name of the stage."""
    profile: str = ""
    """The subject of the stage: a profile or a log; empty where the stage has only one."""

    @property
    def title(self) -> str:
        """The name in sentences and tables, such as ``raw fedora``."""
        return f"{self.stage} {self.profile}" if self.profile else self.stage

    @property
    def counts(self) -> dict[State, int]:
        """The number of units with each state, the worst first."""
        found = [covered.state for covered in self.units.values()]
        return {state: found.count(state) for state in STATES if state in found}

    def to_json(self) -> dict[str, Any]:
        """Return the coverage as it stands in the status."""
        return {
            "stage": self.stage,
            "profile": self.profile,
            "kind": self.kind,
            "newest": str(self.newest) if self.newest else None,
            "counts": self.counts,
            "units": [
                {"name": name, "state": covered.state, "reasons": list(covered.reasons)}
                for name, covered in self.units.items()
            ],
        }


@dataclass(frozen=True)
class HostCoverage:
    """The states of the days of one host."""

    name: str
    listed: bool
    """True if it is in the host list."""
    days: Mapping[date, CoverageState]
    newest: date | None = None
    """The newest day with logs of it, in the hosts' tree or a combined log; None without any."""

    def days_that_are(self, *states: State) -> list[date]:
        """Return its days in one of the states, ascending."""
        return sorted(day for day, covered in self.days.items() if covered.state in states)

    def to_json(self) -> dict[str, Any]:
        """Return the host as it stands in the status."""
        return {
            "name": self.name,
            "listed": self.listed,
            "newest": str(self.newest) if self.newest else None,
            "days": {str(day): covered.state for day, covered in self.days.items()},
            "reasons": {
                str(day): list(covered.reasons)
                for day, covered in self.days.items()
                if covered.reasons
            },
        }


def worst(covered: Iterable[CoverageState], default: State = NOT_EXPECTED) -> CoverageState:
    """Return the worst of several states with the reasons of all; ``default`` for none."""
    found = list(covered)
    states = {one.state for one in found}
    ordered: list[State] = [state for state in STATES if state in states]
    state: State = ordered[0] if ordered else default
    reasons = [reason for one in found for reason in one.reasons]
    if len(reasons) > _MOST_REASONS:
        more = len(reasons) - _MOST_REASONS
        reasons = [*reasons[:_MOST_REASONS], f"and {more} more"]
    return CoverageState(state, tuple(reasons), any(one.damaged for one in found))


def since_begin(covered: CoverageState, day: date, begin: date | None) -> CoverageState:
    """Return the state of a day; nothing is missing before ``begin``, the oldest day with data."""
    if covered.state in (MISSING, LATE) and (begin is None or day < begin):
        return CoverageState(NOT_EXPECTED)
    return covered


@dataclass(frozen=True)
class Calendar:
    """The days of the status, and the rule for a day without an output."""

    days: Sequence[date]
    today: date
    settle_days: int
    begin: date | None
    """The oldest day with any data; nothing is missing before it."""
    requested_through: date | None = None
    """The newest day that the last sync could request; None if it is not known."""

    def is_open(self, day: date) -> bool:
        """Return true if the logs of a day may still come: it is young, or no sync requested it."""
        if self.requested_through is not None and day > self.requested_through:
            return True
        return (self.today - day).days < self.settle_days

    def absent(self, day: date, reasons: Sequence[str] = ()) -> CoverageState:
        """Return the state of a day without data: late while it may come, and missing later."""
        state: State = LATE if self.is_open(day) else MISSING
        return since_begin(CoverageState(state, tuple(reasons)), day, self.begin)


S = TypeVar("S")

Reach: TypeAlias = "tuple[date | None, date | None]"
"""The oldest and the newest day of a tree; None for a tree without days."""


def _unknown_reach() -> Reach:
    return None, None


@dataclass(frozen=True)
class StageTree:
    """A tree of files that a stage writes."""

    name: str
    """Its name in the status, without the subject of the stage: ``hosts``, ``combined``, …"""
    path: Path
    mount: Path | None = None
    """A folder that has to be a mount point, where the tree is on a share."""
    of_subject: bool = False
    """True if each subject of the stage has a tree of its own."""
    reach: Callable[[], Reach] = _unknown_reach
    """Return the oldest and newest day of the tree. Raises CountingError."""
    folder_of_day: Callable[[date], Path] | None = None
    """Return the folder of a day, where the tree has one for each day."""


@dataclass(frozen=True)
class CoverageContext:
    """The inputs of the coverage of a stage, beside the settings of the stage."""

    calendar: Calendar
    hosts: Sequence[HostCoverage] = ()
    """The days of all hosts."""
    unreadable: Mapping[Path, str] = field(default_factory=dict)
    """Places that cannot be read at all, such as a share that does not answer, with the reason."""

    def why_unreadable(self, *places: Path | None) -> str:
        """Return the reason why one of some places cannot be read; empty if all can."""
        found = (self.unreadable.get(place, "") for place in places if place is not None)
        return next(filter(None, found), "")

    def unreadable_days(self, reason: str) -> list[StageCoverage]:
        """Return the coverage of a stage of which no day can be judged."""
        covered = CoverageState(UNREADABLE, (reason,))
        return [StageCoverage("day", {str(day): covered for day in self.calendar.days})]


@dataclass(frozen=True)
class Coverage(Generic[S]):
    """The functions by which the status examines a stage. They write nothing."""

    trees: Callable[[S], Sequence[StageTree]]
    """Return the trees that the stage writes."""
    places: Callable[[S], Sequence[Path | None]]
    """Return all places that are read to find the coverage."""
    cover: Callable[[S, CoverageContext], Sequence[StageCoverage]]
    """Return the coverage, one for each profile where the stage serves several at once.

    Raises CountingError or OSError if it cannot be found.
    """
    libraries: tuple[str, ...] = ()
    """Libraries without which the coverage cannot be found."""
