# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Watching a step, one run of a stage: what happens in it goes to all who want to know.

Those are sinks: messages on a bus, a progress file, the system's log, the run history. A sink that
fails is left out from then on, and never changes what becomes of the step.
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

#: Progress is told at most so often.
PROGRESS_SECONDS = 1.0
#: Of an error no more is told than this many characters.
_LONGEST_REASON = 1000


@dataclass(frozen=True)
class Step:
    """Which step it is."""

    stage: str
    """The name of the stage."""
    run_id: str
    host: str
    """The log host."""
    subject: str = ""
    """Which of several: a log, a profile; empty where the stage has only one."""
    topics: Topics = field(default_factory=lambda: Topics(""))
    """The topics of its messages; ``base`` may be another than the stage's own."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """The options that the stage runs with, for the run history."""


class StepResult(NamedTuple):
    """What became of a step."""

    result: str
    """``made``, ``unchanged``, ``incomplete`` (units failed, the step did not) or ``failed``."""
    reason: str
    """Of a failure; otherwise empty."""
    counts: Mapping[str, int]
    """How many units have each status."""
    bytes: int
    """Of what was made, or read for it."""
    seconds: float


class Progress(NamedTuple):
    """How far a step is."""

    amount: str
    """What is counted; one of those of :class:`Observer`."""
    done: int
    total: int
    rate: float
    """A second, since the step started."""
    eta_seconds: float | None
    """Until it is done, at that rate; None where nothing can be said."""
    unit: str
    """What was worked on last."""
    amounts: Mapping[str, int]
    """All that was counted."""


class Sink:
    """Somebody who wants to know; this one doesn't. Called by one thread at a time."""

    name = "nobody"

    def started(self, step: Step) -> None:
        """The step starts."""

    def unit_started(self, unit: WorkUnit, kind: str) -> None:
        """See :class:`Observer`, as for the following."""

    def unit_retried(self, unit: WorkUnit, reason: str, kind: str) -> None:
        pass

    def unit_ended(self, unit: WorkUnit, kind: str) -> None:
        pass

    def progressed(self, progress: Progress) -> None:
        """At most one a second, and one at the end."""

    def ended(self, result: StepResult) -> None:
        """The step has ended, for better or worse; nothing follows."""

    def warnings(self) -> Sequence[str]:
        """After the end: what an operator should know of this sink."""
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
        # what is read again, as a log that proves unsorted, is not done twice
        done = min(self.done[amount], total)
        rate = done / seconds if seconds > 0 else 0.0
        eta = (total - done) / rate if rate else None
        return Progress(amount, done, total, rate, eta, self.unit, dict(self.done))


class Watch(Observer):
    """Passes on what happens in a step; see :class:`Sink`."""

    def __init__(
        self,
        step: Step,
        sinks: Sequence[Sink],
        *,
        monotonic: Callable[[], float] = time.monotonic,
        progress_seconds: float = PROGRESS_SECONDS,
    ) -> None:
        self._step = step
        self._sinks = list(sinks)
        self._lock = threading.RLock()
        self._monotonic = monotonic
        self._began = self._told = monotonic()
        self._progress_seconds = progress_seconds
        self._amounts = _Amounts()
        self._over = False
        self._warnings: list[str] = []
        self._tell(lambda sink: sink.started(step))

    def started(self, unit: WorkUnit, *, kind: str = "") -> None:
        self._tell(lambda sink: sink.unit_started(unit, kind))

    def ended(self, unit: WorkUnit, *, kind: str = "") -> None:
        self._tell(lambda sink: sink.unit_ended(unit, kind))

    def retrying(self, unit: WorkUnit, reason: str, *, kind: str = "") -> None:
        self._tell(lambda sink: sink.unit_retried(unit, _short(reason), kind))

    def expect(self, amount: str, total: int) -> None:
        with self._lock:
            self._amounts.total[amount] = self._amounts.total.get(amount, 0) + total

    def advance(self, amount: str, count: int = 1, *, unit: str = "") -> None:
        with self._lock:
            self._amounts.done[amount] += count
            self._amounts.unit = unit
            now = self._monotonic()
            if now - self._told >= self._progress_seconds:
                self._tell_progress(now)

    def _tell_progress(self, now: float) -> None:
        progress = self._amounts.progress(now - self._began)
        if progress:
            self._told = now
            self._tell(lambda sink: sink.progressed(progress))

    def finish(self, units: Sequence[WorkUnit], *, failure: str = "") -> None:
        """The step has ended with these units; ``failure`` says why it counts as failed, if so."""
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
        """The step has come to nothing."""
        self._end(FAILED, _short(reason), {}, 0)

    def _end(self, result: str, reason: str, counts: Mapping[str, int], done: int) -> None:
        with self._lock:
            if self._over:
                return
            now = self._monotonic()
            self._tell_progress(now)
            ended = StepResult(result, reason, counts, done, round(now - self._began, 3))
            self._tell(lambda sink: sink.ended(ended))
            self._over = True

    def warnings(self) -> list[str]:
        """What went wrong with the sinks, none of which matters to the step's result."""
        with self._lock:
            return [*self._warnings, *(text for sink in self._sinks for text in sink.warnings())]

    def _tell(self, tell: Callable[[Sink], None]) -> None:
        with self._lock:
            if self._over:
                return
            for sink in list(self._sinks):
                try:
                    tell(sink)
                except Exception as error:  # whatever it is, the step goes on
                    self._sinks.remove(sink)
                    self._warnings.append(f"{sink.name}: left out from now on. {_words(error)}")


def _bytes_of(unit: WorkUnit) -> int:
    figures = unit.figures
    return int(figures.get("bytes", figures.get("bytes_read", 0)))


def _short(reason: str) -> str:
    return reason if len(reason) <= _LONGEST_REASON else f"{reason[:_LONGEST_REASON]}…"


def _words(error: Exception) -> str:
    if isinstance(error, CountingError):
        return str(error)
    return f"{type(error).__name__}: {printable(str(error))}"


def utc_text(when: datetime | None = None) -> str:
    """A time as it is written everywhere: UTC, whole seconds."""
    return (when or datetime.now(UTC)).astimezone(UTC).isoformat(timespec="seconds")


def as_json(value: Any) -> Any:
    """A float without a tail, for lines that people read."""
    return round(value, 3) if isinstance(value, float) else value
