"""The status of a week, its host-days, and what is out of the ordinary."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import pytest
import yaml
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._base.days_and_weeks import (
    rotation_days,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._hits.raw_days import (
    RawRecord,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._totals.quality import (
    FACTS,
    InputQuality,
    SuspectRule,
    WeekRecord,
    expected_by_day,
    judged,
    newest_complete_week,
    newest_week,
    quality_of,
    unknown_quality,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.modules import countme_totals
from ansible_collections.fedora_infra.dnf_counting.tests.support.raw_day_files import record_of

WEEK = 2699
DAYS = rotation_days(WEEK)
HOSTS = ("proxy01", "proxy02")


def records(
    *,
    without: Sequence[int] = (),
    lacking: Mapping[int, Sequence[str]] | None = None,
    **values: Any,
) -> dict[date, RawRecord]:
    """Records of the eight rotation days, by number; ``lacking`` hosts did not send their log."""
    hosts: dict[str, Any] = {"hosts_expected": HOSTS, "hosts_present": HOSTS}
    result = {}
    for number, day in enumerate(DAYS):
        if number not in without:
            present = [host for host in HOSTS if host not in (lacking or {}).get(number, ())]
            facts = {**hosts, "hosts_present": tuple(present), **values}
            result[day] = record_of(day, [], **facts)
    return result


def quality(
    records: Mapping[date, RawRecord], *, days_later: int = 1, **options: Any
) -> InputQuality:
    today = DAYS[-1] + timedelta(days=days_later)
    return quality_of(WEEK, records, today=today, settle_days=7, **options)


@pytest.mark.parametrize(
    ("there", "days_later", "expected"),
    [
        pytest.param(records(), 1, ("complete", 14, 14), id="all"),
        pytest.param(records(without=[7]), 1, ("provisional", 14, 12), id="last-day-may-come"),
        pytest.param(records(without=[7]), 7, ("partial", 14, 12), id="last-day-never-came"),
        pytest.param(records(without=[1]), 1, ("partial", 14, 12), id="missing_day"),
        pytest.param(records(without=[0]), 1, ("partial", 14, 14), id="first-hours-missing"),
        pytest.param(
            records(lacking={3: ["proxy02"]}), 1, ("partial", 14, 13), id="missing_day_source"
        ),
        pytest.param(records(lacking={0: ["proxy02"]}), 1, ("complete", 14, 14), id="not-its-day"),
        pytest.param(
            records(hosts_expected=None, hosts_present=None),
            1,
            ("complete", None, None),
            id="hosts-not-recorded",
        ),
        pytest.param(records(without=[7]), -400, ("provisional", 14, 12), id="clock_jump-past"),
        pytest.param(records(without=[7]), 4000, ("partial", 14, 12), id="clock_jump-future"),
    ],
)
def test_incident_missing_day_source_status_and_host_days(
    there: dict[date, RawRecord], days_later: int, expected: tuple[str, int | None, int | None]
) -> None:
    found = quality(there, days_later=days_later)
    assert (found.status, found.expected_host_days, found.received_host_days) == expected


def test_hosts_that_were_not_expected_are_no_host_days() -> None:
    there = records(hosts_present=(*HOSTS, "stranger"))
    assert quality(there).received_host_days == 14


def test_a_week_that_waits_for_later_hits_is_not_complete() -> None:
    assert quality(records(), waiting=True).status == "provisional"
    assert quality(records(), waiting=True, days_later=30).status == "partial"


def test_a_day_without_a_record_is_expected_to_have_the_hosts_of_the_nearest_day() -> None:
    known = {DAYS[1]: 5, DAYS[5]: 7}
    assert list(expected_by_day(DAYS, known).values()) == [5, 5, 5, 5, 7, 7, 7, 7]


def test_malformed_lines_of_its_seven_days() -> None:
    rejects = {"unrelated": 90, "bad_time": 2, "bad_countme": 1}
    there = records()
    there[DAYS[3]] = record_of(DAYS[3], [], rejects=rejects)
    assert quality(there).malformed == 3
    assert quality(records(rejects=rejects)).malformed == 21


def week(number: int, hits: int, status: str = "complete", **values: Any) -> WeekRecord:
    return WeekRecord(
        week=number,
        status=status,
        expected_host_days=None,
        received_host_days=None,
        malformed=0,
        hits=hits,
        revision=1,
        computed_at="",
        fingerprint="",
        inputs=(),
        log_name="",
        **values,
    )


def suspects(hits: Sequence[int], rule: SuspectRule | None = None) -> list[int]:
    weeks = [week(number, count) for number, count in enumerate(hits)]
    found = judged(weeks, rule or SuspectRule(), history={})
    return [one.week for one in found if one.suspect]


@pytest.mark.parametrize(
    ("hits", "expected"),
    [
        pytest.param([100, 101, 99, 100, 103], [], id="ordinary"),
        pytest.param([100, 101, 99, 86, 85, 101], [], id="christmas"),
        pytest.param([100, 101, 99, 70, 100], [3], id="dip"),
        pytest.param([100, 101, 99, 140, 100], [3], id="polluted"),
        pytest.param(
            [100, 99, 101, 100, 99, 5, 5, 5, 101], [5, 6, 7], id="three-bad-weeks-teach-nothing"
        ),
        pytest.param([100] * 8 + [200] * 6, [8, 9, 10, 11, 12], id="lasting-change-is-taken-up"),
        pytest.param([100, 10], [], id="nothing-to-compare-with"),
        pytest.param([0, 0, 0, 5], [3], id="from-nothing"),
    ],
)
def test_suspect_weeks(hits: list[int], expected: list[int]) -> None:
    assert suspects(hits) == expected


def test_the_rule_can_be_set() -> None:
    assert suspects([100, 100, 100, 88], SuspectRule(percent=10)) == [3]
    assert suspects([100, 100, 50, 50, 50], SuspectRule(trailing_weeks=3)) == [3]


def test_the_reason_tells_how_far_and_from_what() -> None:
    found = judged(
        [week(n, h) for n, h in enumerate([100, 100, 100, 60])], SuspectRule(), history={}
    )
    assert found[3].suspect_reason == "60 hits, -40% from the median of 3 weeks before, 100"


def test_provisional_weeks_do_not_tell_what_is_usual() -> None:
    weeks = [week(0, 100), week(1, 100), week(2, 3, "provisional"), week(3, 100), week(4, 90)]
    assert [one.week for one in judged(weeks, SuspectRule(), history={}) if one.suspect] == []


def test_history_of_an_earlier_system_tells_what_is_usual() -> None:
    history = {1: 100, 2: 100, 3: 100}
    assert judged([week(4, 50)], SuspectRule(), history=history)[0].suspect
    assert not judged([week(4, 50)], SuspectRule(), history={4: 50})[0].suspect


def test_incident_polluter_is_told_with_the_rest() -> None:
    weeks = [week(n, 100) for n in range(3)]
    found = judged([*weeks, week(3, 10, polluted="one address")], SuspectRule(), history={})
    assert found[3].suspect_reason.endswith("; one address")


def test_the_facts_of_a_record_are_those_that_are_published() -> None:
    one = week(2699, 100, suspect_reason="one address")
    assert one.quality[:3] == ("2021-W39", "2021-09-27", "2021-10-03")
    assert one.quality.facts() == {name: getattr(one, name) for name in FACTS}
    assert one.quality.suspect is True


def test_each_fact_about_a_week_is_documented_in_the_module() -> None:
    returned = yaml.safe_load(countme_totals.RETURN)["units"]["contains"]
    assert {f"week_{name}" if name == "status" else name for name in FACTS} <= returned.keys()


def test_the_newest_week_is_complete_if_one_is() -> None:
    known = {week: unknown_quality(week) for week in (WEEK, WEEK + 1, WEEK + 2)}
    assert newest_week([WEEK, WEEK + 1], known) == WEEK + 1
    assert newest_complete_week(known) is None
    complete = {**known, WEEK: known[WEEK]._replace(status="complete")}
    assert (
        newest_week([WEEK, WEEK + 1, WEEK + 9], complete) == newest_complete_week(complete) == WEEK
    )
    # a complete week without rows in the totals is not the newest one
    assert newest_week([WEEK + 1], complete) == WEEK + 1
    assert newest_week([], complete) is None
