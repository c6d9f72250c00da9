# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The colours of series, which people with any colour vision can distinguish, and the themes.

The colours of series are part of a chart, and fit a light and a dark ground. The theme has all other
colours (ground, text, grid), so that one chart fits both grounds.
"""

from __future__ import annotations

import math
import re
import zlib
from collections.abc import Sequence
from typing import Any

from .._html.colours import DARK, LIGHT
from .figures import is_others

#: A chart has at most as many series, so no colour occurs twice in one. Neighbours differ in
#: lightness as well as in hue. These are the sets of Okabe and Ito and of Paul Tol without black and
#: white, and then colours that are farthest from all earlier ones.
PALETTE = (
    "#0072b2",
    "#e69f00",
    "#009e73",
    "#cc79a7",
    "#56b4e9",
    "#d55e00",
    "#44aa99",
    "#aa4499",
    "#88b04b",
    "#7570c9",
    "#f4a582",
    "#a65628",
    "#6a3fa8",
    "#b84a62",
    "#bad147",
    "#476b53",
    "#d9a6d9",
    "#8a825c",
    "#47d1a3",
    "#d147d1",
)
_NEAR = len(PALETTE) - 1
#: Colours with a smaller distance in RGB are not put side by side.
_ALIKE = 90
_OTHERS_COLOUR = "#9aa0a6"

#: The font of the drawing library, so that pictures are the same on every machine. It has the
#: measures of Arial, which browsers use instead.
_FONT = "Liberation Sans, Arial, Helvetica, sans-serif"

_GRID = {False: "#e1e4e8", True: DARK["line"]}


def series_colours(labels: Sequence[str]) -> list[str]:
    """Return a colour for each series, which is the same from run to run if possible.

    Releases take colours in the order of their numbers, so neighbours always differ. The text of
    other labels decides on their colour. The sum of other series is grey.
    """
    slots: list[int | None] = []
    for label in labels:
        # if there are more series than colours, neighbours still differ
        near = slots[-_NEAR:]
        first = _preferred_slot(label)
        wished = [(first + n) % len(PALETTE) for n in range(len(PALETTE))]
        free = [slot for slot in wished if slot not in near]
        apart = [slot for slot in free if not near or not _are_alike(slot, near[-1])]
        slots.append(None if is_others(label) else (apart or free)[0])
    return [_OTHERS_COLOUR if slot is None else PALETTE[slot] for slot in slots]


def _are_alike(slot: int, before: int | None) -> bool:
    if before is None:
        return False
    one, other = (bytes.fromhex(PALETTE[n][1:]) for n in (slot, before))
    return math.dist(one, other) < _ALIKE


def _preferred_slot(label: str) -> int:
    number = re.search(r"([0-9]{1,4})[^0-9]*\Z", label, flags=re.ASCII)
    return int(number[1]) if number else zlib.crc32(label.encode("utf-8", "replace"))


def chart_theme(*, dark: bool = False) -> dict[str, Any]:
    """Return the Vega-Lite configuration of all charts for a light or a dark ground."""
    tones = DARK if dark else LIGHT
    text = {"labelColor": tones["text"], "titleColor": tones["text"]}
    return {
        "background": tones["card"],
        "font": _FONT,
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
            "gridColor": _GRID[dark],
            "domainColor": tones["faint"],
            "tickColor": tones["faint"],
        },
        "legend": {**text, "labelFontSize": 12, "titleFontSize": 12, "symbolSize": 120},
        "text": {"color": tones["text"], "fontSize": 12},
        "rule": {"color": tones["faint"]},
    }
