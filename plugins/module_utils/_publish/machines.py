# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Machines per week, by two declared methods.

A machine sends one hit a week for *each* of its enabled repositories, so hits must not be added up
over repositories. Both methods start from hits with ``sys_age`` of at least 1 (``-1`` is another
statistic, and ``countme`` starts at 1), added up over ages and repository architectures:

- *machines*: for each system (name, version, variant, architecture) the repo tag with the most
  hits stands for the machines. It needs no knowledge of any distribution's repositories.
- *by base repository*: hits of the repositories only that every system of the distribution has,
  such as ``fedora-NN``. It is 0 for systems without such a repository.
"""

from __future__ import annotations

import sqlite3
import textwrap
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from .distribution import FEDORA_BASE, BaseRepositories

_METHOD = """\
{machines_csv}: machines per week, by two declared methods
==========================================================

One row for each week and kind of system: week (ISO 8601), week_start (Monday), week_end (Sunday),
os_name, os_version, os_variant, os_arch, machines, {column}. All times are UTC.

Once a week the package manager of a system adds "countme" to the first request it makes for each
enabled repository. A system with four repositories makes four hits, so hits summed over
repositories are not machines. Both methods use hits with sys_age of 1 or more, added up over
sys_age and repo_arch:

machines
    For each system (os_name, os_version, os_variant, os_arch): the hits of the repo_tag that has
    the most. This is the number to use; it works for every distribution.
{column}
{base}

What the numbers are not: rows with sys_age -1 of the totals are another statistic (distinct
addresses a day) and are not in here. Systems that are never switched on, don't use DNF or
rpm-ostree, get updates from elsewhere, or have countme switched off, aren't counted.
A short-lived system is counted in each week in which it asks.

Look up each week in the quality file beside this one before you trust it.
Rows with fewer machines than {min_hits} are left out (0 or 1: all are there).
Text that has an address in it is replaced by "(address)". A text that begins with = + - @ has an
apostrophe in front, so that no spreadsheet takes it for a formula; control characters are written
as \\x1b.
"""


def method_of(base: BaseRepositories, *, machines_csv: str, min_hits: int) -> str:
    """Return the text that explains how the machines of a file are counted."""
    absent = f", as {base.absent_in}" if base.absent_in else ""
    by_base = (
        f"The hits of the repo tags {base.words} (NN is digits) only. "
        f"It is 0 where a system has no such repository{absent}."
    )
    return _METHOD.format(
        machines_csv=machines_csv,
        min_hits=min_hits,
        column=base.column,
        base=textwrap.fill(by_base, 99, initial_indent="    ", subsequent_indent="    "),
    )


class Machines(NamedTuple):
    """Machines of one kind of system in one week, by both methods."""

    os_name: str
    os_version: str
    os_variant: str
    os_arch: str
    machines: int
    machines_by_base: int
    """By the base repositories."""


class Release(NamedTuple):
    """Machines of one release in one week."""

    os_name: str
    os_version: str
    machines: int


#: The values of ``sys_age``: 1 in the first week of a system, 2 up to its 4th, 3 up to its 24th, 4
#: from then on.
AGES = (1, 2, 3, 4)

_SYSTEM = "os_name, os_version, os_variant, os_arch"
_AGES = ", ".join(f"age_{age}" for age in AGES)
_AGE_HITS = ", ".join(
    f"coalesce(sum(hits) FILTER (WHERE CAST(sys_age AS INTEGER) = {age}), 0) AS age_{age}"
    for age in AGES
)
# The hits of each repository by each kind of system.
_REPOSITORY_HITS = f"""
SELECT CAST(weeknum AS INTEGER) AS week, {_SYSTEM}, repo_tag, sum(hits) AS hits, {_AGE_HITS}
FROM countme_totals
WHERE CAST(sys_age AS INTEGER) >= 1 AND {{weeks}}
GROUP BY weeknum, {_SYSTEM}, repo_tag
"""  # noqa: S608
# SQLite takes the columns beside a max() from the row that has the maximum: the ages of a system
# are those of the repo tag that stands for its machines.
_MACHINES = f"""
SELECT week, {_SYSTEM}, max(hits) AS machines, {_AGES},
    sum(CASE WHEN {{is_base}} THEN hits ELSE 0 END) AS machines_by_base
FROM {{repository_hits}}
WHERE repo_tag GLOB ?
GROUP BY week, {_SYSTEM}
HAVING max(hits) >= ?
"""  # noqa: S608
_ANY_TAG = "*"


def machines_of_week(
    connection: sqlite3.Connection, week: int, base: BaseRepositories = FEDORA_BASE
) -> list[Machines]:
    """Return the machines of a week from its totals, ordered by system."""
    hits = _REPOSITORY_HITS.format(weeks="weeknum = ?")
    machines = _MACHINES.format(repository_hits=f"({hits})", is_base=base.condition)
    query = f"SELECT {', '.join(Machines._fields)} FROM ({machines}) ORDER BY {_SYSTEM}"  # noqa: S608
    return [Machines(*row) for row in connection.execute(query, (str(week), _ANY_TAG, 0))]


def tabulate_machines(
    connection: sqlite3.Connection, tables: Mapping[str, str], *, least: int = 0
) -> None:
    """Make temporary tables of the machines of all weeks.

    Their columns are week, os_name, os_version, os_variant, os_arch, machines and age_1 to age_4.
    ``tables`` has for each name a GLOB pattern: only hits of such repositories count in it. Kinds
    of systems with fewer machines than ``least`` are left out.
    """
    # one pass over the totals, which takes longer than everything else
    hits = _REPOSITORY_HITS.format(weeks="TRUE")
    connection.execute(f"CREATE TEMP TABLE repository_hits AS {hits}")
    for table, repo_tags in tables.items():
        machines = _MACHINES.format(repository_hits="repository_hits", is_base="FALSE")
        connection.execute(f"CREATE TEMP TABLE {table} AS {machines}", (repo_tags, least))
    connection.execute("DROP TABLE temp.repository_hits")


def machines_by_release(machines: Iterable[Machines]) -> list[Release]:
    """Return the machines of each release, most first, over its variants and architectures."""
    releases: Counter[tuple[str, str]] = Counter()
    for one in machines:
        releases[one.os_name, one.os_version] += one.machines
    found = [Release(*release, count) for release, count in releases.items()]
    return sorted(found, key=lambda one: (-one.machines, one.os_name, one.os_version))
