# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The thresholds at which a figure becomes a problem, and the order of problems."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from .._base.problem import CRITICAL, OK, SEVERITIES, WARNING, Problem, Severity


class Bounds(NamedTuple):
    """The figures at which a warning and a critical problem begin."""

    warning: float
    critical: float


class Thresholds(NamedTuple):
    """The bounds of all figures. Ages are in days and may have a fraction."""

    combined_age_days: Bounds = Bounds(1, 2)
    """The age since the end of the newest combined day; some hours after a nightly run."""
    raw_age_days: Bounds = Bounds(1, 2)
    totals_age_days: Bounds = Bounds(7, 8)
    """The age since the newest counted week could be counted, two days after its end."""
    host_missing_days: Bounds = Bounds(1, 7)
    """The missing days of one host."""
    hosts_missing_percent: Bounds = Bounds(25, 50)
    """The share of missing hosts on the newest day whose logs should be there."""
    disk_free_percent: Bounds = Bounds(10, 5)
    run_time_factor: Bounds = Bounds(3, 10)
    """The last duration of a step divided by the usual one, if it took a minute more."""
    unsent_messages: Bounds = Bounds(1, 1000)
    judged_days: int = 14
    """Older days and weeks are shown but are no problems, because their logs will hardly come."""


def too_high(figure: float | None, bounds: Bounds) -> Severity | None:
    """Return the severity of a figure that should be low; None if it is good or not known."""
    if figure is None or figure < bounds.warning:
        return None
    return CRITICAL if figure >= bounds.critical else WARNING


def too_low(figure: float | None, bounds: Bounds) -> Severity | None:
    """Return the severity of a figure that should be high; None if it is good or not known."""
    if figure is None or figure > bounds.warning:
        return None
    return CRITICAL if figure <= bounds.critical else WARNING


def worst_first(problems: Iterable[Problem]) -> list[Problem]:
    """Return the problems, each once, by severity and age; those without a time come last."""
    return sorted(
        dict.fromkeys(problems),
        key=lambda one: (SEVERITIES.index(one.severity), one.since or "~", one.stage, one.what),
    )


def overall(problems: Iterable[Problem]) -> str:
    """Return the state of the whole: the severity of the worst problem, or ``ok``."""
    severities = {one.severity for one in problems}
    return next((severity for severity in SEVERITIES if severity in severities), OK)
