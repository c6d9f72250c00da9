# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pass the events of a step, which is one run of a stage, to all sinks.

Sinks are the messages on a bus, the progress file, the system log and the run history. A sink that
fails gets no more events, and the step continues.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple

from .._base.errors import CountingError, printable
from .._base.observer import Observer
from .._base.records import WorkUnit
from .._base.stage import Topics
from .history import FAILED, INCOMPLETE, MADE, UNCHANGED

#: The shortest time between two reports of progress.
_PROGRESS_SECONDS = 1.0
#: Longer reasons are cut to this many characters.
_LONGEST_REASON = 1000


@dataclass(frozen=True)
class Step:
    """The facts about a step that are known at its start."""

    stage: str
    """The name of the stage."""
    run_id: str
    host: str
    """The log host."""
    subject: str = ""
    """The subject of the stage, a log or a profile; empty where the stage has only one."""
    topics: Topics = field(default_factory=lambda: Topics(""))
    """The topics of its messages. Their ``base`` may differ from the name of the stage."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """The options that the stage runs with, for the run history."""


class StepResult(NamedTuple):
    """The result of a step."""

    result: str
    """``made``, ``unchanged``, ``incomplete`` (units failed, the step did not) or ``failed``."""
    reason: str
    """The reason of a failure; otherwise empty."""
    counts: Mapping[str, int]
    """The number of units with each status."""
    bytes: int
    """The size of the outputs, or of the inputs read for them."""
    seconds: float


class Progress(NamedTuple):
    """The progress of a step."""

    amount: str
    """The unit of measurement, such as ``bytes``; see :class:`Observer`."""
    done: int
    total: int
    rate: float
    """The amount done per second, since the step started."""
    eta_seconds: float | None
    """The seconds until the step is done, at that rate; None without a rate."""
    unit: str
    """The unit of work that advanced last."""
    amounts: Mapping[str, int]
    """The done amounts in all units of measurement."""


class Sink:
    """A receiver of the events of a step. This base class ignores them.

    Only one thread at a time calls it. See :class:`Observer` for the events of units.
    """

    name = "base sink"

    def started(self, step: Step) -> None:
        """Receive the start of the step."""

    def unit_started(self, unit: WorkUnit, kind: str) -> None:
        """Receive the start of work on a unit."""

    def unit_retried(self, unit: WorkUnit, reason: str, kind: str) -> None:
        """Receive the failure of an attempt that another one follows."""

    def unit_ended(self, unit: WorkUnit, kind: str) -> None:
        """Receive the final state of a unit."""

    def progressed(self, progress: Progress) -> None:
        """Receive the progress, at most once a second and once at the end."""

    def ended(self, result: StepResult) -> None:
        """Receive the result of the step, after which no event follows."""

    def warnings(self) -> Sequence[str]:
        """Return warnings for an operator about this sink, after the end of the step."""
        return ()


@dataclass
class _Amounts:
    done: Counter[str] = field(default_factory=Counter)
    total: dict[str, int] = field(default_factory=dict)
    unit: str = ""

    def progress(self, seconds: float) -> Progress | None:
        amount = next(iter(self.total), None)
        if amount is None:
            return None
        total = self.total[amount]
        # a log that has to be sorted is read twice, but counts once
        done = min(self.done[amount], total)
        rate = done / seconds if seconds > 0 else 0.0
        eta = (total - done) / rate if rate else None
        return Progress(amount, done, total, rate, eta, self.unit, dict(self.done))


class Watch(Observer):
    """Passes the events of a step to its sinks."""

    def __init__(
        self,
        step: Step,
        sinks: Sequence[Sink],
        *,
        monotonic: Callable[[], float] = time.monotonic,
        progress_seconds: float = _PROGRESS_SECONDS,
    ) -> None:
        self._step = step
        self._sinks = list(sinks)
        self._lock = threading.RLock()
        self._monotonic = monotonic
        self._began = self._reported = monotonic()
        self._progress_seconds = progress_seconds
        self._amounts = _Amounts()
        self._over = False
        self._warnings: list[str] = []
        self._send(lambda sink: sink.started(step))

    def started(self, unit: WorkUnit, *, kind: str = "") -> None:
        self._send(lambda sink: sink.unit_started(unit, kind))

    def ended(self, unit: WorkUnit, *, kind: str = "") -> None:
        self._send(lambda sink: sink.unit_ended(unit, kind))

    def retrying(self, unit: WorkUnit, reason: str, *, kind: str = "") -> None:
        self._send(lambda sink: sink.unit_retried(unit, _short(reason), kind))

    def expect(self, amount: str, total: int) -> None:
        with self._lock:
            self._amounts.total[amount] = self._amounts.total.get(amount, 0) + total

    def advance(self, amount: str, count: int = 1, *, unit: str = "") -> None:
        with self._lock:
            self._amounts.done[amount] += count
            self._amounts.unit = unit
            now = self._monotonic()
            if now - self._reported >= self._progress_seconds:
                self._report_progress(now)

    def _report_progress(self, now: float) -> None:
        progress = self._amounts.progress(now - self._began)
        if progress:
            self._reported = now
            self._send(lambda sink: sink.progressed(progress))

    def finish(self, units: Sequence[WorkUnit], *, failure: str = "") -> None:
        """End the step with these units. ``failure`` is the reason if the step failed."""
        counts = Counter(unit.status for unit in units)
        if failure:
            result = FAILED
        elif counts["failed"]:
            result = INCOMPLETE
        else:
            result = MADE if counts["made"] or counts["trimmed"] else UNCHANGED
        done = sum(_bytes_of(unit) for unit in units if unit.status == "made")
        self._end(result, _short(failure), dict(sorted(counts.items())), done)

    def fail(self, reason: str) -> None:
        """End the step as failed, without units."""
        self._end(FAILED, _short(reason), {}, 0)

    def _end(self, result: str, reason: str, counts: Mapping[str, int], done: int) -> None:
        with self._lock:
            if self._over:
                return
            now = self._monotonic()
            self._report_progress(now)
            ended = StepResult(result, reason, counts, done, round(now - self._began, 3))
            self._send(lambda sink: sink.ended(ended))
            self._over = True

    def warnings(self) -> list[str]:
        """Return the problems of the sinks, which do not affect the result of the step."""
        with self._lock:
            return [*self._warnings, *(text for sink in self._sinks for text in sink.warnings())]

    def _send(self, send: Callable[[Sink], None]) -> None:
        with self._lock:
            if self._over:
                return
            for sink in list(self._sinks):
                try:
                    send(sink)
                except Exception as error:  # no error of a sink may stop the step
                    self._sinks.remove(sink)
                    self._warnings.append(f"{sink.name}: left out from now on. {_text_of(error)}")


def _bytes_of(unit: WorkUnit) -> int:
    figures = unit.figures
    return int(figures.get("bytes", figures.get("bytes_read", 0)))


def _short(reason: str) -> str:
    return reason if len(reason) <= _LONGEST_REASON else f"{reason[:_LONGEST_REASON]}…"


def _text_of(error: Exception) -> str:
    if isinstance(error, CountingError):
        return str(error)
    return f"{type(error).__name__}: {printable(str(error))}"


def utc_text(when: datetime | None = None) -> str:
    """Return a time as text: UTC, in whole seconds. The default is now."""
    return (when or datetime.now(UTC)).astimezone(UTC).isoformat(timespec="seconds")


def as_json(value: Any) -> Any:
    """Round a float, for lines that people read; return other values unchanged."""
    return round(value, 3) if isinstance(value, float) else value
