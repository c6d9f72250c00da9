# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One rsync: its arguments, its run under limits of our own, its end in words.

rsync's time-outs do not end a transfer whose network went away in its middle (measured: 963 s with
``--timeout=5``, for ever without), so a run here is watched, and its whole session is ended.
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

#: Where rsync keeps what it has of a file whose transfer broke off, below the target folder.
PARTIAL = ".partial"

#: All an rsync sees of our environment: the same under cron, systemd, AWX or a login.
ENVIRONMENT = {"LC_ALL": "C", "PATH": "/usr/local/bin:/usr/bin:/bin", "TZ": "UTC"}

#: After SIGTERM rsync moves an unfinished file to the partial folder; that takes no longer.
_GRACE_SECONDS = 2.0
_LOOK_SECONDS = 0.5

_HOST = r"(?:[A-Za-z0-9][A-Za-z0-9._-]*|\[[0-9A-Fa-f:.]+\])"
_PATH = r"[A-Za-z0-9][A-Za-z0-9._+@=,~/-]*"
_DAEMON = re.compile(rf"{_HOST}::{_PATH}|rsync://{_HOST}(?::[0-9]{{1,5}})?/{_PATH}", re.ASCII)
_LOCAL = re.compile(r"/[^\x00-\x1f\x7f]*")


@dataclass(frozen=True)
class Limits:
    """What one host may take of us; seconds and bytes."""

    connect_seconds: int = 30
    stall_seconds: int = 120
    """Nothing may arrive for this long before the connection counts as dead."""
    host_seconds: int = 7200
    """For everything with one host, all attempts and pauses included."""
    kib_per_second: int = 0
    """Of one connection; 0: as fast as it goes."""
    file_bytes: int = 16 << 30
    host_bytes: int = 256 << 30
    host_files: int = 10_000


class Ended(NamedTuple):
    """How an rsync ended."""

    code: int
    """Its exit status; negative: the signal it died of."""
    text: str
    """What it said; of very much only the end."""
    cut_short: str = ""
    """Why we ended it, in words; empty where it ended by itself."""


class Verdict(NamedTuple):
    """What the end of an rsync means."""

    good: bool
    status: Status
    """Of the host's days where it isn't good: ``failed`` or ``unknown``."""
    again: bool
    """Whether a second try can help."""
    words: str
    """What was found, and the next step."""


def source_address(template: str, host: str) -> str:
    """The folder to fetch from: ``template`` with the host's (checked) name for ``{host}``.

    Raises SettingsError for what is neither an rsync daemon's address nor an absolute path: rsync
    would take it for an option, a pattern, or a host to reach through a remote shell.
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


def is_local(address: str) -> bool:
    """Whether a source is a folder of this machine."""
    return address.startswith("/")


def _selection(days: Iterable[date]) -> list[str]:
    """Filters for the rotated logs of some days under acceptable names, and nothing else.

    An exclude that says no to everything else is no error where nothing matches, unlike a glob.
    rsync applies them on our side too, whatever the other side offers.
    """
    wanted = [
        f"--include=*log-{compact_day(day)}{end}" for day in sorted(days) for end in COMPRESSIONS
    ]
    odd_names = ["--exclude=*/", "--exclude=[^A-Za-z0-9]*", "--exclude=*[^A-Za-z0-9._+@=,-]*"]
    return [*odd_names, *wanted, "--exclude=*"]


def _common(address: str, days: Iterable[date], limits: Limits) -> list[str]:
    connect = []
    if not is_local(address):
        connect = [f"--contimeout={limits.connect_seconds}", "--sockopts=TCP_NODELAY"]
    return [
        "--dirs",
        # what both sides know needs no talk about it: two of fourteen round trips less
        "--checksum-choice=md5",
        *("--no-links", "--no-devices", "--no-specials", "--safe-links"),
        *("--no-motd", "--no-human-readable"),
        f"--timeout={limits.stall_seconds}",
        *connect,
        *_selection(days),
    ]


def fetch_arguments(address: str, target: str, days: Iterable[date], limits: Limits) -> list[str]:
    """Arguments that bring a host's logs of some days into a folder."""
    bandwidth = [f"--bwlimit={limits.kib_per_second}"] if limits.kib_per_second else []
    return [
        *("--times", "--omit-dir-times", f"--partial-dir={PARTIAL}"),
        f"--max-size={limits.file_bytes}",
        "--info=nonreg,skip",
        *bandwidth,
        *_common(address, days, limits),
        *("--", address, target),
    ]


def list_arguments(address: str, days: Iterable[date], limits: Limits) -> list[str]:
    """Arguments that only list a host's logs of some days."""
    return ["--list-only", *_common(address, days, limits), "--", address]


def run_rsync(
    arguments: Sequence[str],
    *,
    stall_seconds: float,
    wall_seconds: float,
    progress: Callable[[], object] = lambda: None,
    stopping: threading.Event | None = None,
    kept_bytes: int = 64 << 10,
) -> Ended:
    """Run rsync to its end or to that of our patience; no process of it is left.

    ``progress`` gives something that differs whenever something arrived; what it raises ends the
    rsync too. ``stopping`` ends it from another thread.
    """
    try:
        child = subprocess.Popen(
            [*_launcher(), "rsync", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=ENVIRONMENT,
            cwd="/",
            start_new_session=True,
        )
    except FileNotFoundError as error:
        return Ended(127, str(error))
    except OSError as error:
        # EAGAIN, ENOMEM, EACCES …: of this host; the others may still find room
        return Ended(126, f"starting rsync failed: {os.strerror(error.errno or 0)}")
    heard = bytearray()
    patience = _Patience(stall_seconds, wall_seconds, progress, stopping or threading.Event())
    cut_short = "an error here"
    with child:
        try:
            cut_short = _listen(child, heard, kept_bytes, patience)
        finally:
            _end_session(child, at_once=bool(cut_short))
    return Ended(child.returncode, heard.decode("ascii", "backslashreplace"), cut_short)


def _launcher() -> list[str]:
    """Makes rsync end when this process is killed, so that it never writes without our lock."""
    setpriv = shutil.which("setpriv", path=f"{ENVIRONMENT['PATH']}:/usr/sbin:/sbin")
    return [setpriv, "--pdeathsig", "TERM", "--"] if setpriv else []


class _Patience:
    """Whether an rsync may go on."""

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
        self._begun = self._moved = self._looked = time.monotonic()
        self._seen: object = None
        self.look_seconds = min(_LOOK_SECONDS, stall_seconds / 4)

    def ends(self, heard_bytes: int) -> str:
        """Why it may not, in words; else an empty text."""
        now = time.monotonic()
        if self._stopping.is_set():
            return "this run was stopped"
        if now - self._begun >= self._wall_seconds:
            return f"it was not done in the time left for the host ({self._wall_seconds:.0f} s)"
        if now - self._looked >= self.look_seconds:
            self._looked = now
            if (news := (self._progress(), heard_bytes)) != self._seen:
                self._seen, self._moved = news, now
        if now - self._moved >= self._stall_seconds:
            return f"nothing arrived for {self._stall_seconds:.0f} s"
        return ""


def _listen(
    child: subprocess.Popen[bytes], heard: bytearray, kept_bytes: int, patience: _Patience
) -> str:
    """Take down what rsync says until it ends or has to; gives the reason for the latter."""
    descriptor = cast(IO[bytes], child.stdout).fileno()
    heard_bytes = 0
    with selectors.DefaultSelector() as selector:
        selector.register(descriptor, selectors.EVENT_READ)
        while True:
            if selector.select(patience.look_seconds):
                chunk = os.read(descriptor, 1 << 16)
                if not chunk:
                    return ""
                heard_bytes += len(chunk)
                heard += chunk
                del heard[:-kept_bytes]
            if cut_short := patience.ends(heard_bytes):
                return cut_short


def _end_session(child: subprocess.Popen[bytes], *, at_once: bool) -> None:
    """End whatever is left of the session; rsync's own children are in the same process group."""
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
