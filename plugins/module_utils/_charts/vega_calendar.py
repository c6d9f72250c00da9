# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Vega-Lite form of the calendars of host-days."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from .._base.days_and_weeks import week_of_day, week_start
from .._totals.host_days import HostDays
from .chart import WIDTH, Spec
from .coverage import CLASSES, NOT_RECORDED, coverage_of
from .figures import format_step
from .vega_frame import SCHEMA

if TYPE_CHECKING:
    from .calendar_chart import CalendarChart

#: The colours of the classes. They also differ in lightness, so that no colour vision is needed.
_COLOURS = ("#1b6ca8", "#6baed6", "#f2c14e", "#e07b39", "#8c1d40", "#c3c9d0")
_SUSPECT_COLOUR = "#ffffff"
_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_ROW_HEIGHT = 24
_FURNITURE_HEIGHT = 150


def calendar_height(calendar: CalendarChart) -> int:
    """Return the height of the picture in pixels."""
    rows = {day.isocalendar().year for day in calendar.host_days}
    return _FURNITURE_HEIGHT + _ROW_HEIGHT * (len(rows) if calendar.weekly else 7)


def calendar_spec(calendar: CalendarChart, *, interactive: bool) -> Spec:
    """Return the calendar in Vega-Lite, without a theme."""
    rows = [_cell(calendar, day, found) for day, found in sorted(calendar.host_days.items())]
    columns, column_axis = _columns(calendar)
    lines = sorted({row["line"] for row in rows}) if calendar.weekly else list(_WEEKDAYS)
    encoding = {
        "x": {
            "field": "column",
            "type": "ordinal",
            "scale": {"domain": columns, "paddingInner": 0.12},
            "axis": column_axis,
        },
        "y": {
            "field": "line",
            "type": "ordinal",
            "scale": {"domain": lines, "paddingInner": 0.12},
            "axis": {"title": None, "ticks": False, "domain": False},
        },
    }
    present = [name for name in CLASSES if any(row["coverage"] == name for row in rows)]
    cells: Spec = {
        "mark": {"type": "rect", "cornerRadius": 2},
        "encoding": {
            **encoding,
            "color": {
                "field": "coverage",
                "type": "nominal",
                "scale": {
                    "domain": present,
                    "range": [_COLOURS[CLASSES.index(name)] for name in present],
                },
                "legend": {
                    "title": "Received of the expected host-days",
                    "titleLimit": 300,
                    "orient": "bottom",
                    "columns": {"expr": "max(2, floor(width / 130))"},
                    "symbolType": "square",
                },
            },
            "tooltip": [
                {"field": "t", "type": "nominal", "title": calendar.step},
                {"field": "coverage", "type": "nominal", "title": "received"},
                {"field": "of", "type": "nominal", "title": "host-days"},
                {"field": "care", "type": "nominal", "title": "to be taken with care"},
            ],
        },
    }
    layers = [cells]
    if any("suspect" in row["care"] for row in rows):
        layers.append(
            {
                "transform": [{"filter": "indexof(datum.care, 'suspect') >= 0"}],
                "mark": {
                    "type": "text",
                    "text": "?",
                    "color": _SUSPECT_COLOUR,
                    "fontWeight": "bold",
                },
                "encoding": encoding,
            }
        )
    suspect = "; ? marks weeks whose hits are out of the ordinary" if len(layers) > 1 else ""
    title = {"text": calendar.title, "subtitle": calendar.span + suspect}
    return {
        "$schema": SCHEMA,
        **({} if interactive else {"title": title}),
        "width": "container" if interactive else WIDTH,
        "height": calendar_height(calendar),
        "padding": 8,
        "autosize": {"type": "fit-x" if interactive else "fit", "contains": "padding"},
        "data": {"values": rows},
        "layer": layers,
    }


def _cell(calendar: CalendarChart, day: date, found: HostDays) -> dict[str, Any]:
    weekly = calendar.weekly
    iso = day.isocalendar()
    coverage = coverage_of(found)
    known = coverage != NOT_RECORDED
    monday = week_start(week_of_day(day))
    return {
        "column": iso.week if weekly else str(monday),
        "line": str(iso.year) if weekly else _WEEKDAYS[day.weekday()],
        "coverage": coverage,
        "of": f"{found.received:,} of {found.expected:,}" if known else NOT_RECORDED,
        "t": format_step(day, calendar.step_days),
        "care": calendar.marks.get(monday, "") if weekly else "",
    }


def _columns(calendar: CalendarChart) -> tuple[list[Any], Spec]:
    axis: Spec = {"labelAngle": 0, "ticks": False, "domain": False}
    if calendar.weekly:
        values = [1, *range(5, 54, 4)]
        return list(range(1, 54)), {
            **axis,
            "title": "Week of the year (ISO 8601)",
            "values": values,
        }
    mondays = _all_mondays(calendar)
    columns = [str(monday) for monday in mondays]
    # the first week of each month has a label
    first = [str(m) for n, m in enumerate(mondays) if n == 0 or m.month != mondays[n - 1].month]
    # the label of a month with few weeks would touch the next one
    values = (
        columns if len(columns) <= 8 else [c for c in first if c != columns[0] or len(first) < 2]
    )
    return columns, {
        **axis,
        "title": "Week, by its Monday",
        "values": values,
        "labelOverlap": True,
        **({} if len(columns) <= 8 else {"labelExpr": "slice(datum.label, 0, 7)"}),
    }


def _all_mondays(calendar: CalendarChart) -> list[date]:
    monday = week_start(week_of_day(min(calendar.host_days)))
    last = max(calendar.host_days)
    mondays = []
    while monday <= last:
        mondays.append(monday)
        monday += timedelta(days=7)
    return mondays
