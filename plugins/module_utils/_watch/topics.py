# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The schema of each message: topics and fields that consumers rely on.

The topics themselves belong to the declarations of the stages.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from .._base.stage import TOPIC_PREFIX, Stage, Topics

_TEXT = {"type": "string"}
_COUNT = {"type": "integer", "minimum": 0}
#: The JSON schema and the description of each field of a body.
FIELDS: dict[str, dict[str, Any]] = {
    "host": {**_TEXT, "minLength": 1, "description": "the log host"},
    "run_id": {**_TEXT, "description": "the id that all messages of a run share"},
    "stage": {**_TEXT, "minLength": 1, "description": "the stage"},
    "command": {**_TEXT, "description": "the part of counting, which is the same as the stage"},
    "subject": {
        **_TEXT,
        "description": "the profile, or another subject, if the stage has several",
    },
    "unit": {**_TEXT, "minLength": 1, "description": "the name of the unit"},
    "synced_host": {**_TEXT, "description": "the host from which logs are fetched"},
    "log_date": {
        **_TEXT,
        "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$",
        "description": "the day on which the log was rotated",
    },
    "log": {**_TEXT, "description": "the name of the log"},
    "week": {**_TEXT, "pattern": "^[0-9]{4}-W[0-9]{2}$", "description": "the ISO week"},
    "profile": {**_TEXT, "description": "the profile whose files are published"},
    "result": {
        "enum": ["made", "unchanged", "incomplete", "missing", "waiting", "blocked", "outdated"],
        "description": "the result; incomplete if some units failed",
    },
    "counts": {
        "type": "object",
        "additionalProperties": _COUNT,
        "description": "numbers; for a stage, its units by status",
    },
    "bytes": {**_COUNT, "description": "the bytes that were fetched, written or read"},
    "seconds": {"type": "number", "minimum": 0, "description": "the duration in seconds"},
    "reason": {**_TEXT, "minLength": 1, "description": "the reason, and the remedy"},
}
_ALWAYS = ("host", "run_id", "stage")
_RESULT = ("result", "counts", "bytes", "seconds")


class TopicSchema(NamedTuple):
    """One topic, and the fields of its messages."""

    topic: str
    """Below TOPIC_PREFIX; ``*`` stands for one word."""
    when: str
    fields: tuple[str, ...]
    """The required fields; ``subject`` is allowed in every message."""

    def schema(self) -> dict[str, Any]:
        """Return the JSON schema of the body."""
        return {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "title": f"{TOPIC_PREFIX}.{self.topic}",
            "description": self.when,
            "type": "object",
            "properties": {name: FIELDS[name] for name in (*self.fields, "subject")},
            "required": list(self.fields),
            "additionalProperties": False,
        }


def all_topics(stages: Iterable[Stage[Any, Any]]) -> list[TopicSchema]:
    """Return the schema of every topic that these stages use, each once, by stage and event."""
    found: dict[str, TopicSchema] = {}
    for stage in stages:
        for one in [
            *_stage_topics(stage.name, stage.topics),
            *_unit_topics(stage.name, stage.topics),
        ]:
            found.setdefault(one.topic, one)
    return list(found.values())


def _stage_topics(name: str, stage: Topics) -> Iterator[TopicSchema]:
    events = (("start", ()), ("finish", _RESULT), ("fail", (*_RESULT[1:], "reason")))
    words = {"start": "begins", "finish": "has succeeded", "fail": "has failed"}
    if stage.is_command:
        yield from (
            TopicSchema(f"{stage.base}.{event}", f"Counting {words[event]}.", (*_ALWAYS, *more))
            for event, more in (("start", ()), ("finish", ()), ("fail", ("reason",)))
        )
    step = f"{stage.base}.command" if stage.is_command else stage.base
    what = "A part of counting" if stage.is_command else f"The stage {name}"
    for event, more in events:
        command = ("command",) if stage.is_command else ()
        yield TopicSchema(f"{step}.{event}", f"{what} {words[event]}.", (*_ALWAYS, *command, *more))


def _unit_topics(stage_name: str, stage: Topics) -> Iterator[TopicSchema]:
    for kind, unit in stage.units.items():
        topic = f"{stage.base}.{unit.words.format(kind=kind)}"
        what = f"{stage_name}, one {unit.words.format(kind='log').rpartition('.')[2]}:"
        base = (*_ALWAYS, "unit", *unit.parts)
        yield TopicSchema(f"{topic}.start", f"{what} work begins.", base)
        yield TopicSchema(f"{topic}.finish", f"{what} it is done.", (*base, *_RESULT))
        yield TopicSchema(f"{topic}.{unit.fail}", f"{what} it failed.", (*base, "reason"))
        if unit.retry:
            yield TopicSchema(
                f"{topic}.{unit.retry}",
                f"{what} an attempt failed, and another follows.",
                (*base, "reason"),
            )
        if unit.skip:
            yield TopicSchema(
                f"{topic}.{unit.skip}", f"{what} its name is unknown to DNS.", (*base, "reason")
            )
