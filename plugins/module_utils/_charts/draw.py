# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All charts: which there are, drawn as PNG and SVG, and in the form for the interactive page.

A chart without figures isn't drawn and isn't listed. What can't be read is told, and never stops
the others. The same figures give the same bytes, and a file is replaced only where they differ.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

from .._base.errors import CountingError
from .._base.records import WorkUnit
from .._publish.profile import Profile
from .._publish.totals_reader import read_quality, reading
from .._storage.files import replace_if_changed
from .addresses import daily_charts, read_daily_clients
from .coverage import (
    DAYS,
    WEEKS,
    Calendar,
    HostDays,
    host_days_by_week,
    host_days_of_combined,
    host_days_of_raw,
)
from .figures import Chart
from .machines import marks_of, weekly_charts
from .pictures import png_of, svg_of
from .vega_calendar import calendar_height, calendar_spec
from .vega_frame import HEIGHT, WIDTH
from .vega_time import chart_spec
from .words import ChartTable, calendar_alt, calendar_table, chart_alt, chart_table

#: Grows when the same figures give other pictures, so that they are drawn again.
RULES = 2

#: The sections charts are listed under, in this order, and their headings.
SECTIONS = {
    "machines": "Machines",
    "epel": "EPEL",
    "addresses": "Client addresses",
    "coverage": "Coverage",
}

_AnyChart: TypeAlias = "Chart | Calendar"


@dataclass(frozen=True)
class ChartSources:
    """What charts are made of; whatever is absent has no charts.

    Charts of the first profile have plain names, those of others end in the name of theirs. Titles
    tell several profiles apart.
    """

    profiles: tuple[Profile, ...] = ()
    mirrors_csv: Path | None = None
    """The file mirrorsdata-all.csv."""
    combined_dir: Path | None = None
    min_hits: int = 0
    """Systems of fewer machines in a week than this are left out."""


@dataclass(frozen=True)
class DrawnChart:
    """A chart as a page needs it. All text may hold what clients said: escape it."""

    name: str
    """The files are ``NAME.png`` and ``NAME.svg``; only a-z, 0-9 and dashes."""
    title: str
    description: str
    alt: str
    """What is seen, for those who don't see it."""
    section: str
    """A key of SECTIONS."""
    spec: dict[str, Any]
    """The interactive form in Vega-Lite, with all figures in it and without a theme: give
    ``chart_theme(dark=…)`` as its ``config``. It is as wide as its container."""
    table: ChartTable
    width: int
    """Of the SVG, in pixels; the PNG has twice as many."""
    height: int


def no_notice(unit: WorkUnit) -> None:
    """For callers who don't listen."""


def draw_charts(
    sources: ChartSources, folder: Path, *, notify: Callable[[WorkUnit], None] = no_notice
) -> list[DrawnChart]:
    """Draw every chart that there are figures for, into ``folder``; gives them in reading order.

    ``notify`` gets a unit for each picture (``made`` or ``unchanged``) and for each source or chart
    that ``failed``. Pictures of charts that are no longer there are left for the caller to remove.
    """
    drawn = [one for chart in all_charts(sources, notify) for one in _drawn(chart, folder, notify)]
    order = list(SECTIONS)
    return sorted(drawn, key=lambda one: order.index(one.section))


def chart_inputs(sources: ChartSources) -> list[Path]:
    """The files that charts are made of, so that a caller can tell whether they are out of date.

    The records of single days are not among them; each day of theirs changes the totals too.
    """
    files = [profile.totals_db for profile in sources.profiles]
    return [*files, *([sources.mirrors_csv] if sources.mirrors_csv else [])]


def all_charts(sources: ChartSources, notify: Callable[[WorkUnit], None]) -> Iterator[_AnyChart]:
    """The definitions of all charts that there are figures for."""
    for number, profile in enumerate(sources.profiles):
        suffix = f"-{file_part(profile.name)}" if number else ""
        of_profile = f", {profile.label}" if len(sources.profiles) > 1 else ""
        yield from _guarded(
            f"charts of {profile.name}",
            partial(_of_totals, profile, sources, suffix, of_profile),
            notify,
        )
        yield from _guarded(
            f"days of {profile.name}",
            partial(_of_days, profile, sources, suffix, of_profile),
            notify,
        )
    mirrors_csv = sources.mirrors_csv
    if mirrors_csv is not None and mirrors_csv.exists():
        yield from _guarded(
            "charts of client addresses",
            partial(_of_mirrors, mirrors_csv),
            notify,
        )


def file_part(name: str) -> str:
    """The name of a profile as a part of a file's name."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "profile"


def _guarded(
    what: str, charts: Callable[[], list[Any]], notify: Callable[[WorkUnit], None]
) -> list[_AnyChart]:
    try:
        return charts()
    except CountingError as error:
        notify(WorkUnit(what, "failed", (str(error),)))
        return []


def _of_mirrors(mirrors_csv: Path) -> list[Chart]:
    return list(daily_charts(read_daily_clients(mirrors_csv)))


def _of_totals(
    profile: Profile, sources: ChartSources, suffix: str, of_profile: str
) -> list[_AnyChart]:
    if not profile.totals_db.exists():
        return []
    with reading(profile.totals_db) as connection:
        quality = read_quality(connection)
        charts: list[_AnyChart] = list(
            weekly_charts(
                connection,
                quality,
                suffix=suffix,
                of_profile=of_profile,
                least=sources.min_hits,
            )
        )
    if quality:
        charts.append(
            Calendar(
                name=f"coverage-weeks{suffix}",
                section="coverage",
                title=f"Host-days received per week{of_profile}",
                description="How much of what should be counted is there. "
                "A host-day is the log of one host for one day.",
                kind=WEEKS,
                host_days=host_days_by_week(quality),
                marks=marks_of(quality),
            )
        )
    return charts


def _of_days(
    profile: Profile, sources: ChartSources, suffix: str, of_profile: str
) -> list[_AnyChart]:
    host_days = _host_days(profile, sources)
    if not any(one.expected for one in host_days.values()):
        return []
    return [
        Calendar(
            name=f"coverage-days{suffix}",
            section="coverage",
            title=f"Host-days received per day{of_profile}",
            description="From how many of the hosts there is a log of the day.",
            kind=DAYS,
            host_days=host_days,
            marks={},
        )
    ]


def _host_days(profile: Profile, sources: ChartSources) -> dict[Any, HostDays]:
    if sources.combined_dir is not None and profile.log_name:
        found = host_days_of_combined(sources.combined_dir, profile.log_name)
        if any(one.expected for one in found.values()):
            return found
    return host_days_of_raw(profile.raw_dir) if profile.raw_dir is not None else {}


def _drawn(
    chart: _AnyChart, folder: Path, notify: Callable[[WorkUnit], None]
) -> Iterator[DrawnChart]:
    described = _described(chart)
    try:
        svg = svg_of(_spec(chart, interactive=False), title=described.title, alt=described.alt)
        for suffix, content in ((".svg", svg.encode()), (".png", png_of(svg))):
            name = chart.name + suffix
            made = replace_if_changed(folder / name, content)
            notify(WorkUnit(name, "made" if made else "unchanged", figures={"bytes": len(content)}))
    except CountingError as error:
        notify(WorkUnit(f"chart {chart.name}", "failed", (str(error),)))
        return
    yield replace(described, spec=_spec(chart, interactive=True))


def _spec(chart: _AnyChart, *, interactive: bool) -> dict[str, Any]:
    if isinstance(chart, Chart):
        return chart_spec(chart, interactive=interactive)
    return calendar_spec(chart, interactive=interactive)


def _described(chart: _AnyChart) -> DrawnChart:
    return DrawnChart(
        name=chart.name,
        title=chart.full_title,
        description=chart.description,
        alt=calendar_alt(chart) if isinstance(chart, Calendar) else chart_alt(chart),
        section=chart.section,
        spec={},
        table=calendar_table(chart) if isinstance(chart, Calendar) else chart_table(chart),
        width=WIDTH,
        height=calendar_height(chart) if isinstance(chart, Calendar) else HEIGHT,
    )
