# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""End a running module early: by a signal, or when the connection of Ansible is gone.

Ansible ends only its own side of a connection. Without this the module would continue unnoticed.
"""

from __future__ import annotations

import os
import select
import shutil
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import FrameType

_SIGNALS = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)
_OUTPUT = 1
#: On Linux a hang-up alone does not wake poll(), so it polls with this timeout.
_POLL_MILLISECONDS = 1000
#: The longest wait for the report of the end, if a disk or the bus does not answer.
_REPORT_SECONDS = 10.0


def end_early(report: Callable[[str], None], temporary: Iterable[Path] = ()) -> None:
    """Start a thread that ends this process after a signal or the loss of the connection.

    The thread calls ``report`` with the reason, removes the temporary folders and exits at once.
    The first thread cannot do that: a signal that reaches another thread does not wake it, and a
    long query blocks it. An unfinished file has no final name yet, locks end with the process, and
    rsync ends with it as well.
    """
    reader, writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    for number in _SIGNALS:
        signal.signal(number, _ignore)
    folders = tuple(temporary)

    def wait_and_end() -> None:
        number, reason = _reason_to_end(reader)
        reporter = threading.Thread(target=report, args=(reason,), daemon=True)
        reporter.start()
        reporter.join(_REPORT_SECONDS)
        for folder in folders:
            shutil.rmtree(folder, ignore_errors=True)
        os._exit(128 + number)

    threading.Thread(target=wait_and_end, daemon=True).start()


def _ignore(_number: int, _frame: FrameType | None) -> None:
    """Do nothing, because Python has written the signal to the pipe already."""


def _reason_to_end(reader: int) -> tuple[int, str]:
    """Wait until the process has to end; return the signal and the reason."""
    poller = select.poll()
    poller.register(reader, select.POLLIN)
    poller.register(_OUTPUT, 0)  # a hang-up is always reported
    while True:
        for descriptor, events in poller.poll(_POLL_MILLISECONDS):
            if descriptor == reader:
                for number in os.read(reader, 64):
                    if number in _SIGNALS:
                        return number, f"it was ended by {signal.Signals(number).name}"
            elif events & (select.POLLERR | select.POLLHUP):
                reason = "it was ended as nobody waits for it any more: its connection is gone"
                return signal.SIGHUP, reason
            else:
                poller.unregister(descriptor)  # the process never had an output


def temporary_folders(own: str | None) -> Iterator[Path]:
    """Yield the folders that Ansible made for this run of the module.

    ``own`` is the folder that the module knows; the other one contains its unpacked code.
    """
    if own:
        yield Path(own)
    for place in map(Path, sys.path):
        if place.name.startswith("ansible_") and place.name.endswith("_payload.zip"):
            yield place.parent
