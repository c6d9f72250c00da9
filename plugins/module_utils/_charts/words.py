# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The words and numbers that say what a chart shows to those who don't see it."""

from __future__ import annotations

from typing import NamedTuple

from .._base.days_and_weeks import week_name, week_of_day
from .coverage import NOT_RECORDED, WEEKS, Calendar, spell_gaps
from .figures import DOTS, LINES, WEEK_DAYS, Chart, spell_step, totals_of
from .vega_frame import has_bars, ordered_legend

#: A table has so many of the newest rows.
MOST_ROWS = 60
_SERIES_NAMED = 3
_KINDS = {LINES: "Lines", DOTS: "Dots"}


class ChartTable(NamedTuple):
    """The figures of a chart as text, the newest row first."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    rows_in_all: int
    """How many there are; ``rows`` has only the newest."""


def chart_alt(chart: Chart) -> str:
    """What is seen in a chart, in two sentences."""
    figures = chart.figures
    kind = _KINDS.get(chart.kind, "Stacked bars" if has_bars(chart) else "Stacked areas")
    newest = max(n for n, v in enumerate(figures.series[0].values) if v is not None)
    total = totals_of(figures.series, newest)
    series = sorted(figures.series, key=lambda one: -(one.values[newest] or 0))
    named = [f"{one.label} {_number(one.values[newest])}" for one in series if one.values[newest]]
    more = len(named) - _SERIES_NAMED
    listed = ", ".join(named[:_SERIES_NAMED]) + (f" and {more} more" if more > 0 else "")
    when = _short_step(chart, newest)
    summed = f"{_number(total)} in all; " if chart.kind not in _KINDS else ""
    first = f"{kind}: {chart.full_title}."
    if not named:
        return f"{first} {when}: none."
    return f"{first} {when}: {summed}{listed}."


def _short_step(chart: Chart, step: int) -> str:
    start = chart.figures.starts[step]
    weekly = chart.figures.step_days == WEEK_DAYS
    return f"In {week_name(week_of_day(start))}" if weekly else f"On {start}"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:,.0f}"


def chart_table(chart: Chart) -> ChartTable:
    """The newest figures of a chart; an empty cell is a step that nothing is known of."""
    figures = chart.figures
    series = ordered_legend(chart)
    marked = bool(figures.marks)
    header = (chart.steps, *(one.label for one in series), *(["care"] if marked else []))
    rows = [
        (
            spell_step(start, figures.step_days),
            *(_number(one.values[n]) for one in series),
            *([figures.marks.get(start, "")] if marked else []),
        )
        for n, start in enumerate(figures.starts)
    ]
    return ChartTable(header, tuple(rows[: -MOST_ROWS - 1 : -1]), len(rows))


def calendar_alt(calendar: Calendar) -> str:
    """What is seen in a calendar, in two sentences."""
    gaps = spell_gaps(calendar.host_days, calendar.kind)
    unknown = sum(one.coverage == NOT_RECORDED for one in calendar.host_days.values())
    said = f"; {unknown:,} are not recorded" if unknown else ""
    return f"Calendar: {calendar.full_title}. {gaps[0].upper()}{gaps[1:]}{said}."


def calendar_table(calendar: Calendar) -> ChartTable:
    """The newest host-days of a calendar."""
    step_days = WEEK_DAYS if calendar.kind == WEEKS else 1
    rows = [
        (
            spell_step(day, step_days),
            _number(one.received),
            _number(one.expected),
            one.coverage,
            *([calendar.marks.get(day, "")] if calendar.marks else []),
        )
        for day, one in sorted(calendar.host_days.items(), reverse=True)
    ]
    care = ["care"] if calendar.marks else []
    header = (calendar.steps, "received host-days", "expected host-days", "received", *care)
    return ChartTable(header, tuple(rows[:MOST_ROWS]), len(rows))
