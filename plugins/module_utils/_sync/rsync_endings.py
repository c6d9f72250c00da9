# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Translate the result of an rsync into a verdict with the next step."""

from __future__ import annotations

import re
from typing import NamedTuple

from .._base.errors import printable
from .._base.records import Status
from .rsync import RsyncResult, Verdict


class _Ending(NamedTuple):
    """A result of rsync that has an advice of its own."""

    pattern: str
    """A regular expression for the result, which begins with its code: ``code 23: …``."""
    found: str
    advice: str
    retry: bool = True
    """True if another attempt can help."""
    status: Status = "failed"


_NETWORK = "Examine that host and the network to it."

#: The first ending that matches is taken. Texts are those of rsync and its daemon with LC_ALL=C,
#: codes those of rsync(1).
_ENDINGS = (
    _Ending(
        r"getaddrinfo: .*Temporary failure",
        "name servers that can't resolve its name for now",
        "Examine the name servers, or correct the host list.",
        status="unknown",
    ),
    _Ending(
        r"getaddrinfo: ",
        "a name unknown to DNS",
        "Correct or remove that host in the list, or repair its DNS entry.",
        retry=False,
        status="unknown",
    ),
    _Ending(
        r"@ERROR: Unknown module",
        "an rsync daemon without that module",
        "Configure the module on that host, or correct the option source.",
        retry=False,
    ),
    _Ending(
        r"@ERROR: access denied",
        "an rsync daemon that denies us access",
        "Add this log host to 'hosts allow' in that host's rsyncd.conf.",
        retry=False,
    ),
    _Ending(
        r"@ERROR: auth",
        "an rsync daemon that requires a password",
        "Let this log host read the module without one.",
        retry=False,
    ),
    _Ending(
        r"Connection refused",
        "the connection refused",
        "Start rsyncd on that host and open its firewall for this log host.",
    ),
    _Ending(
        r"No route to host|Network is unreachable|Connection timed out",
        "no route to that host",
        _NETWORK,
    ),
    _Ending(
        r"No space left on device|Disk quota exceeded",
        "no space left for its logs",
        "Free some space; the next run continues.",
        retry=False,
    ),
    _Ending(
        r"Read-only file system",
        "a read-only target",
        "Mount the target writable.",
        retry=False,
    ),
    _Ending(
        r"change_dir .*: No such file or directory",
        "no such folder on that host",
        "Correct the option source, or make the folder there.",
        retry=False,
    ),
    _Ending(
        r"\[sender\] .*: Permission denied|send_files failed to open .*Permission denied",
        "logs that its rsync daemon may not read",
        "Make them readable for the user of that rsync daemon.",
        retry=False,
    ),
    _Ending(
        r"\[(?:[Rr]eceiver|generator)\] .*: Permission denied|mkstemp .*Permission denied",
        "a target we may not write to",
        "Give the counting user write permission.",
        retry=False,
    ),
    _Ending(
        r"^code 1:",
        "an rsync on this machine that lacks options we need",
        "Install rsync 3.2 or newer.",
        retry=False,
    ),
    _Ending(
        r"^code [24]:",
        "an incompatible rsync on that host",
        "Update rsync on that host.",
        retry=False,
    ),
    _Ending(r"^code 11:", "files that can't be read or written", "Examine the disk of the target."),
    _Ending(
        r"^code 22:",
        "too little memory for rsync",
        "Free some memory, or lower workers.",
        retry=False,
    ),
    _Ending(r"^code 30:", "nothing arriving any more", _NETWORK),
    _Ending(r"^code 35:", "no answer from its rsync daemon", "Examine that host and its firewall."),
    _Ending(
        r"^code 126:",
        "an rsync that can't be started",
        "Let the counting user run it; see memory and processes here, or lower workers.",
    ),
    _Ending(r"^code 127:", "no rsync on this machine", "Install rsync.", retry=False),
)
_OTHER = _Ending(
    "",
    "an rsync that failed",
    "The next run tries again. If it fails again, see the log of rsyncd on that host and the "
    "network to it.",
)
_VANISHED = "files vanished while they were fetched. The next run fetches what replaced them."

#: The lines of rsync's output that report an error.
_ERROR_LINE = re.compile(
    r"@ERROR|getaddrinfo|failed|denied|No space|unknown|error in|unexpected", re.IGNORECASE
)
_NO_MATCH = re.compile(r'link_stat "[^"]*[*?\[][^"]*".*: No such file or directory')


def verdict_of(result: RsyncResult) -> Verdict:
    """Return the verdict on a result: all requested logs are here, or why not and what to do."""
    if result.ended_because:
        reason = f"{result.ended_because}, so the transfer was ended. {_OTHER.advice}"
        return Verdict(False, "failed", True, reason)
    if result.code == 0 or _nothing_matched(result):
        return Verdict(True, "unchanged", False, "")
    if result.code == 24:
        return Verdict(True, "unchanged", True, _VANISHED)
    ending = _ending_of(result)
    code = f"code {result.code}" if result.code >= 0 else f"signal {-result.code}"
    reason = f"{ending.found} (rsync {code}{_quote(result.output)}). {ending.advice}"
    return Verdict(False, ending.status, ending.retry, reason)


def _nothing_matched(result: RsyncResult) -> bool:
    """Return whether there was no log to transfer.

    rsync returns the code of a partial transfer for a pattern without a match.
    """
    errors = [line for line in result.output.splitlines() if _ERROR_LINE.search(line)]
    return result.code == 23 and len(errors) == 1 and _NO_MATCH.search(errors[0]) is not None


def _ending_of(result: RsyncResult) -> _Ending:
    text = f"code {result.code}: {result.output}"
    return next((one for one in _ENDINGS if re.search(one.pattern, text)), _OTHER)


def _quote(output: str) -> str:
    for line in output.splitlines():
        if _ERROR_LINE.search(line):
            return f": {printable(line.strip(), 160)}"
    return ""
