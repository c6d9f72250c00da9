# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The run history: the steps that ran on this log host, with times, durations and results.

A step is one run of one stage, for one subject (a log, a profile) if the stage has several. It is
recorded at its start and again at its end. A step that was killed, or whose machine went down,
therefore has no end.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from .._storage.local_db import LocalSchema, local_db, reading_local_db

#: The results of a step that has ended.
MADE, UNCHANGED, INCOMPLETE, FAILED = "made", "unchanged", "incomplete", "failed"
#: The results of a step without an end: its process still runs, or it is gone.
RUNNING, NEVER_FINISHED = "running", "never finished"

#: The newest steps are kept at any age, because a clock that jumps must not empty the history.
LEAST_STEPS = 500
#: The most steps that are kept.
MOST_STEPS = 100_000

_COLUMNS = {
    "id": "INTEGER PRIMARY KEY",
    "run_id": "TEXT NOT NULL",
    "stage": "TEXT NOT NULL",
    "subject": "TEXT NOT NULL",
    "host": "TEXT NOT NULL",
    "process": "TEXT NOT NULL",
    "started": "REAL NOT NULL",
    "finished": "REAL",
    "seconds": "REAL",
    "result": "TEXT",
    "reason": "TEXT",
    "units": "TEXT",
    "bytes": "INTEGER",
}
_SCHEMA = LocalSchema(
    what="a run history",
    application_id=0x646E6648,  # "dnfH"
    version=1,
    tables=(
        "CREATE TABLE steps ({})".format(", ".join(f"{n} {k}" for n, k in _COLUMNS.items())),
        "CREATE INDEX steps_started ON steps (started)",
    ),
    mode=0o640,
)


#: This table is added to files of version 1.0.0-rc.1, which ignores it.
_SETTINGS_TABLE = (
    "CREATE TABLE IF NOT EXISTS settings (stage TEXT NOT NULL, subject TEXT NOT NULL,"
    " run_id TEXT NOT NULL, started REAL NOT NULL, options TEXT NOT NULL,"
    " PRIMARY KEY (stage, subject))"
)


class StageSettings(NamedTuple):
    """The options of the last run of a stage."""

    stage: str
    subject: str
    """The subject of the stage, a log or a profile; empty where the stage has only one."""
    run_id: str
    started: datetime
    options: Mapping[str, Any]


class StepStart(NamedTuple):
    """The facts about a step that are recorded at its start."""

    run_id: str
    stage: str
    subject: str
    """The subject of the stage, a log or a profile; empty where the stage has only one."""
    host: str
    """The log host."""
    started: datetime


class StepEnd(NamedTuple):
    """The facts about a step that are recorded at its end."""

    finished: datetime
    seconds: float
    """The duration by a monotonic clock, which may differ from ``finished`` less ``started``."""
    result: str
    """``made``, ``unchanged``, ``incomplete`` (units failed, the step did not) or ``failed``."""
    reason: str = ""
    """The reason of a failure."""
    units: Mapping[str, int] = {}
    """The number of units with each status."""
    bytes: int = 0
    """The size of the outputs."""


@dataclass(frozen=True)
class Step:
    """A step, read from the history."""

    id: int
    run_id: str
    stage: str
    subject: str
    host: str
    started: datetime
    result: str
    """The result of its :class:`StepEnd`; ``running`` or ``never finished`` without an end."""
    finished: datetime | None = None
    seconds: float | None = None
    reason: str = ""
    units: Mapping[str, int] = field(default_factory=dict)
    bytes: int = 0

    @property
    def ended(self) -> bool:
        """True if it has ended, with any result."""
        return self.finished is not None


def begin_step(
    path: Path, step: StepStart, *, keep_days: int = 400, settings: Mapping[str, Any] | None = None
) -> int:
    """Record that a step starts with these settings; return its number.

    Steps older than ``keep_days`` are removed. Raises OutputError if the file can't be written.
    """
    with local_db(path, _SCHEMA) as connection:
        columns = ("run_id", "stage", "subject", "host", "process", "started")
        values = (*step[:4], _this_process(), step.started.timestamp())
        connection.execute("BEGIN IMMEDIATE")
        cursor = connection.execute(
            f"INSERT INTO steps ({', '.join(columns)}) VALUES (?, ?, ?, ?, ?, ?)",  # noqa: S608
            values,
        )
        if settings is not None:
            connection.execute(_SETTINGS_TABLE)
            connection.execute(
                "INSERT OR REPLACE INTO settings VALUES (?, ?, ?, ?, ?)",
                (
                    step.stage,
                    step.subject,
                    step.run_id,
                    step.started.timestamp(),
                    json.dumps(dict(settings), sort_keys=True),
                ),
            )
        oldest = (step.started - timedelta(days=keep_days)).timestamp()
        connection.execute(
            "DELETE FROM steps WHERE id <= (SELECT max(id) FROM steps) - ? AND started < ?"
            " OR id <= (SELECT max(id) FROM steps) - ?",
            (LEAST_STEPS, oldest, MOST_STEPS),
        )
        connection.execute("COMMIT")
        return int(cursor.lastrowid or 0)


def end_step(path: Path, number: int, end: StepEnd) -> None:
    """Record the end of a step. Raises OutputError if the file cannot be written."""
    with local_db(path, _SCHEMA) as connection:
        connection.execute(
            "UPDATE steps SET finished = ?, seconds = ?, result = ?, reason = ?, units = ?,"
            " bytes = ? WHERE id = ? AND finished IS NULL",
            (
                end.finished.timestamp(),
                end.seconds,
                end.result,
                end.reason,
                json.dumps(dict(end.units), sort_keys=True),
                end.bytes,
                number,
            ),
        )


def read_steps(path: Path, *, since: datetime | None = None) -> list[Step]:
    """Return the steps in the order in which they started; none if there is no history yet.

    Raises CountingError if the file cannot be read.
    """
    with reading_local_db(path, _SCHEMA) as connection:
        if connection is None:
            return []
        rows = connection.execute(
            f"SELECT {', '.join(_COLUMNS)} FROM steps WHERE started >= ? ORDER BY id",  # noqa: S608
            (since.timestamp() if since else 0,),
        ).fetchall()
    return [_step(dict(zip(_COLUMNS, row, strict=True))) for row in rows]


def read_settings(path: Path) -> list[StageSettings]:
    """Return the options of the last run of each stage and subject, the oldest run first.

    Return none if nothing ran yet. Raises CountingError if the file cannot be read.
    """
    with reading_local_db(path, _SCHEMA) as connection:
        if connection is None:
            return []
        known = connection.execute("SELECT name FROM sqlite_master WHERE name = 'settings'")
        if known.fetchone() is None:
            return []
        rows = connection.execute(
            "SELECT stage, subject, run_id, started, options FROM settings ORDER BY started, stage"
        ).fetchall()
    return [
        StageSettings(stage, subject, run_id, _time(started), json.loads(options))
        for stage, subject, run_id, started, options in rows
    ]


def _step(row: Mapping[str, Any]) -> Step:
    without_end = RUNNING if row["process"] == _process(row["process"]) else NEVER_FINISHED
    return Step(
        id=row["id"],
        run_id=row["run_id"],
        stage=row["stage"],
        subject=row["subject"],
        host=row["host"],
        started=_time(row["started"]),
        result=without_end if row["finished"] is None else row["result"],
        finished=None if row["finished"] is None else _time(row["finished"]),
        seconds=row["seconds"],
        reason=row["reason"] or "",
        units=json.loads(row["units"] or "{}"),
        bytes=row["bytes"] or 0,
    )


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def latest_steps(steps: Iterable[Step]) -> dict[tuple[str, str], Step]:
    """Return the last step of each stage and subject."""
    return {(step.stage, step.subject): step for step in steps}


def usual_seconds(
    steps: Sequence[Step], stage: str, subject: str = "", *, runs: int = 14
) -> float | None:
    """Return the median duration of the last ``runs`` steps that made something and did not fail.

    Return None without such a step. Steps that changed nothing are skipped, because their duration
    is not that of the work.
    """
    durations = [
        step.seconds
        for step in steps
        if (step.stage, step.subject) == (stage, subject)
        and step.result in (MADE, INCOMPLETE)
        and step.seconds is not None
    ]
    return median(durations[-runs:]) if durations else None


def _this_process() -> str:
    return _process(str(os.getpid()))


def _process(recorded: str) -> str:
    """Return a text that identifies a process, even if its number is used again later.

    ``recorded`` is such a text, or a number alone. Return an empty text if there is no such
    process now.
    """
    number = recorded.split(" ", 1)[0]
    try:
        with open(f"/proc/{int(number)}/stat", "rb") as stat:
            # the name in parentheses may contain any text; the 20th field after it is the start
            started = stat.read().rpartition(b")")[2].split()[19].decode()
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as boot:
            return f"{number} {started} {boot.read().strip()}"
    except (OSError, ValueError, IndexError):
        return ""
