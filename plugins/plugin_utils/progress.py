# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a module's progress file says, in lines for somebody who looks on."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from itertools import groupby
from typing import Any, NamedTuple

from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._base.text_table import (
    plain,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._status.text import (
    format_bytes,
    format_seconds,
)

#: Progress of one unit is told when another tenth is done, or after so many seconds.
PATIENCE_SECONDS = 30.0
_LONGEST_LINE = 200


class _Told(NamedTuple):
    """What is told of a unit."""

    step: str
    unit: str
    words: str
    is_bad: bool

    def alike(self) -> object:
        """Such as the days of a host that does not answer: one line will do for them."""
        names = self.unit.split()
        return (self.step, names[:1], len(names), self.words) if self.is_bad else id(self)


class ProgressLines:
    """Turns the JSON lines of a progress file into few lines to read.

    By default there is a line when a unit is at work that was not named yet, another tenth of the
    whole is done, or half a minute passed, and for what failed; with ``all_units`` also one for
    each unit that ended.
    """

    def __init__(self, *, all_units: bool, monotonic: Callable[[], float]) -> None:
        self._all_units = all_units
        self._monotonic = monotonic
        self._named: set[str] = set()
        self._tenths = -1
        self._told_at = -PATIENCE_SECONDS

    def of(self, content: str) -> Iterator[str]:
        """The lines to show for some whole lines of the file, of which the last progress counts."""
        last: dict[str, Any] = {}
        told: list[_Told] = []
        for event in map(_event, content.splitlines()):
            if event.get("event") == "progress":
                last = event
            elif words := self._unit_words(event):
                step = _names(event, "stage", "subject")
                told.append(_Told(step, str(event.get("unit")), *words))
        for _key, alike in groupby(told, _Told.alike):
            yield _unit_line(list(alike))
        if last and (shown := self._progress_line(last)):
            yield shown

    def _unit_words(self, event: dict[str, Any]) -> tuple[str, bool] | None:
        """What is to be told of a unit, if anything, and whether it is bad."""
        kind, status = event.get("event"), event.get("status", "")
        reason = str(event.get("reason", ""))
        if kind == "unit_retry":
            return f"is tried again: {reason}", True
        if kind == "unit_end" and (status == "failed" or self._all_units):
            return ": ".join(filter(None, (str(status), reason))), status == "failed"
        return None

    def _progress_line(self, event: dict[str, Any]) -> str:
        done, total = _number(event.get("done")), _number(event.get("total"))
        now = self._monotonic()
        unit, tenths = str(event.get("unit")), int(10 * done / total) if total else -1
        # several may be at work at a time, in turns
        is_news = unit not in self._named or tenths != self._tenths
        if not is_news and now - self._told_at < PATIENCE_SECONDS:
            return ""
        self._named.add(unit)
        self._tenths, self._told_at = tenths, now
        what = _names(event, "stage", "subject", "unit")
        return _line(f"{_how_far(event, done, total)}  {what}")


def _names(event: dict[str, Any], *fields: str) -> str:
    return " ".join(str(event[field]) for field in fields if event.get(field))


def _unit_line(alike: list[_Told]) -> str:
    first, last = alike[0], alike[-1]
    more = f" to {last.unit.split()[-1]} ({len(alike)})" if len(alike) > 1 else ""
    return _line(f"{first.step} {first.unit}{more}: {first.words}")


def _how_far(event: dict[str, Any], done: float, total: float) -> str:
    """Three columns, each as wide as it gets, so that the lines of a step stand in columns."""
    amount, also = event.get("amount"), event.get("also")
    if amount == "bytes":
        speed = _number(event.get("rate"))
        spelled, rate = format_bytes(total or done), f"{format_bytes(speed)}/s" if speed else ""
    else:
        count = total or done
        spelled = f"{count:,.0f} {str(amount)[:-1] if count == 1 else amount}"
        moved = _number(also.get("bytes")) if isinstance(also, dict) else 0
        rate = format_bytes(moved) if moved else ""
    far = f"{100 * done / total:3.0f} % of {spelled}" if total else spelled
    left = _number(event.get("eta_seconds"))
    wait = f"{format_seconds(left)} left" if left >= 1 else ""
    return f"{far:<17} {rate:>10} {wait:>16}"


def _event(line: str) -> dict[str, Any]:
    """What a line says; nothing where it is damaged, for looking on must never do harm."""
    try:
        event = json.loads(line)
    except ValueError:
        return {}
    return event if isinstance(event, dict) else {}


def _number(value: object) -> float:
    return float(value) if isinstance(value, (int, float)) else 0.0


def _line(text: str) -> str:
    shown = plain(text)
    return shown if len(shown) <= _LONGEST_LINE else f"{shown[:_LONGEST_LINE]}…"
