# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run one rsync: its arguments, the limits on its run, and its result.

rsync's own time-outs do not end a transfer when the network fails in the middle of it (measured:
963 s with ``--timeout=5``, for ever without it). Each run is therefore watched, and if it stalls,
its whole session is ended.
"""

from __future__ import annotations

import contextlib
import os
import re
import selectors
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import IO, NamedTuple, cast

from .._base.errors import SettingsError, printable
from .._base.records import Status
from .._logs.paths import COMPRESSIONS, compact_day

#: The folder below the target in which rsync keeps the parts of files whose transfer was cut off.
PARTIAL = ".partial"

#: The environment of rsync: the same under cron, systemd, AWX and a login.
ENVIRONMENT = {"LC_ALL": "C", "PATH": "/usr/local/bin:/usr/bin:/bin", "TZ": "UTC"}

#: After SIGTERM rsync moves an unfinished file to the folder of partial files, which takes less.
_GRACE_SECONDS = 2.0
_CHECK_SECONDS = 0.5

_HOST = r"(?:[A-Za-z0-9][A-Za-z0-9._-]*|\[[0-9A-Fa-f:.]+\])"
_PATH = r"[A-Za-z0-9][A-Za-z0-9._+@=,~/-]*"
_DAEMON = re.compile(rf"{_HOST}::{_PATH}|rsync://{_HOST}(?::[0-9]{{1,5}})?/{_PATH}", re.ASCII)
_LOCAL = re.compile(r"/[^\x00-\x1f\x7f]*")


@dataclass(frozen=True)
class TransferLimits:
    """The limits for the transfer from one host; seconds and bytes."""

    connect_seconds: int = 30
    stall_seconds: int = 120
    """A connection counts as dead if nothing arrives for this long."""
    host_seconds: int = 7200
    """The limit for all attempts at one host, with the pauses."""
    kib_per_second: int = 0
    """The limit for one connection; 0 for none."""
    file_bytes: int = 16 << 30
    host_bytes: int = 256 << 30
    host_files: int = 10_000


class RsyncResult(NamedTuple):
    """The result of an rsync."""

    code: int
    """The exit status; a negative number is the signal that ended it."""
    output: str
    """The end of its output."""
    ended_because: str = ""
    """The reason why this process ended it; empty if it ended by itself."""


class Verdict(NamedTuple):
    """The meaning of the result of an rsync."""

    good: bool
    status: Status
    """The status of the days of the host if it is not good: ``failed`` or ``unknown``."""
    retry: bool
    """True if another attempt can help."""
    reason: str
    """What was found, and the next step."""


def source_address(template: str, host: str) -> str:
    """Return the folder to fetch from: ``template`` with the checked name of the host.

    Raises SettingsError unless the result is the address of an rsync daemon or an absolute path.
    rsync would treat other texts as options, patterns, or hosts behind a remote shell.
    """
    address = template.replace("{host}", host)
    if not _DAEMON.fullmatch(address) and not _LOCAL.fullmatch(address):
        raise SettingsError(
            f"option source (host {host})",
            expected="HOST::MODULE/FOLDER/, rsync://HOST[:PORT]/MODULE/FOLDER/ or an absolute path",
            found=printable(address),
            advice="Correct the option.",
        )
    return address.rstrip("/") + "/"


def _is_local(address: str) -> bool:
    return address.startswith("/")


def _filters(days: Iterable[date]) -> list[str]:
    """Return filters that select only rotated logs of some days with acceptable names.

    Filters without a match are no error, unlike a pattern in the address. rsync also applies them
    on the receiving side, so a host cannot send other files.
    """
    wanted = [
        f"--include=*log-{compact_day(day)}{end}" for day in sorted(days) for end in COMPRESSIONS
    ]
    odd_names = ["--exclude=*/", "--exclude=[^A-Za-z0-9]*", "--exclude=*[^A-Za-z0-9._+@=,-]*"]
    return [*odd_names, *wanted, "--exclude=*"]


def _common(address: str, days: Iterable[date], limits: TransferLimits) -> list[str]:
    connect = []
    if not _is_local(address):
        connect = [f"--contimeout={limits.connect_seconds}", "--sockopts=TCP_NODELAY"]
    return [
        "--dirs",
        # a fixed checksum needs no negotiation, which saves two of fourteen round trips
        "--checksum-choice=md5",
        *("--no-links", "--no-devices", "--no-specials", "--safe-links"),
        *("--no-motd", "--no-human-readable"),
        f"--timeout={limits.stall_seconds}",
        *connect,
        *_filters(days),
    ]


def fetch_arguments(
    address: str, target: str, days: Iterable[date], limits: TransferLimits
) -> list[str]:
    """Return the arguments that fetch the logs of some days from a host into a folder."""
    bandwidth = [f"--bwlimit={limits.kib_per_second}"] if limits.kib_per_second else []
    return [
        *("--times", "--omit-dir-times", f"--partial-dir={PARTIAL}"),
        f"--max-size={limits.file_bytes}",
        "--info=nonreg,skip",
        *bandwidth,
        *_common(address, days, limits),
        *("--", address, target),
    ]


def list_arguments(address: str, days: Iterable[date], limits: TransferLimits) -> list[str]:
    """Return the arguments that only list the logs of some days on a host."""
    return ["--list-only", *_common(address, days, limits), "--", address]


def run_rsync(
    arguments: Sequence[str],
    *,
    stall_seconds: float,
    wall_seconds: float,
    progress: Callable[[], object] = lambda: None,
    stopping: threading.Event | None = None,
    kept_bytes: int = 64 << 10,
) -> RsyncResult:
    """Run rsync until it ends or exceeds a limit. Leave none of its processes behind.

    ``progress`` returns another value whenever something has arrived; if it raises, rsync is ended.
    ``stopping`` ends it from another thread.
    """
    try:
        child = subprocess.Popen(  # pylint: disable=ansible-bad-function
            [*_launcher(), "rsync", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=ENVIRONMENT,
            cwd="/",
            start_new_session=True,
        )
    except FileNotFoundError as error:
        return RsyncResult(127, str(error))
    except OSError as error:
        # EAGAIN, ENOMEM, EACCES …: only this host fails, because others may still start
        return RsyncResult(126, f"starting rsync failed: {os.strerror(error.errno or 0)}")
    output = bytearray()
    watchdog = _Watchdog(stall_seconds, wall_seconds, progress, stopping or threading.Event())
    ended_because = "an error of this process"
    with child:
        try:
            ended_because = _read_output(child, output, kept_bytes, watchdog)
        finally:
            _end_session(child, at_once=bool(ended_because))
    text = output.decode("ascii", "backslashreplace")
    return RsyncResult(child.returncode, text, ended_because)


def _launcher() -> list[str]:
    """Return a command that ends rsync with this process, so that it never writes without a lock."""
    setpriv = shutil.which("setpriv", path=f"{ENVIRONMENT['PATH']}:/usr/sbin:/sbin")
    return [setpriv, "--pdeathsig", "TERM", "--"] if setpriv else []


class _Watchdog:
    """Decides when a running rsync has to be ended."""

    def __init__(
        self,
        stall_seconds: float,
        wall_seconds: float,
        progress: Callable[[], object],
        stopping: threading.Event,
    ) -> None:
        self._stall_seconds = stall_seconds
        self._wall_seconds = wall_seconds
        self._progress = progress
        self._stopping = stopping
        self._begun = self._changed = self._checked = time.monotonic()
        self._state: object = None
        self.check_seconds = min(_CHECK_SECONDS, stall_seconds / 4)

    def reason_to_end(self, output_bytes: int) -> str:
        """Return the reason why rsync has to be ended; empty if it may continue."""
        now = time.monotonic()
        if self._stopping.is_set():
            return "this run was stopped"
        if now - self._begun >= self._wall_seconds:
            return f"it was not done in the time left for the host ({self._wall_seconds:.0f} s)"
        if now - self._checked >= self.check_seconds:
            self._checked = now
            if (state := (self._progress(), output_bytes)) != self._state:
                self._state, self._changed = state, now
        if now - self._changed >= self._stall_seconds:
            return f"nothing arrived for {self._stall_seconds:.0f} s"
        return ""


def _read_output(
    child: subprocess.Popen[bytes], output: bytearray, kept_bytes: int, watchdog: _Watchdog
) -> str:
    """Read the output of rsync until it ends or has to be ended; return the reason to end it."""
    descriptor = cast(IO[bytes], child.stdout).fileno()
    output_bytes = 0
    with selectors.DefaultSelector() as selector:
        selector.register(descriptor, selectors.EVENT_READ)
        while True:
            if selector.select(watchdog.check_seconds):
                chunk = os.read(descriptor, 1 << 16)
                if not chunk:
                    return ""
                output_bytes += len(chunk)
                output += chunk
                del output[:-kept_bytes]
            if reason := watchdog.reason_to_end(output_bytes):
                return reason


def _end_session(child: subprocess.Popen[bytes], *, at_once: bool) -> None:
    """End all processes of the session. The children of rsync are in the same process group."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        child.wait(timeout=0 if at_once else _GRACE_SECONDS)
    if child.returncode is None:
        _signal_group(child.pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(timeout=_GRACE_SECONDS)
    _signal_group(child.pid, signal.SIGKILL)
    child.wait()


def _signal_group(group: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)
