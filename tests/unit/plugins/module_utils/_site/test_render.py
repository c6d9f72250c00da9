"""Pages escape whatever they are given."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._html.render import (
    script_json,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._site.record import (
    ChartNote,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._site.render import render
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._site.settings import (
    SiteSettings,
)

HOSTILE = [
    "</script><script>alert(1)</script>",
    "<!--<script>",
    '"><img src=x onerror=alert(1)>',
    "a\u2028b\u2029c & d",
]


def site_called(text: str) -> SiteSettings:
    return SiteSettings(Path("/web"), text, text, Path("/web/files"), ())


@pytest.mark.parametrize("text", HOSTILE)
def test_every_text_is_escaped(text: str) -> None:
    note = ChartNote("name", text, text, "machines", 800, 460)
    page = render(
        "chart",
        here="charts/name.html",
        site=site_called(text),
        chart=note,
        description=text,
        subtitle=text,
        header=[text],
        rows=[[text]],
        numeric=[False],
        table_note=text,
        definition=script_json(text),
        before=note,
        after=note,
    ).decode()
    assert text not in page
    assert "<img src=x" not in page
    assert page.count("<script") == 3
    assert "unsafe" not in page


def test_a_value_that_is_missing_is_an_error() -> None:
    with pytest.raises(Exception, match="undefined"):
        render("quality.html", here="quality.html", site=site_called("t"), states=[])
