# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The action of all modules that take long: the module as ever, and its progress on the screen."""

from __future__ import annotations

import contextlib
import contextvars
import copy
import shlex
import threading
import time
from collections.abc import Iterator
from typing import Any

from ansible.module_utils.parsing.convert_bool import boolean
from ansible.plugins.action.normal import ActionModule as NormalAction
from ansible.utils.display import Display
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._text_table import plain
from ansible_collections.fedora_infra.dnf_counting.plugins.plugin_utils.progress import (
    ProgressLines,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.plugin_utils.screen import (
    fitted,
    headings_come_late,
    is_for_people,
)

#: A task with this variable set to false shows no progress.
SWITCH = "dnf_counting_progress"
#: Connections over which a second command can look on while the first one runs.
_TRANSPORTS = ("local", "ssh")
_LOOK_SECONDS = 1.0
#: The progress file is read in pieces, so that a strange one can't fill the memory.
_PIECE = 256 << 10
#: How long a look that is under way may hold up the end of a task.
_LAST_LOOK_SECONDS = 3.0


class WatchedAction(NormalAction):
    """Runs the module just as Ansible does by itself; a thread reads its progress file meanwhile.

    It steps aside, so that there is the module alone, in check mode, with ``async``, with
    ``no_log``, without a progress file, where a program reads the results, and on connections other
    than local and ssh. Whatever goes
    wrong with looking on changes nothing of the task.
    """

    def run(self, tmp: None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        variables = task_vars or {}
        with self._on_screen(variables) if self._is_shown(variables) else contextlib.nullcontext():
            result: dict[str, Any] = super().run(tmp, task_vars)
        return result

    def _is_shown(self, variables: dict[str, Any]) -> bool:
        task = self._task
        if task.check_mode or task.async_val or task.no_log or not task.args.get("progress_file"):
            return False
        if self._connection.transport not in _TRANSPORTS or not is_for_people():
            return False
        return bool(boolean(self._templar.template(variables.get(SWITCH, True)), strict=False))

    def _is_untitled(self) -> bool:
        """Whether progress would stand below the result of another task, for all one can see."""
        return bool(self._task.name) and headings_come_late()

    @contextlib.contextmanager
    def _on_screen(self, variables: dict[str, Any]) -> Iterator[None]:
        display = Display()
        file = _RemoteFile(self, str(self._task.args["progress_file"]))
        lines = ProgressLines(all_units=display.verbosity > 0, monotonic=time.monotonic)
        place = str(variables.get("inventory_hostname", ""))
        headings = (
            [f"\nAT WORK [{place} : {plain(self._task.name)}]"] if self._is_untitled() else []
        )
        over = threading.Event()

        def look_on() -> None:
            is_over = False
            while not is_over:
                is_over = over.wait(_LOOK_SECONDS)
                with contextlib.suppress(Exception):
                    for line in lines.of(file.news()):
                        while headings:
                            display.display(headings.pop())
                        display.display(fitted(f"  [{place}] {line}"), color="bright gray")

        with contextlib.suppress(Exception):
            file.forget()
        # in a context of its own, for Ansible keeps there which task is at work
        context = contextvars.copy_context()
        thread = threading.Thread(target=context.run, args=(look_on,), daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join(_LAST_LOOK_SECONDS)


class _RemoteFile:
    """The lines that a step writes to its progress file, which starts anew with the step."""

    def __init__(self, action: WatchedAction, path: str) -> None:
        # what Ansible remembers of a command under way must not be mixed up with the module's
        self._action = copy.copy(action)
        self._action._connection = copy.copy(action._connection)
        if self._action._connection.become:
            self._action._connection.become = copy.copy(action._connection.become)
        self._path = shlex.quote(path)
        self._old = ""
        self._read = 0

    def forget(self) -> None:
        """What is there now is of an earlier step."""
        self._old, _nothing = self._look(0)

    def news(self) -> str:
        """The whole lines that came since the last look."""
        first, piece = self._look(_PIECE)
        if not first or first == self._old:
            return ""
        whole = piece[: piece.rfind("\n") + 1]
        self._read += len(whole.encode())
        return whole

    def _look(self, most: int) -> tuple[str, str]:
        """The first line, and so much of what was not read yet; over ssh each command costs."""
        first = f"head -c 4096 {self._path} | head -n 1"
        unread = f"tail -c +{self._read + 1} {self._path} | head -c {most}"
        answer = self._action._low_level_execute_command(f"{{ {first}; {unread}; }} 2>/dev/null")
        first_line, _end, rest = str(answer.get("stdout", "")).partition("\n")
        return first_line, rest
