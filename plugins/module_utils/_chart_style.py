# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How charts look: colours that people with any colour vision can tell apart, and themes.

Series colours stand in the charts themselves and are made for a light and a dark ground alike; all
else (ground, text, grid) comes from the theme, so that one chart fits both.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence
from typing import Any

from ._chart_figures import is_others

#: Neighbours differ in lightness as well as in hue. Made from the sets of Okabe and Ito and of
#: Paul Tol, without black, white and the palest tones.
PALETTE = (
    "#0072b2",
    "#e69f00",
    "#009e73",
    "#cc79a7",
    "#56b4e9",
    "#d55e00",
    "#44aa99",
    "#aa4499",
    "#c2a800",
    "#7570c9",
    "#88b04b",
    "#a65628",
    "#f4a582",
    "#b84a62",
)
_NEAR = len(PALETTE) - 1
OTHERS_COLOUR = "#9aa0a6"

#: The font that the drawing library brings along, so that pictures are the same on every machine;
#: it has the measures of Arial, which browsers take in its place.
FONT = "Liberation Sans, Arial, Helvetica, sans-serif"

_LIGHT = {"ground": "#ffffff", "text": "#24292f", "faint": "#57606a", "grid": "#e1e4e8"}
_DARK = {"ground": "#16191d", "text": "#e6edf3", "faint": "#9da7b3", "grid": "#343b44"}


def series_colours(labels: Sequence[str]) -> list[str]:
    """A colour for each series, the same from run to run as far as that can be.

    Releases take colours in the order of their numbers, so neighbours always differ; other names
    have a colour by their text. What is added up from the rest is grey.
    """
    slots: list[int | None] = []
    for label in labels:
        # with more series than colours, those that lie near each other still differ
        near = slots[-_NEAR:]
        first = _preferred_slot(label)
        free = (first + n for n in range(len(PALETTE)) if (first + n) % len(PALETTE) not in near)
        slots.append(None if is_others(label) else next(free) % len(PALETTE))
    return [OTHERS_COLOUR if slot is None else PALETTE[slot] for slot in slots]


def _preferred_slot(label: str) -> int:
    number = re.search(r"([0-9]{1,4})[^0-9]*\Z", label, flags=re.ASCII)
    return int(number[1]) if number else zlib.crc32(label.encode("utf-8", "replace"))


def chart_theme(*, dark: bool = False) -> dict[str, Any]:
    """The Vega-Lite configuration of all charts, on a light or a dark ground."""
    tones = _DARK if dark else _LIGHT
    text = {"labelColor": tones["text"], "titleColor": tones["text"]}
    return {
        "background": tones["ground"],
        "font": FONT,
        "view": {"stroke": None},
        "title": {
            "anchor": "start",
            "frame": "group",
            "fontSize": 16,
            "subtitleFontSize": 12,
            "subtitlePadding": 5,
            "offset": 12,
            "limit": 770,
            "color": tones["text"],
            "subtitleColor": tones["faint"],
        },
        "axis": {
            **text,
            "labelFontSize": 12,
            "titleFontSize": 12,
            "titleFontWeight": "normal",
            "gridColor": tones["grid"],
            "domainColor": tones["faint"],
            "tickColor": tones["faint"],
        },
        "legend": {**text, "labelFontSize": 12, "titleFontSize": 12, "symbolSize": 120},
        "text": {"color": tones["text"], "fontSize": 12},
        "rule": {"color": tones["faint"]},
    }
