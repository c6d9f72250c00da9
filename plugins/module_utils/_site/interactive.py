# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compile interactive charts for browsers: light and dark, with one copy of the figures.

Pages forbid evaluated code, so Vega interprets its expressions. The interpreter takes the number in
``datetime(NUMBER)`` for a year, so the number itself replaces it, which means the same time.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from .._base.libs import vl_convert
from .._charts.pictures import VEGA_LITE
from .._charts.style import chart_theme

_TIME = re.compile(r"(?:datetime\(([0-9]+)\)|\{data: datetime\(([0-9]+)\)\})", re.ASCII)


def definition_of(spec: Mapping[str, Any]) -> dict[str, Any]:
    """Return the chart as Vega: ``light`` and ``dark``, and ``data`` for both."""
    light, dark = (_compiled(spec, dark=dark) for dark in (False, True))
    shared = light["data"] if light.get("data") == dark.get("data") else None
    if shared is None:
        return {"light": light, "dark": dark}
    for one in (light, dark):
        del one["data"]
    return {"data": shared, "light": light, "dark": dark}


def _compiled(spec: Mapping[str, Any], *, dark: bool) -> dict[str, Any]:
    # screen readers read the page, not each of thousands of marks
    config = {**chart_theme(dark=dark), "aria": False}
    compiled = vl_convert.vegalite_to_vega(
        json.dumps(spec), vl_version=VEGA_LITE, config=json.dumps(config)
    )
    found: dict[str, Any] = _with_times(compiled)
    return found


def _with_times(part: Any) -> Any:
    if isinstance(part, dict):
        time = _TIME.fullmatch(part["signal"]) if [*part] == ["signal"] else None
        if time and time[1]:
            return int(time[1])
        if time:
            return {"signal": f"{{data: {time[2]}}}"}
        return {name: _with_times(value) for name, value in part.items()}
    if isinstance(part, list):
        return [_with_times(value) for value in part]
    return part


def vega_bundle() -> bytes:
    """Return the library that draws interactive charts. It takes a second to make."""
    # a function keeps its thousand names from the page
    bundle: str = vl_convert.javascript_bundle()
    notice = "/* Vega, Vega-Lite, Vega-Embed and what they need; BSD-3-Clause, vega.github.io */"
    return f"{notice}\n(function(){{{bundle}}}());\n".encode()
