#!/usr/bin/python
# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: stats_message
short_description: Send a message about the counting of installations
version_added: 1.0.0
description:
  - Announces on the message bus what no other module does, such as the beginning and the end of a whole run.
  - The message goes the same way as those of the other modules. If the bus is down, it waits in the spool and is sent by the next run,
    with the time and id that it has now. So a bus that is down is never more than a warning.
author: Fedora Infrastructure (@fedora-infra)
extends_documentation_fragment:
  - fedora_infra.dnf_counting.days.run
options:
  topic:
    description:
      - The topic, below O(messaging_prefix); words of letters, digits, dashes and underscores, with dots between.
    type: str
    required: true
  body:
    description:
      - The body. C(host), the name of the log host, and C(run_id) are put in.
    type: dict
    default: {}
  bad:
    description:
      - Whether it tells of a failure; it then has the severity of an error.
    type: bool
    default: false
  messaging_config:
    description:
      - The configuration file of fedora-messaging, with the broker and its TLS.
    type: path
    required: true
  messaging_spool:
    description:
      - The file with the messages that are not sent yet, on a local disk; the same for all modules of a log host.
    type: path
    required: true
  messaging_prefix:
    description:
      - What topics begin with, behind the prefix that O(messaging_config) sets.
    type: str
    default: logging.stats
  messaging_timeout:
    description:
      - Seconds that the broker may take to answer and to confirm a message, V(1) to V(300).
    type: int
    default: 5
seealso:
  - name: Messages
    description: The topics that the modules send by themselves.
    link: https://github.com/fedora-infra/dnf_counting/blob/main/docs/messages.md
"""

EXAMPLES = r"""
- name: Announce that the log host is being moved
  fedora_infra.dnf_counting.stats_message:
    topic: maintenance.start
    body:
      reason: moved to another data center
    messaging_config: /etc/fedora-messaging/dnf_counting.toml
    messaging_spool: /var/lib/countme/messages.db
"""

RETURN = r"""
units:
  description: The message, called as its topic.
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: The topic below O(messaging_prefix).
      type: str
      sample: maintenance.start
    status:
      description: V(made), that is sent; V(due) in check mode; V(waiting) in the spool.
      type: str
    reasons:
      description: Why it waits.
      type: list
      elements: str
summary:
  description: How many units have each status.
  returned: always
  type: dict
  sample: {made: 1}
waiting:
  description: How many messages are in the spool, those of earlier runs among them.
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
