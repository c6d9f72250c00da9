# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ctrl-C for a process of Ansible's in which a second thread is at work."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Iterator

#: Those by which Ansible ends its processes.
_ENDING = (signal.SIGINT, signal.SIGTERM)


@contextlib.contextmanager
def signals_for_this_thread() -> Iterator[None]:
    """What ends the process wakes this thread, its first one, whichever thread it reaches.

    Python acts on signals in the first thread alone. If another one takes a signal, as it may while
    it starts a program, the first one goes on waiting for what it waits for, such as a module. In
    another thread than the first one this does nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    heard, told = os.pipe2(os.O_CLOEXEC)
    os.set_blocking(told, False)
    before = signal.set_wakeup_fd(told, warn_on_full_buffer=False)
    first = threading.get_ident()

    def pass_on() -> None:
        # once, for it is heard here again
        while numbers := os.read(heard, 64):
            for number in set(numbers).intersection(_ENDING):
                signal.pthread_kill(first, number)
                return

    listener = threading.Thread(target=pass_on, daemon=True)
    listener.start()
    try:
        yield
    finally:
        signal.set_wakeup_fd(before)
        os.close(told)
        listener.join()
        os.close(heard)
