# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan of the weeks to count, with the reasons for all others, without reading a hit.

A week ends separately for each of the two kinds of rows. It is over for a kind once a hit of that
kind is seen that is later than the end of the week by more than the jitter of logs. The week is
counted from all raw days that have hits in it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import NamedTuple

from .._base.days_and_weeks import (
    LOG_JITTER_SECONDS,
    format_days,
    parse_week,
    rotation_days,
    week_name,
    week_of,
    week_of_day,
    week_start_timestamp,
)
from .._base.errors import SettingsError, printable
from .._base.fedora import FIRST_WEEK
from .._base.json_records import to_json
from .._base.records import Status, WorkUnit
from .._hits.raw_days import RawRecord
from .._hits.statistics import STATISTICS, Statistic
from .quality import InputQuality, WeekRecord, quality_of

FEDORA_FIRST_WEEK = parse_week(FIRST_WEEK)


class RawDay(NamedTuple):
    """A raw day in the folder, with its record."""

    day: date
    path: Path
    record: RawRecord


class WeekSpan(NamedTuple):
    """The oldest and the newest week that have rows of a statistic. None if no week has rows."""

    oldest: int | None = None
    newest: int | None = None


@dataclass(frozen=True)
class RawState:
    """The content of the folder of raw days."""

    days: Mapping[date, RawDay]
    damaged: Mapping[date, str] = field(default_factory=dict)
    """Raw days without a readable record, with the error of each."""
    trimmed_through: date | None = None


@dataclass(frozen=True)
class CountedState:
    """The content of the totals."""

    weeks: Collection[int] = ()
    """Weeks that have rows."""
    spans: Mapping[str, WeekSpan] = field(default_factory=dict)
    """The spans of weeks by the name of the statistic."""
    records: Mapping[int, WeekRecord] = field(default_factory=dict)


@dataclass(frozen=True)
class Rules:
    """The rules that an operator can set, and the present day."""

    today: date
    revise_weeks: int = 4
    settle_days: int = 7
    first_week: int = FEDORA_FIRST_WEEK
    """The first week of statistics that do not begin with their first hit."""


@dataclass(frozen=True)
class WeekPlan:
    """The plan of a week."""

    week: int
    status: Status
    """``due``, ``unchanged``, ``waiting``, ``gone``, ``outdated``, ``blocked``, ``skipped`` or,
    for a named week that cannot be counted, ``failed``."""
    reasons: tuple[str, ...] = ()
    recount: bool = False
    """True if the hits are to be counted. False for a week whose status alone changes."""
    inputs: tuple[RawDay, ...] = ()
    """The raw days of its rotation days, and all others that have hits in it."""
    statistics: tuple[Statistic, ...] = ()
    """The statistics that are counted for the week."""
    quality: InputQuality | None = None
    fingerprint: str = ""

    def unit(self) -> WorkUnit:
        return WorkUnit(week_name(self.week), self.status, self.reasons, {"week": self.week})


class Bounds(NamedTuple):
    """The range of weeks for which a statistic is counted."""

    first: int
    until: int
    """The first week that is not over."""


@dataclass(frozen=True)
class Horizon:
    """The ranges of weeks for which each statistic is counted."""

    bounds: Mapping[Statistic, Bounds]
    first_week: int
    """The first week of statistics that do not begin with their first hit."""

    def statistics(self, week: int) -> tuple[Statistic, ...]:
        """Return the statistics that are counted for a week."""
        return tuple(one for one, (first, until) in self.bounds.items() if first <= week < until)

    def open_from(self, statistic: Statistic) -> int:
        """Return the first week whose hits wait for a later hit of the statistic."""
        until = self.bounds[statistic].until
        return max(self.first_week, until) if statistic.from_first_week else until

    @property
    def begin(self) -> int:
        """The first week that waits if it has no statistic.

        Earlier weeks without a statistic never wait.
        """
        return min(
            self.first_week if one.from_first_week else until
            for one, (_first, until) in self.bounds.items()
        )


def horizon_of(
    days: Collection[RawDay],
    counted: CountedState,
    *,
    first_week: int,
    first_seen: Callable[[Statistic, Sequence[Path]], int | None],
) -> Horizon:
    """Return the horizon that follows from the raw days and from the weeks that are counted.

    ``first_seen`` returns the time of the first hit in some raw days that shows that a statistic is
    collected. It is called only if the records do not answer whether such hits exist before the
    first week that is known to have some.
    """
    bounds = {}
    for one in STATISTICS:
        last_times = [time for d in days if (time := d.record.last_seen[one.name]) is not None]
        oldest, newest = counted.spans.get(one.name, WeekSpan())
        first = (
            first_week
            if one.from_first_week
            else max(_first_week_seen(one, days, oldest, partial(first_seen, one)), 0)
        )
        bounds[one] = Bounds(first, _first_open_week(last_times, newest))
    return Horizon(bounds, first_week)


def _first_open_week(last_times: Sequence[int], newest_counted: int | None) -> int:
    by_hits = week_of(max(last_times) - LOG_JITTER_SECONDS) if last_times else 0
    return max(by_hits, 0 if newest_counted is None else newest_counted + 1)


def _first_week_seen(
    statistic: Statistic,
    days: Collection[RawDay],
    oldest_counted: int | None,
    first_seen: Callable[[Sequence[Path]], int | None],
) -> int:
    with_hits = [
        (d, last) for d in days if (last := d.record.last_seen[statistic.name]) is not None
    ]
    known = [week_of(last) for _day, last in with_hits]
    if oldest_counted is not None:
        known.append(oldest_counted)
    if not known:
        return 0  # Without such a hit no week is over, so the first week does not matter.
    first = min(known)
    open_days = [
        d.path
        for d, _last in with_hits
        if d.record.first is not None and max(week_of(d.record.first), 0) < first
    ]
    seen = first_seen(open_days) if open_days else None
    return first if seen is None else min(first, week_of(seen))


def plan_weeks(
    raw: RawState,
    counted: CountedState,
    horizon: Horizon,
    rules: Rules,
    *,
    named: Sequence[int] = (),
) -> list[WeekPlan]:
    """Return the plans of the weeks that the raw days touch, or of the ``named`` weeks, ascending.

    Raises SettingsError if the raw days belong to another log than the totals.
    """
    _check_log_name(raw, counted)
    newest = _newest_counted(raw, counted)
    plans = []
    for week in sorted(set(named)) if named else _touched_weeks(raw, counted):
        if not horizon.statistics(week):
            plans.append(_not_counted(week, horizon))
            continue
        plan = _with_inputs(week, raw, horizon, rules)
        plans.append(
            _asked_for(plan, raw, counted)
            if named
            else _by_itself(plan, raw, counted, oldest_revised=newest - rules.revise_weeks + 1)
        )
    return plans


def _touched_weeks(raw: RawState, counted: CountedState) -> list[int]:
    weeks = {week for d in raw.days.values() for week, rows in d.record.weeks.items() if rows}
    there = {d.path.name for d in raw.days.values()}
    weeks |= {w for w, record in counted.records.items() if not there.isdisjoint(record.inputs)}
    return sorted(week for week in weeks if week >= 0)


def _newest_counted(raw: RawState, counted: CountedState) -> int:
    """Return the newest counted week, without the weeks of hits that are dated into the future."""
    last = week_of_day(max(raw.days)) if raw.days else 0
    return max((week for week in counted.weeks if week <= last), default=last)


def _check_log_name(raw: RawState, counted: CountedState) -> None:
    names = sorted({d.record.log_name for d in raw.days.values()})
    if len(names) > 1:
        raise SettingsError(
            "option raw_dir",
            expected="the raw days of one log",
            found=f"those of {', '.join(printable(name) for name in names)}",
            advice="Keep the raw days of each log in a folder of their own.",
        )
    before = [counted.records[week].log_name for week in sorted(counted.records)][-1:]
    if names and before and names != before:
        raise SettingsError(
            "option raw_dir",
            expected=f"raw days of {printable(before[0])}, from which these totals are counted",
            found=f"those of {printable(names[0])}",
            advice="Correct raw_dir or totals_db.",
        )


def _not_counted(week: int, horizon: Horizon) -> WeekPlan:
    if week >= horizon.begin:
        return WeekPlan(week, "waiting", ("it is not over yet",))
    return WeekPlan(week, "skipped", ("it lies before the first hits that are counted",))


def _with_inputs(
    week: int,
    raw: RawState,
    horizon: Horizon,
    rules: Rules,
) -> WeekPlan:
    statistics = horizon.statistics(week)
    days = rotation_days(week)
    inputs = tuple(
        d for day, d in sorted(raw.days.items()) if day in days or d.record.weeks.get(week)
    )
    quality = quality_of(
        week,
        {d.day: d.record for d in inputs},
        today=rules.today,
        settle_days=rules.settle_days,
        waiting=_waits(week, inputs, horizon),
    )
    return WeekPlan(
        week,
        "due",
        inputs=inputs,
        statistics=statistics,
        quality=quality,
        fingerprint=_fingerprint(inputs, statistics),
    )


def _waits(week: int, inputs: Sequence[RawDay], horizon: Horizon) -> bool:
    """Return true if some hits of the week cannot be counted before a later hit is seen."""
    start = week_start_timestamp(week)
    counted = horizon.statistics(week)
    return any(
        one not in counted
        and week >= horizon.open_from(one)
        and any((d.record.last_seen[one.name] or start - 1) >= start for d in inputs)
        for one in STATISTICS
    )


def _fingerprint(inputs: Sequence[RawDay], statistics: Collection[Statistic]) -> str:
    facts = [
        [
            d.path.name,
            to_json(d.record.source),
            d.record.rows,
            d.record.rules,
            d.record.rejects,
            d.record.hosts_expected,
            d.record.hosts_present,
        ]
        for d in inputs
    ]
    text = json.dumps([[one in statistics for one in STATISTICS], facts], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _by_itself(
    plan: WeekPlan, raw: RawState, counted: CountedState, *, oldest_revised: int
) -> WeekPlan:
    """Return the plan of a week that was not named.

    The week is counted if it is new. It is counted again if it is recent and its inputs changed.
    """
    record = counted.records.get(plan.week)
    has_rows = plan.week in counted.weeks
    if record is None and has_rows:
        reason = "it was counted by an earlier system; name it in weeks to count it again"
        return replace(plan, status="unchanged", reasons=(reason,))
    damaged = _damaged(plan, record, raw)
    if damaged:
        return replace(plan, status="blocked", reasons=damaged)
    gone = _gone_days(plan.week, record, raw)
    if gone:
        return replace(plan, status="gone", reasons=(f"raw days are gone: {format_days(gone)}",))
    if record is None:
        return replace(plan, recount=True, reasons=("a new week",))
    changes = _changes(plan, record, has_rows=has_rows)
    if not changes:
        return _with_status_of_now(plan, record)
    if plan.week < oldest_revised and not _fills_gaps(plan, record):
        advice = f"name it in weeks to count it again: {week_name(plan.week)}"
        return replace(plan, status="outdated", reasons=(*changes, advice))
    return replace(plan, recount=True, reasons=changes)


def _fills_gaps(plan: WeekPlan, record: WeekRecord) -> bool:
    """Return true if there are new days that the count of the week lacked.

    Such a week is counted again at any age, so that its count does not stay incomplete.
    """
    own_days = set(rotation_days(plan.week))
    return any(d.day in own_days and d.path.name not in record.inputs for d in plan.inputs)


def _with_status_of_now(plan: WeekPlan, record: WeekRecord) -> WeekPlan:
    if plan.quality == record.of_inputs:
        return replace(plan, status="unchanged")
    now = plan.quality.status if plan.quality else ""
    return replace(plan, reasons=(f"{record.status} became {now}",))


def _asked_for(plan: WeekPlan, raw: RawState, counted: CountedState) -> WeekPlan:
    """Return the plan of a named week.

    The week is counted again at any age, but never from a part of its raw days.
    """
    record = counted.records.get(plan.week)
    has_rows = plan.week in counted.weeks
    damaged = _damaged(plan, record, raw)
    if damaged:
        return replace(plan, status="failed", reasons=damaged)
    gone = _gone_days(plan.week, record, raw)
    if record is None and has_rows:
        gone = [day for day in rotation_days(plan.week) if day not in raw.days]
    if gone or not any(d.record.weeks.get(plan.week) for d in plan.inputs):
        return replace(plan, status="failed", reasons=(_bring_back(plan.week, gone),))
    if record is None:
        return replace(plan, recount=True, reasons=("it was asked for",))
    changes = _changes(plan, record, has_rows=has_rows)
    if changes:
        return replace(plan, recount=True, reasons=changes)
    return replace(_with_status_of_now(plan, record), recount=True)


def _bring_back(week: int, gone: Collection[date]) -> str:
    days = sorted(set(gone) or set(rotation_days(week)))
    return (
        f"expected the raw days of all its hits, found none for {format_days(days)}. "
        "Bring them back with countme_raw (state present, dates of these days), then count again."
    )


def _damaged(plan: WeekPlan, record: WeekRecord | None, raw: RawState) -> tuple[str, ...]:
    """Return the reasons why the week cannot be counted from the present raw days."""
    days = set(rotation_days(plan.week))
    inputs = record.inputs if record else ()
    reasons = [
        reason
        for day, reason in sorted(raw.damaged.items())
        if day in days or f"{day}.parquet" in inputs
    ]
    with_hits = [d for d in plan.inputs if d.record.weeks.get(plan.week)]
    hashed = [d.day for d in with_hits if d.record.hashed]
    if hashed and len(hashed) < len(with_hits):
        reasons.append(
            f"addresses are hashed in some of its raw days only ({format_days(hashed)}), so a "
            "client could count twice: run countme_raw for all of its days with one hash_hosts"
        )
    return tuple(reasons)


def _gone_days(week: int, record: WeekRecord | None, raw: RawState) -> list[date]:
    """Return the raw days that are gone and that a whole count of the week needs.

    A count without them would use only a part of the inputs of the week.
    """
    there = {d.path.name for d in raw.days.values()}
    gone = {name for name in (record.inputs if record else ()) if name not in there}
    days = {date.fromisoformat(name.removesuffix(".parquet")) for name in gone}
    if record is None and raw.trimmed_through is not None:
        days |= {
            day for day in rotation_days(week) if day <= raw.trimmed_through and day not in raw.days
        }
    return sorted(days)


def _changes(plan: WeekPlan, record: WeekRecord, *, has_rows: bool) -> tuple[str, ...]:
    """Return the reasons why a counted week is out of date. Empty if it is not."""
    if not has_rows and any(d.record.weeks.get(plan.week) for d in plan.inputs):
        return ("its rows are gone from the totals",)
    if plan.fingerprint == record.fingerprint:
        return ()
    new = [d.path.name for d in plan.inputs if d.path.name not in record.inputs]
    return tuple(f"new input {name}" for name in new) or ("its inputs changed",)
