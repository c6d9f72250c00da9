"""Topics that consumers rely on, and their schemas and documentation."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import jsonschema
import pytest
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._pipeline.stages import (
    ALL_STAGES,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._watch.topics import (
    all_topics,
)
from ansible_collections.fedora_infra.dnf_counting.tests.support.message_schemas import schema_for

CHECKOUT = Path(__file__).parents[5]
DOCS = CHECKOUT / "docs"

#: What has been sent for years; ``*`` is the group of hosts.
KNOWN_TOPICS = [
    "sync.start",
    "sync.finish",
    "sync.host.start",
    "sync.host.skip",
    "sync.host.finish",
    "sync.host.logdate.start",
    "sync.host.logdate.fail.retry",
    "sync.host.logdate.fail.final",
    "sync.host.logdate.finish",
    "combinehttplogs.start",
    "combinehttplogs.finish",
    "combinehttplogs.logmerge.proxy.start",
    "combinehttplogs.logmerge.proxy.finish",
    "combinehttplogs.logmerge.download.start",
    "combinehttplogs.logmerge.download.finish",
    "combinehttplogs.logmerge.people.start",
    "combinehttplogs.logmerge.people.finish",
    "condense-mirrorlogs.start",
    "condense-mirrorlogs.finish",
    "condense-mirrorlogs.mirrorlist.start",
    "condense-mirrorlogs.mirrorlist.finish",
    "countme-update.start",
    "countme-update.finish",
    "countme-update.command.start",
    "countme-update.command.finish",
]


@pytest.mark.parametrize("topic", KNOWN_TOPICS)
def test_topics_of_today_stay(topic: str) -> None:
    assert schema_for(topic) is not None


def test_other_profiles_have_topics_of_their_own() -> None:
    schema = schema_for("countme-centos-update.command.start", "countme-centos-update")
    assert schema is not None
    assert schema.topic == "countme-update.command.start"
    assert schema_for("countme-centos-update.command.start") is None


def test_what_is_not_ours_has_no_schema() -> None:
    assert schema_for("sync.host.logdate.start.again") is None


@pytest.mark.parametrize("topic", [one.topic for one in all_topics(ALL_STAGES)])
def test_schemas_are_schemas(topic: str) -> None:
    schema = schema_for(topic)
    assert schema is not None
    jsonschema.Draft202012Validator.check_schema(schema.schema())
    assert {"host", "run_id", "stage"} <= set(schema.schema()["required"])


def test_a_finish_has_a_result_and_a_failure_a_reason() -> None:
    for one in all_topics(ALL_STAGES):
        last = one.topic.split(".")[-1]
        if last in ("fail", "retry", "final", "skip"):
            assert "reason" in one.fields
            assert "result" not in one.fields
        elif last == "finish" and one.topic != "countme-update.finish":
            assert {"result", "counts", "bytes", "seconds"} <= set(one.fields)


@pytest.fixture(scope="module")
def docs() -> ModuleType:
    spec = importlib.util.spec_from_file_location("messages", DOCS / "messages.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_documentation_of_messages_is_current(docs: ModuleType) -> None:
    text = docs.PAGE.read_text(encoding="utf-8")
    assert text == docs.page(text), "run .venv/bin/python docs/messages.py"
    assert docs.SCHEMAS.read_text(encoding="utf-8") == docs.schemas()
