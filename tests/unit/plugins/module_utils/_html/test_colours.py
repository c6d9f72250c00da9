"""Colours stand in one place."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._html.colours import (
    DARK,
    LIGHT,
    colour_rules,
)

LIBRARY = Path(__file__).parents[5] / "plugins" / "module_utils"
#: White is what pictures are drawn on, too.
COLOURS = sorted({*LIGHT.values(), *DARK.values()} - {"#ffffff"})


@pytest.mark.parametrize("colour", COLOURS)
def test_no_page_has_a_copy_of_a_colour(colour: str) -> None:
    holders = {
        str(path.relative_to(LIBRARY))
        for path in LIBRARY.rglob("*.py")
        if colour in path.read_text("utf-8")
    }
    assert holders == {"_html/colours.py"}


def test_a_page_adds_its_own() -> None:
    assert LIGHT.keys() == DARK.keys()
    light, dark = colour_rules({"cell": "#111111"}, {"cell": "#222222"}).split("@media")
    assert "--cell: #111111;" in light
    assert "--cell: #222222;" in dark
    assert "--ground: #f5f6f8;" in light
    assert "--ground: #0d1014;" in dark
