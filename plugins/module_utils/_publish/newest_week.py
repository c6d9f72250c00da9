# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The newest week of some totals: its quality, and its machines by release."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from .._base.errors import CountingError
from .._totals.database import counted_weeks
from .._totals.quality import WeekQuality, newest_week, unknown_quality
from .machines import Release, machines_by_release, machines_of_week
from .profile import Profile
from .totals_reader import read_quality, reading

#: The most releases in a result. Clients choose their names, so there may be a million.
MOST_RELEASES = 100


class NewestWeek(NamedTuple):
    """The newest complete week of some totals, or the newest of all if none is complete."""

    week: int
    quality: WeekQuality
    releases: list[Release]
    """The machines of each release, most first."""
    newer: list[int]
    """Counted weeks after it; none of them is complete."""

    @property
    def machines(self) -> int:
        """The machines of all releases."""
        return sum(release.machines for release in self.releases)


def newest_week_of(
    connection: sqlite3.Connection, quality: Mapping[int, WeekQuality]
) -> NewestWeek | None:
    """Return the newest week of totals whose quality is given; None if no week is counted."""
    weeks = counted_weeks(connection)
    week = newest_week(weeks, quality)
    if week is None:
        return None
    return NewestWeek(
        week,
        quality.get(week) or unknown_quality(week),
        machines_by_release(machines_of_week(connection, week)),
        [one for one in weeks if one > week],
    )


def newest_weeks(profiles: Sequence[Profile]) -> list[dict[str, Any]]:
    """Describe the newest week of each profile whose totals can be read, for a result."""
    found = []
    for profile in profiles:
        try:
            with reading(profile.totals_db) as connection:
                newest = newest_week_of(connection, read_quality(connection))
        except CountingError:
            continue  # the unit of the profile has the error
        if newest is not None:
            found.append(_as_result(profile, newest))
    return found


def _as_result(profile: Profile, newest: NewestWeek) -> dict[str, Any]:
    return {
        "profile": profile.name,
        "week": newest.quality.week,
        "week_start": newest.quality.week_start,
        "week_end": newest.quality.week_end,
        "status": newest.quality.status,
        "machines": newest.machines,
        "by_release": [release._asdict() for release in newest.releases[:MOST_RELEASES]],
    }
