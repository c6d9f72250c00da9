# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make Ctrl-C work in a process of Ansible that has a second thread."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Iterator

#: The signals by which Ansible ends its processes.
_ENDING = (signal.SIGINT, signal.SIGTERM)


@contextlib.contextmanager
def signals_for_this_thread() -> Iterator[None]:
    """Wake the first thread by each signal that ends the process, even if another one receives it.

    Python handles signals only in the first thread. If another thread receives a signal, for
    example while it starts a program, the first one continues to wait for a module. In other
    threads than the first one this does nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    reader, writer = os.pipe2(os.O_CLOEXEC)
    os.set_blocking(writer, False)
    before = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    first = threading.get_ident()

    def pass_on() -> None:
        # only once, because the signal to the first thread is written to this pipe again
        while numbers := os.read(reader, 64):
            for number in set(numbers).intersection(_ENDING):
                signal.pthread_kill(first, number)
                return

    listener = threading.Thread(target=pass_on, daemon=True)
    listener.start()
    try:
        yield
    finally:
        signal.set_wakeup_fd(before)
        os.close(writer)
        listener.join()
        os.close(reader)
