"""Find the schema of a message by its topic."""

from __future__ import annotations

from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._pipeline.stages import (
    ALL_STAGES,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._watch.topics import (
    TopicSchema,
    all_topics,
)


def schema_for(topic: str, base: str = "") -> TopicSchema | None:
    """Return the schema of a topic below TOPIC_PREFIX; None for one that is not ours.

    ``base`` is what the topics of counting begin with instead of ``countme-update``.
    """
    if base and topic.startswith(f"{base}."):
        topic = f"countme-update{topic[len(base) :]}"
    words = topic.split(".")
    for one in all_topics(ALL_STAGES):
        pattern = one.topic.split(".")
        if len(pattern) == len(words) and all(
            a in (b, "*") for a, b in zip(pattern, words, strict=True)
        ):
            return one
    return None
