"""The words and the table of a calendar of host-days."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta

from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._charts.calendar_chart import (
    CalendarChart,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._totals.host_days import (
    HostDays,
)

MONDAY = date(2021, 9, 27)


def calendar(step_days: int, host_days: Mapping[date, HostDays]) -> CalendarChart:
    return CalendarChart("days", "coverage", "Host-days", "", step_days, host_days, {})


def test_the_text_names_the_newest_weeks_that_lack_something() -> None:
    weeks = {MONDAY - timedelta(weeks=n): HostDays(7, 6) for n in range(6, -1, -1)}
    assert calendar(7, weeks).alt_text() == (
        "Calendar: Host-days, 2021-08-16 to 2021-10-03. "
        "Something is missing in 2021-W35, 2021-W36, 2021-W37, 2021-W38, 2021-W39 and 2 before."
    )


def test_the_text_of_a_whole_calendar_says_so_and_counts_unrecorded_days() -> None:
    days = {MONDAY: HostDays(1, 1), MONDAY + timedelta(days=1): HostDays(None, None)}
    assert calendar(1, days).alt_text() == (
        "Calendar: Host-days, 2021-09-27 to 2021-09-28. Nothing is missing; 1 are not recorded."
    )


def test_the_table_has_the_newest_day_first() -> None:
    days = {MONDAY: HostDays(4, 3), MONDAY + timedelta(days=1): HostDays(1000, 1000)}
    table = calendar(1, days).table()
    assert table.header == ("day", "received host-days", "expected host-days", "received")
    assert table.rows == (
        ("2021-09-28", "1,000", "1,000", "all"),
        ("2021-09-27", "3", "4", "50 % to 95 %"),
    )
