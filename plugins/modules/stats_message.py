#!/usr/bin/python
# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: stats_message
short_description: Send a message to the message bus
version_added: 1.0.0
description:
  - Sends a message that no other module sends, such as one for the start or the end of a run.
  - The message uses the spool of the other modules. If the bus is down, the message waits in the spool, and the next run sends it
    with its original time and id. So a bus that is down causes only a warning.
author: Fedora Infrastructure (@fedora-infra)
extends_documentation_fragment:
  - fedora_infra.dnf_counting.days.run
options:
  topic:
    description:
      - The topic, without O(messaging_prefix). It consists of words of letters, digits, dashes and underscores, with dots between them.
    type: str
    required: true
  body:
    description:
      - The body. The module adds C(host), the name of the log host, and C(run_id).
    type: dict
    default: {}
  bad:
    description:
      - Give the message the severity of an error, because it reports a failure.
    type: bool
    default: false
  messaging_config:
    description:
      - The configuration file of fedora-messaging, with the broker and its TLS settings.
    type: path
    required: true
  messaging_spool:
    description:
      - The spool, an SQLite file on a local disk. All modules of a log host use the same file.
    type: path
    required: true
  messaging_prefix:
    description:
      - The beginning of topics, after the prefix in O(messaging_config).
    type: str
    default: logging.stats
  messaging_timeout:
    description:
      - The seconds until the broker must answer or confirm a message, V(1) to V(300).
    type: int
    default: 5
seealso:
  - name: Messages
    description: The topics that the modules send by themselves.
    link: https://github.com/fedora-infra/dnf_counting/blob/main/docs/messages.md
"""

EXAMPLES = r"""
- name: Announce the move of the log host
  fedora_infra.dnf_counting.stats_message:
    topic: maintenance.start
    body:
      reason: moved to another data center
    messaging_config: /etc/fedora-messaging/dnf_counting.toml
    messaging_spool: /var/lib/countme/messages.db
"""

RETURN = r"""
units:
  description: The message. Its name is its topic.
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: The topic without O(messaging_prefix).
      type: str
      sample: maintenance.start
    status:
      description: V(made) if it was sent, V(due) in check mode, V(waiting) if it is in the spool.
      type: str
    reasons:
      description: The reason why it waits.
      type: list
      elements: str
summary:
  description: Number of units by status.
  returned: always
  type: dict
  sample: {made: 1}
waiting:
  description: Number of messages in the spool, including messages of earlier runs.
  returned: when not in check mode
  type: int
  sample: 0
"""

import re
import socket
from pathlib import Path
from typing import Any

from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._base.errors import (
    printable,
    wrong_option,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._base.records import (
    WorkUnit,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._base.stage import Outcome
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._module.module import (
    counting_module,
    finish,
    run,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._watch.messages import (
    make_sender,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._watch.spool import (
    Message,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._watch.watch import utc_text

OPTIONS: dict[str, dict[str, Any]] = {
    "topic": {"type": "str", "required": True},
    "body": {"type": "dict", "default": {}},
    "bad": {"type": "bool", "default": False},
    "messaging_config": {"type": "path", "required": True},
    "messaging_spool": {"type": "path", "required": True},
    "messaging_prefix": {"type": "str", "default": "logging.stats"},
    "messaging_timeout": {"type": "int", "default": 5, "bounds": (1, 300)},
}
TOPIC = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*", re.ASCII)


def checked_topic(prefix: str, topic: str) -> str:
    """The whole topic. Raises SettingsError for one that no broker takes."""
    whole = f"{prefix.strip('.')}.{topic}"
    if not TOPIC.fullmatch(whole) or len(whole) > 200:
        raise wrong_option(
            "topic",
            expected="words of letters, digits, dashes and underscores, with dots between",
            found=printable(whole),
        )
    return whole


def send(module: Any) -> None:
    params = module.params
    topic = checked_topic(params["messaging_prefix"], params["topic"])
    if module.check_mode:
        finish(module, Outcome([WorkUnit(params["topic"], "due")]))
        return
    body = {**params["body"], "host": socket.gethostname(), "run_id": params["run_id"]}
    sender = make_sender(
        Path(params["messaging_config"]),
        Path(params["messaging_spool"]),
        run_id=params["run_id"],
        timeout_seconds=params["messaging_timeout"],
    )
    message = Message(topic, body, utc_text(), params["bad"])
    sender.send(message)
    sender.close()
    for warning in sender.warnings():
        module.warn(warning)
    waits = sender.spool.has(message)
    reasons = ("it waits in the spool for the next run",) if waits else ()
    unit = WorkUnit(params["topic"], "waiting" if waits else "made", reasons)
    # a message that is kept to be sent later is a change, too
    finish(module, Outcome([unit], facts={"changed": True, "waiting": len(sender.spool)}))


def main() -> None:
    module = counting_module(OPTIONS, with_days=False)
    run(module, lambda: send(module))


if __name__ == "__main__":
    main()
