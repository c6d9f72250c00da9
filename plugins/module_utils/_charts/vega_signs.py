# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The signs around the figures of a chart: signs at weeks that need care, and names of lines."""

from __future__ import annotations

from .chart import Spec
from .vega_frame import (
    NARROW,
    Frame,
    colour_encoding,
    end_value,
    milliseconds,
    ordered_legend,
    x_encoding,
    y_encoding,
)

#: The height in pixels of the figures, and of a label.
_PLOT_HEIGHT = 330
_LABEL_HEIGHT = 14

_MARK_SHAPES = {
    "provisional": "circle",
    "partial": "triangle-down",
    "suspect": "diamond",
    "partial and suspect": "cross",
    "provisional and suspect": "square",
}


def care_layers(frame: Frame) -> list[Spec]:
    """Return bands and signs for the steps that need care."""
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
    x = x_encoding(frame)
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
            # above the figures; in the interactive form, everything is clipped to their area
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
                    "columns": {"expr": f"width < {NARROW} ? 1 : {len(_MARK_SHAPES)}"},
                    "symbolFillColor": "#c4314b",
                    "symbolStrokeColor": "#c4314b",
                    "labelExpr": "datum.label + ' week'",
                },
            },
        },
    }
    return [band, sign]


def label_layers(frame: Frame) -> list[Spec]:
    """Return the names at the ends of the lines, moved apart, each with a rule to its line."""
    ends = [(one, end_value(one)) for one in ordered_legend(frame.chart)]
    gap = frame.top * _LABEL_HEIGHT / _PLOT_HEIGHT
    places = spread_apart([end for _series, end in ends], gap=gap, top=frame.top)
    rows = [
        {"series": one.label, "end": end, "place": place}
        for (one, end), place in zip(ends, places, strict=True)
    ]
    place = {**y_encoding(frame, "place")}
    colour = colour_encoding(frame, legend=False)
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
    """Return descending places, moved as little as possible to be ``gap`` apart.

    All are between 0 and ``top``.
    """
    gap = min(gap, top / max(1, len(places) - 1))
    spread: list[float] = []
    for place in places:
        spread.append(min(place, spread[-1] - gap) if spread else place)
    # places that were pushed below the axis go up again, and push their neighbours
    floor = 0.0
    for n in range(len(spread) - 1, -1, -1):
        spread[n] = max(spread[n], floor)
        floor = spread[n] + gap
    return spread
