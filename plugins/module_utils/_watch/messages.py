# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make the messages about a step, and send them in a thread."""

from __future__ import annotations

import contextlib
import threading
import uuid
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from .._base.errors import CountingError, LockedError
from .._base.records import WorkUnit
from .._base.stage import TOPIC_PREFIX, UnitTopics
from .._storage.files import writer_lock
from .bus import BusDownError, Publish, RefusedError, connect
from .spool import Message, Spool
from .watch import Sink, Step, StepResult, utc_text

#: The longest wait at the end of a step; the next step sends the messages that are left.
_PATIENCE_SECONDS = 30.0
#: The longest wait for another process that sends messages.
_LOCK_PATIENCE_SECONDS = 5.0


class Sender:
    """Sends the messages in the spool, in a thread, until all are sent or the bus is down.

    After a failure the bus counts as down for the rest of the run; the next run sends the messages.
    """

    def __init__(self, spool: Spool, *, run_id: str, connect: Callable[[], Publish]) -> None:
        self.spool = spool
        self._run_id = run_id
        self._connect = connect
        self._publish: Publish | None = None
        self._sending = str(uuid.uuid4())
        self._wake = threading.Event()
        self._stopping = False
        self._over = spool.is_down_for(run_id)
        self._problems: list[str] = []
        self._thread = threading.Thread(target=self._run, name="messages", daemon=True)
        self._started = False

    def send(self, message: Message) -> None:
        """Add a message to the spool, and let the thread send it."""
        self.spool.add(message)
        if self._over:
            return
        if not self._started:
            self._started = True
            self._thread.start()
        self._wake.set()

    def close(self) -> None:
        """Wait until all messages are sent or the bus is down, for a limited time."""
        self._stopping = True
        self._wake.set()
        if self._started:
            self._thread.join(_PATIENCE_SECONDS)

    def warnings(self) -> list[str]:
        """Return the reasons why messages were not sent, once for a run."""
        return list(self._problems)

    def _run(self) -> None:
        try:
            while not self._over:
                self._wake.wait()
                self._wake.clear()
                stopping = self._stopping
                self._send_all(_LOCK_PATIENCE_SECONDS if stopping else 0)
                self._over = self._over or stopping
        except Exception as error:  # no error of the bus may stop the step
            self._give_up(f"{type(error).__name__}: {error}")

    def _send_all(self, patience_seconds: float) -> None:
        lock = writer_lock(
            self.spool.path.parent,
            run_id=self._run_id,
            patience_seconds=patience_seconds,
            name=f".{self.spool.path.name}.sending",
        )
        with contextlib.ExitStack() as stack:
            try:
                stack.enter_context(lock)
            except LockedError:
                return  # another process sends the messages
            while message := self.spool.first(self._sending):
                try:
                    self._publish = self._publish or self._connect()
                    self._publish(message)
                except BusDownError as error:
                    self._give_up(str(error))
                    return
                except RefusedError as error:
                    self._refused(message, error)
                else:
                    self.spool.remove(message)

    def _refused(self, message: Message, error: RefusedError) -> None:
        dropped = self.spool.refuse(message, self._sending)
        then = "it is dropped" if dropped else "the next step tries again"
        self._problems.append(f"the broker refused {message.topic} ({error}); {then}.")

    def _give_up(self, reason: str) -> None:
        self._over = True
        with contextlib.suppress(CountingError):
            self.spool.set_down_for(self._run_id)
            self._problems.append(
                f"the bus is down ({reason}). {len(self.spool)} messages wait in "
                f"{self.spool.path}, and the next run sends them."
            )


class Messages(Sink):
    """The sink that sends a message for each event; see ``topics``."""

    name = "messages"

    def __init__(
        self, sender: Sender, *, prefix: str = TOPIC_PREFIX, now: Callable[[], str] = utc_text
    ) -> None:
        self._sender = sender
        self._prefix = prefix
        self._now = now
        self._step = Step("", "", "")
        self._started_units: set[tuple[str, str]] = set()

    def started(self, step: Step) -> None:
        self._step = step
        self._send_of_step("start", {})

    def ended(self, result: StepResult) -> None:
        for kind, name in sorted(self._started_units):
            self.unit_ended(WorkUnit(name, "failed", ("the step ended before it",)), kind)
        fields = {"counts": dict(result.counts), "bytes": result.bytes, "seconds": result.seconds}
        if result.result == "failed":
            reason = result.reason or "no reason given"
            self._send_of_step("fail", {**fields, "reason": reason}, bad=True)
        else:
            self._send_of_step("finish", {**fields, "result": result.result})
        self._sender.close()

    def unit_started(self, unit: WorkUnit, kind: str) -> None:
        if topics := self._topics(kind):
            self._started_units.add((kind, unit.name))
            self._send_of_unit(topics, unit, kind, "start", {})

    def unit_retried(self, unit: WorkUnit, reason: str, kind: str) -> None:
        topics = self._topics(kind)
        if topics and topics.retry:
            self._send_of_unit(topics, unit, kind, topics.retry, {"reason": reason}, bad=True)

    def unit_ended(self, unit: WorkUnit, kind: str) -> None:
        topics = self._topics(kind)
        if not topics:
            return
        if (kind, unit.name) not in self._started_units:
            if unit.status != "made":
                return  # there was no work to do
            self.unit_started(unit, kind)
        self._started_units.discard((kind, unit.name))
        reason = "; ".join(unit.reasons)[:1000] or "no reason given"
        if unit.status == "unknown" and topics.skip:
            self._send_of_unit(topics, unit, kind, topics.skip, {"reason": reason})
        elif unit.status in ("failed", "unknown"):
            self._send_of_unit(topics, unit, kind, topics.fail, {"reason": reason}, bad=True)
        else:
            self._send_of_unit(topics, unit, kind, "finish", _unit_result(unit))

    def warnings(self) -> Sequence[str]:
        return [f"messages: {problem}" for problem in self._sender.warnings()]

    def _topics(self, kind: str) -> UnitTopics | None:
        units = self._step.topics.units
        return units.get(kind) or units.get("*")

    def _send_of_step(self, event: str, fields: Mapping[str, Any], *, bad: bool = False) -> None:
        topics = self._step.topics
        topic = f"{topics.base}.{'command.' if topics.is_command else ''}{event}"
        command = {"command": self._step.stage} if topics.is_command else {}
        self._send(topic, {**command, **fields}, bad=bad)

    def _send_of_unit(
        self,
        topics: UnitTopics,
        unit: WorkUnit,
        kind: str,
        event: str,
        fields: Mapping[str, Any],
        *,
        bad: bool = False,
    ) -> None:
        topic = f"{self._step.topics.base}.{topics.words.format(kind=_word(kind))}.{event}"
        parts = dict(zip(topics.parts, unit.parts(len(topics.parts)), strict=False))
        self._send(topic, {"unit": unit.name, **parts, **fields}, bad=bad)

    def _send(self, topic: str, fields: Mapping[str, Any], *, bad: bool) -> None:
        step = self._step
        common = {"host": step.host, "run_id": step.run_id, "stage": step.stage}
        subject = {"subject": step.subject} if step.subject else {}
        body = {**common, **subject, **fields}
        self._sender.send(Message(f"{self._prefix}.{topic}", body, self._now(), bad))


def _word(kind: str) -> str:
    """Return a kind, which an operator may have named, as one word of a topic."""
    word = "".join(c if c.isascii() and (c.isalnum() or c in "-_") else "-" for c in kind.lower())
    return word or "other"


def _unit_result(unit: WorkUnit) -> dict[str, Any]:
    counts = {
        name: count
        for name, count in unit.figures.items()
        if isinstance(count, int) and not isinstance(count, bool) and name not in ("bytes", "week")
    }
    return {
        "result": unit.status,
        "counts": {name: count for name, count in counts.items() if count >= 0},
        "bytes": unit.figures.get("bytes", unit.figures.get("bytes_read", 0)),
        "seconds": unit.figures.get("seconds", 0),
    }


def make_sender(config: Path, spool: Path, *, run_id: str, timeout_seconds: int) -> Sender:
    """Return a sender for the bus of a configuration file. Raises OutputError."""
    return Sender(
        Spool(spool),
        run_id=run_id,
        connect=lambda: connect(config, timeout_seconds=timeout_seconds),
    )


def make_messages(
    config: Path, spool: Path, *, run_id: str, prefix: str, timeout_seconds: int
) -> Messages:
    """Return the messages of a step for the bus of a configuration file. Raises OutputError."""
    sender = make_sender(config, spool, run_id=run_id, timeout_seconds=timeout_seconds)
    return Messages(sender, prefix=prefix)
