"""The figures of a chart, before it is drawn."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._charts.figures import (
    MOST_STEPS,
    distinct_labels,
    figures_of,
    format_step,
    is_others,
    largest,
    natural_key,
    series_label,
    weekly_means,
)

MONDAY = date(2021, 9, 27)


def day(number: int) -> date:
    return MONDAY + timedelta(days=number)


@pytest.mark.parametrize(
    ("text", "label"),
    [
        pytest.param("Fedora Linux 34", "Fedora Linux 34", id="plain"),
        pytest.param("", "(no name)", id="empty"),
        pytest.param(" \t ", "\\x09", id="blanks"),
        pytest.param("a\x1b[31m\x00", "a\\x1b[31m\\x00", id="terminal-escapes"),
        pytest.param("a\u202eb\u2028", "a\\u202eb\\u2028", id="direction-and-line-breaks"),
        pytest.param("x" * 10_000, "x" * 27 + "…", id="long"),
        pytest.param("<script>", "<script>", id="markup-stays-text"),
        pytest.param("\U0001f469" * 3, "\ufffd" * 3, id="beyond-the-first-characters"),
        pytest.param("3 others", "'3 others'", id="like-our-own"),
        pytest.param("::ffff:192.0.2.7", "(address)", id="never-an-address"),
    ],
)
def test_labels_are_visible_and_short(text: str, label: str) -> None:
    assert series_label(text) == label


def test_versions_may_have_four_numbers() -> None:
    assert series_label("Appliance", version="2.0.8.1") == "Appliance 2.0.8.1"
    assert series_label("192.0.2.7", version="34") == "(address) 34"


def test_labels_sort_by_their_numbers() -> None:
    labels = ["Fedora 10", "Fedora 9", "CentOS 8.10", "CentOS 8.9", "", "fedora 11"]
    ordered = ["", "CentOS 8.9", "CentOS 8.10", "Fedora 9", "Fedora 10", "fedora 11"]
    assert sorted(labels, key=natural_key) == ordered


def test_labels_that_came_out_alike_name_one_series_each() -> None:
    assert distinct_labels(["a", "b", "a", "a"]) == ["a", "b", "a (2)", "a (3)"]


def test_the_largest_are_kept_in_order_and_the_rest_is_added_up() -> None:
    named = {"a": {day(0): 5.0}, "b": {day(0): 1.0, day(7): 2.0}, "c": {day(7): 9.0}, "d": {}}
    assert largest(named, 2) == {
        "a": {day(0): 5.0},
        "c": {day(7): 9.0},
        "1 other": {day(0): 1.0, day(7): 2.0},
    }


def test_noise_is_added_up_even_where_there_is_room() -> None:
    shown = largest({"joke 99": {day(0): 1.0}, "real": {day(0): 1000.0}}, 5)
    assert list(shown) == ["real", "1 other"]
    assert is_others("1 other")
    assert not is_others("brothers")


def test_a_new_release_finds_its_place_beside_larger_ones_of_the_past() -> None:
    named = {"old": {day(-400): 100.0}, "new": {day(0): 30.0}}
    assert list(largest(named, 1)) == ["new", "1 other"]


def test_absent_values_are_zero_where_others_are_known_and_unknown_where_none_are() -> None:
    figures = figures_of(
        {"a": {day(0): 1, day(14): 3}, "b": {day(7): 2}, "none": {}},
        known={day(-7), day(0), day(7), day(21)} | {day(14)},
        step_days=7,
    )
    assert figures is not None
    assert figures.starts == (day(0), day(7), day(14), day(21))
    assert [(one.label, one.values) for one in figures.series] == [
        ("a", (1, 0, 3, 0)),
        ("b", (0, 2, 0, 0)),
    ]
    assert figures.end == day(27)


def test_a_missing_step_is_a_gap() -> None:
    figures = figures_of({"a": {day(0): 1, day(2): 3}}, known={day(0), day(2)}, step_days=1)
    assert figures is not None
    assert figures.series[0].values == (1, None, 3)


def test_there_are_no_figures_of_nothing() -> None:
    assert figures_of({"a": {day(0): 0}}, known={day(0)}, step_days=1) is None


def test_one_row_of_a_wrong_century_makes_no_endless_chart() -> None:
    last = date(9999, 1, 1)
    figures = figures_of({"a": {day(0): 1, last: 1}}, known={day(0), last}, step_days=1)
    assert figures is not None
    assert len(figures.starts) == MOST_STEPS


def test_weekly_means_are_of_the_days_that_are_known() -> None:
    known = {day(0), day(1), day(3), day(7)}
    means, weeks = weekly_means({"a": {day(0): 10, day(1): 20, day(7): 5}}, known)
    assert means == {"a": {day(0): 10, day(7): 5}}
    assert weeks == {day(0), day(7)}


def test_steps_are_formatted_for_readers() -> None:
    assert format_step(MONDAY, 7) == "2021-W39 (2021-09-27 to 2021-10-03)"
    assert format_step(MONDAY, 1) == "2021-09-27"
