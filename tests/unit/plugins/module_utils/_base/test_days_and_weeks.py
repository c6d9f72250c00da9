"""Days, weeks and the window options."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._base.days_and_weeks import (
    days_in_window,
    format_days,
    parse_week,
    rotation_days,
    utc_today,
    week_end,
    week_name,
    week_of,
    week_of_day,
    week_start,
    week_start_timestamp,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._base.errors import (
    SettingsError,
)

TODAY = date(2021, 10, 1)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        pytest.param({}, ["2021-09-29", "2021-09-30"], id="default-ends-yesterday"),
        pytest.param({"days": 1}, ["2021-09-30"], id="days"),
        pytest.param({"days": 2, "until": "2021-03-01"}, ["2021-02-28", "2021-03-01"], id="until"),
        pytest.param(
            {"since": "2020-02-28", "until": "2020-03-01"},
            ["2020-02-28", "2020-02-29", "2020-03-01"],
            id="leap-day",
        ),
        pytest.param({"since": "2021-09-30"}, ["2021-09-30"], id="since-to-yesterday"),
        pytest.param(
            {"dates": ["2022-01-01", "2021-12-31", "2022-01-01"]},
            ["2021-12-31", "2022-01-01"],
            id="incident-new_year-dates-sorted-once",
        ),
    ],
)
def test_window(options: dict[str, object], expected: list[str]) -> None:
    days = days_in_window(today=TODAY, default_days=2, **options)  # type: ignore[arg-type]
    assert [str(day) for day in days] == expected


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"dates": ["2021-9-1"]}, "option dates"),
        ({"dates": ["20210901"]}, "YYYY-MM-DD"),
        ({"until": "2021-02-30"}, "option until"),
        ({"since": "2021-10-05"}, "option since"),
        ({"days": 9, "until": "0001-01-08"}, "option until"),
    ],
)
def test_window_refuses(options: dict[str, object], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        days_in_window(today=TODAY, default_days=2, **options)  # type: ignore[arg-type]


def test_weeks_start_on_monday_in_utc() -> None:
    monday = int(datetime(2020, 2, 10, tzinfo=UTC).timestamp())
    assert week_of(monday) == 2614
    assert week_of(monday - 1) == 2613
    assert week_start_timestamp(2614) == monday
    assert (week_start(2614), week_end(2614)) == (date(2020, 2, 10), date(2020, 2, 16))


def test_incident_new_year_iso_week_53() -> None:
    week = week_of_day(date(2021, 1, 1))
    assert week_name(week) == "2020-W53"
    assert week_start(week) == date(2020, 12, 28)
    assert rotation_days(week)[0] == date(2020, 12, 28)
    assert rotation_days(week)[-1] == date(2021, 1, 4)


@pytest.mark.parametrize(
    ("text", "week"),
    [
        pytest.param("2699", 2699, id="number"),
        pytest.param("2021-W39", 2699, id="name"),
        pytest.param("2021-09-27", 2699, id="monday"),
        pytest.param("2020-W53", 2660, id="incident-new_year-week-53"),
        pytest.param("1970-W02", 0, id="first"),
    ],
)
def test_weeks_are_named_in_three_ways(text: str, week: int) -> None:
    assert parse_week(text) == week
    assert parse_week(week_name(week)) == week


@pytest.mark.parametrize(
    "text",
    [
        "2021-09-28",
        "2021-W54",
        "2021-W00",
        "2021-W1",
        "-3",
        "1969-12-29",
        "",
        "2021-02-30",
        "1;2",
        "999999",
        "9999-W52",
        "9999-12-27",
    ],
)
def test_other_names_of_weeks_are_refused(text: str) -> None:
    with pytest.raises(SettingsError, match="option weeks"):
        parse_week(text)


def test_incident_dst_and_zone_today_is_utc() -> None:
    behind = timezone(timedelta(hours=-8))
    assert utc_today(datetime(2021, 9, 30, 20, tzinfo=behind)) == date(2021, 10, 1)


def test_spell_days() -> None:
    days = [date(2021, 12, 31), date(2022, 1, 1), date(2022, 1, 3)]
    assert format_days(days) == "2021-12-31 to 2022-01-01, 2022-01-03"
