# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The topics of messages by stage, and what is in each message: names that consumers rely on.

Stages that have been announced for years keep their topics; new ones follow the same pattern.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

#: What all topics begin with, behind the prefix in the configuration of fedora-messaging.
TOPIC_PREFIX = "logging.stats"


class UnitTopics(NamedTuple):
    """How the units of one kind are announced."""

    words: str
    """Between the words of the stage and that of the event; ``{kind}`` is the kind's name."""
    parts: tuple[str, ...]
    """Fields that the unit's name is made of, in this order, with blanks between."""
    fail: str = "fail"
    retry: str = ""
    """Empty where a failed try is not announced."""
    skip: str = ""
    """For a unit that is unknown."""


@dataclass(frozen=True)
class StageTopics:
    """How a stage is announced."""

    base: str
    command: bool = False
    """One of several commands of an update: its own events are ``BASE.command.EVENT``."""
    units: Mapping[str, UnitTopics] = field(default_factory=dict)
    """By kind; ``*`` stands for any."""


STAGES: dict[str, StageTopics] = {
    "sync": StageTopics(
        "sync",
        units={
            "host": UnitTopics("host", ("synced_host",), skip="skip"),
            "logdate": UnitTopics(
                "host.logdate", ("synced_host", "log_date"), fail="fail.final", retry="fail.retry"
            ),
        },
    ),
    "combine": StageTopics(
        "combinehttplogs", units={"*": UnitTopics("logmerge.{kind}", ("log_date", "log"))}
    ),
    "compress": StageTopics("compress", units={"": UnitTopics("log", ("log_date", "log"))}),
    "condense": StageTopics(
        "condense-mirrorlogs", units={"": UnitTopics("mirrorlist", ("log_date",))}
    ),
    "raw": StageTopics(
        "countme-update", command=True, units={"": UnitTopics("day", ("log_date",))}
    ),
    "raw_import": StageTopics(
        "countme-update", command=True, units={"": UnitTopics("day", ("log_date",))}
    ),
    "totals": StageTopics(
        "countme-update", command=True, units={"": UnitTopics("week", ("week",))}
    ),
    "trim": StageTopics("countme-update", command=True),
    "delete": StageTopics("countme-update", command=True),
    "publish": StageTopics("publish", units={"profile": UnitTopics("profile", ("profile",))}),
}

_TEXT = {"type": "string"}
_COUNT = {"type": "integer", "minimum": 0}
#: The fields of bodies: their JSON schema with a description.
FIELDS: dict[str, dict[str, Any]] = {
    "host": {**_TEXT, "minLength": 1, "description": "the log host"},
    "run_id": {**_TEXT, "description": "what the messages of one run have in common"},
    "stage": {**_TEXT, "minLength": 1, "description": "the stage"},
    "command": {**_TEXT, "description": "which part of counting; the same as stage"},
    "subject": {**_TEXT, "description": "which of several: a profile"},
    "unit": {**_TEXT, "minLength": 1, "description": "the name of the unit"},
    "synced_host": {**_TEXT, "description": "the host that logs are fetched from"},
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
        "description": "what became of it; incomplete: some units failed",
    },
    "counts": {
        "type": "object",
        "additionalProperties": _COUNT,
        "description": "numbers: of a step, its units by status",
    },
    "bytes": {**_COUNT, "description": "bytes fetched, written or read for it"},
    "seconds": {"type": "number", "minimum": 0, "description": "how long it took"},
    "reason": {**_TEXT, "minLength": 1, "description": "why, and what to do"},
}
_ALWAYS = ("host", "run_id", "stage")
_RESULT = ("result", "counts", "bytes", "seconds")


class TopicSchema(NamedTuple):
    """One topic, and what its messages hold."""

    topic: str
    """Below TOPIC_PREFIX; ``*`` stands for one word."""
    when: str
    fields: tuple[str, ...]
    """Required ones; ``subject`` is allowed everywhere."""

    def schema(self) -> dict[str, Any]:
        """The JSON schema of the body."""
        return {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "title": f"{TOPIC_PREFIX}.{self.topic}",
            "description": self.when,
            "type": "object",
            "properties": {name: FIELDS[name] for name in (*self.fields, "subject")},
            "required": list(self.fields),
            "additionalProperties": False,
        }


def all_topics() -> list[TopicSchema]:
    """Every topic that the collection sends by itself, each once, by stage and event."""
    found: dict[str, TopicSchema] = {}
    for name, stage in STAGES.items():
        for one in [*_stage_topics(name, stage), *_unit_topics(name, stage)]:
            found.setdefault(one.topic, one)
    return list(found.values())


def _stage_topics(name: str, stage: StageTopics) -> Iterator[TopicSchema]:
    events = (("start", ()), ("finish", _RESULT), ("fail", (*_RESULT[1:], "reason")))
    words = {"start": "begins", "finish": "has ended well", "fail": "has failed"}
    if stage.command:
        yield from (
            TopicSchema(f"{stage.base}.{event}", f"Counting {words[event]}.", (*_ALWAYS, *more))
            for event, more in (("start", ()), ("finish", ()), ("fail", ("reason",)))
        )
    step = f"{stage.base}.command" if stage.command else stage.base
    what = "A part of counting" if stage.command else f"The stage {name}"
    for event, more in events:
        command = ("command",) if stage.command else ()
        yield TopicSchema(f"{step}.{event}", f"{what} {words[event]}.", (*_ALWAYS, *command, *more))


def _unit_topics(stage_name: str, stage: StageTopics) -> Iterator[TopicSchema]:
    for kind, unit in stage.units.items():
        topic = f"{stage.base}.{unit.words.format(kind=kind)}"
        what = f"{stage_name}, one {unit.words.format(kind='log').rpartition('.')[2]}:"
        base = (*_ALWAYS, "unit", *unit.parts)
        yield TopicSchema(f"{topic}.start", f"{what} work begins.", base)
        yield TopicSchema(f"{topic}.finish", f"{what} it is done.", (*base, *_RESULT))
        yield TopicSchema(f"{topic}.{unit.fail}", f"{what} it failed.", (*base, "reason"))
        if unit.retry:
            yield TopicSchema(
                f"{topic}.{unit.retry}", f"{what} a try failed, another follows.", (*base, "reason")
            )
        if unit.skip:
            yield TopicSchema(
                f"{topic}.{unit.skip}", f"{what} its name is not known.", (*base, "reason")
            )


def schema_for(topic: str, base: str = "") -> TopicSchema | None:
    """The schema of a topic below TOPIC_PREFIX; None for one that is not ours.

    ``base`` is what the topics of counting begin with instead of ``countme-update``.
    """
    if base and topic.startswith(f"{base}."):
        topic = f"countme-update{topic[len(base) :]}"
    words = topic.split(".")
    for one in all_topics():
        pattern = one.topic.split(".")
        if len(pattern) == len(words) and all(
            a in (b, "*") for a, b in zip(pattern, words, strict=True)
        ):
            return one
    return None
