"""Which weeks are due, by the records alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._base.days_and_weeks import (
    rotation_days,
    week_start_timestamp,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._base.errors import (
    SettingsError,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._hits.statistics import (
    COUNTME,
    UNIQUE,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._totals.quality import (
    WeekRecord,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._totals.week_plan import (
    CountedState,
    RawDay,
    RawState,
    Rules,
    WeekPlan,
    WeekSpan,
    horizon_of,
    plan_weeks,
)
from ansible_collections.fedora_infra.dnf_counting.tests.support.raw_day_files import (
    Row,
    by_rotation_day,
    hit,
    record_of,
    weekly_hits,
)

WEEK = 2699
TODAY = rotation_days(WEEK)[-1] + timedelta(days=2)
RULES = Rules(today=TODAY)


def raw_state(rows: Sequence[Row], **state: object) -> RawState:
    days = {
        day: RawDay(day, Path(f"{day}.parquet"), record_of(day, of_day))
        for day, of_day in by_rotation_day(rows).items()
    }
    return RawState(days, **state)  # type: ignore[arg-type]


def two_weeks() -> list[Row]:
    """A whole week, and what shows that it is over."""
    return [*weekly_hits(WEEK), *weekly_hits(WEEK + 1, systems=2)]


def plans(
    raw: RawState,
    counted: CountedState | None = None,
    *,
    named: Sequence[int] = (),
    rules: Rules = RULES,
) -> dict[int, WeekPlan]:
    counted = counted or CountedState()
    horizon = horizon_of(
        raw.days.values(),
        counted,
        first_week=rules.first_week,
        first_seen=lambda _one, _paths: None,
    )
    return {p.week: p for p in plan_weeks(raw, counted, horizon, rules, named=named)}


def counted_as(plan: WeekPlan, **changes: object) -> CountedState:
    """The totals after a plan was carried out."""
    assert plan.quality is not None
    record = WeekRecord(
        week=plan.week,
        **plan.quality._asdict(),
        hits=10,
        revision=1,
        computed_at="2021-10-05T00:00:00+00:00",
        fingerprint=plan.fingerprint,
        inputs=tuple(d.path.name for d in plan.inputs),
        log_name="mirrors-access.log",
    )
    return CountedState(
        weeks={plan.week},
        spans=dict.fromkeys(("countme", "unique"), WeekSpan(plan.week, plan.week)),
        records={plan.week: replace(record, **changes)},  # type: ignore[arg-type]
    )


def test_a_week_is_due_once_a_later_hit_of_its_kind_is_seen() -> None:
    end = week_start_timestamp(WEEK + 1)
    rows = weekly_hits(WEEK)
    assert plans(raw_state([*rows, hit(end + 599)]))[WEEK].status == "waiting"
    later = plans(raw_state([*rows, hit(end + 600)]))[WEEK]
    assert (later.status, later.statistics) == ("due", (COUNTME,))
    both = plans(raw_state([*rows, hit(end + 600), hit(end + 600, sys_age=-1)]))[WEEK]
    assert both.statistics == (COUNTME, UNIQUE)


def test_a_counted_week_is_left_until_an_input_changes() -> None:
    raw = raw_state(two_weeks())
    counted = counted_as(plans(raw)[WEEK])
    assert plans(raw, counted)[WEEK].status == "unchanged"
    day = rotation_days(WEEK)[3]
    changed = dict(raw.days)
    changed[day] = changed[day]._replace(
        record=record_of(day, [hit(0)], version=2, weeks={WEEK: 5})
    )
    again = plans(RawState(changed), counted)[WEEK]
    assert (again.status, again.recount, again.reasons) == ("due", True, ("its inputs changed",))


def test_incident_late_logs_are_new_inputs() -> None:
    raw = raw_state(two_weeks())
    late = rotation_days(WEEK)[3]
    early = RawState({day: d for day, d in raw.days.items() if day != late})
    first = plans(early)[WEEK]
    assert first.status == "due"
    then = plans(raw, counted_as(first))[WEEK]
    assert (then.status, then.reasons) == ("due", (f"new input {late}.parquet",))


def test_older_weeks_are_revised_only_when_named() -> None:
    rows = [row for week in range(WEEK, WEEK + 7) for row in weekly_hits(week)]
    raw = raw_state(rows)
    first = plans(raw)[WEEK]
    counted = counted_as(first, fingerprint="of other inputs")
    counted = replace(counted, weeks={WEEK, WEEK + 4})
    outdated = plans(raw, counted)[WEEK]
    assert outdated.status == "outdated"
    assert "name it in weeks to count it again: 2021-W39" in outdated.reasons
    assert plans(raw, counted, named=[WEEK])[WEEK].status == "due"
    assert plans(raw, counted, rules=replace(RULES, revise_weeks=5))[WEEK].status == "due"


def test_incident_days_down_the_outage_does_not_make_a_week_old() -> None:
    """After nine weeks without a run, the last week counted before is still revised."""
    rows = [row for week in range(WEEK, WEEK + 10) for row in weekly_hits(week)]
    raw = raw_state(rows)
    counted = counted_as(plans(raw)[WEEK], fingerprint="of other inputs")
    assert plans(raw, counted)[WEEK].status == "due"


def test_incident_clock_jump_hits_of_the_future_age_no_week() -> None:
    raw = raw_state(two_weeks())
    last = max(raw.days)
    future = [hit(week_start_timestamp(5000)), hit(week_start_timestamp(5001))]
    raw = RawState({**raw.days, last: RawDay(last, Path("x"), record_of(last, future))})
    counted = counted_as(plans(raw)[WEEK], fingerprint="of other inputs")
    counted = replace(
        counted,
        weeks={WEEK, 5000},
        spans={**counted.spans, "countme": WeekSpan(WEEK, 5000)},
    )
    assert plans(raw, counted)[WEEK].status == "due"


def test_incident_raw_grows_trimmed_weeks_are_not_counted_from_what_is_left() -> None:
    raw = raw_state(two_weeks())
    last = rotation_days(WEEK)[-1]
    left = {day: d for day, d in raw.days.items() if day >= last}
    assert plans(RawState(left))[WEEK].status == "due", "the first days may never have been there"
    trimmed = RawState(left, trimmed_through=last - timedelta(days=1))
    assert plans(trimmed)[WEEK].status == "gone"
    named = plans(trimmed, named=[WEEK])[WEEK]
    assert named.status == "failed"
    assert "2021-09-27 to 2021-10-03" in named.reasons[0]
    assert "Bring them back with countme_raw (state present" in named.reasons[0]


def test_a_week_whose_inputs_are_gone_is_left_alone_even_without_a_note() -> None:
    raw = raw_state(two_weeks())
    counted = counted_as(plans(raw)[WEEK])
    left = RawState({day: d for day, d in raw.days.items() if day != rotation_days(WEEK)[1]})
    assert plans(left, counted)[WEEK].status == "gone"
    assert plans(left, counted, named=[WEEK])[WEEK].status == "failed"


def test_history_of_an_earlier_system_is_left_unless_named() -> None:
    raw = raw_state(two_weeks())
    history = CountedState(
        weeks={WEEK}, spans={"countme": WeekSpan(WEEK, WEEK), "unique": WeekSpan(0, WEEK)}
    )
    assert plans(raw, history)[WEEK].status == "unchanged"
    assert plans(raw, history, named=[WEEK])[WEEK].status == "failed", "its first day is not there"
    monday = rotation_days(WEEK)[0]
    whole = RawState({monday: RawDay(monday, Path("x"), record_of(monday, [])), **raw.days})
    assert plans(whole, history, named=[WEEK])[WEEK].status == "due"


def test_a_named_week_without_hits_is_an_error_not_a_deletion() -> None:
    raw = raw_state(two_weeks())
    counted = replace(counted_as(plans(raw)[WEEK]), weeks={WEEK, 2650})
    assert plans(raw, counted, named=[2650])[2650].status == "failed"
    assert plans(raw, named=[2640])[2640].status in ("failed", "skipped")


def test_a_damaged_raw_day_blocks_its_weeks_only() -> None:
    rows = [*weekly_hits(WEEK), *weekly_hits(WEEK + 1), *weekly_hits(WEEK + 2)]
    raw = raw_state(rows, damaged={rotation_days(WEEK)[2]: "its record is gone"})
    by_week = plans(raw)
    assert (by_week[WEEK].status, by_week[WEEK].reasons) == ("blocked", ("its record is gone",))
    assert by_week[WEEK + 1].status == "due"
    assert plans(raw, named=[WEEK])[WEEK].status == "failed"


def test_rows_that_were_deleted_by_another_tool_are_counted_again() -> None:
    raw = raw_state(two_weeks())
    counted = replace(counted_as(plans(raw)[WEEK]), weeks=())
    again = plans(raw, counted)[WEEK]
    assert (again.status, again.reasons) == ("due", ("its rows are gone from the totals",))


def test_the_status_alone_may_change_with_the_clock() -> None:
    rows = [row for row in two_weeks() if row[0] < week_start_timestamp(WEEK) + 6 * 86400]
    rows += weekly_hits(WEEK + 1, systems=2)
    raw = raw_state(rows)
    first = plans(raw)[WEEK]
    assert first.quality is not None
    assert first.quality.status == "provisional"
    later = plans(raw, counted_as(first), rules=Rules(today=TODAY + timedelta(days=9)))[WEEK]
    assert (later.status, later.recount) == ("due", False)
    assert later.reasons == ("provisional became partial",)


def test_incident_csv_overwritten_raw_days_of_another_log_are_refused() -> None:
    raw = raw_state(two_weeks())
    counted = counted_as(plans(raw)[WEEK], log_name="mirrors-centos-access.log")
    with pytest.raises(SettingsError, match=r"expected raw days of 'mirrors-centos-access.log'"):
        plans(raw, counted)


def test_incident_new_year_the_week_that_holds_it_is_one() -> None:
    week = 2660
    raw = raw_state([*weekly_hits(week), *weekly_hits(week + 1)])
    plan = plans(raw)[week]
    assert plan.unit().name == "2020-W53"
    assert [d.day for d in plan.inputs][-1] == date(2021, 1, 4)


def test_weeks_before_the_first_counted_are_skipped() -> None:
    raw = raw_state([hit(week_start_timestamp(2500)), *two_weeks()])
    assert plans(raw)[2500].status == "skipped"
