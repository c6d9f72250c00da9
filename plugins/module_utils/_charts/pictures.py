# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Turn Vega-Lite into pictures: SVG, and PNG made from the SVG. Nothing is fetched."""

from __future__ import annotations

import html
import json
import re
from typing import Any

from .._base.errors import OutputError, printable
from .._base.libs import vl_convert
from .style import chart_theme

#: The version of Vega-Lite of all specifications.
VEGA_LITE = "6.4"
#: The pixels of the PNG for one pixel of the SVG, for sharp pictures on high-resolution screens.
_PNG_SCALE = 2
_CLIP = re.compile(r'(\bid="clip|\burl\(#clip)([0-9]+)', re.ASCII)


def svg_of(spec: dict[str, Any], *, title: str, alt: str) -> str:
    """Return the picture of a chart on a light ground, with its alternative text inside.

    Raises OutputError if the library can't draw it, which is a defect of this collection.
    """
    try:
        svg: str = vl_convert.vegalite_to_svg(
            json.dumps(spec),
            vl_version=VEGA_LITE,
            # screen readers read the alternative text, not each of thousands of marks
            config={**chart_theme(), "aria": False},
            allowed_base_urls=[],
        )
    except (ValueError, RuntimeError) as error:
        raise _defect(title, error) from error
    # the library numbers clip paths through all pictures of a process
    numbers: dict[str, int] = {}
    svg = _CLIP.sub(lambda m: m[1] + str(numbers.setdefault(m[2], len(numbers))), svg)
    texts = f"<title>{html.escape(title)}</title><desc>{html.escape(alt)}</desc>"
    opening, rest = svg.split(">", 1)
    return f'{opening} role="img">{texts}{rest}'


def _defect(title: str, error: Exception) -> OutputError:
    return OutputError(
        f"chart {title}",
        expected="a chart that can be drawn",
        found=printable(str(error)),
        advice="This is a defect, please report it; all other charts are drawn.",
    )


def png_of(svg: str) -> bytes:
    """Return the same picture in pixels. Raises OutputError if the library can't make it."""
    try:
        picture: bytes = vl_convert.svg_to_png(svg, scale=_PNG_SCALE)
    except (ValueError, RuntimeError) as error:
        raise _defect("picture", error) from error
    return picture
