# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Draw all charts as PNG and SVG, and describe each for its interactive page.

A chart without figures is neither drawn nor listed. A source that cannot be read is reported, and
never stops other charts. The same figures give the same bytes, and a file is replaced only where
they differ.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

from .._base.days_and_weeks import week_start
from .._base.errors import CountingError
from .._base.records import WorkUnit
from .._publish.profile import Profile, add_ons_of
from .._publish.totals_reader import read_quality, reading
from .._storage.files import replace_if_changed
from .._totals.host_days import HostDays, host_days_of_combined, host_days_of_raw
from .address_charts import AddressSource
from .addresses import daily_charts, read_daily_clients
from .calendar_chart import CalendarChart
from .chart import WIDTH, Chart, ChartTable, sections_of
from .figures import WEEK_DAYS
from .machines import marks_of, weekly_charts
from .pictures import png_of, svg_of

Notify: TypeAlias = Callable[[WorkUnit], None]


@dataclass(frozen=True)
class ChartSources:
    """The sources of charts. An absent source has no charts.

    Charts of the first profile and of the first condensed log have plain names, and those of others
    end in the name of theirs. If there are several, titles name them.
    """

    profiles: tuple[Profile, ...] = ()
    addresses: tuple[AddressSource, ...] = ()
    combined_dir: Path | None = None
    min_hits: int = 0
    """Kinds of systems with fewer machines in a week are left out."""


@dataclass(frozen=True)
class DrawnChart:
    """A chart as a page needs it. Any text may come from a client, so escape all of it."""

    name: str
    """The files are ``NAME.png`` and ``NAME.svg``; only a-z, 0-9 and dashes."""
    title: str
    description: str
    alt: str
    """A description for readers who do not see the picture."""
    section: str
    """A key of the sections."""
    spec: dict[str, Any]
    """The interactive form in Vega-Lite, with all figures in it and without a theme.

    Its ``config`` is ``chart_theme(dark=…)``. It is as wide as its container.
    """
    table: ChartTable
    width: int
    """The width of the SVG in pixels; the PNG has twice as many."""
    height: int


def _ignore(unit: WorkUnit) -> None:
    """Take no notice of a unit."""


def draw_charts(
    sources: ChartSources, folder: Path, *, notify: Notify = _ignore
) -> list[DrawnChart]:
    """Draw every chart that has figures into ``folder``, and return them in reading order.

    ``notify`` gets a unit for each picture (``made`` or ``unchanged``) and for each source or chart
    that ``failed``. The caller removes pictures of charts that are no longer there.
    """
    drawn = [one for chart in all_charts(sources, notify) for one in _drawn(chart, folder, notify)]
    order = list(sections_of(add_ons_of(sources.profiles)))
    return sorted(drawn, key=lambda one: order.index(one.section))


def all_charts(sources: ChartSources, notify: Notify) -> Iterator[Chart]:
    """Yield the definitions of all charts that have figures."""
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
    sections = sections_of(add_ons_of(sources.profiles))
    for number, source in enumerate(sources.addresses):
        if source.csv.exists():
            suffix = f"-{file_part(source.name)}" if number else ""
            of_log = f", {source.label}" if len(sources.addresses) > 1 else ""
            what = f"charts of client addresses{f' of {source.name}' if number else ''}"
            yield from _guarded(
                what, partial(_of_addresses, source, sections, suffix, of_log), notify
            )


def file_part(name: str) -> str:
    """Return the name of a profile as a part of a file's name."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "profile"


def _guarded(what: str, charts: Callable[[], Sequence[Chart]], notify: Notify) -> Sequence[Chart]:
    try:
        return charts()
    except CountingError as error:
        notify(WorkUnit(what, "failed", (str(error),)))
        return []


def _of_addresses(
    source: AddressSource, sections: Collection[str], suffix: str, of_log: str
) -> Sequence[Chart]:
    clients = read_daily_clients(source.csv)
    charts = source.charts.within(sections)
    return daily_charts(clients, charts, suffix=suffix, of_log=of_log)


def _of_totals(
    profile: Profile, sources: ChartSources, suffix: str, of_profile: str
) -> list[Chart]:
    if not profile.totals_db.exists():
        return []
    with reading(profile.totals_db) as connection:
        quality = read_quality(connection)
        charts: list[Chart] = list(
            weekly_charts(
                connection,
                quality,
                suffix=suffix,
                of_profile=of_profile,
                least=sources.min_hits,
                add_ons=profile.add_ons,
            )
        )
    if quality:
        charts.append(
            CalendarChart(
                name=f"coverage-weeks{suffix}",
                section="coverage",
                title=f"Host-days received per week{of_profile}",
                description="The share of the expected logs that was received. "
                "A host-day is the log of one host for one day.",
                step_days=WEEK_DAYS,
                host_days={
                    week_start(week): HostDays(one.expected_host_days, one.received_host_days)
                    for week, one in sorted(quality.items())
                },
                marks=marks_of(quality),
            )
        )
    return charts


def _of_days(profile: Profile, sources: ChartSources, suffix: str, of_profile: str) -> list[Chart]:
    host_days = _host_days(profile, sources)
    if not any(one.expected for one in host_days.values()):
        return []
    return [
        CalendarChart(
            name=f"coverage-days{suffix}",
            section="coverage",
            title=f"Host-days received per day{of_profile}",
            description="The share of the hosts whose log of the day was received.",
            step_days=1,
            host_days=host_days,
            marks={},
        )
    ]


def _host_days(profile: Profile, sources: ChartSources) -> dict[date, HostDays]:
    if sources.combined_dir is not None and profile.log_name:
        found = host_days_of_combined(sources.combined_dir, profile.log_name)
        if any(one.expected for one in found.values()):
            return found
    return host_days_of_raw(profile.raw_dir) if profile.raw_dir is not None else {}


def _drawn(chart: Chart, folder: Path, notify: Notify) -> Iterator[DrawnChart]:
    """Yield a chart whose pictures are in ``folder``; nothing if it cannot be drawn."""
    title, alt = chart.full_title, chart.alt_text()
    try:
        svg = svg_of(chart.spec(interactive=False), title=title, alt=alt)
        for suffix, content in ((".svg", svg.encode()), (".png", png_of(svg))):
            name = chart.name + suffix
            made = replace_if_changed(folder / name, content)
            notify(WorkUnit(name, "made" if made else "unchanged", figures={"bytes": len(content)}))
    except CountingError as error:
        notify(WorkUnit(f"chart {chart.name}", "failed", (str(error),)))
        return
    yield DrawnChart(
        name=chart.name,
        title=title,
        description=chart.description,
        alt=alt,
        section=chart.section,
        spec=chart.spec(interactive=True),
        table=chart.table(),
        width=WIDTH,
        height=chart.height,
    )
