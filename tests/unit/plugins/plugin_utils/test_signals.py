# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A signal that another thread takes ends the waiting of the first one all the same."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from ansible_collections.fedora_infra.dnf_counting.plugins.plugin_utils.signals import (
    signals_for_this_thread,
)

#: Waits for what never comes, while a second thread takes the signal.
PROGRAM = """\
import os, select, signal, sys, threading
from {module} import signals_for_this_thread

number = int(sys.argv[1])
signal.signal(number, lambda *_unused: os._exit(7))
away, _end = os.pipe()

def take_it():
    signal.pthread_kill(threading.get_ident(), number)
    threading.Event().wait()

with signals_for_this_thread():
    threading.Thread(target=take_it, daemon=True).start()
    select.select([away], [], [], {seconds})
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_what_another_thread_takes_reaches_the_first_one(number: signal.Signals) -> None:
    program = PROGRAM.format(module=signals_for_this_thread.__module__, seconds=60)
    ended = subprocess.run([sys.executable, "-c", program, str(int(number))], check=False)
    assert ended.returncode == 7


def test_afterwards_all_is_as_before() -> None:
    threads = threading.active_count()
    with signals_for_this_thread():
        assert threading.active_count() == threads + 1
    assert threading.active_count() == threads
    assert signal.set_wakeup_fd(-1) == -1


def test_in_another_thread_nothing_is_done_and_nothing_fails() -> None:
    descriptors = len(list(Path("/proc/self/fd").iterdir()))
    seen: list[int] = []

    def enter() -> None:
        with signals_for_this_thread():
            seen.append(len(list(Path("/proc/self/fd").iterdir())))

    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()
    assert seen == [descriptors]
