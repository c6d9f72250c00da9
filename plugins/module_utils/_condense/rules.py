# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules of condensing: which line of an access log names a client, and its target.

Every line that mentions ``/metalink`` or ``/mirrorlist`` anywhere and has the form of a log line
counts, whatever was answered. This has always been so. A client is an address that asks for a
release and an architecture on a date, and the date is the one that the line has.

White space and digits are those of Unicode here, unlike in the rules of raw hits.
"""

from __future__ import annotations

import re
import string
from collections.abc import Callable
from datetime import date
from typing import NamedTuple

from .._base.days_and_weeks import MONTHS

#: Raise it when a rule changes, so that days condensed by older rules are out of date.
RULES_VERSION = 2

PATHS = ("/metalink", "/mirrorlist")

# Each atomic group ends where the lazy text in it can end first. A later end never helps, because
# the text that has to follow would then begin later still. So a match takes time in proportion to
# the length of the line.
_LINE = re.compile(
    r"(?P<host>[\d.]+|[0-9a-fA-F:]+)\s\S*\s\S*\s"
    r'\[(?>(?P<time>.*?)\]\s")'
    r'(?>(?P<request>.*?)"\s\d+\s\S*\s")'
    r'(?>.*?"\s").*?"'
)
_DATE = re.compile(r"(?P<day>[0-9]{1,2})/(?P<month>[A-Z][a-z]{2})/(?P<year>[0-9]{4})")

UNKNOWN_REPO = "unknown_repo"
UNKNOWN_ARCH = "unknown_arch"

#: Characters of an unknown repository's name that are kept. Hostile names have any length.
_NAME_LENGTH = 80


class Reject(NamedTuple):
    """The reason why a line names no client."""

    reason: str


#: The line mentions neither path.
UNRELATED = Reject("unrelated")
#: The line mentions a path, but is no log line of an address.
GARBLED = Reject("garbled")
#: The time of the line names no day of the calendar.
BAD_DATE = Reject("bad_date")
#: The day of the line is too far from the rotation day of its log.
ODD_DATE = Reject("odd_date")


class Target(NamedTuple):
    """What a client asks for."""

    release: str
    arch: str


class Request(NamedTuple):
    """The meaning of a request line."""

    target: Target
    unknown_repo: str
    """The repository as it is in the request, if its release is not known; otherwise empty."""


class Client(NamedTuple):
    """The meaning of a log line."""

    date: str
    """The date of the line as ``2021-09-27``; a day of one digit stays one digit."""
    host: str
    request: Request


ReleaseOf = Callable[[str], str]
"""Returns the release behind the name of a repository; UNKNOWN_REPO for an unknown name."""


def mentions_path(text: str) -> bool:
    """Return whether a text mentions one of PATHS; other lines are unrelated."""
    return PATHS[0] in text or PATHS[1] in text


def client_of_line(line: str, release_of: ReleaseOf) -> Client | Reject:
    """Return the client of any line, given without its line end: the exact rule."""
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
    """Return ``2021-09-27`` for ``27/Sep/2021:12:00:00 +0200``; None for no day of the calendar.

    A day of one digit stays one digit.
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
    """Return the day of a date as a log line has it. Raises ValueError."""
    year, month, day = written.split("-")
    return date(int(year), int(month), int(day))


def request_of_field(field: str, release_of: ReleaseOf) -> Request:
    """Return the meaning of a request line.

    The query is the text between the first two question marks of its second word. Its last part
    with ``repo=`` counts; the value is the text between the first two equals signs of the part, not
    decoded. The same holds for ``arch=``.
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
    """Return the architecture behind a name in a request; UNKNOWN_ARCH for an unknown name."""
    return _ARCHES.get(_ARCH_END.split(name, maxsplit=1)[0].lower(), UNKNOWN_ARCH)
