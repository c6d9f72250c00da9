# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules of condensing: which line of an access log names a client, and what it asked for.

Every line that mentions ``/metalink`` or ``/mirrorlist`` anywhere and looks like a log line counts,
whatever was answered; so it was always. A client is an address that asked for a release and
architecture on a date, taken as the line has it. Releases are told by rule, so the next Fedora and
EPEL are known on their first day, before anybody has heard of them.

White space and digits are Unicode's here, unlike in ``_countme``.
"""

from __future__ import annotations

import re
import string
from datetime import date
from typing import NamedTuple

from .._base.days_and_weeks import MONTHS

#: Grows when a rule changes, so that days condensed by older rules are out of date.
RULES_VERSION = 2

PATHS = ("/metalink", "/mirrorlist")

# Each atomic group ends where the lazy text in it can end first. A later end never helps: what has
# to follow must then begin later still. So a match takes time in proportion to the line.
_LINE = re.compile(
    r"(?P<host>[\d.]+|[0-9a-fA-F:]+)\s\S*\s\S*\s"
    r'\[(?>(?P<time>.*?)\]\s")'
    r'(?>(?P<request>.*?)"\s\d+\s\S*\s")'
    r'(?>.*?"\s").*?"'
)
_DATE = re.compile(r"(?P<day>[0-9]{1,2})/(?P<month>[A-Z][a-z]{2})/(?P<year>[0-9]{4})")

UNKNOWN_REPO = "unknown_repo"
UNKNOWN_ARCH = "unknown_arch"

#: Characters of an unknown repository's name that are kept; hostile ones are of any length.
_NAME_LENGTH = 80


class Reject(NamedTuple):
    """Why a line names no client."""

    reason: str


#: The line mentions neither path.
UNRELATED = Reject("unrelated")
#: It does, but is no log line of an address.
GARBLED = Reject("garbled")
#: Its time names no day.
BAD_DATE = Reject("bad_date")
#: Its day is too far from that of the log's rotation; see ``_mirrorlist_blocks``.
ODD_DATE = Reject("odd_date")


class Asked(NamedTuple):
    """What a request asked for."""

    release: str
    arch: str
    unknown: str
    """The repository as it was asked for where no release is known by that name."""


class Client(NamedTuple):
    """What one line tells; ``date`` as written there but for the order of its parts."""

    date: str
    host: str
    asked: Asked


def mentions_path(text: str) -> bool:
    """Whether a line is looked at at all."""
    return PATHS[0] in text or PATHS[1] in text


def client_of_line(line: str) -> Client | Reject:
    """The exact rule for any line, given without its line end."""
    if not mentions_path(line):
        return UNRELATED
    match = _LINE.match(line)
    if not match:
        return GARBLED
    written = date_as_written(match["time"])
    if written is None:
        return BAD_DATE
    return Client(written, match["host"], asked_of_request(match["request"]))


def date_as_written(time: str) -> str | None:
    """``27/Sep/2021:12:00:00 +0200`` gives ``2021-09-27``; a day of one digit stays one digit.

    None for what is no day of the calendar.
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
    """The day that a date as written means. Raises ValueError."""
    year, month, day = written.split("-")
    return date(int(year), int(month), int(day))


def asked_of_request(request: str) -> Asked:
    """What a request line asks for.

    The query is what stands between the first two question marks of its second word. The last part
    with ``repo=`` in it counts, and of that the text between its first two equals signs, as it is;
    likewise for ``arch=``.
    """
    words = request.split(maxsplit=2)
    target = words[1].split("?", 2) if len(words) > 1 else []
    repo = arch = ""
    for part in target[1].split("&") if len(target) > 1 else ():
        if "repo=" in part:
            repo = part.split("=", 2)[1]
        if "arch=" in part:
            arch = part.split("=", 2)[1]
    release = release_of_repo(repo)
    unknown = repo[:_NAME_LENGTH] if release == UNKNOWN_REPO else ""
    return Asked(release, arch_of(arch), unknown)


_FEDORA_WORDS = ("core", "fedora", "extras", "legacy", "fc")
_DROPPED_WORDS = (
    ".newkey", "install", "alpha", "beta", "client", "debug", "devel", "info", "optional",
    "preview", "released", "source", "testing", "updates",
)  # fmt: skip
_EDITION = re.compile(r"(?:client|cloud|server|workstation).*", re.DOTALL)


def plain_repo(repo: str) -> str:
    """A repository's name without what says nothing of its release, such as ``f33``."""
    name = repo.lower()
    for word in _FEDORA_WORDS:
        name = name.replace(word, "f")
    for word in _DROPPED_WORDS:
        name = name.replace(word, "")
    name = name.replace("centosplus", "centos")
    return _EDITION.sub("", name).replace("-", "").strip()


# Numbers have two digits at most, so that nobody can make releases without end.
_MINOR = r"(?:\.(?:[0-9]|1[0-9]|20))?"
_RULES = tuple(
    (re.compile(pattern), release)
    for pattern, release in (
        (r"f?([3-9])", "f0{}"),
        (r"f0([3-9])", "f0{}"),
        (r"f?([1-9][0-9])", "f{}"),
        (r"(?:fmodular|modularf)(2[7-9]|[3-9][0-9])", "modular_f{}"),
        (r"f?rawhide", "rawhide"),
        (r"rawhidemodular", "rawhide_modular"),
        (rf"epel([4-9]){_MINOR}", "epel{}"),
        # from EPEL 10 on there are repositories of minor releases, called epel-z
        (r"epelz?([1-9][0-9])(?:\.(?:0|[1-9][0-9]?))?", "epel{}"),
        (r"epelmodular(8|[1-9][0-9])", "epel{}"),
        (r"epelnext([89]|[1-9][0-9])", "epel_next{}"),
        (r"playgroundepel([89]|[1-9][0-9])", "playground_epel{}"),
        (r"rhel([4-9]|[1-9][0-9])", "rhel{}"),
        (r"fciscoopenh264(3[2-9]|[4-9][0-9]|rawhide)", "cisco_{}"),
    )
)
#: Test releases of old, numbered from below: by the release before, the numbers behind the point.
_TEST_RELEASES = {
    6: ("89", "90", "91", "92", "93"),
    7: ("89", "90", "91", "92", "93"),
    8: ("90", "91", "92", "93"),
    9: ("90", "90.1", "91", "92", "93"),
    10: ("89", "90", "91", "92", "93"),
    11: ("89", "90", "91", "92", "93"),
    12: ("89", "90", "91", "92", "93"),
}
_RELEASE_OF_TEST = {
    f"{f}{before}.{minor}": f"f{before + 1:02}"
    for before, minors in _TEST_RELEASES.items()
    for minor in minors
    for f in ("", "f")
}


def release_of_repo(repo: str) -> str:
    """The release behind a repository, by its name in the query; UNKNOWN_REPO for any other."""
    name = plain_repo(repo)
    for pattern, release in _RULES:
        match = pattern.fullmatch(name)
        if match:
            return release.format(*match.groups())
    return _RELEASE_OF_TEST.get(name, UNKNOWN_REPO)


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


def arch_of(asked: str) -> str:
    """The architecture by the name it was asked for; UNKNOWN_ARCH for any other."""
    return _ARCHES.get(_ARCH_END.split(asked, maxsplit=1)[0].lower(), UNKNOWN_ARCH)
