"""Values in pages: escaped, formatted, and without characters that HTML forbids."""

from __future__ import annotations

import json

import pytest
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._html.render import (
    environment_of,
    format_size,
    script_json,
    whole_dates,
)

HOSTILE = [
    "</script><script>alert(1)</script>",
    "<!--<script>",
    '"><img src=x onerror=alert(1)>',
    "a\u2028b\u2029c & d",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_json_in_a_page_cannot_end_its_element_and_keeps_its_text(text: str) -> None:
    embedded = str(script_json({"name": text}))
    assert not {"<", ">", "&", "\u2028", "\u2029"} & set(embedded)
    assert json.loads(embedded) == {"name": text}


def test_no_line_ends_within_a_date() -> None:
    span = "2021-09-27 to 2021-10-03"
    kept = f'&lt;b&gt; <span class="keep">2021-W39</span> (<span class="keep">{span}</span>)'
    assert whole_dates(f"<b> 2021-W39 ({span}), 2021-1") == f"{kept}, 2021-1"


@pytest.mark.parametrize(
    ("size", "formatted"),
    [
        (0, "0 bytes"),
        (999, "999 bytes"),
        (1000, "1.0 kB"),
        (99_949, "99.9 kB"),
        (99_951, "100 kB"),
        (999_499, "999 kB"),
        (999_500, "1.0 MB"),
        (633_000_111, "633 MB"),
    ],
)
def test_sizes_have_three_digits(size: int, formatted: str) -> None:
    assert format_size(size) == formatted


def test_a_value_loses_what_html_forbids_and_what_turns_text_around() -> None:
    template = environment_of({"page": "<p>{{ value }}</p>"}).get_template("page")
    assert template.render(value="a\x1b\u202eb\ud800<") == "<p>a\ufffdb\ufffd&lt;</p>"
    assert template.render(value=whole_dates("\x002021-W39")) == (
        '<p>\ufffd<span class="keep">2021-W39</span></p>'
    )


def test_a_page_adds_filters_of_its_own() -> None:
    environment = environment_of({"page": "{{ 1500 | size }} {{ 2 | twice }}"}, {"twice": str})
    assert environment.get_template("page").render() == "1.5 kB 2"
