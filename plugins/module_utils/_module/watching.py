# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Watch the step of a module: the options for it, and the sinks that they configure."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from .._base.errors import CountingError
from .._base.stage import TOPIC_PREFIX, Stage
from .._watch.local_sinks import LOG_SOCKET, HistoryFile, ProgressFile, SystemLog
from .._watch.watch import Sink, Step, Watch
from .ending import end_early, temporary_folders

WATCH_OPTIONS: dict[str, dict[str, Any]] = {
    "subject": {"type": "str", "default": ""},
    "messaging_config": {"type": "path"},
    "messaging_spool": {"type": "path"},
    "messaging_prefix": {"type": "str", "default": TOPIC_PREFIX},
    "messaging_topic": {"type": "str", "default": ""},
    "messaging_timeout": {"type": "int", "default": 5, "bounds": (1, 300)},
    "progress_file": {"type": "path"},
    "system_log": {"type": "bool", "default": True},
    "history_db": {"type": "path"},
    "history_days": {"type": "int", "default": 400, "bounds": (1, 10_000)},
}


def watch_step(module: AnsibleModule, stage: Stage[Any, Any]) -> Watch:
    """Begin to watch the step of the module. A sink that cannot be made becomes a warning."""
    params = module.params
    topic = params["messaging_topic"]
    step = Step(
        stage=stage.name,
        run_id=params["run_id"],
        host=socket.gethostname(),
        subject=params["subject"],
        topics=replace(stage.topics, base=topic) if topic else stage.topics,
        settings=recorded_options(params),
    )
    sinks: list[Sink] = []
    for name, make in _makers(params):
        try:
            sinks.append(make())
        except (CountingError, OSError) as error:
            module.warn(f"{name}: left out. {error}")
    watch = Watch(step, sinks)
    end_early(watch.fail, temporary_folders(module._tmpdir))
    return watch


def recorded_options(params: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options that the run history keeps: those of the stage and of the message spool."""
    left_out = {*WATCH_OPTIONS, "run_id"} - {"messaging_config", "messaging_spool"}
    return {name: value for name, value in params.items() if name not in left_out}


def _makers(params: Mapping[str, Any]) -> Iterator[tuple[str, Callable[[], Sink]]]:
    if params["progress_file"]:
        yield "progress file", lambda: ProgressFile(Path(params["progress_file"]))
    if params["system_log"] and os.path.exists(LOG_SOCKET):
        yield "system log", lambda: SystemLog(LOG_SOCKET, monotonic=time.monotonic)
    if params["history_db"]:
        history = Path(params["history_db"])
        yield "run history", lambda: HistoryFile(history, keep_days=params["history_days"])
    if params["messaging_config"]:
        # the last one, because at the end of a step it waits until all messages are sent
        yield "messages", lambda: _messages(params)


def _messages(params: Mapping[str, Any]) -> Sink:
    # imported only if messages are sent, because it is a third of the imports of a module
    from .._watch.messages import make_messages

    return make_messages(
        Path(params["messaging_config"]),
        Path(params["messaging_spool"]),
        run_id=params["run_id"],
        prefix=params["messaging_prefix"].strip("."),
        timeout_seconds=params["messaging_timeout"],
    )
