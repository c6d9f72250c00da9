"""Pages use named colours, in light and in dark."""

from __future__ import annotations

import re

import pytest
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._html.colours import (
    DARK,
    LIGHT,
    colour_rules,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._site.style import (
    STYLE as SITE,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._status.page_template import (
    STYLE as STATUS,
)

#: What a style gives a name, such as "--ground: #f5f6f8;".
NAMED = re.compile(r"--([a-z-]+): (#[0-9a-f]{3,8});")


@pytest.mark.parametrize("style", [SITE, STATUS], ids=["site", "status"])
def test_a_style_uses_colours_by_names_that_both_schemes_have(style: str) -> None:
    light, _media, dark = style.partition("@media")
    dark = dark.partition("}")[0]
    used = set(re.findall(r"var\(--([a-z-]+)\)", style))
    assert "ground" in used
    for scheme in (light, dark):
        assert used <= {name for name, _colour in NAMED.findall(scheme)}
    assert re.findall(r"#[0-9a-fA-F]{3,8}\b", NAMED.sub("", style)) == []


def test_a_page_adds_its_own() -> None:
    assert LIGHT.keys() == DARK.keys()
    light, dark = colour_rules({"cell": "#111111"}, {"cell": "#222222"}).split("@media")
    assert "--cell: #111111;" in light
    assert "--cell: #222222;" in dark
    assert "--ground: #f5f6f8;" in light
    assert "--ground: #0d1014;" in dark
