# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the end of an rsync means, in words and with the next step."""

from __future__ import annotations

import re
from typing import NamedTuple

from .._base.errors import printable
from .._base.records import Status
from .rsync import Ended, Verdict


class _Meaning(NamedTuple):
    words: str
    advice: str
    again: bool = True
    status: Status = "failed"


_LATER = "The next run tries again; if it stays so, look at rsyncd and the network of that host."
_REPORT = "Look at rsyncd's log on that host."

# What rsync and its daemon say (LC_ALL=C), most telling first.
_SAYINGS: tuple[tuple[str, _Meaning], ...] = (
    (
        r"getaddrinfo: .*Temporary failure",
        _Meaning(
            "its name can't be looked up for now",
            "Look at the name servers, or correct the host list.",
            status="unknown",
        ),
    ),
    (
        r"getaddrinfo: ",
        _Meaning(
            "a name unknown to DNS",
            "Correct or remove that host in the list, or repair its DNS entry.",
            again=False,
            status="unknown",
        ),
    ),
    (
        r"@ERROR: Unknown module",
        _Meaning(
            "an rsync daemon without that module",
            "Configure the module on that host, or correct the option source.",
            again=False,
        ),
    ),
    (
        r"@ERROR: access denied",
        _Meaning(
            "an rsync daemon that denies us access",
            "Add this log host to 'hosts allow' in that host's rsyncd.conf.",
            again=False,
        ),
    ),
    (
        r"@ERROR: auth",
        _Meaning(
            "an rsync daemon that asks for a password",
            "Let this log host read the module without one.",
            again=False,
        ),
    ),
    (
        r"@ERROR: max connections",
        _Meaning("an rsync daemon with too many connections", _LATER),
    ),
    (r"@ERROR: ", _Meaning("an error of its rsync daemon", _REPORT)),
    (
        r"Connection refused",
        _Meaning(
            "the connection refused",
            "Start rsyncd on that host and open its firewall for this log host.",
        ),
    ),
    (
        r"No route to host|Network is unreachable|Connection timed out",
        _Meaning("no way to that host", "Look at that host and the network between."),
    ),
    (
        r"No space left on device|Disk quota exceeded",
        _Meaning(
            "no space left for its logs",
            "Free some space; the next run goes on where this one stopped.",
            again=False,
        ),
    ),
    (
        r"Read-only file system",
        _Meaning("a read-only target", "Mount the target writable.", again=False),
    ),
    (
        r"change_dir .*: No such file or directory",
        _Meaning(
            "no such folder on that host",
            "Correct the option source, or make the folder there.",
            again=False,
        ),
    ),
    (
        r"\[sender\] .*: Permission denied|send_files failed to open .*Permission denied",
        _Meaning(
            "logs that its rsync daemon may not read",
            "Make them readable for the user of that rsync daemon.",
            again=False,
        ),
    ),
    (
        r"\[(?:[Rr]eceiver|generator)\] .*: Permission denied|mkstemp .*Permission denied",
        _Meaning(
            "a target we may not write to", "Give the counting user write permission.", again=False
        ),
    ),
)

# Exit codes by rsync(1), for where the text tells nothing more.
_CODES: dict[int, _Meaning] = {
    1: _Meaning("an rsync that doesn't know our options", "Install rsync 3.2 or newer.", False),
    2: _Meaning("an incompatible rsync protocol", "Update rsync on that host.", False),
    3: _Meaning("trouble with the source or target folder", _REPORT),
    4: _Meaning("a request that rsync doesn't support", "Update rsync on that host.", False),
    5: _Meaning("an rsync daemon that refused to start", _REPORT),
    10: _Meaning("a broken connection", _LATER),
    11: _Meaning("files that can't be read or written", "Look at the target's disk."),
    12: _Meaning("a transfer that broke off", _LATER),
    13: _Meaning("trouble within rsync", _LATER),
    14: _Meaning("trouble within rsync", _LATER),
    20: _Meaning("an rsync that was ended by a signal", "The next run tries again."),
    21: _Meaning("trouble within rsync", _LATER),
    22: _Meaning("too little memory for rsync", "Free some memory, or lower workers.", False),
    23: _Meaning("files that could not be fetched", _REPORT),
    24: _Meaning("files that vanished while they were fetched", "The next run takes them up."),
    30: _Meaning("nothing arriving any more", _LATER),
    35: _Meaning("no answer from its rsync daemon", "Look at that host and its firewall."),
    126: _Meaning(
        "an rsync that can't be started",
        "Let the counting user run it; look at memory and processes here, or lower workers.",
    ),
    127: _Meaning("no rsync on this machine", "Install rsync.", False),
}

# Which words of rsync say most about its end.
_TELLING = re.compile(
    r"@ERROR|getaddrinfo|failed|denied|No space|unknown|error in|unexpected", re.IGNORECASE
)
_NO_MATCH = re.compile(r'link_stat "[^"]*[*?\[][^"]*".*: No such file or directory')


def explained(ended: Ended) -> Verdict:
    """Whether all that was asked for is here, and else what is to be done."""
    if ended.cut_short:
        words = f"{ended.cut_short}, so the transfer was ended. {_LATER}"
        return Verdict(False, "failed", True, words)
    if ended.code == 0 or _nothing_matched(ended):
        return Verdict(True, "unchanged", False, "")
    if ended.code == 24:
        meaning = _CODES[24]
        return Verdict(True, "unchanged", True, f"{meaning.words}. {meaning.advice}")
    meaning = _meaning(ended)
    words = f"{meaning.words} (rsync {_code_name(ended.code)}{_quote(ended.text)}). "
    return Verdict(False, meaning.status, meaning.again, words + meaning.advice)


def _nothing_matched(ended: Ended) -> bool:
    """A pattern without a match ends like a partial transfer; nothing was there to transfer."""
    errors = [line for line in ended.text.splitlines() if _TELLING.search(line)]
    return ended.code == 23 and any(_NO_MATCH.search(line) for line in errors) and len(errors) == 1


def _meaning(ended: Ended) -> _Meaning:
    for saying, meaning in _SAYINGS:
        if re.search(saying, ended.text):
            return meaning
    if ended.code < 0:
        return _CODES[20]
    return _CODES.get(ended.code, _Meaning("an unusual end of rsync", _REPORT))


def _code_name(code: int) -> str:
    return f"code {code}" if code >= 0 else f"signal {-code}"


def _quote(text: str) -> str:
    for line in text.splitlines():
        if _TELLING.search(line):
            return f": {printable(line.strip(), 160)}"
    return ""
