# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a module's progress file says, in lines for somebody who looks on."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._status_text import (
    spell_bytes,
    spell_seconds,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._text_table import plain

#: Progress of one unit is told when another tenth is done, or after so many seconds.
PATIENCE_SECONDS = 30.0
_LONGEST_LINE = 200


class ProgressLines:
    """Turns the JSON lines of a progress file into few lines to read.

    By default there is a line when another unit is at work, another tenth of the whole is done, or
    half a minute passed, and for what failed; with ``all_units`` also one for each unit that ended.
    """

    def __init__(self, *, all_units: bool, monotonic: Callable[[], float]) -> None:
        self._all_units = all_units
        self._monotonic = monotonic
        self._told: tuple[str, int] = ("", -1)
        self._told_at = -PATIENCE_SECONDS

    def of(self, content: str) -> Iterator[str]:
        """The lines to show for some whole lines of the file, of which the last progress counts."""
        last: dict[str, Any] = {}
        for line in content.splitlines():
            event = _event(line)
            if event.get("event") == "progress":
                last = event
            elif shown := self._unit_line(event):
                yield shown
        if last and (shown := self._progress_line(last)):
            yield shown

    def _unit_line(self, event: dict[str, Any]) -> str:
        kind, status = event.get("event"), event.get("status", "")
        if kind == "unit_retry":
            words = f"is tried again: {event.get('reason', '')}"
        elif kind == "unit_end" and (status == "failed" or self._all_units):
            words = ": ".join(filter(None, (str(status), str(event.get("reason", "")))))
        else:
            return ""
        return _line(f"{_what(event)}: {words}")

    def _progress_line(self, event: dict[str, Any]) -> str:
        done, total = _number(event.get("done")), _number(event.get("total"))
        now = self._monotonic()
        news = (str(event.get("unit")), int(10 * done / total) if total else -1)
        if news == self._told and now - self._told_at < PATIENCE_SECONDS:
            return ""
        self._told, self._told_at = news, now
        return _line(f"{_how_far(event, done, total)}  {_what(event)}")


def _what(event: dict[str, Any]) -> str:
    names = (event.get(name) for name in ("stage", "subject", "unit"))
    return " ".join(str(name) for name in names if name)


def _how_far(event: dict[str, Any], done: float, total: float) -> str:
    """Three columns, each as wide as it gets, so that the lines of a step stand in columns."""
    amount = event.get("amount")
    if amount == "bytes":
        speed = _number(event.get("rate"))
        spelled, rate = spell_bytes(total or done), f"{spell_bytes(speed)}/s" if speed else ""
    else:
        spelled, rate = f"{total or done:g} {amount}", ""
    far = f"{100 * done / total:3.0f} % of {spelled}" if total else spelled
    left = _number(event.get("eta_seconds"))
    wait = f"{spell_seconds(left)} left" if left >= 1 else ""
    return f"{far:<17} {rate:>11}  {wait:>16}"


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
