# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The columns of published files, with the meaning of each for readers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from .distribution import BaseRepositories


class Column(NamedTuple):
    """A column as the data dictionary describes it."""

    name: str
    type: str
    meaning: str


_COUNT = "whole number"
_DAY = "day, YYYY-MM-DD"
_TEXT = "text"

_COLUMNS = (
    Column("week", "text, YYYY-Www", "The week by ISO 8601."),
    Column("week_start", _DAY, "Its Monday; the week begins at 00:00 UTC."),
    Column("week_end", _DAY, "Its Sunday, included."),
    Column(
        "weeknum",
        "text of a whole number",
        "The number of the week: week 0 began on Monday, 1970-01-05.",
    ),
    Column(
        "hits",
        _COUNT,
        "The number of hits in the week. With a sys_age of -1: distinct addresses of each day, "
        "added up over the seven days. In quality files: all hits of the week but those.",
    ),
    Column("os_name", _TEXT, "NAME of the system's os-release; empty where the client sent none."),
    Column("os_version", _TEXT, "VERSION_ID of the system."),
    Column(
        "os_variant", _TEXT, "VARIANT_ID of the system, such as server; generic where it has none."
    ),
    Column("os_arch", _TEXT, "The architecture of the system."),
    Column(
        "sys_age",
        "whole number, as text in databases",
        "The age of the installation: 1 is its first week, 2 weeks 2 to 4, 3 weeks 5 to 24, "
        "4 older. -1 marks rows of unique addresses, another statistic.",
    ),
    Column("repo_tag", _TEXT, "The requested repository, such as fedora-34."),
    Column("repo_arch", _TEXT, "The architecture of that repository."),
    Column(
        "machines",
        _COUNT,
        "Machines by the general method: the hits of the repository that has the most.",
    ),
    Column("status", _TEXT, "complete, partial, provisional or unknown: see the states of weeks."),
    Column("expected_host_days", _COUNT, "The number of expected logs: hosts times days."),
    Column("received_host_days", _COUNT, "The number of logs received when the week was counted."),
    Column("malformed", _COUNT, "Requests left out because a value in them can't be read."),
    Column("suspect", "0 or 1; false or true", "1 if the week is out of the ordinary."),
    Column("suspect_reason", _TEXT, "The reason; empty where the week is not suspect."),
    Column(
        "revision", _COUNT, "1 for the first count; grows with each count that changed the week."
    ),
    Column("computed_at", "time, ISO 8601, UTC", "The time at which the week was counted."),
    Column("date", _DAY, "The day, as the logs have it."),
    Column("family", _TEXT, "The family of the release, such as fedora or epel."),
    Column("release", _TEXT, "The requested release."),
    Column("arch", _TEXT, "The requested architecture."),
    Column("clients", _COUNT, "Distinct addresses that requested it on the day."),
)
_BY_NAME = {column.name: column for column in _COLUMNS}


def base_column(base: BaseRepositories) -> Column:
    """Return the column of the machines by base repositories."""
    return Column(
        base.column, _COUNT, f"Machines by the hits of the repositories {base.words} only."
    )


def described(names: Iterable[str]) -> tuple[Column, ...]:
    """Return columns by their names, in the given order."""
    return tuple(_BY_NAME[name] for name in names)
