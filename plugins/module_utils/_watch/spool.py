# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The spool: messages on their way to the bus, in a small SQLite file.

Every message is written down before it is sent and struck out when the broker has confirmed it, so
none is lost when the bus is down or a process is killed. All are sent in the order in which they
were written, with the time and the id that they got then. Only where a process dies, or a
connection breaks, between the two is one sent again: under the same id.
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

#: The oldest messages go when there are more; 20,000 are those of some months of nights.
MOST_MESSAGES = 20_000
#: A message that the broker refused so often is dropped.
MOST_REFUSALS = 3

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
    """One message, as it was when it was announced."""

    topic: str
    """Without the prefix from the configuration of fedora-messaging."""
    body: Mapping[str, Any]
    sent_at: str
    """UTC, as ISO 8601 has it."""
    bad: bool = False
    """Whether it tells of a failure."""
    id: str = field(default_factory=lambda: str(uuid.uuid4()))


class Waiting(NamedTuple):
    """Messages that are not sent yet."""

    messages: int
    oldest: str | None
    """When the first of them was announced; UTC, as ISO 8601 has it."""


def read_waiting(path: Path) -> Waiting:
    """How many messages wait. Writes nothing; raises SourceError where it can't be read."""
    with reading_local_db(path, _SCHEMA) as connection:
        if connection is None:
            return Waiting(0, None)
        return Waiting(
            *connection.execute("SELECT count(*), min(sent_at) FROM messages").fetchone()
        )


class Spool:
    """The messages that wait. Raises OutputError where its file can't be written."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        with local_db(self.path, _SCHEMA) as connection:
            # with the journal below: no wait for the disk at each message
            connection.execute("PRAGMA synchronous = NORMAL")
            yield connection

    def add(self, message: Message) -> None:
        """Write a message down, behind all others."""
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
        """The message that is next; not one that was refused in the sending ``besides``."""
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
        """Strike out a message that was sent; the bus is up."""
        with self._open() as connection:
            connection.execute("DELETE FROM messages WHERE id = ?", (message.id,))
            connection.execute("DELETE FROM down")

    def refuse(self, message: Message, sending: str) -> bool:
        """Note that the broker refused a message, in this sending; whether it is dropped now."""
        with self._open() as connection:
            connection.execute(
                "UPDATE messages SET refused = refused + 1, refused_in = ? WHERE id = ?",
                (sending, message.id),
            )
            dropped = connection.execute(
                "DELETE FROM messages WHERE id = ? AND refused >= ?", (message.id, MOST_REFUSALS)
            )
            return bool(dropped.rowcount)

    def has(self, message: Message) -> bool:
        """Whether a message still waits."""
        with self._open() as connection:
            found = connection.execute("SELECT 1 FROM messages WHERE id = ?", (message.id,))
            return found.fetchone() is not None

    def __len__(self) -> int:
        with self._open() as connection:
            return int(connection.execute("SELECT count(*) FROM messages").fetchone()[0])

    def is_down_for(self, run_id: str) -> bool:
        """Whether an earlier step of that run found the bus down; then it is not tried again."""
        with self._open() as connection:
            found = connection.execute("SELECT 1 FROM down WHERE run_id = ?", (run_id,)).fetchone()
        return bool(run_id and found)

    def set_down_for(self, run_id: str) -> None:
        """Remember that the bus is down, for the rest of a run."""
        with self._open() as connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("DELETE FROM down")
            connection.execute("INSERT INTO down VALUES (?)", (run_id,))
            connection.execute("COMMIT")
