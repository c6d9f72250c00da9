# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The common parts of a chart over time: rows, axes and colours.

The data have one row for each step, with a column ``s0``, ``s1``, … for each series. Names that
clients chose are values only, never parts of an expression or names of columns.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from .._base.days_and_weeks import DAY_SECONDS
from .chart import Spec
from .figures import STACK, Series, format_step
from .style import series_colours

if TYPE_CHECKING:
    from .time_chart import TimeChart

SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"
HEIGHT = 460

#: Up to this number, steps are drawn as bars, and lines have points.
FEW_STEPS = 12
_BAR_SHARE = 0.35

#: The width in pixels below which numbers are short, and legends go down instead of across.
NARROW = 400

_DAY_MS = DAY_SECONDS * 1000


class Frame(NamedTuple):
    """The common values of the layers of a chart; times in milliseconds since the Unix epoch."""

    chart: TimeChart
    labels: list[str]
    colours: list[str]
    step: int
    first: int
    last: int
    top: float
    interactive: bool


def milliseconds(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * 1000


def frame_of(chart: TimeChart, *, interactive: bool) -> Frame:
    figures = chart.figures
    labels = [one.label for one in figures.series]
    step = figures.step_days * _DAY_MS
    first, last = milliseconds(figures.starts[0]), milliseconds(figures.starts[-1]) + step
    lacking = max(0, 4 * step - (last - first)) // 2
    return Frame(
        chart,
        labels,
        series_colours(labels),
        step,
        first - lacking,
        last + lacking,
        rounded_up(_highest(chart)),
        interactive,
    )


def has_bars(chart: TimeChart) -> bool:
    """Return true if a stack is drawn as one bar for each step."""
    return chart.kind == STACK and len(chart.figures.starts) <= FEW_STEPS


def _highest(chart: TimeChart) -> float:
    columns = zip(*(one.values for one in chart.figures.series), strict=True)
    reached = [[value or 0 for value in column] for column in columns]
    return max(sum(c) if chart.kind == STACK else max(c) for c in reached)


def rounded_up(value: float) -> float:
    """Return the next round number, at which an axis can end."""
    power = 1.0
    while power * 10 < value:
        power *= 10
    steps = (1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10)
    return max(1.0, next(power * s for s in steps if power * s >= value or s == steps[-1]))


def step_rows(frame: Frame) -> Iterator[dict[str, Any]]:
    """Yield a row for the middle of each step, and rows for the edges of areas."""
    figures = frame.chart.figures
    stack = frame.chart.kind == STACK
    bars = has_bars(frame.chart)
    half = frame.step * (_BAR_SHARE if bars else 0.5)
    known = [figures.series[0].values[n] is not None for n in range(len(figures.starts))]
    for n, start in enumerate(figures.starts):
        middle = milliseconds(start) + frame.step // 2
        values = {f"s{k}": one.values[n] for k, one in enumerate(figures.series)}
        edge_before = stack and known[n] and (bars or n == 0 or not known[n - 1])
        edge_after = stack and known[n] and (bars or n + 1 == len(known) or not known[n + 1])
        if edge_before:
            yield {"x": int(middle - half), **values}
        label = format_step(start, figures.step_days)
        named = {"t": label, "m": figures.marks.get(start, "")} if known[n] else {}
        yield {"x": middle, **values, **named}
        if edge_after:
            yield {"x": int(middle + half), **values}
        if bars:
            yield {"x": int(middle + half) + 1, **dict.fromkeys(values)}


def x_encoding(frame: Frame) -> Spec:
    figures = frame.chart.figures
    word = "Week, by its Monday" if frame.chart.step == "week" else "Day"
    axis: Spec = {"title": word, "grid": False, "labelOverlap": True, "tickCount": 10}
    if len(figures.starts) <= FEW_STEPS:
        axis["labelSeparation"] = 6
        axis["values"] = [milliseconds(start) + frame.step // 2 for start in figures.starts]
        axis["labelExpr"] = f"utcFormat(datum.value - {frame.step // 2}, '%Y-%m-%d')"
    elif frame.last - frame.first < 100 * _DAY_MS:
        axis["format"] = "%-d %b"
    return {
        "field": "x",
        "type": "temporal",
        "axis": axis,
        "scale": {"type": "utc", "domain": [frame.first, frame.last]},
    }


def y_encoding(frame: Frame, field: str) -> Spec:
    title = f"{frame.chart.counted[0].upper()}{frame.chart.counted[1:]}"
    return {
        "field": field,
        "type": "quantitative",
        "title": title,
        "axis": {
            "labelExpr": f"format(datum.value, width < {NARROW} ? '~s' : ',d')",
            "tickMinStep": 1,
            "tickCount": 6,
        },
        "scale": {"domain": [0, frame.top], "nice": False},
    }


def colour_encoding(frame: Frame, *, legend: bool) -> Spec:
    # the series on top of the stack comes first, or the line that ends highest
    order = [one.label for one in ordered_legend(frame.chart)]
    columns = {"expr": "max(1, floor(width / 190))"}
    legend_spec: Spec = {
        "title": None,
        "values": order,
        "symbolType": "square",
        "symbolOpacity": 1,
        "labelLimit": 190,
        "symbolLimit": len(order),
        **({"orient": "bottom", "columns": columns} if frame.interactive else {"orient": "right"}),
    }
    return {
        "field": "series",
        "type": "nominal",
        "sort": None,
        "scale": {"domain": frame.labels, "range": frame.colours},
        "legend": legend_spec if legend else None,
    }


def ordered_legend(chart: TimeChart) -> list[Series]:
    """Return the series in their order at the right end, from the top."""
    series = list(chart.figures.series)
    if chart.kind == STACK:
        return series[::-1]
    return sorted(series, key=lambda one: -end_value(one))


def end_value(series: Series) -> float:
    return next((value for value in reversed(series.values) if value is not None), 0)
