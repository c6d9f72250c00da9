# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Few lines for somebody who looks on, whatever is in a progress file."""

from __future__ import annotations

import json

import pytest
from ansible_collections.fedora_infra.dnf_counting.plugins.plugin_utils.progress import (
    PATIENCE_SECONDS,
    ProgressLines,
)

_GIB = 1 << 30


class Screen:
    """Shows events at a time that is set."""

    def __init__(self, *, all_units: bool = False) -> None:
        self.now = 0.0
        self._lines = ProgressLines(all_units=all_units, monotonic=lambda: self.now)

    def shows(self, *events: object) -> list[str]:
        return list(self._lines.of("".join(f"{json.dumps(event)}\n" for event in events)))


def progress(done: float, unit: str = "2026-11-10", **others: object) -> dict[str, object]:
    return {
        "event": "progress",
        "stage": "raw",
        "unit": unit,
        "amount": "bytes",
        "done": done,
        "total": 2 * _GIB,
        **others,
    }


def test_progress_says_in_columns_how_far_how_fast_and_how_long_still() -> None:
    half = progress(_GIB, rate=100 << 20, eta_seconds=200.4, subject="centos")
    whole = progress(2 * _GIB, "2026-11-11", rate=9.6 * (1 << 20), eta_seconds=0.0)
    screen = Screen()
    assert [line for event in (half, whole) for line in screen.shows(event)] == [
        " 50 % of 2.0 GiB   100 MiB/s  3 min 20 s left  raw centos 2026-11-10",
        "100 % of 2.0 GiB   9.6 MiB/s                   raw 2026-11-11",
    ]


def test_what_is_not_counted_in_bytes_is_named() -> None:
    event = progress(3, unit="", amount="hosts", total=8, stage="sync", rate=0.5, eta_seconds=None)
    (line,) = Screen().shows(event)
    assert line.split() == ["38", "%", "of", "8", "hosts", "sync"]
    (line,) = Screen().shows({**event, "also": {"bytes": 3 << 20, "files": 7}})
    assert line.split() == ["38", "%", "of", "8", "hosts", "3.0", "MiB", "sync"]


@pytest.mark.parametrize(
    ("amount", "total", "spelled"),
    [("hosts", 1, "1 host "), ("weeks", 12, "12 weeks "), ("lines", 2_500_000, "2,500,000 lines ")],
)
def test_numbers_are_written_as_people_do(amount: str, total: int, spelled: str) -> None:
    (line,) = Screen().shows(progress(total, amount=amount, total=total))
    assert line.startswith(f"100 % of {spelled}")


def test_where_the_whole_is_not_known_it_says_what_is_done() -> None:
    (line,) = Screen().shows(progress(_GIB, total=0))
    assert line.split() == ["1.0", "GiB", "raw", "2026-11-10"]


def test_a_line_when_a_tenth_is_done_or_another_unit_at_work_or_after_a_while() -> None:
    screen = Screen()
    assert len(screen.shows(progress(0))) == 1
    assert screen.shows(progress(_GIB // 10)) == []
    assert len(screen.shows(progress(_GIB // 4))) == 1
    assert len(screen.shows(progress(_GIB // 4, unit="2026-11-11"))) == 1
    # in turns, where several are at work at a time
    assert screen.shows(progress(_GIB // 4)) == []
    screen.now += PATIENCE_SECONDS - 1
    assert screen.shows(progress(_GIB // 4, unit="2026-11-11")) == []
    screen.now += 1
    assert len(screen.shows(progress(_GIB // 4, unit="2026-11-11"))) == 1


def test_of_all_that_came_at_once_the_newest_progress_is_shown() -> None:
    (line,) = Screen().shows(progress(0), progress(_GIB // 2), progress(_GIB))
    assert "50 %" in line


ENDED = {"event": "unit_end", "stage": "sync", "unit": "proxy01", "status": "made", "reason": "new"}
FAILED = {**ENDED, "status": "failed", "reason": "refused"}
RETRIED = {"event": "unit_retry", "stage": "sync", "unit": "proxy01", "reason": "refused"}


@pytest.mark.parametrize(
    ("event", "usually", "verbosely"),
    [
        (ENDED, [], ["sync proxy01: made: new"]),
        (FAILED, ["sync proxy01: failed: refused"], ["sync proxy01: failed: refused"]),
        (RETRIED, *(2 * [["sync proxy01: is tried again: refused"]])),
        ({"event": "unit_start", "stage": "sync", "unit": "proxy01"}, [], []),
        ({"event": "start", "stage": "sync"}, [], []),
    ],
)
def test_units_that_ended_well_are_told_to_those_who_ask(
    event: object, usually: list[str], verbosely: list[str]
) -> None:
    assert Screen().shows(event) == usually
    assert Screen(all_units=True).shows(event) == verbosely


def test_what_fails_in_the_same_way_is_told_in_one_line() -> None:
    days = [
        {**event, "unit": f"{host} 2026-11-{day}"}
        for host in ("proxy01", "proxy02")
        for event in (RETRIED, FAILED)
        for day in (10, 11, 12)
    ]
    assert Screen(all_units=True).shows(*days, {**FAILED, "unit": "proxy02"}) == [
        "sync proxy01 2026-11-10 to 2026-11-12 (3): is tried again: refused",
        "sync proxy01 2026-11-10 to 2026-11-12 (3): failed: refused",
        "sync proxy02 2026-11-10 to 2026-11-12 (3): is tried again: refused",
        "sync proxy02 2026-11-10 to 2026-11-12 (3): failed: refused",
        "sync proxy02: failed: refused",
    ]
    made = [{**ENDED, "unit": f"proxy01 2026-11-{day}"} for day in (10, 11)]
    assert len(Screen(all_units=True).shows(*made)) == 2


@pytest.mark.parametrize("line", ["", "{", "[]", "7", '{"event": "progress", "done": "x"}', "\0"])
def test_damaged_lines_do_no_harm(line: str) -> None:
    shown = list(ProgressLines(all_units=True, monotonic=float).of(f"{line}\n"))
    assert len(shown) <= 1


def test_nothing_foreign_steers_the_terminal() -> None:
    (line,) = Screen().shows({**FAILED, "reason": "\x1b[2J\n" + 10_000 * "x"})
    assert line.isprintable()
    assert len(line) < 300
