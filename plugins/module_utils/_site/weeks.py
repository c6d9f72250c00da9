# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The weeks on the pages: the newest one at a glance, and the quality of each.

All is read from the published files, so a page has only what its readers can download.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from .._base.days_and_weeks import week_name
from .._publish.files import MACHINES_CSV, QUALITY_CSV, QUALITY_JSON, TOTALS_DB
from .._publish.machines import Release, machines_by_release, machines_of_week
from .._publish.newest_week import newest_week_of
from .._publish.profile import Profile
from .._publish.public_text import public_text, visible_text
from .._publish.totals_reader import (
    WeekQuality,
    read_published_quality,
    reading,
    sums_of_week,
)
from .dictionary import Place

#: The first page names this many releases.
_MOST_RELEASES = 10


class State(NamedTuple):
    """A mark of a week, with its meaning for readers."""

    name: str
    meaning: str


STATES = (
    State("complete", "All expected host-days were there when the week was counted."),
    State("partial", "Logs are missing, so the numbers are too low."),
    State("provisional", "Logs are missing that may still come; then the week is counted again."),
    State("unknown", "Counted by an earlier system, which recorded nothing about quality."),
    State(
        "suspect",
        "In addition to its status: the hits are far from those of the weeks before, or one source "
        "sent an unusual share of them.",
    ),
)


class ReleaseLine(NamedTuple):
    """A row of the table of releases."""

    name: str
    machines: int
    share: str


class Glance(NamedTuple):
    """The newest week of a profile in a few numbers."""

    title: str
    quality: WeekQuality
    machines: int
    change: str
    host_days: str
    hits: int
    unique: int
    releases: list[ReleaseLine]
    notes: list[str]
    days: str
    """The week and its days."""
    files: list[Place]
    """The files with its numbers and its quality."""
    quote: str
    """A text by which readers can quote the number."""


class WeekLine(NamedTuple):
    """A row of the table of weeks."""

    quality: WeekQuality
    host_days: str
    computed: str
    """The time of the count to the minute; empty if it is not known."""
    href: str
    """The link to the file of the week; empty if there is none."""


class ProfileWeeks(NamedTuple):
    """All weeks of a profile."""

    title: str
    summary: str
    weeks: list[WeekLine]


def glance_of(profile: Profile, dest: Path, *, folder: str, min_hits: int) -> Glance | None:
    """Return the newest published week of a profile; None if no week is published.

    Releases with fewer than ``min_hits`` machines are added up. ``folder`` is the folder of the
    files, for links.
    """
    quality = read_published_quality(dest / profile.name_of(QUALITY_JSON))
    with reading(dest / profile.name_of(TOTALS_DB)) as connection:
        newest = newest_week_of(connection, quality)
        if newest is None:
            return None
        before = machines_by_release(machines_of_week(connection, newest.week - 1))
        hits, unique = sums_of_week(connection, newest.week)
    known, machines = newest.quality, newest.machines
    return Glance(
        title=profile.label,
        quality=known,
        machines=machines,
        change=_change(machines, before, quality.get(newest.week - 1), newest.week - 1),
        host_days=_format_host_days(known),
        hits=hits,
        unique=unique,
        releases=_release_lines(newest.releases, machines, min_hits),
        notes=_notes(newest.newer, quality),
        days=f"{known.week}, {known.week_start} to {known.week_end}",
        files=[
            Place(name, f"{folder}{name}")
            for name in (profile.name_of(MACHINES_CSV), profile.name_of(QUALITY_CSV))
        ],
        quote=f"{profile.label}, {machines:,} machines in {known.week} ({_trust(known)}), "
        f"{profile.name_of(MACHINES_CSV)}",
    )


def _trust(quality: WeekQuality) -> str:
    """Return the marks of a week that belong to each of its numbers: ``complete, revision 1``."""
    revision = "" if quality.revision is None else f", revision {quality.revision}"
    return f"{quality.status}{' and suspect' if quality.suspect else ''}{revision}"


def _change(
    machines: int, before: Sequence[Release], quality: WeekQuality | None, week: int
) -> str:
    """Return the difference from the week before, with the doubts about that week."""
    earlier = sum(one.machines for one in before)
    if not earlier:
        return f"There are no numbers of the week before, {week_name(week)}."
    difference = machines - earlier
    change = f"{difference:+,} ({difference / earlier:+.1%})" if difference else "No change"
    text = f"{change} on the week before"
    doubts = [quality.status] if quality and quality.status not in ("complete", "unknown") else []
    doubts += ["suspect"] if quality and quality.suspect else []
    return f"{text}, which is {' and '.join(doubts)}." if doubts else f"{text}."


def _release_lines(releases: Sequence[Release], machines: int, min_hits: int) -> list[ReleaseLine]:
    named: Counter[str] = Counter()
    for one in releases:
        name = f"{public_text(one.os_name)} {public_text(one.os_version, 'os_version')}".strip()
        label = visible_text(name) or "(no name)"
        named[label if one.machines >= min_hits else ""] += one.machines
    rare = named.pop("", 0)
    ranked = sorted(named.items(), key=lambda one: (-one[1], one[0]))
    lines = [ReleaseLine(n, count, _share(count, machines)) for n, count in ranked]
    top, rest = lines[:_MOST_RELEASES], lines[_MOST_RELEASES:]
    others = sum(line.machines for line in rest) + rare
    if others:
        others_label = f"{len(rest):,} others" if rest and not rare else "others"
        top.append(ReleaseLine(others_label, others, _share(others, machines)))
    return top


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.1%}" if whole else ""


def _notes(newer: Iterable[int], quality: Mapping[int, WeekQuality]) -> list[str]:
    named = [f"{week_name(week)} is {quality[week].status}" for week in newer if week in quality]
    return [f"Newer, but not complete: {', '.join(named)}."] if named else []


def _format_host_days(quality: WeekQuality) -> str:
    """Format the host-days of a week as ``167 of 168 host-days``."""
    if quality.expected_host_days is None or quality.received_host_days is None:
        return "not recorded"
    return f"{quality.received_host_days:,} of {quality.expected_host_days:,} host-days"


def weeks_of(profile: Profile, dest: Path, *, folder: str) -> ProfileWeeks:
    """Return all published weeks, the newest first. ``folder`` is the folder of files, for links."""
    quality = read_published_quality(dest / profile.name_of(QUALITY_JSON))
    lines = []
    for week, one in sorted(quality.items(), reverse=True):
        name = profile.week_file(week)
        href = f"{folder}{name}" if (dest / name).is_file() else ""
        computed = (one.computed_at or "")[:16].replace("T", " ")
        host_days = _format_host_days(one).removesuffix(" host-days")
        lines.append(WeekLine(one, host_days, computed, href))
    return ProfileWeeks(profile.label, _summary(quality.values()), lines)


def _summary(weeks: Iterable[WeekQuality]) -> str:
    counted = list(weeks)
    statuses = Counter(one.status for one in counted)
    parts = [f"{count:,} {status}" for status, count in sorted(statuses.items())]
    suspect = sum(bool(one.suspect) for one in counted)
    text = f"{len(counted):,} {'week' if len(counted) == 1 else 'weeks'}: {', '.join(parts)}."
    return f"{text} {suspect:,} suspect." if suspect else text
