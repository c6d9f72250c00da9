# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sinks on this machine: the progress file, the system log and the run history."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from logging.handlers import SysLogHandler
from pathlib import Path
from typing import IO, Any

from .._base.errors import OutputError
from .._base.records import WorkUnit
from .._storage.files import make_folder
from .history import StepEnd, StepStart, begin_step, end_step
from .watch import Progress, Sink, Step, StepResult, as_json, utc_text

#: The socket of the system log, which journald has as well.
LOG_SOCKET = "/dev/log"
#: The program name in the system log: ``journalctl -t dnf_counting``.
_LOG_IDENT = "dnf_counting"
#: The shortest time between two lines of progress in the system log.
_LOG_PROGRESS_SECONDS = 60.0


def _named(step: Step) -> dict[str, Any]:
    subject = {"subject": step.subject} if step.subject else {}
    return {"run_id": step.run_id, "stage": step.stage, **subject}


def _progress_fields(progress: Progress) -> dict[str, Any]:
    others = {name: count for name, count in progress.amounts.items() if name != progress.amount}
    return {
        "unit": progress.unit,
        "amount": progress.amount,
        "done": progress.done,
        "total": progress.total,
        "rate": as_json(progress.rate),
        "eta_seconds": as_json(progress.eta_seconds),
        **({"also": others} if others else {}),
    }


def _result_fields(result: StepResult) -> dict[str, Any]:
    return {
        "result": result.result,
        **({"reason": result.reason} if result.reason else {}),
        "counts": dict(result.counts),
        "bytes": result.bytes,
        "seconds": as_json(result.seconds),
    }


class _EventLines(Sink):
    """Turns each event into one flat JSON object."""

    def __init__(self) -> None:
        self._step = Step("", "", "")

    def write(self, event: str, fields: Mapping[str, Any], *, bad: bool = False) -> None:
        """Write an event; ``bad`` is true for a failure."""
        raise NotImplementedError

    def started(self, step: Step) -> None:
        self._step = step
        self.write("start", {})

    def unit_started(self, unit: WorkUnit, kind: str) -> None:
        self.write("unit_start", _unit_fields(unit, kind))

    def unit_retried(self, unit: WorkUnit, reason: str, kind: str) -> None:
        self.write("unit_retry", {**_unit_fields(unit, kind), "reason": reason}, bad=True)

    def unit_ended(self, unit: WorkUnit, kind: str) -> None:
        fields = {**_unit_fields(unit, kind), "status": unit.status}
        reason = "; ".join(unit.reasons)
        if reason and unit.status != "unchanged":
            fields["reason"] = reason[:1000]
        self.write("unit_end", fields, bad=unit.status == "failed" or bool(unit.warnings))

    def progressed(self, progress: Progress) -> None:
        self.write("progress", _progress_fields(progress))

    def ended(self, result: StepResult) -> None:
        self.write("end", _result_fields(result), bad=result.result in ("failed", "incomplete"))


def _unit_fields(unit: WorkUnit, kind: str) -> dict[str, Any]:
    return {"unit": unit.name, **({"kind": kind} if kind else {})}


class ProgressFile(_EventLines):
    """JSON lines in a file that each step writes again, for programs that show the progress."""

    name = "progress file"

    def __init__(self, path: Path, *, now: Callable[[], str] = utc_text) -> None:
        super().__init__()
        self._path = path
        self._now = now
        self._lines: IO[str] | None = None

    def started(self, step: Step) -> None:
        make_folder(self._path.parent)
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
        # O_NONBLOCK: a pipe without a reader must not block the step
        try:
            descriptor = os.open(self._path, flags | os.O_NONBLOCK, 0o640)
        except OSError as error:
            raise OutputError(
                self._path,
                expected="to write progress there",
                found=os.strerror(error.errno or 0),
                advice="Name a file that the counting user may write.",
            ) from error
        self._lines = os.fdopen(descriptor, "w", encoding="utf-8", buffering=1)
        os.fchmod(descriptor, 0o640)
        super().started(step)

    def write(self, event: str, fields: Mapping[str, Any], *, bad: bool = False) -> None:
        if self._lines is None:
            return
        line = {"time": self._now(), "event": event, **_named(self._step), **fields}
        self._lines.write(json.dumps(line) + "\n")
        if event == "end":
            self._lines.close()
            self._lines = None


class SystemLog(_EventLines):
    """JSON texts in the system log (syslog, journald), with the id of the run.

    The start of a unit is not logged, and progress only once a minute.
    """

    name = "system log"

    def __init__(self, socket: str, *, monotonic: Callable[[], float]) -> None:
        super().__init__()
        self._handler = SysLogHandler(socket, SysLogHandler.LOG_DAEMON)
        self._handler.ident = f"{_LOG_IDENT}[{os.getpid()}]: "
        self._handler.append_nul = False
        self._handler.handleError = self._give_up  # type: ignore[assignment]
        self._monotonic = monotonic
        self._reported = monotonic()

    def _give_up(self, _record: logging.LogRecord) -> None:
        """Ignore that the log's daemon is gone, which would otherwise be reported for each line."""

    def unit_started(self, unit: WorkUnit, kind: str) -> None:
        return None

    def progressed(self, progress: Progress) -> None:
        if self._monotonic() - self._reported >= _LOG_PROGRESS_SECONDS:
            self._reported = self._monotonic()
            super().progressed(progress)

    def write(self, event: str, fields: Mapping[str, Any], *, bad: bool = False) -> None:
        text = json.dumps({"event": event, **_named(self._step), **fields})
        level = logging.WARNING if bad else logging.INFO
        self._handler.handle(logging.LogRecord(_LOG_IDENT, level, "", 0, text, None, None))
        if event == "end":
            self._handler.close()


class HistoryFile(Sink):
    """The sink that records the step in the run history; see ``history``."""

    name = "run history"

    def __init__(
        self,
        path: Path,
        *,
        keep_days: int,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._path = path
        self._keep_days = keep_days
        self._now = now
        self._number = 0

    def started(self, step: Step) -> None:
        start = StepStart(step.run_id, step.stage, step.subject, step.host, self._now())
        self._number = begin_step(
            self._path, start, keep_days=self._keep_days, settings=step.settings
        )

    def ended(self, result: StepResult) -> None:
        end = StepEnd(
            self._now(), result.seconds, result.result, result.reason, result.counts, result.bytes
        )
        end_step(self._path, self._number, end)
