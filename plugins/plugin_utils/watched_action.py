# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The action of all long modules: run the module, and show its progress on the screen."""

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
#: Connections over which a second command can read while the module runs.
_TRANSPORTS = ("local", "ssh")
_READ_SECONDS = 1.0
#: The longest pause between two reads. A long step is read less often, because each read is a
#: command over ssh, and with sudo some lines in the log of the log host.
_LONGEST_READ_SECONDS = 10.0
_READ_SHARE = 1 / 20
#: The progress file is read in pieces, so that an unexpected file cannot fill the memory.
_PIECE = 256 << 10
#: The longest delay of the end of a task: two reads over a slow connection to a busy machine.
_LAST_READ_SECONDS = 20.0
#: The output of sudo, su and the files of a shell comes before this text.
_MARK = "progress of dnf_counting:"
#: Callbacks that write for people; programs may read the output of others.
_PLAIN_CALLBACKS = ("default", "ansible.builtin.default", "awx_display")


class WatchedAction(NormalAction):
    """Runs the module as Ansible does by default, while a thread reads its progress file.

    It shows no progress in check mode, with ``async``, with ``no_log``, without a progress file, if
    results are written as JSON, and on other connections than local and ssh. An error in reading
    does not affect the task.
    """

    def run(self, tmp: None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Run the module, and show its progress."""
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
        """Return whether progress would appear below the result of another task."""
        return bool(self._task.name) and headings_come_late()

    @contextlib.contextmanager
    def _on_screen(self, variables: dict[str, Any]) -> Iterator[None]:
        title = plain(self._task.name) if self._is_untitled() else ""
        screen = _Screen(_place(variables, self._task.delegate_to), title)
        file = _RemoteFile(self, str(self._task.args["progress_file"]))
        lines = ProgressLines(all_units=screen.verbosity > 0, monotonic=time.monotonic)
        over = threading.Event()

        def show_progress() -> None:
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
        # a copy of the context, because Ansible keeps the current task in it
        own = contextvars.copy_context()
        thread = threading.Thread(target=own.run, args=(show_progress,), daemon=True)
        thread.start()
        try:
            with signals_for_this_thread():
                yield
        finally:
            over.set()
            thread.join(_LAST_READ_SECONDS)
            screen.close()


def _pause(seconds: float) -> float:
    """Return the pause before the next read of a step that has run for ``seconds``."""
    return min(max(_READ_SECONDS, seconds * _READ_SHARE), _LONGEST_READ_SECONDS)


def _place(variables: dict[str, Any], delegate: str | None) -> str:
    """Return the host on which the step runs, in the form of Ansible."""
    host = str(variables.get("inventory_hostname", ""))
    return f"{host} -> {delegate}" if delegate else host


class _Screen:
    """The place of the lines of progress until the task ends, with a heading for a ``title``."""

    def __init__(self, place: str, title: str) -> None:
        self._display = Display()
        self._place = place
        self._headings = [f"\nAT WORK [{place} : {title}]"] if title else []
        # programs may read the output of the command ansible
        plain = constants.DEFAULT_STDOUT_CALLBACK in _PLAIN_CALLBACKS
        self._aside = not plain or "module_name" in context.CLIARGS
        self._open = True
        self._lock = threading.Lock()
        self.verbosity = int(self._display.verbosity)

    def show(self, line: str) -> None:
        """Show a line, unless the task has ended."""
        with self._lock:
            if not self._open:
                return
            while self._headings:
                self._display.display(self._headings.pop(), stderr=self._aside)
            text = fitted(f"  [{self._place}] {line}")
            self._display.display(text, color=constants.COLOR_VERBOSE, stderr=self._aside)

    def close(self) -> None:
        """Show no more lines: a late one would hold the lock of Ansible's queue at the end."""
        with self._lock:
            self._open = False


class _RemoteFile:
    """The progress file on the log host, which each step writes from the start."""

    def __init__(self, action: WatchedAction, path: str) -> None:
        # the state of Ansible for these commands must not mix with that for the module
        self._action = copy.copy(action)
        self._action._connection = copy.copy(action._connection)
        if self._action._connection.become:
            self._action._connection.become = copy.copy(action._connection.become)
        self._path = shlex.quote(path)
        self._old = ""
        self._read = 0

    def forget(self) -> None:
        """Ignore the present content, which belongs to an earlier step."""
        self._old, _nothing = self._fetch(0)

    def news(self) -> Iterator[str]:
        """Yield the whole lines that were added since the last read."""
        whole, is_more = "some", True
        while whole and is_more:
            first, piece = self._fetch(_PIECE)
            if not first or first == self._old:
                return
            whole = piece[: piece.rfind("\n") + 1]
            is_more = len(piece.encode()) >= _PIECE
            self._read += len(whole.encode())
            yield whole

    def _fetch(self, most: int) -> tuple[str, str]:
        """Return the first line, and at most ``most`` bytes of the unread rest, by one command."""
        first = f"head -c 4096 {self._path} | head -n 1"
        unread = f"tail -c +{self._read + 1} {self._path} | head -c {most}"
        command = f"{{ echo {shlex.quote(_MARK)}; {first}; {unread}; }} 2>/dev/null"
        answer = self._action._low_level_execute_command(command)
        # the terminal that Ansible requests over ssh ends lines with a carriage return
        output = str(answer.get("stdout", "")).replace("\r\n", "\n")
        first_line, _end, rest = output.partition(f"{_MARK}\n")[2].partition("\n")
        return first_line, rest
