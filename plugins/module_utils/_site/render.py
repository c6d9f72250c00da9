# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Render the pages of the site from their templates."""

from __future__ import annotations

import functools
from typing import Any

from .._html.render import environment_of
from .style import POLICY
from .templates import TEMPLATES

#: Pages in the order of the menu.
_MENU = (
    ("index.html", "Overview"),
    ("charts.html", "Charts"),
    ("downloads.html", "Downloads"),
    ("dictionary.html", "Data dictionary"),
    ("quality.html", "Quality of weeks"),
)


@functools.cache
def _environment() -> Any:
    return environment_of(TEMPLATES)


def render(template: str, *, here: str, **values: Any) -> bytes:
    """Return a page as bytes. ``here`` is its path below the web root."""
    page = _environment().get_template(template)
    root = "../" * here.count("/")
    text: str = page.render(
        **values,
        here=here,
        root=root,
        menu=_MENU,
        policy=POLICY,
        known_states=("complete", "partial", "provisional", "suspect", "unknown"),
    )
    return text.encode()
