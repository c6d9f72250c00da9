# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The newest week of each profile at a glance, for the end of a run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .._base.errors import CountingError
from .._totals.database import counted_weeks
from .._totals.quality import unknown_quality
from .machines import machines_by_release, machines_of_week
from .profile import Profile
from .totals_reader import newest_week, read_quality, reading

#: Clients choose the names of releases; a million of them would not be a glance.
RELEASES_SHOWN = 100


def newest_weeks(profiles: Sequence[Profile]) -> list[dict[str, Any]]:
    """The newest complete week of each profile whose totals can be read."""
    found = []
    for profile in profiles:
        try:
            week = _newest_week(profile)
        except CountingError:
            continue  # the profile itself says what is wrong with its totals
        if week is not None:
            found.append(week)
    return found


def _newest_week(profile: Profile) -> dict[str, Any] | None:
    with reading(profile.totals_db) as connection:
        known = read_quality(connection)
        week = newest_week(counted_weeks(connection), known)
        if week is None:
            return None
        releases = machines_by_release(machines_of_week(connection, week))
    quality = known.get(week) or unknown_quality(week)
    return {
        "profile": profile.name,
        "week": quality.week,
        "week_start": quality.week_start,
        "week_end": quality.week_end,
        "status": quality.status,
        "machines": sum(release.machines for release in releases),
        "by_release": [release._asdict() for release in releases[:RELEASES_SHOWN]],
    }
