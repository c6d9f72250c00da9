# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Turn the progress file of a module into lines for the screen."""

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

#: A line of progress follows when another tenth is done, or after this many seconds.
PATIENCE_SECONDS = 30.0
_LONGEST_LINE = 200


class _UnitEvent(NamedTuple):
    """An event of a unit that gets a line."""

    step: str
    unit: str
    text: str
    is_bad: bool

    def group_key(self) -> object:
        """Return a key that is equal for failures of one kind, which share a line.

        An example are the days of a host that does not answer.
        """
        names = self.unit.split()
        return (self.step, names[:1], len(names), self.text) if self.is_bad else id(self)


class ProgressLines:
    """Turns the JSON lines of a progress file into a few lines for the screen.

    There is a line for each failure, when work on a new unit begins, when another tenth is done,
    and after half a minute. With ``all_units`` there is also a line for each unit that ended.
    """

    def __init__(self, *, all_units: bool, monotonic: Callable[[], float]) -> None:
        self._all_units = all_units
        self._monotonic = monotonic
        self._named: set[str] = set()
        self._tenths = -1
        self._shown_at = -PATIENCE_SECONDS

    def of(self, content: str) -> Iterator[str]:
        """Yield the lines for some whole lines of the file, which use only the last progress."""
        last: dict[str, Any] = {}
        units: list[_UnitEvent] = []
        for event in map(_event, content.splitlines()):
            if event.get("event") == "progress":
                last = event
            elif text := self._unit_text(event):
                step = _names(event, "stage", "subject")
                units.append(_UnitEvent(step, str(event.get("unit")), *text))
        for _key, group in groupby(units, _UnitEvent.group_key):
            yield _unit_line(list(group))
        if last and (line := self._progress_line(last)):
            yield line

    def _unit_text(self, event: dict[str, Any]) -> tuple[str, bool] | None:
        """Return the text for an event of a unit, and true if it is bad; None for no line."""
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
        # the progress of several units may alternate
        is_new = unit not in self._named or tenths != self._tenths
        if not is_new and now - self._shown_at < PATIENCE_SECONDS:
            return ""
        self._named.add(unit)
        self._tenths, self._shown_at = tenths, now
        names = _names(event, "stage", "subject", "unit")
        return _line(f"{_progress_columns(event, done, total)}  {names}")


def _names(event: dict[str, Any], *fields: str) -> str:
    return " ".join(str(event[field]) for field in fields if event.get(field))


def _unit_line(group: list[_UnitEvent]) -> str:
    first, last = group[0], group[-1]
    more = f" to {last.unit.split()[-1]} ({len(group)})" if len(group) > 1 else ""
    return _line(f"{first.step} {first.unit}{more}: {first.text}")


def _progress_columns(event: dict[str, Any], done: float, total: float) -> str:
    """Return three columns of fixed width: the share that is done, the rate and the time left."""
    amount, also = event.get("amount"), event.get("also")
    if amount == "bytes":
        speed = _number(event.get("rate"))
        size, rate = format_bytes(total or done), f"{format_bytes(speed)}/s" if speed else ""
    else:
        count = total or done
        size = f"{count:,.0f} {str(amount)[:-1] if count == 1 else amount}"
        moved = _number(also.get("bytes")) if isinstance(also, dict) else 0
        rate = format_bytes(moved) if moved else ""
    share = f"{100 * done / total:3.0f} % of {size}" if total else size
    left = _number(event.get("eta_seconds"))
    wait = f"{format_seconds(left)} left" if left >= 1 else ""
    return f"{share:<17} {rate:>10} {wait:>16}"


def _event(line: str) -> dict[str, Any]:
    """Return the event in a line; an empty one if it is damaged, because progress never fails."""
    try:
        event = json.loads(line)
    except ValueError:
        return {}
    return event if isinstance(event, dict) else {}


def _number(value: object) -> float:
    return float(value) if isinstance(value, (int, float)) else 0.0


def _line(text: str) -> str:
    line = plain(text)
    return line if len(line) <= _LONGEST_LINE else f"{line[:_LONGEST_LINE]}…"
