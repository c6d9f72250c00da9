# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Coverage: the words for what is there of a day, a week or a host, and which of two is worse.

What is due, waiting or missing is for the plan of each stage to say; here its words become those
that an operator is told.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple

PRESENT = "present"
"""There, and made of what is there now."""
PARTIAL = "partial"
"""There, but something is not in it: a host, a damaged log, a day of the week."""
LATE = "late"
"""Not there yet; it may still come, or the next run makes it."""
MISSING = "missing"
"""Not there, and the time for it to come is over."""
OUT_OF_DATE = "out_of_date"
"""There, but made of something else than is there now; the next run makes it again."""
BLOCKED = "blocked"
"""It can't be made, or made again, before somebody has looked."""
UNREADABLE = "unreadable"
"""It can't be judged: something could not be read."""
TRIMMED = "trimmed"
"""Dropped as planned, after it was counted."""
WAITING = "waiting"
"""Its time has not come: a week that is not over."""
NOT_EXPECTED = "not_expected"
"""Nothing should be there: before the first day, or before a host was listed."""

#: The worst first.
STATES = (
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

#: So many reasons are kept of one day; a day may have as many logs as there are sites.
_MOST_REASONS = 20


class Covered(NamedTuple):
    """What is there of one day, week or host-day, and why it is not simply present."""

    state: str
    reasons: tuple[str, ...] = ()
    damaged: bool = False
    """Whether a damaged log was left out of it."""


@dataclass(frozen=True)
class StageCoverage:
    """What is there of one stage: by day, for totals by week, for publishing as a whole."""

    stage: str
    """``sync``, ``combine``, ``condense``, ``count_raw``, ``count_totals`` or ``publish``."""
    profile: str
    """Which set of totals; empty where the stage has only one."""
    kind: str
    """What its units are: ``day``, ``week`` or ``profile``."""
    units: Mapping[str, Covered] = field(default_factory=dict)
    """By the name of the day (``2021-09-28``), week (``2021-W39``) or profile."""
    newest: date | None = None
    """The newest day that is there; for weeks the last day of the newest one."""

    @property
    def title(self) -> str:
        """What it is called in sentences and tables."""
        words = self.stage.replace("_", " ")
        return f"{words} {self.profile}" if self.profile else words

    @property
    def counts(self) -> dict[str, int]:
        """How many units have each state; the worst first."""
        found = [covered.state for covered in self.units.values()]
        return {state: found.count(state) for state in STATES if state in found}

    def to_json(self) -> dict[str, Any]:
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
    """Which days of a log host came."""

    name: str
    listed: bool
    """Whether it is in the host list."""
    days: Mapping[date, Covered]
    newest: date | None = None
    """The newest day of which it has logs here or in a combined log, as far as is known."""

    def days_that_are(self, *states: str) -> list[date]:
        """Its days in one of the states, ascending."""
        return sorted(day for day, covered in self.days.items() if covered.state in states)

    def to_json(self) -> dict[str, Any]:
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


def worst(covered: Iterable[Covered], default: str = NOT_EXPECTED) -> Covered:
    """The worst state of several, with the reasons of all; ``default`` where there is none."""
    found = list(covered)
    state = min((one.state for one in found), key=STATES.index, default=default)
    reasons = [reason for one in found for reason in one.reasons]
    if len(reasons) > _MOST_REASONS:
        more = len(reasons) - _MOST_REASONS
        reasons = [*reasons[:_MOST_REASONS], f"and {more} more"]
    return Covered(state, tuple(reasons), any(one.damaged for one in found))


def since_begin(covered: Covered, day: date, begin: date | None) -> Covered:
    """What is not there is not missed before ``begin``, the oldest day of anything at all."""
    if covered.state in (MISSING, LATE) and (begin is None or day < begin):
        return Covered(NOT_EXPECTED)
    return covered


@dataclass(frozen=True)
class Calendar:
    """The days that are looked at, and how to judge what is not there."""

    days: Sequence[date]
    today: date
    settle_days: int
    begin: date | None
    """The oldest day of anything; nothing is missed before it."""
    asked_through: date | None = None
    """The newest day that the last sync could ask for; None where that is not known."""

    def is_open(self, day: date) -> bool:
        """Whether the logs of a day may still come: it is young, or no sync asked for it yet."""
        if self.asked_through is not None and day > self.asked_through:
            return True
        return (self.today - day).days < self.settle_days

    def absent(self, day: date, reasons: Sequence[str] = ()) -> Covered:
        """What is not there: late while it may come, missing later, never before the begin."""
        state = LATE if self.is_open(day) else MISSING
        return since_begin(Covered(state, tuple(reasons)), day, self.begin)
