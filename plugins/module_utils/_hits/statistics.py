# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The statistics that are counted from raw hits. Add an entry to STATISTICS for a new statistic.

The table ``countme_totals`` has the rows of all statistics. If a statistic is not counted by age,
its rows have its mark in the column ``sys_age``.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any

from .._base.days_and_weeks import DAY_SECONDS, WEEK_SECONDS
from .._base.libs import np


class Hits(Enum):
    """A choice of raw hits. The value is its condition in SQL."""

    ALL = "true"
    WITH_COUNTME = "sys_age >= 0"
    WITHOUT_COUNTME = "sys_age < 0"

    def mask(self, sys_age: Any) -> Any:
        """Return a numpy mask of the chosen hits, from their sys_age."""
        if self is Hits.ALL:
            return np.full(len(sys_age), True)
        return sys_age >= 0 if self is Hits.WITH_COUNTME else sys_age < 0


class Counted(Enum):
    """The thing that is counted."""

    HITS = "hits"
    ADDRESSES = "addresses"


_SYSTEM = ("os_name", "os_version", "os_variant", "os_arch")
_REPO = ("repo_tag", "repo_arch")


@dataclass(frozen=True)
class Statistic:
    """A number for each week and key."""

    name: str
    """The name in records: ``last_NAME`` is the time of the last hit in ``seen_by``."""
    title: str
    counted: Counted
    """Each distinct hit counts once, or each address once in a window."""
    keep: Hits
    """The hits that are counted."""
    key: tuple[str, ...]
    """The columns of raw hits that the rows of a week are counted by."""
    window_seconds: int
    """A week consists of windows of this length; their counts are added."""
    seen_by: Hits
    """A week is over once one of these hits comes after it."""
    from_first_week: bool
    """Weeks count from the profile's first week; otherwise from the first hit in ``seen_by``."""
    mark: str = ""
    """The value of ``sys_age`` in its rows, unless it is counted by ``sys_age``."""


COUNTME = Statistic(
    name="countme",
    title="countme hits",
    counted=Counted.HITS,
    keep=Hits.WITH_COUNTME,
    key=(*_SYSTEM, "sys_age", *_REPO),
    window_seconds=WEEK_SECONDS,
    seen_by=Hits.WITH_COUNTME,
    from_first_week=True,
)
UNIQUE = Statistic(
    name="unique",
    title="unique addresses",
    counted=Counted.ADDRESSES,
    keep=Hits.ALL,
    key=(*_SYSTEM, *_REPO),
    window_seconds=DAY_SECONDS,
    seen_by=Hits.WITHOUT_COUNTME,
    from_first_week=False,
    mark="-1",
)

STATISTICS = (COUNTME, UNIQUE)


def row_condition(statistic: Statistic) -> str:
    """Return the SQL condition for the rows of a statistic in ``countme_totals``."""
    if statistic.mark:
        return f"sys_age = '{statistic.mark}'"
    return " AND ".join(f"sys_age <> '{other.mark}'" for other in STATISTICS if other.mark)
