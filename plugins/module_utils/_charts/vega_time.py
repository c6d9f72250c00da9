# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Vega-Lite form of a chart over time, for its pictures and for its interactive page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .chart import WIDTH, Spec
from .figures import DOTS, LINES, STACK
from .vega_frame import (
    FEW_STEPS,
    HEIGHT,
    SCHEMA,
    Frame,
    colour_encoding,
    frame_of,
    step_rows,
    x_encoding,
    y_encoding,
)
from .vega_signs import care_layers, label_layers

if TYPE_CHECKING:
    from .time_chart import TimeChart


def time_spec(chart: TimeChart, *, interactive: bool) -> Spec:
    """Return the chart in Vega-Lite, without a theme (see :func:`~.style.chart_theme`)."""
    frame = frame_of(chart, interactive=interactive)
    direct = chart.kind == LINES and not interactive
    layers = [*care_layers(frame), _figure_layer(frame, legend=not direct)]
    if direct:
        layers += label_layers(frame)
    if interactive:
        layers.append(_hover_layer(frame))
    return {
        "$schema": SCHEMA,
        # the page has its own heading, which wraps on a narrow screen
        **({} if interactive else {"title": {"text": chart.title, "subtitle": _subtitle(chart)}}),
        "width": "container" if interactive else WIDTH,
        "height": HEIGHT,
        "padding": {"left": 8, "top": 8, "bottom": 8, "right": 12},
        "autosize": {"type": "fit-x" if interactive else "fit", "contains": "padding"},
        "data": {"values": list(step_rows(frame))},
        "layer": layers,
        "resolve": {"scale": {"shape": "independent"}},
    }


def _subtitle(chart: TimeChart) -> str:
    marked, steps = len(chart.figures.marks), len(chart.figures.starts)
    care = f"; {marked:,} of {steps:,} weeks marked, to be taken with care" if marked else ""
    return chart.span + care


def _figure_layer(frame: Frame, *, legend: bool) -> Spec:
    kind = frame.chart.kind
    return {
        "transform": _long_form(frame),
        "mark": _mark(frame),
        "encoding": {
            "x": x_encoding(frame),
            **(
                {"y": y_encoding(frame, "y0"), "y2": {"field": "y1"}}
                if kind == STACK
                else {"y": y_encoding(frame, "value")}
            ),
            "color": colour_encoding(frame, legend=legend),
            **(_picked_opacity(kind) if frame.interactive else {}),
        },
        **({"params": _picking()} if frame.interactive else {}),
    }


def _long_form(frame: Frame) -> list[Spec]:
    """Return the transform from a column for each series to a row for each value."""
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
            # a step without values is a gap, not a fall to zero
            {"calculate": "isValid(datum.value) ? datum.upper : null", "as": "y1"},
            {"calculate": "isValid(datum.value) ? datum.y0 : null", "as": "y0"},
        ]
    return transform


def _mark(frame: Frame) -> Spec:
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


def _picking() -> list[Spec]:
    """Return the interactions: pick series in the legend; move and, with Shift, zoom in time."""
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


def _hover_layer(frame: Frame) -> Spec:
    """Return a layer with an area for each step, which shows its figures under the pointer."""
    series = [
        {"field": f"s{k}", "type": "quantitative", "title": label, "format": ","}
        for k, label in enumerate(frame.labels)
    ]
    if frame.chart.kind == STACK:
        series.reverse()
    tooltip: list[Spec] = [{"field": "t", "type": "nominal", "title": frame.chart.step}, *series]
    if frame.chart.figures.marks:
        tooltip.insert(1, {"field": "m", "type": "nominal", "title": "to be taken with care"})
    # with "nearest", Vega-Lite 6 takes the tooltip from the wrong row
    opacity = {"condition": {"param": "hover", "empty": False, "value": 0.35}, "value": 0.001}
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
            "x": {**x_encoding(frame), "field": "from"},
            "x2": {"field": "until"},
            "opacity": opacity,
            "tooltip": tooltip,
        },
    }
