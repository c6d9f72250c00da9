# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The spool: messages that are not sent yet, in a small SQLite file.

Every message is added before it is sent, and removed after the broker has confirmed it. No message
is lost if the bus is down or a process is killed. Messages are sent in the order in which they were
added, with the time and the id from then. A message is sent twice, with the same id, only if the
process or the connection ends between sending and removing.
"""

from __future__ import annotations

import json
import sqlite3
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from .._storage.local_db import LocalSchema, local_db, reading_local_db

#: The oldest messages are removed if there are more; some months of nights make 20,000.
MOST_MESSAGES = 20_000
#: A message that the broker has refused this many times is dropped.
_MOST_REFUSALS = 3

_SCHEMA = LocalSchema(
    what="a spool of messages",
    application_id=0x646E6653,  # "dnfS"
    version=1,
    tables=(
        "CREATE TABLE messages (number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE,"
        " topic TEXT NOT NULL, body TEXT NOT NULL, sent_at TEXT NOT NULL, bad INTEGER NOT NULL,"
        " refused INTEGER NOT NULL DEFAULT 0, refused_in TEXT NOT NULL DEFAULT '')",
        "CREATE TABLE down (run_id TEXT PRIMARY KEY)",
    ),
    mode=0o600,
    journal="WAL",
)


@dataclass(frozen=True)
class Message:
    """One message, as it was added to the spool."""

    topic: str
    """Without the prefix from the configuration of fedora-messaging."""
    body: Mapping[str, Any]
    sent_at: str
    """The time in UTC, by ISO 8601."""
    bad: bool = False
    """True if it reports a failure."""
    id: str = field(default_factory=lambda: str(uuid.uuid4()))


class Waiting(NamedTuple):
    """The messages that are not sent yet."""

    messages: int
    oldest: str | None
    """The time of the oldest one in UTC, by ISO 8601."""


def read_waiting(path: Path) -> Waiting:
    """Count the messages that wait. Write nothing. Raises CountingError if it is unreadable."""
    with reading_local_db(path, _SCHEMA) as connection:
        if connection is None:
            return Waiting(0, None)
        return Waiting(
            *connection.execute("SELECT count(*), min(sent_at) FROM messages").fetchone()
        )


class Spool:
    """The messages that wait. Raises OutputError if its file cannot be written."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        with local_db(self.path, _SCHEMA) as connection:
            # together with the write-ahead log, this avoids a wait for the disk at each message
            connection.execute("PRAGMA synchronous = NORMAL")
            yield connection

    def add(self, message: Message) -> None:
        """Add a message after all others."""
        with self._open() as connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute(
                "INSERT INTO messages (id, topic, body, sent_at, bad) VALUES (?, ?, ?, ?, ?)",
                (
                    message.id,
                    message.topic,
                    json.dumps(message.body),
                    message.sent_at,
                    message.bad,
                ),
            )
            connection.execute(
                "DELETE FROM messages WHERE number <= (SELECT max(number) FROM messages) - ?",
                (MOST_MESSAGES,),
            )
            connection.execute("COMMIT")

    def first(self, besides: str) -> Message | None:
        """Return the next message, except those that were refused in the sending ``besides``."""
        with self._open() as connection:
            row = connection.execute(
                "SELECT topic, body, sent_at, bad, id FROM messages"
                " WHERE refused_in <> ? OR refused = 0 ORDER BY number LIMIT 1",
                (besides,),
            ).fetchone()
        if row is None:
            return None
        topic, body, sent_at, bad, number = row
        return Message(topic, json.loads(body), sent_at, bool(bad), number)

    def remove(self, message: Message) -> None:
        """Remove a message that was sent, and note that the bus is up."""
        with self._open() as connection:
            connection.execute("DELETE FROM messages WHERE id = ?", (message.id,))
            connection.execute("DELETE FROM down")

    def refuse(self, message: Message, sending: str) -> bool:
        """Note that the broker refused a message in a sending; return whether it is dropped now."""
        with self._open() as connection:
            connection.execute(
                "UPDATE messages SET refused = refused + 1, refused_in = ? WHERE id = ?",
                (sending, message.id),
            )
            dropped = connection.execute(
                "DELETE FROM messages WHERE id = ? AND refused >= ?", (message.id, _MOST_REFUSALS)
            )
            return bool(dropped.rowcount)

    def has(self, message: Message) -> bool:
        """Return whether a message still waits."""
        with self._open() as connection:
            found = connection.execute("SELECT 1 FROM messages WHERE id = ?", (message.id,))
            return found.fetchone() is not None

    def __len__(self) -> int:
        with self._open() as connection:
            return int(connection.execute("SELECT count(*) FROM messages").fetchone()[0])

    def is_down_for(self, run_id: str) -> bool:
        """Return whether an earlier step of that run found the bus down."""
        with self._open() as connection:
            found = connection.execute("SELECT 1 FROM down WHERE run_id = ?", (run_id,)).fetchone()
        return bool(run_id and found)

    def set_down_for(self, run_id: str) -> None:
        """Note that the bus is down for the rest of a run."""
        with self._open() as connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("DELETE FROM down")
            connection.execute("INSERT INTO down VALUES (?)", (run_id,))
            connection.execute("COMMIT")
