# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The colours, light and dark, of all pages and of the frames of charts."""

from __future__ import annotations

from collections.abc import Mapping

LIGHT = {
    "ground": "#f5f6f8",
    "card": "#ffffff",
    "text": "#24292f",
    "faint": "#57606a",
    "line": "#d5dae0",
    "accent": "#0b57a4",
    "good": "#14692e",
    "care": "#7a4b00",
    "bad": "#a11d1d",
}
DARK = {
    "ground": "#0d1014",
    "card": "#16191d",
    "text": "#e6edf3",
    "faint": "#9da7b3",
    "line": "#343b44",
    "accent": "#7db7f5",
    "good": "#6fd08c",
    "care": "#e8b45a",
    "bad": "#ff9a94",
}

#: The setting of the reader's system decides between light and dark.
_RULES = """\
:root {{ color-scheme: light dark; {light} }}
@media (prefers-color-scheme: dark) {{
  :root {{ {dark} }}
}}
"""


def colour_rules(
    light: Mapping[str, str] | None = None, dark: Mapping[str, str] | None = None
) -> str:
    """Return the colours, and a page's own ones, as variables of a style sheet."""
    return _RULES.format(
        light=_variables({**LIGHT, **(light or {})}), dark=_variables({**DARK, **(dark or {})})
    )


def _variables(colours: Mapping[str, str]) -> str:
    return " ".join(f"--{name}: {colour};" for name, colour in colours.items())
