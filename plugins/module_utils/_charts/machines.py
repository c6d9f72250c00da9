# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make charts of machines per week from the totals. SQLite does all sums.

Machines are counted by the first method of :mod:`~._publish.machines`. Weeks that are not complete
or suspect are marked.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import NamedTuple

from .._base.days_and_weeks import week_start
from .._publish.distribution import FEDORA_ADD_ONS, AddOn
from .._publish.machines import AGES, tabulate_machines
from .._totals.database import counted_weeks
from .._totals.quality import PARTIAL, PROVISIONAL, WeekQuality
from .figures import (
    MOST_SERIES,
    MOST_SERIES_OF_ALL,
    NOISE_SHARE,
    PAST_DIVISOR,
    RECENT_DAYS,
    STACK,
    WEEK_DAYS,
    ValuesByStart,
    distinct_labels,
    figures_of,
    natural_key,
    others_label,
    series_label,
)
from .time_chart import TimeChart

SUSPECT = "suspect"
_UNKNOWN_AGE = "unknown"
_AGE_LABELS = {
    1: "first week",
    2: "up to 4 weeks",
    3: "up to 24 weeks",
    4: "more than 24 weeks",
}


class _Split(NamedTuple):
    """A way to split the machines of a week into series."""

    name: str
    title: str
    key: str
    """An SQL expression for the label of a series; a version follows after a char(31)."""
    empty: str
    description: str
    table: str = "machines"
    section: str = "machines"
    most: int = MOST_SERIES
    natural_order: bool = False
    """True to order the series by their labels; else the largest is at the bottom."""


_SPLITS = (
    _Split(
        "machines-by-release",
        "Machines per week by release",
        "os_name || char(31) || os_version",
        "(no name)",
        "Machines that requested updates in a week, by the name and version that they sent.",
        most=MOST_SERIES_OF_ALL,
        natural_order=True,
    ),
    _Split(
        "machines-by-variant",
        "Machines per week by variant",
        "os_variant",
        "(no variant)",
        "Editions and spins, by the variant that the system sent; generic stands for none.",
    ),
    _Split(
        "machines-by-architecture",
        "Machines per week by architecture",
        "os_arch",
        "(no architecture)",
        "The processor architecture that the system was built for.",
    ),
)


def _split_of(add_on: AddOn) -> _Split:
    return _Split(
        f"{add_on.name}-by-distribution",
        f"Machines with {add_on.title} per week by distribution",
        "os_name",
        "(no name)",
        f"Machines that use {add_on.title}, by distribution. Systems with yum send no counts.",
        table=f"{add_on.name}_machines",
        section=add_on.name,
    )


def marks_of(quality: Mapping[int, WeekQuality]) -> dict[date, str]:
    """Return the reasons why weeks need care, by their Mondays."""
    marks = {}
    for week, known in quality.items():
        reasons = [known.status] if known.status in (PARTIAL, PROVISIONAL) else []
        reasons += [SUSPECT] if known.suspect else []
        if reasons:
            marks[week_start(week)] = " and ".join(reasons)
    return marks


def weekly_charts(
    connection: sqlite3.Connection,
    quality: Mapping[int, WeekQuality],
    *,
    suffix: str = "",
    of_profile: str = "",
    least: int = 0,
    add_ons: Sequence[AddOn] = FEDORA_ADD_ONS,
) -> list[TimeChart]:
    """Return every chart of machines that has figures in the totals.

    ``suffix`` ends the names of the charts, and ``of_profile`` their titles if there are several
    profiles. Kinds of systems with fewer machines than ``least`` are left out.
    """
    with_add_on = {_split_of(one): one.repositories for one in add_ons}
    tables = {split.table: repositories for split, repositories in with_add_on.items()}
    tabulate_machines(connection, {"machines": "*", **tables}, least=least)
    known = {week_start(week) for week in counted_weeks(connection)}
    marks = marks_of(quality)

    def chart(split: _Split, named: Mapping[str, ValuesByStart]) -> TimeChart | None:
        figures = figures_of(named, known=known, step_days=WEEK_DAYS, marks=marks)
        if figures is None:
            return None
        return TimeChart(
            name=split.name + suffix,
            section=split.section,
            title=split.title + of_profile,
            counted="machines",
            description=split.description,
            kind=STACK,
            figures=figures,
        )

    charts = [
        *(chart(split, _series(connection, split)) for split in _SPLITS),
        chart(_BY_AGE, _ages(connection)),
        *(chart(split, _series(connection, split)) for split in with_add_on),
    ]
    return [one for one in charts if one is not None]


_BY_AGE = _Split(
    "machines-by-age",
    "Machines per week by age",
    "",
    "",
    "The time since the system was installed, which shows how long systems live.",
)


def _series(connection: sqlite3.Connection, split: _Split) -> dict[str, ValuesByStart]:
    """Return the largest series of a split, and the sum of the others.

    Clients may send a million names, so SQLite chooses and adds up.
    """
    parts = f"SELECT week, {split.key} AS label, sum(machines) AS n FROM {split.table} GROUP BY 1,2"  # noqa: S608
    connection.execute("DROP TABLE IF EXISTS temp.parts")
    connection.execute(f"CREATE TEMP TABLE parts AS {parts}")
    newest = connection.execute("SELECT max(week) FROM parts").fetchone()[0] or 0
    weight = (
        f"CASE WHEN week > {newest - RECENT_DAYS // WEEK_DAYS:d} THEN n ELSE n / {PAST_DIVISOR} END"
    )
    peaks = f"SELECT label, max(n) AS peak, max({weight}) AS weight FROM parts GROUP BY label"  # noqa: S608
    (total, highest) = connection.execute(
        f"SELECT count(*), coalesce(max(peak), 0) FROM ({peaks})"  # noqa: S608
    ).fetchone()
    ranked = connection.execute(
        f"SELECT label FROM ({peaks}) WHERE peak > ? ORDER BY weight DESC, label LIMIT ?",  # noqa: S608
        (highest * NOISE_SHARE, split.most),
    )
    kept = [label for (label,) in ranked]
    order = sorted(kept, key=natural_key) if split.natural_order else kept
    labels = distinct_labels(_label(raw, split) for raw in order)
    named: dict[str, ValuesByStart] = {
        label: _by_monday(connection.execute("SELECT week, n FROM parts WHERE label = ?", (raw,)))
        for label, raw in zip(labels, order, strict=True)
    }
    if total > len(kept):
        marks = ",".join("?" * len(kept))
        rest = f"SELECT week, sum(n) FROM parts WHERE label NOT IN ({marks}) GROUP BY week"  # noqa: S608
        named[others_label(total - len(kept))] = _by_monday(connection.execute(rest, kept))
    return named


def _label(raw: str, split: _Split) -> str:
    # a client may send this character, too, so only the last one separates the version
    name, separator, version = raw.rpartition("\x1f")
    return (
        series_label(name, version=version, empty=split.empty)
        if separator
        else series_label(raw, empty=split.empty)
    )


def _ages(connection: sqlite3.Connection) -> dict[str, ValuesByStart]:
    """Return the machines by age, the oldest at the bottom."""
    sums = ", ".join(f"sum(age_{age})" for age in AGES)
    query = f"SELECT week, sum(machines), {sums} FROM machines GROUP BY week"  # noqa: S608
    named: dict[str, dict[date, float]] = {_AGE_LABELS[age]: {} for age in reversed(AGES)}
    named[_UNKNOWN_AGE] = {}
    for week, machines, *ages in connection.execute(query):
        monday = week_start(week)
        for age, count in zip(AGES, ages, strict=True):
            named[_AGE_LABELS[age]][monday] = count
        named[_UNKNOWN_AGE][monday] = machines - sum(ages)
    return dict(named)


def _by_monday(rows: Iterable[tuple[int, int]]) -> dict[date, float]:
    return {week_start(week): count for week, count in rows}
