# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The operator's status page: one file, without scripts, that needs no network and no other file.

It is built as a tree of elements, so no text can become markup.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from itertools import groupby
from xml.etree.ElementTree import Element, tostring

from .._base.days_and_weeks import week_end, week_name, week_start
from .drawings import room_bar, run_bars
from .elements import Content, badge, element, words
from .states import (
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
    Covered,
)
from .status import Status
from .style import STYLE
from .text import spell_bytes, spell_seconds, spell_since, spell_time
from .trees import Tree

#: What stands in a cell of the calendar: colour alone must not tell. And what it means.
MARKS = {
    PRESENT: ("", "there, and up to date"),
    PARTIAL: ("±", "there, but something is not in it"),
    LATE: ("…", "not there yet; may still come, or the next run makes it"),
    MISSING: ("x", "not there, and its time is over"),
    OUT_OF_DATE: ("↻", "there, but to be made again"),
    BLOCKED: ("!", "somebody has to look"),
    UNREADABLE: ("?", "can't be read"),
    TRIMMED: ("·", "dropped as planned after it was counted"),
    WAITING: ("…", "its time has not come"),
    NOT_EXPECTED: (" ", "nothing should be there"),
}
_VERDICTS = {
    "ok": "All is well",
    "critical": "Something is broken",
    "warning": "Something needs a look",
    "unknown": "Not everything is known",
}
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
#: So many days with reasons are spelled out.
_MOST_REASONS = 200


def status_page(status: Status) -> bytes:
    """The page as UTF-8."""
    host = status.log_host or "the log host"
    page = element(
        "html",
        element(
            "head",
            element("meta", charset="utf-8"),
            element("meta", name="viewport", content="width=device-width, initial-scale=1"),
            element("meta", {"http-equiv": "Content-Security-Policy"}, content=_POLICY),
            element("meta", name="robots", content="noindex"),
            element("title", f"{status.state.upper()}: counting on {host}"),
            element("style", STYLE),
        ),
        element(
            "body",
            element(
                "div",
                _head(status, host),
                element("main", *_sections(status)),
                _foot(),
                class_="wrap",
            ),
        ),
        lang="en",
    )
    text: bytes = tostring(page, encoding="utf-8", method="html")
    return b"<!DOCTYPE html>\n" + text + b"\n"


def _head(status: Status, host: str) -> Element:
    run = status.next_run
    facts = {
        "As of": spell_time(status.generated_at),
        "Last sync": spell_time(status.synced_at) if status.synced_at else "not known",
        "Days": f"{status.days[0]} to {status.days[-1]}",
        "Next run": spell_time(run.at) if run else "none known",
    }
    if status.at_work:
        facts["At work"] = "; ".join(status.at_work)
    return element(
        "header",
        element("h1", f"Counting on {host}"),
        element("p", badge(status.state), " ", _VERDICTS[status.state]),
        element(
            "dl",
            *(element("div", element("dt", k), element("dd", v)) for k, v in facts.items()),
            class_="facts",
        ),
    )


def _foot() -> Element:
    return element(
        "footer",
        element("p", "All times are UTC. A day is the day on which logs were rotated: its file "
                "holds mostly the requests of the day before."),
        element("p", "The same for programs: ", element("a", "status.json", href="status.json")),
    )  # fmt: skip


def _sections(status: Status) -> Iterator[Element]:
    yield _section("Open problems", "problems", *_problems(status))
    yield _section("Coverage", "coverage", *_calendar(status))
    if status.weeks:
        yield _section("Weeks", "weeks", _weeks(status))
    if status.steps:
        yield _section("Run times", "runs", _runs(status))
    yield _section("Folders", "folders", _trees(status))
    yield _section("Details", "details", *_details(status))


def _section(title: str, name: str, *content: Content) -> Element:
    heading = element("h2", title, id=name)
    return element("section", heading, *content, **{"aria-labelledby": name})


def _problems(status: Status) -> Iterator[Element]:
    if not status.problems:
        yield element("p", "None.")
        return
    rows = []
    for problem in status.problems:
        since = _since(spell_since(problem.since)) if problem.since else ()
        rows.append(
            element(
                "li",
                badge(problem.severity),
                element(
                    "div",
                    element("div", problem.what, class_="what"),
                    element("div", problem.next_step, *since, class_="faint"),
                ),
                class_=problem.severity,
            )
        )
    yield element("ol", *rows, class_="problems")


def _since(when: str) -> tuple[Content, ...]:
    """In one line, for a time that is broken reads like another one."""
    return " ", element("span", f"Since {when}.", class_="keep")


def _calendar(status: Status) -> Iterator[Element]:
    stages = [stage for stage in status.stages if stage.kind == "day"]
    hosts = sorted(status.hosts, key=lambda host: (_is_well(host.days), host.name))
    stage_rows = [
        _row(
            s.title, status.days, [s.units.get(str(d), Covered(NOT_EXPECTED)) for d in status.days]
        )
        for s in stages
    ]
    host_rows = [_row(h.name, status.days, [h.days[day] for day in status.days]) for h in hosts]
    bodies = [
        element("tbody", _group(title, len(status.days)), *rows)
        for title, rows in (("Stages", stage_rows), ("Log hosts", host_rows))
        if rows
    ]
    told = "Day by day; hosts that lack something come first."
    caption = element("caption", element("span", told))
    calendar = element("table", caption, _days_head(status.days), *bodies)
    yield element(
        "div", calendar, class_="scroll calendar", tabindex="0", role="region",
        **{"aria-label": "Coverage calendar"},
    )  # fmt: skip
    used = {one.state for stage in stages for one in stage.units.values()}
    used |= {one.state for host in hosts for one in host.days.values()}
    legend = [
        element("li", element("span", _cell(state), class_=state), f"{words(state)}: {meaning}")
        for state, (_mark, meaning) in MARKS.items()
        if state in used
    ]
    yield element("ul", *legend, class_="legend", **{"aria-label": "Legend"})


def _is_well(days: Mapping[date, Covered]) -> bool:
    bad = {PARTIAL, MISSING, OUT_OF_DATE, BLOCKED, UNREADABLE}
    return not any(one.state in bad for one in days.values())


def _group(title: str, columns: int) -> Element:
    heading = element("th", title, scope="rowgroup", class_="name")
    return element("tr", heading, element("td", colspan=str(columns)), class_="group")


def _days_head(days: Sequence[date]) -> Element:
    months = [
        element("th", f"{month[1]:%B %Y}" if count > 4 else f"{month[1]:%b}",
                colspan=str(count), scope="colgroup", class_="month")
        for month, count in _months(days)
    ]  # fmt: skip
    numbers = [element("th", f"{day.day}", scope="col", title=f"{day:%A}, {day}") for day in days]
    hidden = element("span", "Name", class_="aside")
    corner = element("th", hidden, rowspan="2", scope="col", class_="name")
    return element("thead", element("tr", corner, *months), element("tr", *numbers))


def _months(days: Sequence[date]) -> list[tuple[tuple[str, date], int]]:
    grouped = [[*of] for _month, of in groupby(days, key=lambda day: (day.year, day.month))]
    return [((f"{of[0]:%Y-%m}", of[0]), len(of)) for of in grouped]


def _row(title: str, days: Sequence[date], covered: Sequence[Covered]) -> Element:
    cells = [
        element(
            "td",
            _cell(one.state),
            class_=one.state,
            title="; ".join([f"{title}, {day}: {words(one.state)}", *one.reasons[:3]])[:500],
        )
        for day, one in zip(days, covered, strict=True)
    ]
    name = element("th", title, scope="row", title=title, class_="name")
    return element("tr", name, *cells)


def _cell(state: str) -> Element:
    mark = element("span", MARKS[state][0], **{"aria-hidden": "true"})
    return element("span", mark, element("span", words(state), class_="aside"), class_="cell")


def _table(caption: str, header: Sequence[str], rows: Sequence[Sequence[Content]]) -> Element:
    """A table; columns whose header begins with a blank hold numbers."""
    kinds = ["number" if title.startswith(" ") else None for title in header]
    heads = [
        element("th", title.strip(), scope="col", class_=kind)
        for title, kind in zip(header, kinds, strict=True)
    ]
    body = []
    for row in rows:
        first, *others = row
        cells = [
            element("td", one, class_=kind) for one, kind in zip(others, kinds[1:], strict=True)
        ]
        body.append(element("tr", element("th", first, scope="row", class_="keep"), *cells))
    whole = element(
        "table",
        element("caption", element("span", caption)),
        element("thead", element("tr", *heads)),
        element("tbody", *body),
        class_="wide",
    )
    return element("div", whole, class_="scroll", tabindex="0", role="region",
                   **{"aria-label": caption})  # fmt: skip


def _weeks(status: Status) -> Element:
    rows: list[list[Content]] = []
    order = {profile: n for n, profile in enumerate(dict.fromkeys(w.profile for w in status.weeks))}
    for one in sorted(status.weeks, key=lambda one: (order[one.profile], -one.week)):
        record, quality = one.record, one.record.quality if one.record else None
        remark = [record.suspect_reason] if record and record.suspect else []
        known = quality is not None and quality.expected_host_days is not None
        rows.append(
            [
                f"{one.profile} {week_name(one.week)}",
                badge(quality.status if quality else one.covered.state),
                f"{quality.received_host_days} of {quality.expected_host_days}"
                if quality and known
                else "",
                f"{record.hits:,}" if record else "",
                element("span", f"{week_start(one.week)} to {week_end(one.week)}", class_="keep"),
                element("div", "; ".join([*remark, *one.covered.reasons]), class_="remark"),
            ]
        )
    return _table(
        "Weeks and how good they are; the newest first.",
        ["Week", "Quality", " Host-days", " Hits", "Days", "Remarks"],
        rows,
    )


def _runs(status: Status) -> Element:
    rows: list[list[Content]] = [
        [
            one.title,
            badge(one.last.result),
            spell_seconds(one.last.seconds) if one.last.seconds is not None else "",
            spell_seconds(one.usual_seconds) if one.usual_seconds is not None else "",
            run_bars(one),
            element("span", spell_time(one.last.started), class_="keep"),
        ]
        for one in status.steps
    ]
    return _table(
        "The last run of each step, and how long the last took; the dashed line is the median.",
        ["Step", "Result", " Took", " Usually", "Last runs", "Last started"],
        rows,
    )


def _trees(status: Status) -> Element:
    rows: list[list[Content]] = [
        [
            tree.name,
            spell_bytes(tree.used_bytes) if tree.used_bytes is not None else "",
            f"{spell_bytes(tree.free_bytes)}, {tree.free_percent} %"
            if tree.free_percent is not None
            else "",
            room_bar(tree),
            element("span", f"{tree.oldest} to {tree.newest}", class_="keep")
            if tree.oldest
            else "",
            element("div", _place(tree), class_="path"),
        ]
        for tree in status.trees
    ]
    return _table(
        "What the folders take (trees of days: in these days), what is free, how far they reach.",
        ["Folder", " Used", " Free", "", "Reaches", "Place"],
        rows,
    )


def _place(tree: Tree) -> str:
    return f"{tree.path}: {tree.problem}" if tree.problem else str(tree.path)


def _details(status: Status) -> Iterator[Element]:
    reasons = [
        element("li", f"{who}, {when}: {words(one.state)}: {'; '.join(one.reasons)}")
        for who, when, one in _with_reasons(status)
    ]
    if reasons:
        more = len(reasons) - _MOST_REASONS
        extra = [element("li", f"and {more} more in status.json")] if more > 0 else []
        yield element(
            "details",
            element("summary", "Reasons, day by day"),
            element("ul", *reasons[:_MOST_REASONS], *extra, class_="reasons"),
        )
    if status.unmatched:
        logs = [
            element("li", f"{log.name}: {', '.join(log.hosts)}; newest of {log.newest}")
            for log in status.unmatched
        ]
        yield element(
            "details",
            element("summary", "Logs in the hosts tree that no group combines"),
            element("ul", *logs, class_="reasons"),
        )
    if not reasons and not status.unmatched:
        yield element("p", "Nothing more to tell.")


def _with_reasons(status: Status) -> Iterator[tuple[str, str, Covered]]:
    for stage in status.stages:
        for name, one in stage.units.items():
            if one.reasons and one.state not in (PRESENT, NOT_EXPECTED):
                yield stage.title, name, one
    for host in status.hosts:
        for day, one in host.days.items():
            if one.reasons and one.state != PRESENT:
                yield host.name, str(day), one
