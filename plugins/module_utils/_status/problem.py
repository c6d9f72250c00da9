# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Problems: what an operator has to know, how bad it is, since when, and what to do."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

CRITICAL, WARNING, UNKNOWN, OK = "critical", "warning", "unknown", "ok"
#: The worst first.
SEVERITIES = (CRITICAL, WARNING, UNKNOWN)


class Bounds(NamedTuple):
    """From where on a figure is a warning, and from where on it is critical."""

    warning: float
    critical: float


class Thresholds(NamedTuple):
    """When something is a problem. Ages are in days and may have a fraction."""

    combined_age_days: Bounds = Bounds(1, 2)
    """Since the newest combined day ended; at the end of a nightly run that is some hours."""
    raw_age_days: Bounds = Bounds(1, 2)
    totals_age_days: Bounds = Bounds(7, 8)
    """Since the newest counted week could be counted, which is two days after it ended."""
    host_missing_days: Bounds = Bounds(1, 7)
    """Days of one host that did not come."""
    hosts_missing_percent: Bounds = Bounds(25, 50)
    """Of the hosts expected on the newest day whose logs should be there."""
    disk_free_percent: Bounds = Bounds(10, 5)
    run_time_factor: Bounds = Bounds(3, 10)
    """The last run against the usual time of a step, where it took a minute more."""
    unsent_messages: Bounds = Bounds(1, 1000)
    judged_days: int = 14
    """Days and weeks that ended longer ago are shown, and are no problem any more: their logs will
    hardly come."""


@dataclass(frozen=True)
class Problem:
    """One thing that is not as it should be."""

    severity: str
    stage: str
    """Where: a stage, or ``disk``, ``schedule``, ``clock``, ``settings``."""
    what: str
    since: str
    """A day or time, ISO 8601; empty where that is not known."""
    next_step: str

    def to_json(self) -> dict[str, Any]:
        return {
            "severity": self.severity,
            "stage": self.stage,
            "what": self.what,
            "since": self.since,
            "next_step": self.next_step,
        }


def too_high(figure: float | None, bounds: Bounds) -> str:
    """How bad a figure is that should be low; empty where it is well, or not known.

    It is a problem from the threshold on.
    """
    if figure is None or figure < bounds.warning:
        return ""
    return CRITICAL if figure >= bounds.critical else WARNING


def too_low(figure: float | None, bounds: Bounds) -> str:
    """How bad a figure is that should be high."""
    if figure is None or figure > bounds.warning:
        return ""
    return CRITICAL if figure <= bounds.critical else WARNING


def worst_first(problems: Iterable[Problem]) -> list[Problem]:
    """Without doubles; by severity, then the oldest first, those without a time last."""
    return sorted(
        dict.fromkeys(problems),
        key=lambda one: (SEVERITIES.index(one.severity), one.since or "~", one.stage, one.what),
    )


def overall(problems: Iterable[Problem]) -> str:
    """The state of the whole: that of the worst problem, or ``ok``."""
    severities = {one.severity for one in problems}
    return next((severity for severity in SEVERITIES if severity in severities), OK)
