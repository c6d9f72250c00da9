"""Charts over time in Vega-Lite, and how they become pictures."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._base.errors import (
    OutputError,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._charts.figures import (
    DOTS,
    LINES,
    STACK,
    Figures,
    Series,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._charts.pictures import (
    png_of,
    svg_of,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._charts.time_chart import (
    TimeChart,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._charts.vega_frame import (
    FEW_STEPS,
    milliseconds,
    rounded_up,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._charts.vega_signs import (
    spread_apart,
)

MONDAY = date(2021, 9, 27)
DAY = 86_400_000


def chart(
    kind: str, *columns: tuple[float | None, ...], marks: dict[date, str] | None = None
) -> TimeChart:
    starts = tuple(MONDAY + timedelta(days=7 * n) for n in range(len(columns[0])))
    series = tuple(Series(f"series {n}", values) for n, values in enumerate(columns))
    figures = Figures(starts, 7, series, marks or {})
    return TimeChart("name", "machines", "Title", "", "machines", kind, figures)


def rows(spec: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = spec["data"]["values"]
    return found


def test_a_row_a_week_has_all_series_and_its_words() -> None:
    weeks = FEW_STEPS + 1
    values = rows(chart(LINES, (1,) * weeks, (2,) * weeks).spec(interactive=True))
    assert len(values) == weeks
    assert values[0] == {
        "x": milliseconds(MONDAY) + 3.5 * DAY,
        "s0": 1,
        "s1": 2,
        "t": "2021-W39 (2021-09-27 to 2021-10-03)",
        "m": "",
    }


def test_stacks_begin_and_end_at_the_edges_of_known_weeks() -> None:
    known: list[float | None] = [1] * (FEW_STEPS + 3)
    known[5] = None
    values = rows(chart(STACK, tuple(known)).spec(interactive=False))
    start = milliseconds(MONDAY)
    edges = [(row["x"] - start) / DAY for row in values if "t" not in row]
    assert edges == [0, 35, 38.5, 42, 15 * 7]
    assert [row["s0"] for row in values if (row["x"] - start) / DAY == 38.5] == [None]


def test_few_weeks_are_bars_with_room_between() -> None:
    spec = chart(STACK, (4, 5)).spec(interactive=False)
    middle = milliseconds(MONDAY) + 3.5 * DAY
    inked = [row["x"] for row in rows(spec) if row["s0"] == 4]
    assert inked == [middle - 2.45 * DAY, middle, middle + 2.45 * DAY]
    assert [row["s0"] for row in rows(spec)] == [4, 4, 4, None, 5, 5, 5, None]


@pytest.mark.parametrize(("kind", "top"), [(STACK, 12), (LINES, 10), (DOTS, 10)])
def test_axes_begin_at_zero_and_end_above_the_highest(kind: str, top: float) -> None:
    spec = chart(kind, (9, 1), (2, None)).spec(interactive=False)
    scales = [layer["encoding"]["y"].get("scale") for layer in spec["layer"]]
    assert scales[0] == {"domain": [0, top], "nice": False}


@pytest.mark.parametrize(
    ("value", "end"),
    [(0, 1), (1, 1), (9, 10), (10, 10), (11, 12), (315_000, 400_000), (12_400_000, 15_000_000)],
)
def test_axes_end_at_a_round_number(value: float, end: float) -> None:
    assert rounded_up(value) == pytest.approx(end)


@pytest.mark.parametrize(
    ("places", "spread"),
    [
        ([], []),
        ([5], [5]),
        ([9, 5, 1], [9, 5, 1]),
        ([5, 5, 5], [5, 3, 1]),
        ([1, 0, 0, 0], [6, 4, 2, 0]),
        ([10, 10], [10, 8]),
    ],
)
def test_names_of_lines_are_moved_apart_in_order(places: list[float], spread: list[float]) -> None:
    assert spread_apart(places, gap=2, top=10) == spread


def test_more_names_than_there_is_room_for_stay_in_the_picture() -> None:
    spread = spread_apart([0.0] * 50, gap=2, top=10)
    assert spread[0] == pytest.approx(10)
    assert spread == sorted(spread, reverse=True)


def test_signs_say_which_weeks_to_take_with_care() -> None:
    marks = {MONDAY: "partial", MONDAY + timedelta(days=7): "suspect"}
    spec = chart(STACK, (1, 2, 3), marks=marks).spec(interactive=False)
    band, sign = spec["layer"][:2]
    assert [row["care"] for row in band["data"]["values"]] == ["partial", "suspect"]
    assert sign["encoding"]["shape"]["scale"]["domain"] == ["partial", "suspect"]
    assert "2 of 3 weeks marked" in spec["title"]["subtitle"]
    assert len(chart(STACK, (1, 2, 3)).spec(interactive=False)["layer"]) == 1


def test_only_the_interactive_form_can_be_moved_and_has_a_legend_for_lines() -> None:
    lines = chart(LINES, (1, 2), (3, 4))
    still, moving = (lines.spec(interactive=value) for value in (False, True))
    assert "params" not in str(still)
    names = [param["name"] for layer in moving["layer"] for param in layer.get("params", [])]
    assert names == ["pick", "time", "hover"]
    assert still["layer"][0]["encoding"]["color"]["legend"] is None
    assert moving["layer"][0]["encoding"]["color"]["legend"]["values"] == ["series 1", "series 0"]


def test_legends_of_stacks_go_from_the_top_down() -> None:
    spec = chart(STACK, (1,), (5,), (3,)).spec(interactive=False)
    legend = spec["layer"][0]["encoding"]["color"]["legend"]
    assert legend["values"] == ["series 2", "series 1", "series 0"]


def test_the_same_chart_gives_the_same_bytes_whatever_was_drawn_before() -> None:
    spec = chart(STACK, (1, 2, 3), marks={MONDAY: "partial"}).spec(interactive=False)
    first = svg_of(spec, title="a", alt="b")
    svg_of(chart(LINES, (1, 2)).spec(interactive=True), title="a", alt="b")
    again = svg_of(spec, title="a", alt="b")
    assert first == again
    assert png_of(first) == png_of(again)


def test_a_chart_that_cannot_be_drawn_is_reported_as_a_defect() -> None:
    with pytest.raises(OutputError, match="please report it"):
        svg_of({"mark": {"type": "no such mark"}}, title="a", alt="b")
    with pytest.raises(OutputError, match="please report it"):
        png_of("no picture")
    spec = chart(STACK, (1, 2, 3)).spec(interactive=False)
    assert png_of(svg_of(spec, title="a", alt="b")), "the next one is drawn all the same"


def test_nothing_is_fetched() -> None:
    for url in ("file:///etc/passwd", "http://127.0.0.1:9/x.csv"):
        spec = {"mark": "point", "data": {"url": url}, "encoding": {"x": {"field": "a"}}}
        try:
            svg = svg_of(spec, title="a", alt="b")
        except OutputError:
            continue
        assert "root" not in svg.replace("role-frame root", "")
