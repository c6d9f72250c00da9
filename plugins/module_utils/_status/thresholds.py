# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The thresholds from which on a figure is a problem, and the order of problems."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from .._base.problem import CRITICAL, OK, SEVERITIES, WARNING, Problem, Severity


class Bounds(NamedTuple):
    """The figures from which on there is a warning, and from which on it is critical."""

    warning: float
    critical: float


class Thresholds(NamedTuple):
    """The bounds of all figures. Ages are in days and may have a fraction."""

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


def too_high(figure: float | None, bounds: Bounds) -> Severity | None:
    """Return how bad a figure is that should be low: a problem from the threshold on.

    Return None if it is well, or not known.
    """
    if figure is None or figure < bounds.warning:
        return None
    return CRITICAL if figure >= bounds.critical else WARNING


def too_low(figure: float | None, bounds: Bounds) -> Severity | None:
    """Return how bad a figure is that should be high; None if it is well, or not known."""
    if figure is None or figure > bounds.warning:
        return None
    return CRITICAL if figure <= bounds.critical else WARNING


def worst_first(problems: Iterable[Problem]) -> list[Problem]:
    """Return the problems once each: by severity, then the oldest first, without a time last."""
    return sorted(
        dict.fromkeys(problems),
        key=lambda one: (SEVERITIES.index(one.severity), one.since or "~", one.stage, one.what),
    )


def overall(problems: Iterable[Problem]) -> str:
    """Return the state of the whole: the severity of the worst problem, or ``ok``."""
    severities = {one.severity for one in problems}
    return next((severity for severity in SEVERITIES if severity in severities), OK)
