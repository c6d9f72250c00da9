# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Find the problems of a status, by the thresholds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta

from .._base.coverage import (
    BLOCKED,
    LATE,
    MISSING,
    NOT_EXPECTED,
    OUT_OF_DATE,
    PARTIAL,
    TRIMMED,
    UNREADABLE,
    WAITING,
    StageCoverage,
    State,
    WeekCoverage,
)
from .._base.days_and_weeks import DAY_SECONDS, format_days, week_end, week_name, week_start
from .._base.problem import CRITICAL, UNKNOWN, WARNING, Problem, Severity
from .._pipeline.stages import STAGES
from .._watch.history import FAILED, NEVER_FINISHED
from .judge_hosts import (
    JudgementInputs,
    host_days,
    host_list,
    judged_days,
    names_of,
    share_of_hosts,
)
from .runs import StepTimes
from .status import Status
from .thresholds import Bounds, Thresholds, too_high, too_low

#: The days from the end of a week until it can be counted: the log of the next Tuesday shows that
#: the week is over, and it is fetched on Wednesday.
_COUNTABLE_DAYS = 2
#: The longest time between two nightly runs; a run may take some hours longer than the one before.
_RUN_EVERY = timedelta(hours=28)
#: A step that takes up to a minute more than usual is no problem, even if it is usually short.
_SLACK_SECONDS = 60


def judge(status: Status, inputs: JudgementInputs) -> list[Problem]:
    """Return the problems of a status, in no order."""
    if inputs.begin is None:
        return [*_nothing_yet(inputs), *_steps(status, inputs), *_room(status, inputs)]
    return [
        *_ages(status, inputs),
        *_clock(status, inputs),
        *host_days(status, inputs),
        *share_of_hosts(status, inputs),
        *host_list(status, inputs),
        *_days(status, inputs),
        *_weeks(status, inputs),
        *_published(status),
        *_steps(status, inputs),
        *_room(status, inputs),
        *_schedule(status, inputs),
        *_unsent(status, inputs),
    ]


def _nothing_yet(inputs: JudgementInputs) -> Iterator[Problem]:
    if inputs.is_blind:
        return
    yield Problem(
        UNKNOWN,
        "sync",
        "no run yet: there are no logs, combined days or raw days",
        "",
        "Run the playbooks deploy and daily. If they ran, check that the settings name the same "
        "folders and that shares are mounted.",
    )


def _age_days(status: Status, newest: date) -> float:
    """Return the days since the end of a day, at the time of the last sync.

    The logs of yesterday are not late in the hours before the run of a day. If the last sync was
    more than a day ago, return the age at the present time.
    """
    now, synced = status.generated_at, status.synced_at
    if synced is not None and timedelta() <= now - synced < _RUN_EVERY:
        now = synced
    end = datetime.combine(newest + timedelta(days=1), time(), UTC)
    return (now - end).total_seconds() / DAY_SECONDS


def _newest_there(stage: StageCoverage, today: date) -> date | None:
    """Return the newest day with an output, except days in the future."""
    absent = (MISSING, NOT_EXPECTED, LATE, WAITING, TRIMMED, UNREADABLE)
    days = [date.fromisoformat(day) for day, one in stage.units.items() if one.state not in absent]
    if stage.newest and (not days or stage.newest < min(days)):
        days.append(stage.newest)
    return max((day for day in days if day <= today), default=None)


def _ages(status: Status, inputs: JudgementInputs) -> Iterator[Problem]:
    thresholds = inputs.thresholds
    reported: set[tuple[str, str]] = set()
    for stage in status.stages_called("combine"):
        for problem in _age(status, inputs, stage, thresholds.combined_age_days):
            reported.add((problem.severity, problem.since))
            yield problem
    for stage in status.stages_called("raw"):
        for problem in _age(status, inputs, stage, thresholds.raw_age_days):
            # raw days as old as the combined days have no problem of their own
            if (problem.severity, problem.since) not in reported:
                yield problem
    for stage in status.stages_called("totals"):
        yield from _totals_age(status, inputs, stage)


def _unreadable(stage: StageCoverage) -> bool:
    return bool(stage.units) and {one.state for one in stage.units.values()} == {UNREADABLE}


def _age(
    status: Status, inputs: JudgementInputs, stage: StageCoverage, bounds: Bounds
) -> Iterator[Problem]:
    newest = _newest_there(stage, inputs.today)
    since = newest or inputs.begin
    if since is None or _unreadable(stage):
        return
    age = _age_days(status, since)
    if severity := too_high(age, bounds):
        found = f"the newest day is {newest}, {age:.1f} days old" if newest else "no day yet"
        yield Problem(
            severity,
            stage.stage,
            f"{stage.title}: {found}",
            str(since),
            "Check that the daily run runs, and see the reasons of the days after that one.",
        )


def _totals_age(status: Status, inputs: JudgementInputs, stage: StageCoverage) -> Iterator[Problem]:
    # without any week, a week counts as ended just before the first day
    since = stage.newest or (inputs.begin or inputs.today)
    age = _age_days(status, since) - _COUNTABLE_DAYS
    if severity := too_high(age, inputs.thresholds.totals_age_days):
        found = f"the newest week ended on {stage.newest}" if stage.newest else "no week yet"
        yield Problem(
            severity,
            stage.stage,
            f"{stage.title}: {found}, and the next one is not counted",
            str(since),
            "See the reasons of the newest weeks, and check that there are new raw days.",
        )


def _clock(status: Status, inputs: JudgementInputs) -> Iterator[Problem]:
    future = {
        tree.name: tree.newest
        for tree in status.trees
        if tree.newest is not None and tree.newest > inputs.today
    }
    for name, newest in future.items():
        yield Problem(
            WARNING,
            "clock",
            f"{name}: the newest day is {newest}, and today is {inputs.today} (UTC)",
            str(newest),
            "Check the clock of this machine, then what made that day; it is ignored before its "
            "time.",
        )
    ahead = [one.title for one in status.steps if one.last.started > status.generated_at]
    if ahead:
        yield Problem(
            WARNING,
            "clock",
            f"steps that started in the future: {names_of(ahead)}",
            "",
            "Check the clock of this machine.",
        )


def _days(status: Status, inputs: JudgementInputs) -> Iterator[Problem]:
    """Yield the problems of days, one for all days of a stage with the same state."""
    missing = {
        name: {date.fromisoformat(d) for d, one in stage.units.items() if one.state == MISSING}
        for name in ("sync", "combine")
        for stage in status.stages_called(name)
    }
    for stage in status.stages:
        if stage.kind != "day" or stage.stage == "sync":
            continue
        is_reported = inputs.is_blind and _unreadable(stage)
        for state, (severity, words, advice) in _DAY_PROBLEMS.items():
            if state == UNREADABLE and is_reported:
                continue  # the place that does not answer is a problem already
            days = [date.fromisoformat(d) for d, one in stage.units.items() if one.state == state]
            if state == MISSING:
                # the first stage that lacks the day reports it
                earlier = missing.get(_made_from(stage.stage), set())
                days = [day for day in judged_days(inputs, days) if day not in earlier]
            if days:
                what = f"{stage.title}: {words} {format_days(days)}"
                yield Problem(severity, stage.stage, what, str(min(days)), advice)
        damaged = [date.fromisoformat(day) for day, one in stage.units.items() if one.damaged]
        if damaged := judged_days(inputs, damaged):
            yield Problem(
                WARNING,
                stage.stage,
                f"{stage.title}: damaged logs were left out of {format_days(damaged)}",
                str(min(damaged)),
                "The reasons of these days name the logs; fetch them again, or repair them.",
            )


_DAY_PROBLEMS: Mapping[State, tuple[Severity, str, str]] = {
    UNREADABLE: (CRITICAL, "can't be judged:", "The reasons of these days name the place."),
    BLOCKED: (WARNING, "can't be made again:", "The reasons of these days have the next step."),
    MISSING: (
        WARNING,
        "no output of",
        "Run the stage before it first. If the logs are lost, the weeks stay partial.",
    ),
    OUT_OF_DATE: (
        WARNING,
        "out of date:",
        "The next run makes them again. If they stay out of date, its report has the reason.",
    ),
}


def _made_from(name: str) -> str:
    """Return the stage that makes what a stage reads; empty if no stage does."""
    reads = next(stage.reads for stage in STAGES if stage.name == name)
    return next((stage.name for stage in STAGES if {*stage.writes} & {*reads}), "")


def _weeks(status: Status, inputs: JudgementInputs) -> Iterator[Problem]:
    for one in status.weeks:
        name, end = f"{one.profile} {week_name(one.week)}", week_end(one.week)
        is_judged = bool(judged_days(inputs, [end]))
        why = f" ({'; '.join(one.covered.reasons)})" if one.covered.reasons else ""
        if one.covered.state in _WEEK_PROBLEMS:
            severity, words, advice = _WEEK_PROBLEMS[one.covered.state]
            if one.covered.state != MISSING or is_judged:
                yield Problem(severity, "totals", f"{name} {words}{why}", str(end), advice)
        elif one.covered.state == PARTIAL and is_judged and not _is_first(one, inputs):
            yield _partial(one, name)
        if one.quality and one.quality.suspect and is_judged:
            yield Problem(
                WARNING,
                "totals",
                f"{name} is suspect: {one.quality.suspect_reason}",
                str(end),
                "Examine the logs of that week; readers see the same remark.",
            )


_WEEK_PROBLEMS: Mapping[State, tuple[Severity, str, str]] = {
    UNREADABLE: (CRITICAL, "can't be counted", "Follow the reason."),
    BLOCKED: (CRITICAL, "can't be counted", "Follow the reason, then run totals again."),
    MISSING: (WARNING, "is not counted", "Check that its raw days exist."),
    OUT_OF_DATE: (
        WARNING,
        "is out of date",
        "The next run counts it. If it does not, name it in the option weeks of countme_totals.",
    ),
}


def _is_first(one: WeekCoverage, inputs: JudgementInputs) -> bool:
    """Return whether the week began before the first day with any data."""
    return inputs.begin is not None and week_start(one.week) < inputs.begin


def _partial(one: WeekCoverage, name: str) -> Problem:
    received = ""
    if one.quality and one.quality.expected_host_days is not None:
        quality = one.quality
        received = f": {quality.received_host_days} of {quality.expected_host_days} host-days came"
    return Problem(
        WARNING,
        "totals",
        f"{name} is partial{received}",
        str(week_end(one.week)),
        "Find the hosts with missing days in the calendar; the week is revised when they come.",
    )


def _published(status: Status) -> Iterator[Problem]:
    for stage in status.stages_called("publish"):
        for one in stage.units.values():
            why = "; ".join(one.reasons)
            if one.state in (BLOCKED, UNREADABLE):
                yield Problem(
                    CRITICAL, "publish", f"{stage.title}: {why}", "", "Follow the reason."
                )
            elif one.state in (OUT_OF_DATE, LATE):
                yield Problem(
                    WARNING,
                    "publish",
                    f"{stage.title}: out of date ({why})",
                    "",
                    "The next run publishes it. If it stays out of date, its report has the reason.",
                )


def _steps(status: Status, inputs: JudgementInputs) -> Iterator[Problem]:
    for one in status.steps:
        since = one.last.started.isoformat(timespec="seconds")
        if one.last.result == NEVER_FINISHED:
            yield Problem(
                WARNING,
                "runs",
                f"{one.title} started and never finished",
                since,
                "It was killed, or the machine went down. The next run continues; see the journal "
                "of that time.",
            )
        elif one.last.result == FAILED:
            yield Problem(
                WARNING,
                "runs",
                f"{one.title} failed: {one.last.reason}",
                since,
                "Follow the reason, then run again.",
            )
        if severity := _too_slow(one, status.generated_at, inputs.thresholds):
            usual = one.usual_seconds or 0
            yield Problem(
                severity,
                "runs",
                f"{one.title} takes {one.factor(status.generated_at):.1f} times its usual "
                f"{usual:.0f} s",
                since,
                "Check the load of the machine, its disks and its network.",
            )


def _too_slow(one: StepTimes, now: datetime, thresholds: Thresholds) -> Severity | None:
    factor, usual = one.factor(now), one.usual_seconds
    if factor is None or usual is None or factor * usual < usual + _SLACK_SECONDS:
        return None
    return too_high(factor, thresholds.run_time_factor)


def _room(status: Status, inputs: JudgementInputs) -> Iterator[Problem]:
    for tree in status.trees:
        if severity := too_low(tree.free_percent, inputs.thresholds.disk_free_percent):
            yield Problem(
                severity,
                "disk",
                f"{tree.name}: {tree.free_percent} % of the file system of {tree.path} is free",
                "",
                "Free some space or enlarge it; a run without enough space changes nothing.",
            )


def _schedule(status: Status, inputs: JudgementInputs) -> Iterator[Problem]:
    if inputs.is_scheduled and status.next_run is None:
        yield Problem(
            WARNING,
            "schedule",
            "no next run: the timer is not active",
            "",
            "Enable the timer.",
        )


def _unsent(status: Status, inputs: JudgementInputs) -> Iterator[Problem]:
    if status.unsent is None:
        return
    if severity := too_high(status.unsent.messages, inputs.thresholds.unsent_messages):
        oldest = status.unsent.oldest
        yield Problem(
            severity,
            "messages",
            f"{status.unsent.messages} messages wait for the bus",
            oldest or "",
            "Check that the broker can be reached and lets this machine publish; the next run "
            "sends them.",
        )
