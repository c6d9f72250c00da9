# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write the tables in messages.md, and messages.schema.json, from what the modules send.

.venv/bin/python docs/messages.py
"""

from __future__ import annotations

import json
from pathlib import Path

from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._base.stage import (
    TOPIC_PREFIX,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._pipeline.stages import (
    ALL_STAGES,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._watch.topics import (
    FIELDS,
    all_topics,
)

PAGE = Path(__file__).with_suffix(".md")
SCHEMAS = Path(__file__).with_suffix(".schema.json")
MARK = "<!-- from here on made by docs/messages.py -->\n"


def page(before: str) -> str:
    """The page, with its tables as they should be."""
    lines = ["", "| topic | sent when | fields of the body |", "|---|---|---|"]
    for one in all_topics(ALL_STAGES):
        fields = ", ".join(f"`{name}`" for name in one.fields)
        lines.append(f"| `{one.topic}` | {one.when} | {fields} |")
    lines += ["", "## Fields", "", "| field | type | meaning |", "|---|---|---|"]
    for name, field in FIELDS.items():
        lines.append(f"| `{name}` | {field.get('type', 'string')} | {field['description']} |")
    return before.partition(MARK)[0] + MARK + "\n".join(lines) + "\n"


def schemas() -> str:
    """The JSON schemas of all bodies, by topic."""
    by_topic = {f"{TOPIC_PREFIX}.{one.topic}": one.schema() for one in all_topics(ALL_STAGES)}
    return json.dumps(by_topic, indent=1) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    SCHEMAS.write_text(schemas(), encoding="utf-8")
