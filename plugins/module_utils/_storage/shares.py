# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Detect shares whose server does not respond, without blocking on them.

A process that reads such a share waits in the kernel, perhaps for ever, and no signal ends that.
Other processes therefore read first, and are abandoned if they get no answer.
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

#: The restart of a server and delays of a busy network take less.
PATIENCE_SECONDS = 30.0

#: No cache has the free space of a file system, so only the server can answer.
_PROBE = ("stat", "--file-system", "--")
ADVICE = (
    "Start the server of that share and the network to it; if they stay down, unmount the share "
    "(umount --lazy). The next run continues."
)

_T = TypeVar("_T")


def silent_places(places: Iterable[Path], *, patience_seconds: float) -> list[Path]:
    """Return the places whose file system does not answer. All are probed at the same time.

    An error, such as "no such file", is an answer. A process that gets no answer is killed and left
    to ``subprocess``; the kernel ends it when the share is back or unmounted.
    """
    probes = {place: _start_probe(place) for place in places}
    until = time.monotonic() + patience_seconds
    silent = []
    for place, probe in probes.items():
        try:
            probe.wait(max(0.0, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            probe.kill()
            silent.append(place)
    return silent


def _start_probe(place: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # pylint: disable=ansible-bad-function
        [*_PROBE, place],
        env={"PATH": os.defpath},  # cron may set no PATH, or one without this program
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
    """A mounted file system."""

    point: Path
    source: str

    def __str__(self) -> str:
        return f"{self.source} on {self.point}"


def mount_of(place: Path, mounts: str = "/proc/self/mounts") -> Mount:
    """Return the mount that a path belongs to by its name. Access no file system."""
    found = Mount(Path("/"), "the root")
    for line in Path(mounts).read_text(encoding="utf-8", errors="replace").splitlines():
        source, point = (_unescaped(field) for field in line.split(" ")[:2])
        if place.is_relative_to(point) and len(point) >= len(str(found.point)):
            found = Mount(Path(point), source)
    return found


def _unescaped(field: str) -> str:
    """Replace the octal codes of blanks and similar characters, such as ``\\040``."""
    return field.encode("latin-1", "replace").decode("unicode_escape")


def run_in_child(
    work: Callable[[], _T], *, patience_seconds: float, is_stuck: Callable[[], bool]
) -> _T | None:
    """Return the result of ``work``, which a child process runs; None if the child was abandoned.

    After each ``patience_seconds`` without a result ``is_stuck`` is called. If it returns true, the
    child is killed and abandoned. Raises SourceError if the child fails.
    """
    ours, its = os.pipe()
    process = os.fork()
    if process == 0:
        _work_in_child(work, its)
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
        raise _child_error(
            f"code {os.waitstatus_to_exitcode(status)}",
            "See the system's log; memory may have been short.",
        )
    result, failure = pickle.loads(answer)  # noqa: S301 (our own process wrote it)
    if failure:
        raise _child_error(failure, "Report it as a bug, with this text.")
    return cast(_T, result)


def _child_error(found: str, advice: str) -> SourceError:
    return SourceError("the process that reads", expected="to succeed", found=found, advice=advice)


def _work_in_child(work: Callable[[], object], pipe: int) -> NoReturn:
    """Do the work in the child, write the result or the traceback to the pipe, and exit.

    All other files are closed, because other processes may wait for their end.
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
                result: tuple[object, str] = work(), ""
            except Exception:
                result = None, traceback.format_exc()
            pickle.dump(result, answer)
        code = 0
    finally:
        os._exit(code)
