# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make the page for operators: one file without scripts, which needs no network or other file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from itertools import groupby
from typing import NamedTuple

from .._base.coverage import (
    BLOCKED,
    LATE,
    MISSING,
    NOT_EXPECTED,
    OUT_OF_DATE,
    PARTIAL,
    PRESENT,
    TRIMMED,
    UNREADABLE,
    WAITING,
    CoverageState,
    WeekCoverage,
)
from .._base.days_and_weeks import week_end, week_name, week_start
from .._html.render import environment_of
from .._watch.history import Step
from .page_template import STYLE, TEMPLATE
from .runs import StepTimes
from .status import Status
from .text import format_bytes, format_seconds, format_since, format_time

#: The sign in a cell of the calendar, so that colour is not the only difference, and its meaning.
MARKS = {
    PRESENT: ("", "there, and made from the present inputs"),
    PARTIAL: ("±", "there, but it lacks something"),
    LATE: ("…", "not there yet; it may still come, or the next run makes it"),
    MISSING: ("x", "not there, and no longer expected"),
    OUT_OF_DATE: ("↻", "there, but the next run makes it again"),
    BLOCKED: ("!", "not made again without a decision"),
    UNREADABLE: ("?", "not judged, because a place can't be read"),
    TRIMMED: ("·", "removed as planned, after it was counted"),
    WAITING: ("…", "the week is not over"),
    NOT_EXPECTED: (" ", "before the first day or before the host was listed"),
}
_VERDICTS = {
    "ok": "All is well",
    "critical": "Something is broken",
    "warning": "Something needs attention",
    "unknown": "Some things could not be checked",
}
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
#: The page lists this many reasons at most; ``status.json`` has all.
_MOST_REASONS = 200
#: The states of a host's days that put the host before others.
_LACKING = {PARTIAL, MISSING, OUT_OF_DATE, BLOCKED, UNREADABLE}

_BAR_WIDTH, _BAR_GAP, _BARS_HEIGHT = 6, 2, 28
#: A drawing has room for this many runs, so that all drawings of a young host are equally wide.
_LEAST_BARS = 14
_LEAST_BAR_HEIGHT = 1.5


class _Month(NamedTuple):
    """A heading of the calendar."""

    title: str
    days: int


class _Cell(NamedTuple):
    """A day in a row of the calendar."""

    state: str
    title: str


class Row(NamedTuple):
    """A stage or host in the calendar."""

    name: str
    cells: list[_Cell]


class _RowGroup(NamedTuple):
    """The stages or the hosts in the calendar."""

    title: str
    rows: list[Row]


class _WeekLine(NamedTuple):
    """A row of the table of weeks."""

    name: str
    state: str
    host_days: str
    hits: int | None
    days: str
    remarks: str


class _Bar(NamedTuple):
    """A run in a drawing; sizes are pixels."""

    x: int
    y: float
    width: int
    height: float
    result: str
    title: str


class _Drawing(NamedTuple):
    """The durations of the last runs of a step, the newest at the right; sizes are pixels."""

    width: int
    height: int
    label: str
    bars: list[_Bar]
    median: float | None
    """The height of the line of the usual duration."""


def status_page(status: Status) -> bytes:
    """Return the page as UTF-8. It needs Jinja2."""
    environment = environment_of(
        {"status.html": TEMPLATE},
        {
            "bytes": format_bytes,
            "class_name": _class_name,
            "drawing": _run_drawing,
            "seconds": format_seconds,
            "since": format_since,
            "time": format_time,
            "words": _words,
        },
    )
    host = status.log_host or "the log host"
    groups = _calendar(status)
    text: str = environment.get_template("status.html").render(
        status=status,
        host=host,
        policy=_POLICY,
        style=STYLE,
        verdict=_VERDICTS[status.state],
        facts=_facts(status),
        months=_months(status.days),
        groups=groups,
        legend=_legend(groups),
        marks={state: mark for state, (mark, _meaning) in MARKS.items()},
        weeks=_weeks(status.weeks),
        reasons=[
            f"{name}, {unit}: {_words(one.state)}: {'; '.join(one.reasons)}"
            for name, unit, one in _with_reasons(status)
        ],
        most_reasons=_MOST_REASONS,
    )
    return text.lstrip().encode() + b"\n"


def _words(name: str) -> str:
    """Return a state or result in words."""
    return name.replace("_", " ")


def _class_name(name: str) -> str:
    """Return a state or result as a class of the style sheet."""
    return name.replace(" ", "_")


def _facts(status: Status) -> list[tuple[str, str]]:
    run = status.next_run
    facts = [
        ("As of", format_time(status.generated_at)),
        ("Last sync", format_time(status.synced_at) if status.synced_at else "not known"),
        ("Days", f"{status.days[0]} to {status.days[-1]}"),
        ("Next run", format_time(run.at) if run else "none known"),
    ]
    return [*facts, ("At work", "; ".join(status.at_work))] if status.at_work else facts


def _months(days: Sequence[date]) -> list[_Month]:
    grouped = [[*of] for _month, of in groupby(days, key=lambda day: (day.year, day.month))]
    # there is no room for a long name above a few days
    return [_Month(f"{of[0]:%B %Y}" if len(of) > 4 else f"{of[0]:%b}", len(of)) for of in grouped]


def _calendar(status: Status) -> list[_RowGroup]:
    stages = [
        _row(one.title, status.days, {date.fromisoformat(day): of for day, of in one.units.items()})
        for one in status.stages
        if one.kind == "day"
    ]
    hosts = sorted(status.hosts, key=lambda host: (not _lacks_something(host.days), host.name))
    rows = [_row(host.name, status.days, host.days) for host in hosts]
    groups = [_RowGroup("Stages", stages), _RowGroup("Log hosts", rows)]
    return [group for group in groups if group.rows]


def _lacks_something(days: Mapping[date, CoverageState]) -> bool:
    return any(one.state in _LACKING for one in days.values())


def _row(name: str, days: Sequence[date], covered: Mapping[date, CoverageState]) -> Row:
    cells = []
    for day in days:
        one = covered.get(day, CoverageState(NOT_EXPECTED))
        title = "; ".join([f"{name}, {day}: {_words(one.state)}", *one.reasons[:3]])
        cells.append(_Cell(one.state, title[:500]))
    return Row(name, cells)


def _legend(groups: Sequence[_RowGroup]) -> list[tuple[str, str]]:
    """Return the states that the calendar shows, each with its meaning."""
    used = {cell.state for group in groups for row in group.rows for cell in row.cells}
    return [(state, meaning) for state, (_mark, meaning) in MARKS.items() if state in used]


def _weeks(weeks: Sequence[WeekCoverage]) -> list[_WeekLine]:
    """Return the weeks profile by profile, the newest first."""
    profiles = list(dict.fromkeys(one.profile for one in weeks))
    ordered = sorted(weeks, key=lambda one: (profiles.index(one.profile), -one.week))
    return [_week(one) for one in ordered]


def _week(one: WeekCoverage) -> _WeekLine:
    quality = one.quality
    days = f"{week_start(one.week)} to {week_end(one.week)}"
    if quality is None:
        remarks = "; ".join(one.covered.reasons)
        return _WeekLine(_name(one), one.covered.state, "", None, days, remarks)
    known = quality.expected_host_days is not None
    suspicion = [quality.suspect_reason] if quality.suspect else []
    return _WeekLine(
        name=_name(one),
        state=quality.status,
        host_days=f"{quality.received_host_days} of {quality.expected_host_days}" if known else "",
        hits=quality.hits,
        days=days,
        remarks="; ".join([*suspicion, *one.covered.reasons]),
    )


def _name(one: WeekCoverage) -> str:
    return f"{one.profile} {week_name(one.week)}"


def _run_drawing(times: StepTimes) -> _Drawing:
    """Return the drawing of the last runs of a step, a bar each."""
    seconds = [run.seconds or 0.0 for run in times.runs]
    most = max([*seconds, times.usual_seconds or 0.0]) or 1.0
    places = max(len(times.runs), _LEAST_BARS)
    first = places - len(times.runs)
    step = _BAR_WIDTH + _BAR_GAP
    bars = []
    for place, (run, taken) in enumerate(zip(times.runs, seconds, strict=True), first):
        height = max(_BARS_HEIGHT * taken / most, _LEAST_BAR_HEIGHT)
        y = round(_BARS_HEIGHT - height, 1)
        bars.append(
            _Bar(place * step, y, _BAR_WIDTH, round(height, 1), run.result, _run_title(run))
        )
    usual = times.usual_seconds
    return _Drawing(
        width=places * step,
        height=_BARS_HEIGHT + 1,
        label=f"{times.title}: last {len(times.runs)} runs, "
        f"{format_seconds(min(seconds))} to {format_seconds(max(seconds))}",
        bars=bars,
        median=None if usual is None else round(_BARS_HEIGHT * (1 - usual / most) + 0.5, 1),
    )


def _run_title(run: Step) -> str:
    took = f", {format_seconds(run.seconds)}" if run.seconds is not None else ""
    return f"{format_time(run.started)}: {run.result}{took}"


def _with_reasons(status: Status) -> Iterator[tuple[str, str, CoverageState]]:
    """Yield the stage or host, the unit and its coverage for each unit with reasons."""
    for stage in status.stages:
        for name, one in stage.units.items():
            if one.reasons and one.state not in (PRESENT, NOT_EXPECTED):
                yield stage.title, name, one
    for host in status.hosts:
        for day, one in host.days.items():
            if one.reasons and one.state != PRESENT:
                yield host.name, str(day), one
