# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which problems a status shows, by the thresholds."""

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
    Findings,
    host_days,
    host_list,
    judged_days,
    names_of,
    share_of_hosts,
)
from .runs import StepTimes
from .status import Status
from .thresholds import Bounds, Thresholds, too_high, too_low

#: From the end of a week to the log that shows that it is over: that of the Tuesday behind it,
#: which is fetched on Wednesday.
_COUNTABLE_DAYS = 2
#: A run every night, with some hours for one that takes longer than that of the day before.
_RUN_EVERY = timedelta(hours=28)
#: A step that takes a minute more than usual is no problem, however short it usually is.
_SLACK_SECONDS = 60


def judge(status: Status, findings: Findings) -> list[Problem]:
    """The problems of a status, in no order."""
    if findings.begin is None:
        return [*_nothing_yet(findings), *_steps(status, findings), *_room(status, findings)]
    return [
        *_ages(status, findings),
        *_clock(status, findings),
        *host_days(status, findings),
        *share_of_hosts(status, findings),
        *host_list(status, findings),
        *_days(status, findings),
        *_weeks(status, findings),
        *_published(status),
        *_steps(status, findings),
        *_room(status, findings),
        *_schedule(status, findings),
        *_unsent(status, findings),
    ]


def _nothing_yet(findings: Findings) -> Iterator[Problem]:
    if findings.is_blind:
        return
    yield Problem(
        UNKNOWN,
        "sync",
        "no run yet: there are no logs, combined days or raw days",
        "",
        "Run the playbooks deploy and daily. If they ran, see that the settings name the same "
        "folders, and that shares are mounted.",
    )


def _age_days(status: Status, newest: date) -> float:
    """Since a day ended, in days, as it was at the last sync.

    In the hours before the run of a day, yesterday's logs are not late. Without a sync for more
    than a day it is the age by now.
    """
    now, synced = status.generated_at, status.synced_at
    if synced is not None and timedelta() <= now - synced < _RUN_EVERY:
        now = synced
    end = datetime.combine(newest + timedelta(days=1), time(), UTC)
    return (now - end).total_seconds() / DAY_SECONDS


def _newest_there(stage: StageCoverage, today: date) -> date | None:
    """The newest day that is there, days of the future aside."""
    absent = (MISSING, NOT_EXPECTED, LATE, WAITING, TRIMMED, UNREADABLE)
    days = [date.fromisoformat(day) for day, one in stage.units.items() if one.state not in absent]
    if stage.newest and (not days or stage.newest < min(days)):
        days.append(stage.newest)
    return max((day for day in days if day <= today), default=None)


def _ages(status: Status, findings: Findings) -> Iterator[Problem]:
    thresholds = findings.thresholds
    told: set[tuple[str, str]] = set()
    for stage in status.stages_called("combine"):
        for problem in _age(status, findings, stage, thresholds.combined_age_days):
            told.add((problem.severity, problem.since))
            yield problem
    for stage in status.stages_called("raw"):
        for problem in _age(status, findings, stage, thresholds.raw_age_days):
            # what is no older than what it is made from has no problem of its own
            if (problem.severity, problem.since) not in told:
                yield problem
    for stage in status.stages_called("totals"):
        yield from _totals_age(status, findings, stage)


def _unreadable(stage: StageCoverage) -> bool:
    return bool(stage.units) and {one.state for one in stage.units.values()} == {UNREADABLE}


def _age(
    status: Status, findings: Findings, stage: StageCoverage, bounds: Bounds
) -> Iterator[Problem]:
    newest = _newest_there(stage, findings.today)
    since = newest or findings.begin
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
            "See whether the daily run runs, and the reasons of the days behind that one.",
        )


def _totals_age(status: Status, findings: Findings, stage: StageCoverage) -> Iterator[Problem]:
    # without any week, as if one had ended just before the first day
    since = stage.newest or (findings.begin or findings.today)
    age = _age_days(status, since) - _COUNTABLE_DAYS
    if severity := too_high(age, findings.thresholds.totals_age_days):
        found = f"the newest week ended on {stage.newest}" if stage.newest else "no week yet"
        yield Problem(
            severity,
            stage.stage,
            f"{stage.title}: {found}, and the next one is not counted",
            str(since),
            "See the reasons of the newest weeks, and whether raw days come in.",
        )


def _clock(status: Status, findings: Findings) -> Iterator[Problem]:
    future = {
        tree.name: tree.newest
        for tree in status.trees
        if tree.newest is not None and tree.newest > findings.today
    }
    for name, newest in future.items():
        yield Problem(
            WARNING,
            "clock",
            f"{name}: the newest day is {newest}, and today is {findings.today} (UTC)",
            str(newest),
            "Look at this machine's clock, then at who made that day; it is not looked at before "
            "its time.",
        )
    ahead = [one.title for one in status.steps if one.last.started > status.generated_at]
    if ahead:
        yield Problem(
            WARNING,
            "clock",
            f"steps that started in the future: {names_of(ahead)}",
            "",
            "Look at this machine's clock.",
        )


def _days(status: Status, findings: Findings) -> Iterator[Problem]:
    """Days of combine and count that are not as they should be, those of one kind together."""
    missing = {
        name: {date.fromisoformat(d) for d, one in stage.units.items() if one.state == MISSING}
        for name in ("sync", "combine")
        for stage in status.stages_called(name)
    }
    for stage in status.stages:
        if stage.kind != "day" or stage.stage == "sync":
            continue
        is_told = findings.is_blind and _unreadable(stage)
        for state, (severity, words, advice) in _DAY_PROBLEMS.items():
            if state == UNREADABLE and is_told:
                continue  # by the place that does not answer
            days = [date.fromisoformat(d) for d, one in stage.units.items() if one.state == state]
            if state == MISSING:
                # told where it began to be missing
                earlier = missing.get(_made_from(stage.stage), set())
                days = [day for day in judged_days(findings, days) if day not in earlier]
            if days:
                what = f"{stage.title}: {words} {format_days(days)}"
                yield Problem(severity, stage.stage, what, str(min(days)), advice)
        damaged = [date.fromisoformat(day) for day, one in stage.units.items() if one.damaged]
        if damaged := judged_days(findings, damaged):
            yield Problem(
                WARNING,
                stage.stage,
                f"{stage.title}: damaged logs were left out of {format_days(damaged)}",
                str(min(damaged)),
                "The reasons of these days name them; fetch them again, or repair them.",
            )


_DAY_PROBLEMS: Mapping[State, tuple[Severity, str, str]] = {
    UNREADABLE: (CRITICAL, "can't be judged:", "The reasons of these days name the place."),
    BLOCKED: (WARNING, "can't be made again:", "The reasons of these days say what to do."),
    MISSING: (
        WARNING,
        "nothing there of",
        "Make the stage before it first; if the logs are gone for good, the weeks stay partial.",
    ),
    OUT_OF_DATE: (
        WARNING,
        "out of date:",
        "The next run makes them again; if they stay so, its report says why.",
    ),
}


def _made_from(name: str) -> str:
    """Return the stage that makes what a stage reads; empty if no stage does."""
    reads = next(stage.reads for stage in STAGES if stage.name == name)
    return next((stage.name for stage in STAGES if {*stage.writes} & {*reads}), "")


def _weeks(status: Status, findings: Findings) -> Iterator[Problem]:
    for one in status.weeks:
        name, end = f"{one.profile} {week_name(one.week)}", week_end(one.week)
        is_judged = bool(judged_days(findings, [end]))
        why = f" ({'; '.join(one.covered.reasons)})" if one.covered.reasons else ""
        if one.covered.state in _WEEK_PROBLEMS:
            severity, words, advice = _WEEK_PROBLEMS[one.covered.state]
            if one.covered.state != MISSING or is_judged:
                yield Problem(severity, "totals", f"{name} {words}{why}", str(end), advice)
        elif one.covered.state == PARTIAL and is_judged and not _is_first(one, findings):
            yield _partial(one, name)
        if one.quality and one.quality.suspect and is_judged:
            yield Problem(
                WARNING,
                "totals",
                f"{name} is suspect: {one.quality.suspect_reason}",
                str(end),
                "Look at the logs of that week; readers see the same remark.",
            )


_WEEK_PROBLEMS: Mapping[State, tuple[Severity, str, str]] = {
    UNREADABLE: (CRITICAL, "can't be counted", "Do what the reason says."),
    BLOCKED: (CRITICAL, "can't be counted", "Do what the reason says, then run the count again."),
    MISSING: (WARNING, "is not counted", "See whether its raw days are there."),
    OUT_OF_DATE: (
        WARNING,
        "is out of date",
        "The next run counts it, or else name it in the option weeks of countme_totals.",
    ),
}


def _is_first(one: WeekCoverage, findings: Findings) -> bool:
    """Whether it began before the first day of all."""
    return findings.begin is not None and week_start(one.week) < findings.begin


def _partial(one: WeekCoverage, name: str) -> Problem:
    came = ""
    if one.quality and one.quality.expected_host_days is not None:
        quality = one.quality
        came = f": {quality.received_host_days} of {quality.expected_host_days} host-days came"
    return Problem(
        WARNING,
        "totals",
        f"{name} is partial{came}",
        str(week_end(one.week)),
        "Find the hosts that lack days in the calendar; the week is revised when they come.",
    )


def _published(status: Status) -> Iterator[Problem]:
    for stage in status.stages_called("publish"):
        for one in stage.units.values():
            why = "; ".join(one.reasons)
            if one.state in (BLOCKED, UNREADABLE):
                yield Problem(
                    CRITICAL, "publish", f"{stage.title}: {why}", "", "Do what the reason says."
                )
            elif one.state in (OUT_OF_DATE, LATE):
                yield Problem(
                    WARNING,
                    "publish",
                    f"{stage.title}: out of date ({why})",
                    "",
                    "The next run publishes; if it stays so, its report says why.",
                )


def _steps(status: Status, findings: Findings) -> Iterator[Problem]:
    for one in status.steps:
        since = one.last.started.isoformat(timespec="seconds")
        if one.last.result == NEVER_FINISHED:
            yield Problem(
                WARNING,
                "runs",
                f"{one.title} started and never finished",
                since,
                "It was killed, or the machine went down. The next run goes on from there; see "
                "the journal of that time.",
            )
        elif one.last.result == FAILED:
            yield Problem(
                WARNING, "runs", f"{one.title} failed: {one.last.reason}", since,
                "Do what the reason says, then run again.",
            )  # fmt: skip
        if severity := _too_slow(one, status.generated_at, findings.thresholds):
            usual = one.usual_seconds or 0
            yield Problem(
                severity,
                "runs",
                f"{one.title} takes {one.factor(status.generated_at):.1f} times its usual "
                f"{usual:.0f} s",
                since,
                "See what else the machine, its disks and its network do.",
            )


def _too_slow(one: StepTimes, now: datetime, thresholds: Thresholds) -> Severity | None:
    factor, usual = one.factor(now), one.usual_seconds
    if factor is None or usual is None or factor * usual < usual + _SLACK_SECONDS:
        return None
    return too_high(factor, thresholds.run_time_factor)


def _room(status: Status, findings: Findings) -> Iterator[Problem]:
    for tree in status.trees:
        if severity := too_low(tree.free_percent, findings.thresholds.disk_free_percent):
            yield Problem(
                severity,
                "disk",
                f"{tree.name}: {tree.free_percent} % of the file system of {tree.path} is free",
                "",
                "Free some space or enlarge it; a run that finds no room leaves all as it is.",
            )


def _schedule(status: Status, findings: Findings) -> Iterator[Problem]:
    if findings.is_scheduled and status.next_run is None:
        yield Problem(
            WARNING,
            "schedule",
            "no next run: the timer is not active, or the file of cron jobs has none",
            "",
            "Enable the timer, or see to that file.",
        )


def _unsent(status: Status, findings: Findings) -> Iterator[Problem]:
    if status.unsent is None:
        return
    if severity := too_high(status.unsent.messages, findings.thresholds.unsent_messages):
        oldest = status.unsent.oldest
        yield Problem(
            severity,
            "messages",
            f"{status.unsent.messages} messages wait for the bus",
            oldest or "",
            "See that the broker can be reached and lets this machine publish; the next run sends "
            "them.",
        )
