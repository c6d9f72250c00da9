# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a module at work ends before its time: by a signal, or because nobody waits for it any more.

Ansible ends its own end of a connection only, and what it started would work on, unseen.
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
#: A terminal that is hung up does not wake who waits for nothing else (Linux), so look at times.
_LOOK_MILLISECONDS = 1000
#: To say that it ends may take so long, where a disk or the bus does not answer.
_LAST_WORDS_SECONDS = 10.0


def end_early(tell: Callable[[str], None], temporary: Iterable[Path] = ()) -> None:
    """From now on ``tell`` why, remove what is temporary, and end the process when it has to end.

    At once, and by a thread: a signal that the kernel gives to another thread than the first does
    not wake that one, and a long query does not let it look. Whatever was being written has not
    got its name yet, locks end with the process, and an rsync ends with us.
    """
    heard, told = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.set_wakeup_fd(told, warn_on_full_buffer=False)
    for number in _SIGNALS:
        signal.signal(number, _leave_it_to_the_thread)
    folders = tuple(temporary)

    def listen() -> None:
        number, reason = _reason_to_end(heard)
        last_words = threading.Thread(target=tell, args=(reason,), daemon=True)
        last_words.start()
        last_words.join(_LAST_WORDS_SECONDS)
        for folder in folders:
            shutil.rmtree(folder, ignore_errors=True)
        os._exit(128 + number)

    threading.Thread(target=listen, daemon=True).start()


def _leave_it_to_the_thread(_number: int, _frame: FrameType | None) -> None:
    """Python tells the pipe of a signal before it gets here."""


def _reason_to_end(heard: int) -> tuple[int, str]:
    """Waits until there is one; gives the signal and the reason in words."""
    poller = select.poll()
    poller.register(heard, select.POLLIN)
    poller.register(_OUTPUT, 0)  # a hang-up is always told
    while True:
        for descriptor, what in poller.poll(_LOOK_MILLISECONDS):
            if descriptor == heard:
                for number in os.read(heard, 64):
                    if number in _SIGNALS:
                        return number, f"it was ended by {signal.Signals(number).name}"
            elif what & (select.POLLERR | select.POLLHUP):
                reason = "it was ended as nobody waits for it any more: its connection is gone"
                return signal.SIGHUP, reason
            else:
                poller.unregister(descriptor)  # there never was an output


def temporary_folders(own: str | None) -> Iterator[Path]:
    """The folders that Ansible made for this run of the module, and removes after it.

    ``own`` is the one that the module knows of; in the other lies its unpacked code.
    """
    if own:
        yield Path(own)
    for place in map(Path, sys.path):
        if place.name.startswith("ansible_") and place.name.endswith("_payload.zip"):
            yield place.parent
