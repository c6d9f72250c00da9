"""Pages escape whatever they are given."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._html.render import (
    format_size,
    script_json,
    whole_dates,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._publish.files import (
    names_of,
    week_file,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._publish.makers import (
    MACHINES_COLUMNS,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._publish.public_text import (
    visible_text,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._site.dictionary import (
    MIRRORS_COLUMNS,
    Place,
    chapters_of,
    meaning_of,
    meaning_of_mirrors,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._site.interactive import (
    definition_of,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._site.record import (
    ChartNote,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._site.render import render
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._site.settings import (
    SiteSettings,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._totals.csv_reader import (
    CSV_COLUMNS,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._totals.database import (
    TotalsRow,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._totals.quality import (
    WeekQuality,
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


def test_meanings_name_the_files_of_their_own_profile() -> None:
    prefix = "totals-centos"
    assert meaning_of("recent-centos.csv", prefix) == "The newest 52 weeks of totals-centos.csv."
    assert meaning_of("totals-centos.db.gz", prefix) == "totals-centos.db, compressed."


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


@pytest.mark.parametrize(
    ("text", "visible"),
    [
        ("Fedora Linux 34", "Fedora Linux 34"),
        ("a\x1b[31mb", "a\\x1b[31mb"),
        ("a\u202eb", "a\\u202eb"),
        ("a\u00a0b\nc", "a\\xa0b\\x0ac"),
        ("x" * 81, "x" * 79 + "…"),
    ],
)
def test_control_characters_are_shown_as_text(text: str, visible: str) -> None:
    assert visible_text(text) == visible


def test_the_interpreter_gets_times_as_numbers() -> None:
    """It takes the number in datetime(1600000000000) for a year, so axes would be empty."""
    label = "datetime(5)"
    spec = {
        "data": {"values": [{"x": 1_600_000_000_000, "s": label}]},
        "mark": "bar",
        "encoding": {
            "x": {
                "field": "x",
                "type": "temporal",
                "axis": {"values": [1_600_000_000_000]},
                "scale": {"type": "utc", "domain": [1_599_999_000_000, 1_600_001_000_000]},
            },
            "color": {"field": "s", "type": "nominal"},
        },
    }
    definition = definition_of(spec)
    drawn = json.dumps([definition["light"], definition["dark"]])
    assert "1600000000000" in drawn
    assert "datetime(" not in drawn
    assert label in json.dumps(definition["data"])
    assert definition["light"]["background"] != definition["dark"]["background"]


def test_every_published_column_is_described() -> None:
    chapters = chapters_of(
        ["totals", "totals-centos"],
        folder="countme/",
        mirrors=[Place("mirrors-daily.csv", "mirrors/mirrors-daily.csv")],
    )
    described = {column.name for chapter in chapters for column in chapter.columns}
    for columns in (
        CSV_COLUMNS,
        TotalsRow._fields,
        MACHINES_COLUMNS,
        WeekQuality._fields,
        MIRRORS_COLUMNS,
    ):
        assert set(columns) <= described
    assert all(column.meaning for chapter in chapters for column in chapter.columns)


def test_every_published_file_is_described() -> None:
    for prefix in ("totals", "totals-centos"):
        names = [*names_of(prefix), week_file(prefix, 2699)]
        assert all(meaning_of(name, prefix) for name in names)
    mirrors = ("mirrors-daily.csv", "mirrorsdata-all.csv", "mirrorsdata-2021.csv.gz")
    assert all(meaning_of_mirrors(name) for name in mirrors)
