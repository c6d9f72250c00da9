# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The status as lines for a terminal: problems first, then tables with aligned columns.

No line is wider than the given width, and no text in it moves a cursor.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime

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
)
from .._base.days_and_weeks import format_days, week_name
from .._base.text_table import table, wrapped
from .status import Status

#: The width of lines if the width of the terminal is not known.
WIDTH = 100
#: The smallest width at which columns stay side by side.
NARROWEST = 60
#: The character of each state in the calendar; the legend below it explains them.
MARKS = {
    PRESENT: "#",
    PARTIAL: "+",
    LATE: "?",
    MISSING: "-",
    OUT_OF_DATE: "o",
    BLOCKED: "x",
    UNREADABLE: "!",
    TRIMMED: "_",
    WAITING: "~",
    NOT_EXPECTED: ".",
}
_UNITS = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")


def format_bytes(count: float | None) -> str:
    """Return a number of bytes as people read it: ``1.5 GiB``; ``-`` if it is not known."""
    if count is None:
        return "-"
    unit = 0
    while count >= 1024 and unit < len(_UNITS) - 1:
        count, unit = count / 1024, unit + 1
    return (
        f"{count:.0f} {_UNITS[unit]}" if not unit or count >= 100 else f"{count:.1f} {_UNITS[unit]}"
    )


def format_seconds(seconds: float | None) -> str:
    """Return a duration as people read it: ``4.2 s``, ``3 min 20 s``, ``2 h 05 min``."""
    if seconds is None:
        return "-"
    if seconds < 60:
        return f"{seconds:.1f} s"
    if seconds < 3600:
        return f"{int(seconds // 60)} min {int(seconds % 60):02} s"
    return f"{int(seconds // 3600)} h {int(seconds % 3600 // 60):02} min"


def format_time(at: datetime) -> str:
    """Return a time to the minute."""
    return f"{at:%Y-%m-%d %H:%M} UTC"


def format_since(since: str) -> str:
    """Return the day or time of a problem, to the minute."""
    return format_time(datetime.fromisoformat(since)) if "T" in since else since


def status_lines(status: Status, *, width: int = WIDTH) -> list[str]:
    """Return the lines of the whole status; the first line is the verdict."""
    verdict = f"{status.state.upper()}: {status.log_host or 'log host'}"
    return [
        *wrapped(f"{verdict}, {format_time(status.generated_at)}", width),
        *_problems(status, width),
        "",
        *_stages(status, width),
        "",
        *_calendar(status, width),
        *_weeks(status, width),
        *_steps(status, width),
        "",
        *_trees(status, width),
        "",
        *_rest(status, width),
    ]


def _problems(status: Status, width: int) -> Iterator[str]:
    if not status.problems:
        yield "No problems."
    indent = " " * 10
    for problem in status.problems:
        since = f" (since {format_since(problem.since)})" if problem.since else ""
        line = f"{problem.severity.upper():8}  {problem.what}{since}"
        yield from wrapped(line, width, rest=indent)
        yield from wrapped(f"-> {problem.next_step}", width, first=indent, rest=indent)


def _stages(status: Status, width: int) -> list[str]:
    rows = [
        [
            stage.title,
            str(stage.newest or "-"),
            ", ".join(f"{n} {state.replace('_', ' ')}" for state, n in stage.counts.items()),
        ]
        for stage in status.stages
    ]
    days = f"{status.days[0]} to {status.days[-1]}"
    return table(["STAGE", "NEWEST DAY", f"DAYS {days}, OR WEEKS"], rows, width=width)


def _calendar(status: Status, width: int) -> Iterator[str]:
    if not status.hosts:
        yield "No hosts."
        return
    days = _newest_that_fit(status, width)
    rows = [
        [
            host.name,
            "".join(MARKS[host.days[day].state] for day in days),
            str(host.newest or "-"),
        ]
        for host in status.hosts
    ]
    header = ["HOST", f"{days[0]} to {days[-1]}", "NEWEST LOG"]
    yield from table(header, rows, width=width, whole=[1])
    used = {host.days[day].state for host in status.hosts for day in days}
    yield from wrapped(
        "  ".join(f"{mark} {s.replace('_', ' ')}" for s, mark in MARKS.items() if s in used), width
    )
    for host in status.hosts:
        lacking = host.days_that_are(MISSING, UNREADABLE)
        if lacking:
            yield from wrapped(f"{host.name}: no log of {format_days(lacking)}", width, rest="  ")


def _newest_that_fit(status: Status, width: int) -> Sequence[date]:
    """Return the newest days that fit beside the names. The page and the JSON file have all days."""
    names = max(len(host.name) for host in status.hosts)
    room = width - min(names, width // 3) - len("  NEWEST LOG  ")
    return status.days[-room:]


def _weeks(status: Status, width: int) -> Iterator[str]:
    if not status.weeks:
        return
    rows = []
    for one in status.weeks:
        quality = one.quality
        rows.append(
            [
                one.profile,
                week_name(one.week),
                one.covered.state.replace("_", " "),
                f"{quality.received_host_days}/{quality.expected_host_days}"
                if quality and quality.expected_host_days is not None
                else "-",
                f"{quality.hits:,}" if quality else "-",
                quality.suspect_reason if quality and quality.suspect else "",
            ]
        )
    yield ""
    yield from table(
        ["PROFILE", "WEEK", "STATE", " HOST-DAYS", " HITS", "SUSPECT"], rows, width=width
    )


def _steps(status: Status, width: int) -> Iterator[str]:
    if not status.steps:
        return
    rows = [
        [
            one.title,
            format_time(one.last.started),
            one.last.result,
            format_seconds(one.last.seconds),
            format_seconds(one.usual_seconds),
        ]
        for one in status.steps
    ]
    yield ""
    yield from table(["STEP", "LAST STARTED", "RESULT", " TOOK", " USUALLY"], rows, width=width)


def _trees(status: Status, width: int) -> list[str]:
    rows = [
        [
            tree.name,
            format_bytes(tree.used_bytes),
            format_bytes(tree.free_bytes),
            "-" if tree.free_percent is None else f"{tree.free_percent} %",
            f"{tree.oldest} to {tree.newest}" if tree.oldest else "-",
            tree.problem or str(tree.path),
        ]
        for tree in status.trees
    ]
    return table(["TREE", " USED", " FREE", " ", "REACHES", "PLACE"], rows, width=width)


def _rest(status: Status, width: int) -> Iterator[str]:
    synced = format_time(status.synced_at) if status.synced_at else "not known"
    yield f"Last sync: {synced}"
    run = status.next_run
    planned = f"{format_time(run.at)}, by {run.source}" if run else "none known"
    yield from wrapped(f"Next run: {planned}", width, rest="  ")
    for writer in status.at_work:
        yield from wrapped(f"At work: {writer}", width, rest="  ")
    if status.unmatched:
        names = ", ".join(log.name for log in status.unmatched[:5])
        more = f" and {len(status.unmatched) - 5} more" if len(status.unmatched) > 5 else ""
        line = f"Logs that no group combines: {names}{more}"
        yield from wrapped(line, width, rest="  ")
