# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Vega-Lite form of a chart over time, for its pictures and for its interactive form.

Figures go in as one row a step, with a column ``s0``, ``s1``, … for each series; the names that
clients chose are values only, never parts of an expression or names of columns.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any, NamedTuple, TypeAlias

from ._calendar import DAY_SECONDS
from ._chart_figures import DOTS, LINES, STACK, Chart, Series, spell_step
from ._chart_style import series_colours

Spec: TypeAlias = "dict[str, Any]"

SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"
WIDTH = 800
HEIGHT = 460

#: So few steps are drawn as bars, and lines get points.
FEW_STEPS = 12
_BAR_SHARE = 0.35
#: The share of a picture's height that figures are drawn on, and the room a label takes.
_PLOT_HEIGHT = 330
_LABEL_HEIGHT = 14

#: Pixels; below it numbers are short, and legends go down instead of across.
_NARROW = 400

_DAY_MS = DAY_SECONDS * 1000
_MARK_SHAPES = {
    "provisional": "circle",
    "partial": "triangle-down",
    "suspect": "diamond",
    "partial and suspect": "cross",
    "provisional and suspect": "square",
}


class _Frame(NamedTuple):
    """What the layers of a chart share. Times in milliseconds since the Unix epoch."""

    chart: Chart
    labels: list[str]
    colours: list[str]
    step: int
    first: int
    last: int
    top: float
    interactive: bool


def milliseconds(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * 1000


def chart_spec(chart: Chart, *, interactive: bool) -> Spec:
    """The chart in Vega-Lite, without a theme: see :func:`~._chart_style.chart_theme`."""
    frame = _frame(chart, interactive=interactive)
    direct = chart.kind == LINES and not interactive
    layers = [*_care_layers(frame), _figure_layer(frame, legend=not direct)]
    if direct:
        layers += _label_layers(frame)
    if interactive:
        layers.append(_hover_layer(frame))
    return {
        "$schema": SCHEMA,
        # a page has its own heading, which wraps where it is narrow
        **({} if interactive else {"title": {"text": chart.title, "subtitle": _subtitle(chart)}}),
        "width": "container" if interactive else WIDTH,
        "height": HEIGHT,
        "padding": {"left": 8, "top": 8, "bottom": 8, "right": 12},
        "autosize": {"type": "fit-x" if interactive else "fit", "contains": "padding"},
        "data": {"values": list(_rows(frame))},
        "layer": layers,
        "resolve": {"scale": {"shape": "independent"}},
    }


def _subtitle(chart: Chart) -> str:
    marked, steps = len(chart.figures.marks), len(chart.figures.starts)
    care = f"; {marked:,} of {steps:,} weeks marked, to be taken with care" if marked else ""
    return chart.span + care


def _frame(chart: Chart, *, interactive: bool) -> _Frame:
    figures = chart.figures
    labels = [one.label for one in figures.series]
    step = figures.step_days * _DAY_MS
    first, last = milliseconds(figures.starts[0]), milliseconds(figures.starts[-1]) + step
    lacking = max(0, 4 * step - (last - first)) // 2
    return _Frame(
        chart,
        labels,
        series_colours(labels),
        step,
        first - lacking,
        last + lacking,
        rounded_up(_highest(chart)),
        interactive,
    )


def _highest(chart: Chart) -> float:
    columns = zip(*(one.values for one in chart.figures.series), strict=True)
    reached = [[value or 0 for value in column] for column in columns]
    return max(sum(c) if chart.kind == STACK else max(c) for c in reached)


def rounded_up(value: float) -> float:
    """The next number that an axis may well end at."""
    power = 1.0
    while power * 10 < value:
        power *= 10
    steps = (1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10)
    return max(1.0, next(power * s for s in steps if power * s >= value or s == steps[-1]))


def _rows(frame: _Frame) -> Iterator[dict[str, Any]]:
    """One row a step at its middle; more where an area begins or ends, so that it has an edge."""
    figures = frame.chart.figures
    stack = frame.chart.kind == STACK
    few = len(figures.starts) <= FEW_STEPS
    half = frame.step * (_BAR_SHARE if few else 0.5)
    known = [figures.series[0].values[n] is not None for n in range(len(figures.starts))]
    for n, start in enumerate(figures.starts):
        middle = milliseconds(start) + frame.step // 2
        values = {f"s{k}": one.values[n] for k, one in enumerate(figures.series)}
        edge_before = stack and known[n] and (few or n == 0 or not known[n - 1])
        edge_after = stack and known[n] and (few or n + 1 == len(known) or not known[n + 1])
        if edge_before:
            yield {"x": int(middle - half), **values}
        label = spell_step(start, figures.step_days)
        named = {"t": label, "m": figures.marks.get(start, "")} if known[n] else {}
        yield {"x": middle, **values, **named}
        if edge_after:
            yield {"x": int(middle + half), **values}
        if stack and few:
            yield {"x": int(middle + half) + 1, **dict.fromkeys(values)}


def _x(frame: _Frame) -> Spec:
    figures = frame.chart.figures
    word = "Week, by its Monday" if frame.chart.steps == "week" else "Day"
    axis: Spec = {"title": word, "grid": False, "labelOverlap": True, "tickCount": 10}
    if len(figures.starts) <= FEW_STEPS:
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


def _y(frame: _Frame, field: str) -> Spec:
    title = f"{frame.chart.counted[0].upper()}{frame.chart.counted[1:]}"
    return {
        "field": field,
        "type": "quantitative",
        "title": title,
        "axis": {
            "labelExpr": f"format(datum.value, width < {_NARROW} ? '~s' : ',d')",
            "tickMinStep": 1,
            "tickCount": 6,
        },
        "scale": {"domain": [0, frame.top], "nice": False},
    }


def _figure_layer(frame: _Frame, *, legend: bool) -> Spec:
    kind = frame.chart.kind
    return {
        "transform": _long_form(frame),
        "mark": _mark(frame),
        "encoding": {
            "x": _x(frame),
            **(
                {"y": _y(frame, "y0"), "y2": {"field": "y1"}}
                if kind == STACK
                else {"y": _y(frame, "value")}
            ),
            "color": _colour(frame, legend=legend),
            **(_picked_opacity(kind) if frame.interactive else {}),
        },
        **({"params": _picking()} if frame.interactive else {}),
    }


def _long_form(frame: _Frame) -> list[Spec]:
    """From a column a series to a row a value, with the label of its series."""
    columns = [f"s{k}" for k in range(len(frame.labels))]
    labels = [{"key": c, "series": s} for c, s in zip(columns, frame.labels, strict=True)]
    transform: list[Spec] = [
        {"fold": columns, "as": ["key", "value"]},
        {
            "lookup": "key",
            "from": {"data": {"values": labels}, "key": "key", "fields": ["series"]},
        },
    ]
    if frame.chart.kind == STACK:
        order = "toNumber(slice(datum.key, 1))"
        transform += [
            {"calculate": order, "as": "order"},
            {
                "stack": "value",
                "groupby": ["x"],
                "sort": [{"field": "order"}],
                "as": ["y0", "upper"],
            },
            # a step without figures is a gap, not a fall to zero
            {"calculate": "isValid(datum.value) ? datum.upper : null", "as": "y1"},
            {"calculate": "isValid(datum.value) ? datum.y0 : null", "as": "y0"},
        ]
    return transform


def _mark(frame: _Frame) -> Spec:
    clip = {"clip": True} if frame.interactive else {}
    if frame.chart.kind == STACK:
        edge = {"line": False, "strokeWidth": 0}
        return {"type": "area", "invalid": "break-paths-show-path-domains", **edge, **clip}
    if frame.chart.kind == DOTS:
        size = 14 if len(frame.chart.figures.starts) > 100 else 36
        return {"type": "circle", "size": size, "opacity": 0.7, **clip}
    point = len(frame.chart.figures.starts) <= 5 * FEW_STEPS
    return {
        "type": "line",
        "strokeWidth": 1.8,
        "invalid": "break-paths-show-path-domains",
        **({"point": {"size": 40}} if point else {}),
        **clip,
    }


def _colour(frame: _Frame, *, legend: bool) -> Spec:
    # as in the stack: what lies on top comes first; lines: what ends highest
    order = [one.label for one in ordered_legend(frame.chart)]
    columns = {"expr": "max(1, floor(width / 190))"}
    shown: Spec = {
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
        "legend": shown if legend else None,
    }


def ordered_legend(chart: Chart) -> list[Series]:
    """The series as the eye meets them at the right end, from the top."""
    series = list(chart.figures.series)
    if chart.kind == STACK:
        return series[::-1]
    return sorted(series, key=lambda one: -_end(one))


def _end(series: Series) -> float:
    return next((value for value in reversed(series.values) if value is not None), 0)


def _picking() -> list[Spec]:
    """What a reader can do: pick series in the legend; move and, with Shift, zoom in time."""
    return [
        {"name": "pick", "select": {"type": "point", "fields": ["series"]}, "bind": "legend"},
        {
            "name": "time",
            "select": {
                "type": "interval",
                "encodings": ["x"],
                "zoom": "wheel![event.shiftKey]",
            },
            "bind": "scales",
        },
    ]


def _picked_opacity(kind: str) -> Spec:
    full = 0.7 if kind == DOTS else 1
    return {"opacity": {"condition": {"param": "pick", "value": full}, "value": 0.12}}


def _care_layers(frame: _Frame) -> list[Spec]:
    """Bands and signs for the steps that are to be taken with care."""
    figures = frame.chart.figures
    if not figures.marks:
        return []
    first, last = figures.starts[0], figures.starts[-1]
    rows = [
        {
            "from": milliseconds(start),
            "until": milliseconds(start) + frame.step,
            "middle": milliseconds(start) + frame.step // 2,
            "care": why,
        }
        for start, why in sorted(figures.marks.items())
        if first <= start <= last
    ]
    present = [why for why in _MARK_SHAPES if any(row["care"] == why for row in rows)]
    x = _x(frame)
    band: Spec = {
        "data": {"values": rows},
        "mark": {"type": "rect", "color": "#8b949e", "opacity": 0.22, "clip": True},
        "encoding": {"x": {**x, "field": "from"}, "x2": {"field": "until"}},
    }
    sign: Spec = {
        "data": {"values": rows},
        "mark": {
            "type": "point",
            "filled": True,
            "size": 60,
            "color": "#c4314b",
            "opacity": 1,
            # above the figures; where these can be moved, all is clipped to their ground
            "yOffset": 7 if frame.interactive else -7,
        },
        "encoding": {
            "x": {**x, "field": "middle"},
            "y": {"value": 0},
            "shape": {
                "field": "care",
                "type": "nominal",
                "scale": {"domain": present, "range": [_MARK_SHAPES[why] for why in present]},
                "legend": {
                    "title": None,
                    "orient": "top",
                    "direction": "horizontal",
                    "columns": {"expr": f"width < {_NARROW} ? 1 : {len(_MARK_SHAPES)}"},
                    "symbolFillColor": "#c4314b",
                    "symbolStrokeColor": "#c4314b",
                    "labelExpr": "datum.label + ' week'",
                },
            },
        },
    }
    return [band, sign]


def _label_layers(frame: _Frame) -> list[Spec]:
    """Names at the ends of the lines, moved apart, each with a thread to its line."""
    ends = [(one, _end(one)) for one in ordered_legend(frame.chart)]
    gap = frame.top * _LABEL_HEIGHT / _PLOT_HEIGHT
    places = spread_apart([end for _series, end in ends], gap=gap, top=frame.top)
    rows = [
        {"series": one.label, "end": end, "place": place}
        for (one, end), place in zip(ends, places, strict=True)
    ]
    place = {**_y(frame, "place")}
    colour = _colour(frame, legend=False)
    edge = {"value": {"expr": "width"}}
    outside = {"value": {"expr": "width + 12"}}
    thread: Spec = {
        "data": {"values": rows},
        "mark": {"type": "rule", "opacity": 0.8},
        "encoding": {
            "x": edge,
            "x2": outside,
            "y": {**place, "field": "end"},
            "y2": {"field": "place"},
            "color": colour,
        },
    }
    sign: Spec = {
        "data": {"values": rows},
        "mark": {"type": "square", "size": 60, "opacity": 1, "xOffset": 5},
        "encoding": {"x": outside, "y": place, "color": colour},
    }
    name: Spec = {
        "data": {"values": rows},
        "mark": {"type": "text", "align": "left", "baseline": "middle", "dx": 13},
        "encoding": {
            "x": outside,
            "y": place,
            "text": {"field": "series"},
        },
    }
    return [thread, sign, name]


def spread_apart(places: list[float], *, gap: float, top: float) -> list[float]:
    """Descending places moved as little as keeps them ``gap`` apart, between 0 and ``top``."""
    gap = min(gap, top / max(1, len(places) - 1))
    spread: list[float] = []
    for place in places:
        spread.append(min(place, spread[-1] - gap) if spread else place)
    # what was pushed below the axis goes up again and takes its neighbours along
    floor = 0.0
    for n in range(len(spread) - 1, -1, -1):
        spread[n] = max(spread[n], floor)
        floor = spread[n] + gap
    return spread


def _hover_layer(frame: _Frame) -> Spec:
    """A ground for each step, which tells its figures to the pointer above it."""
    series = [
        {"field": f"s{k}", "type": "quantitative", "title": label, "format": ","}
        for k, label in enumerate(frame.labels)
    ]
    if frame.chart.kind == STACK:
        series.reverse()
    tooltip: list[Spec] = [{"field": "t", "type": "nominal", "title": frame.chart.steps}, *series]
    if frame.chart.figures.marks:
        tooltip.insert(1, {"field": "m", "type": "nominal", "title": "to be taken with care"})
    # not "nearest": with it Vega-Lite 6 looks for words in the wrong place
    shown = {"condition": {"param": "hover", "empty": False, "value": 0.35}, "value": 0.001}
    half = frame.step // 2
    return {
        "transform": [
            {"filter": "isValid(datum.t)"},
            {"calculate": f"datum.x - {half}", "as": "from"},
            {"calculate": f"datum.x - {half} + {frame.step}", "as": "until"},
        ],
        "params": [
            {
                "name": "hover",
                "select": {
                    "type": "point",
                    "fields": ["x"],
                    "on": "pointerover",
                    "clear": "pointerout",
                },
            }
        ],
        "mark": {"type": "rect", "color": "#8b949e", "clip": True},
        "encoding": {
            "x": {**_x(frame), "field": "from"},
            "x2": {"field": "until"},
            "opacity": shown,
            "tooltip": tooltip,
        },
    }
