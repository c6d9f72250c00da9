# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules that find the client, and its target, in a line of an access log.

A line counts if it has the form of a log line and contains ``/metalink`` or ``/mirrorlist``
anywhere. The status of the response has never mattered. A client is an address that requests a
release and an architecture on a date. The date is the date in the line.

These rules accept the white space and digits of Unicode. The rules of raw hits do not.
"""

from __future__ import annotations

import re
import string
from collections.abc import Callable
from datetime import date
from typing import NamedTuple

from .._base.days_and_weeks import MONTHS

#: The version of the rules. Increase it when a rule changes, so that older condensed days are out
#: of date.
RULES_VERSION = 2

PATHS = ("/metalink", "/mirrorlist")

# Each atomic group ends at the first possible end of its lazy text. A later end never helps,
# because the text that must follow would start even later. A match therefore takes time
# proportional to the length of the line.
_LINE = re.compile(
    r"(?P<host>[\d.]+|[0-9a-fA-F:]+)\s\S*\s\S*\s"
    r'\[(?>(?P<time>.*?)\]\s")'
    r'(?>(?P<request>.*?)"\s\d+\s\S*\s")'
    r'(?>.*?"\s").*?"'
)
_DATE = re.compile(r"(?P<day>[0-9]{1,2})/(?P<month>[A-Z][a-z]{2})/(?P<year>[0-9]{4})")

UNKNOWN_REPO = "unknown_repo"
UNKNOWN_ARCH = "unknown_arch"

#: The number of characters of an unknown repository's name that are kept. An attacker can send a
#: name of any length.
_NAME_LENGTH = 80


class Reject(NamedTuple):
    """The reason why a line names no client."""

    reason: str


#: The line contains neither path.
UNRELATED = Reject("unrelated")
#: The line contains a path, but it is not a log line that starts with an address.
GARBLED = Reject("garbled")
#: The time of the line is not a day of the calendar.
BAD_DATE = Reject("bad_date")
#: The day of the line is too far from the rotation day of its log.
ODD_DATE = Reject("odd_date")


class Target(NamedTuple):
    """The release and the architecture that a client requests."""

    release: str
    arch: str


class Request(NamedTuple):
    """The meaning of a request line."""

    target: Target
    unknown_repo: str
    """The repository as written in the request, or an empty string if its release is known."""


class Client(NamedTuple):
    """The meaning of a log line."""

    date: str
    """The date of the line as ``2021-09-27``. A day of one digit keeps one digit."""
    host: str
    request: Request


ReleaseOf = Callable[[str], str]
"""A function that returns the release for a repository name, or UNKNOWN_REPO."""


def mentions_path(text: str) -> bool:
    """Return True if the text contains one of PATHS. Lines without a path are unrelated."""
    return PATHS[0] in text or PATHS[1] in text


def client_of_line(line: str, release_of: ReleaseOf) -> Client | Reject:
    """Return the client of a line, or the reject if the line names no client.

    This is the exact rule. ``line`` has no line end.
    """
    if not mentions_path(line):
        return UNRELATED
    match = _LINE.match(line)
    if not match:
        return GARBLED
    written = date_as_written(match["time"])
    if written is None:
        return BAD_DATE
    return Client(written, match["host"], request_of_field(match["request"], release_of))


def date_as_written(time: str) -> str | None:
    """Return ``2021-09-27`` for ``27/Sep/2021:12:00:00 +0200``.

    Return None if the date is not a day of the calendar. A day of one digit keeps one digit.
    """
    match = _DATE.fullmatch(time.partition(":")[0])
    if not match or match["month"] not in MONTHS:
        return None
    written = f"{match['year']}-{MONTHS[match['month']]:02}-{match['day']}"
    try:
        calendar_day(written)
    except ValueError:
        return None
    return written


def calendar_day(written: str) -> date:
    """Return the day of a date as written.

    Raises ValueError if the date is not a day of the calendar.
    """
    year, month, day = written.split("-")
    return date(int(year), int(month), int(day))


def request_of_field(field: str, release_of: ReleaseOf) -> Request:
    """Return the meaning of a request line.

    The query is the text between the first two question marks of the second word. The last part of
    the query with ``repo=`` counts. Its value is the text between the first two equals signs of the
    part. The value is not decoded. The same rule applies to ``arch=``.
    """
    words = field.split(maxsplit=2)
    path_and_query = words[1].split("?", 2) if len(words) > 1 else []
    repo = arch = ""
    for part in path_and_query[1].split("&") if len(path_and_query) > 1 else ():
        if "repo=" in part:
            repo = part.split("=", 2)[1]
        if "arch=" in part:
            arch = part.split("=", 2)[1]
    release = release_of(repo)
    unknown = repo[:_NAME_LENGTH] if release == UNKNOWN_REPO else ""
    return Request(Target(release, arch_of(arch)), unknown)


_ARCHES = {
    name: arch
    for arch, names in {
        "i386": (
            "i386", "i486", "i586", "i686", "athlon", "pentium", "pentium3", "pentium4",
            "pentium5", "ia32", "x86", "x86_32",
        ),
        "x86_64": ("x86_64", "amd64"),
        "aarch64": ("aarch64", "arm64"),
        "arm": ("arm", "armhfp", "armv3l", "armv5tel", "armv7hl"),
        "ppc": ("ppc", "ppc32", "powepc"),
        "ppc64": ("ppc64",),
        "ppc64le": ("ppc64le",),
        "s390": ("s390", "s390x"),
        "sparc": ("sparc",),
        "sparc64": ("sparc64",),
        "ia64": ("ia64",),
        "mips": ("mips",),
        "mips64": ("mips64", "mips64el"),
        "alpha": ("alpha",),
        "tilegx": ("tilegx",),
    }.items()
    for name in names
}  # fmt: skip
_ARCH_END = re.compile(f"[{re.escape(string.punctuation.replace('_', ''))}]")


def arch_of(name: str) -> str:
    """Return the architecture for a name in a request, or UNKNOWN_ARCH if the name is unknown."""
    return _ARCHES.get(_ARCH_END.split(name, maxsplit=1)[0].lower(), UNKNOWN_ARCH)
