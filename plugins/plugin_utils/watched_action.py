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

from ansible import constants, context
from ansible.module_utils.parsing.convert_bool import boolean
from ansible.plugins.action.normal import ActionModule as NormalAction
from ansible.utils.display import Display
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._base.text_table import (
    plain,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.plugin_utils.progress import (
    ProgressLines,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.plugin_utils.screen import (
    fitted,
    headings_come_late,
    is_for_people,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.plugin_utils.signals import (
    signals_for_this_thread,
)

#: A task with this variable set to false shows no progress.
SWITCH = "dnf_counting_progress"
#: Connections over which a second command can look on while the first one runs.
_TRANSPORTS = ("local", "ssh")
_LOOK_SECONDS = 1.0
#: A step that takes long is looked at less often, for each look is a command over ssh, and some
#: lines in the log host's own log where it needs sudo.
_LONGEST_LOOK_SECONDS = 10.0
_LOOK_SHARE = 1 / 20
#: The progress file is read in pieces, so that a strange one can't fill the memory.
_PIECE = 256 << 10
#: How long looks may hold up the end of a task: two, over a slow connection to a busy machine.
_LAST_LOOK_SECONDS = 20.0
#: What sudo, su and a shell's own files say comes before it.
_MARK = "progress of dnf_counting:"
#: Those that write for people; the output of others may be read by programs.
_PLAIN_CALLBACKS = ("default", "ansible.builtin.default", "awx_display")


class WatchedAction(NormalAction):
    """Runs the module just as Ansible does by itself; a thread reads its progress file meanwhile.

    It steps aside, so that there is the module alone, in check mode, with ``async``, with
    ``no_log``, without a progress file, where results are written as JSON, and on connections other
    than local and ssh. Whatever goes wrong with looking on changes nothing of the task.
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
        title = plain(self._task.name) if self._is_untitled() else ""
        screen = _Screen(_place(variables, self._task.delegate_to), title)
        file = _RemoteFile(self, str(self._task.args["progress_file"]))
        lines = ProgressLines(all_units=screen.verbosity > 0, monotonic=time.monotonic)
        over = threading.Event()

        def look_on() -> None:
            began = time.monotonic()
            is_over = False
            while not is_over:
                is_over = over.wait(_pause(time.monotonic() - began))
                with contextlib.suppress(Exception):
                    for content in file.news():
                        for line in lines.of(content):
                            screen.show(line)

        with contextlib.suppress(Exception):
            file.forget()
        # in a context of its own, for Ansible keeps there which task is at work
        own = contextvars.copy_context()
        thread = threading.Thread(target=own.run, args=(look_on,), daemon=True)
        thread.start()
        try:
            with signals_for_this_thread():
                yield
        finally:
            over.set()
            thread.join(_LAST_LOOK_SECONDS)
            screen.close()


def _pause(seconds: float) -> float:
    """How long to wait for the next look at a step that has taken so many seconds."""
    return min(max(_LOOK_SECONDS, seconds * _LOOK_SHARE), _LONGEST_LOOK_SECONDS)


def _place(variables: dict[str, Any], delegate: str | None) -> str:
    """Where the step runs, as Ansible writes it."""
    host = str(variables.get("inventory_hostname", ""))
    return f"{host} -> {delegate}" if delegate else host


class _Screen:
    """Where lines are shown until the task ends, below a ``title`` if there is one."""

    def __init__(self, place: str, title: str) -> None:
        self._display = Display()
        self._place = place
        self._headings = [f"\nAT WORK [{place} : {title}]"] if title else []
        # what the ansible command prints is a result that programs read
        plain = constants.DEFAULT_STDOUT_CALLBACK in _PLAIN_CALLBACKS
        self._aside = not plain or "module_name" in context.CLIARGS
        self._open = True
        self._lock = threading.Lock()
        self.verbosity = int(self._display.verbosity)

    def show(self, line: str) -> None:
        with self._lock:
            if not self._open:
                return
            while self._headings:
                self._display.display(self._headings.pop(), stderr=self._aside)
            text = fitted(f"  [{self._place}] {line}")
            self._display.display(text, color=constants.COLOR_VERBOSE, stderr=self._aside)

    def close(self) -> None:
        """No late line may hold the lock of Ansible's queue while this process ends."""
        with self._lock:
            self._open = False


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

    def news(self) -> Iterator[str]:
        """The whole lines that came since the last look."""
        whole, is_more = "some", True
        while whole and is_more:
            first, piece = self._look(_PIECE)
            if not first or first == self._old:
                return
            whole = piece[: piece.rfind("\n") + 1]
            is_more = len(piece.encode()) >= _PIECE
            self._read += len(whole.encode())
            yield whole

    def _look(self, most: int) -> tuple[str, str]:
        """The first line, and so much of what was not read yet; over ssh each command costs."""
        first = f"head -c 4096 {self._path} | head -n 1"
        unread = f"tail -c +{self._read + 1} {self._path} | head -c {most}"
        command = f"{{ echo {shlex.quote(_MARK)}; {first}; {unread}; }} 2>/dev/null"
        answer = self._action._low_level_execute_command(command)
        # a terminal, which Ansible asks for over ssh, ends lines in its own way
        said = str(answer.get("stdout", "")).replace("\r\n", "\n")
        first_line, _end, rest = said.partition(f"{_MARK}\n")[2].partition("\n")
        return first_line, rest
