# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Shares whose server is gone: whoever looks at them waits in the kernel, perhaps for ever.

Neither a signal nor a thread ends that, so other processes look first, and are left behind.
"""

from __future__ import annotations

import os
import pickle
import select
import signal
import subprocess
import time
import traceback
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple, NoReturn, TypeVar, cast

from .._base.errors import OutputError, SourceError

#: A server that restarts, or a network that is busy, takes less.
PATIENCE_SECONDS = 30.0

#: The room of a file system is what no cache knows: the server has to say it.
_QUESTION = ("stat", "--file-system", "--")
ADVICE = (
    "See that the server of that share and the network to it are up; if they stay down, unmount it "
    "(umount --lazy). The next run goes on from there."
)

_T = TypeVar("_T")


def silent_places(places: Iterable[Path], *, patience_seconds: float) -> list[Path]:
    """Return the places whose file system does not answer; all are asked at once.

    An error, such as "no such file", is an answer. A process that gets no answer is killed, and left
    to ``subprocess``: the kernel ends it once the share is back or unmounted.
    """
    asked = {place: _ask(place) for place in places}
    until = time.monotonic() + patience_seconds
    silent = []
    for place, question in asked.items():
        try:
            question.wait(max(0.0, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            question.kill()
            silent.append(place)
    return silent


def _ask(place: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [*_QUESTION, place],
        env={"PATH": os.defpath},  # cron may give none, or one without it
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def check_answers(places: Iterable[Path], *, patience_seconds: float = PATIENCE_SECONDS) -> None:
    """Raise OutputError unless all places answer."""
    for place in silent_places(places, patience_seconds=patience_seconds):
        raise OutputError(
            place,
            expected=f"an answer of its file system within {patience_seconds:g} seconds",
            found=f"none from {mount_of(place)}",
            advice=ADVICE,
        )


class Mount(NamedTuple):
    """What is mounted where a place lies."""

    point: Path
    source: str

    def __str__(self) -> str:
        return f"{self.source} on {self.point}"


def mount_of(place: Path, mounts: str = "/proc/self/mounts") -> Mount:
    """The mount that a place is in by its name; asks no file system."""
    found = Mount(Path("/"), "the root")
    for line in Path(mounts).read_text(encoding="utf-8", errors="replace").splitlines():
        source, point = (_unescaped(field) for field in line.split(" ")[:2])
        if place.is_relative_to(point) and len(point) >= len(str(found.point)):
            found = Mount(Path(point), source)
    return found


def _unescaped(field: str) -> str:
    """Blanks and the like are written as ``\\040``."""
    return field.encode("latin-1", "replace").decode("unicode_escape")


def done_apart(
    work: Callable[[], _T], *, patience_seconds: float, is_stuck: Callable[[], bool]
) -> _T | None:
    """What ``work`` gives, done by a process of its own; None where it was given up.

    ``is_stuck`` is asked whenever patience ends. Then the process is killed and left behind.
    """
    ours, its = os.pipe()
    process = os.fork()
    if process == 0:
        _do(work, its)
    os.close(its)
    answer = bytearray()
    with os.fdopen(ours, "rb", buffering=0) as pipe:
        poller = select.poll()
        poller.register(pipe, select.POLLIN)
        while True:
            if not poller.poll(1000 * patience_seconds):
                if is_stuck():
                    os.kill(process, signal.SIGKILL)
                    return None
                continue
            piece = pipe.read(1 << 20)
            if not piece:
                break
            answer += piece
    _process, status = os.waitpid(process, 0)
    if status:
        raise _ended_badly(
            f"code {os.waitstatus_to_exitcode(status)}",
            "See the system's log, and whether memory was short.",
        )
    result, failure = pickle.loads(answer)  # noqa: S301 (our own process wrote it)
    if failure:
        raise _ended_badly(failure, "Report it as a bug, with what it says.")
    return cast(_T, result)


def _ended_badly(found: str, advice: str) -> SourceError:
    return SourceError("the process that reads", expected="to end well", found=found, advice=advice)


def _do(work: Callable[[], object], pipe: int) -> NoReturn:
    """In the process of its own: nothing of what others wait for stays open in it.

    It answers with the result and, where there is none, with why.
    """
    code = 1
    try:
        nothing = os.open(os.devnull, os.O_RDWR)
        for number in (0, 1, 2):
            os.dup2(nothing, number)
        with os.fdopen(pipe, "wb") as answer:
            os.closerange(3, pipe)
            os.closerange(pipe + 1, os.sysconf("SC_OPEN_MAX"))
            try:
                told: tuple[object, str] = work(), ""
            except Exception:
                told = None, traceback.format_exc()
            pickle.dump(told, answer)
        code = 0
    finally:
        os._exit(code)
