# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules: which line of an access log is a hit, and what it tells. They stand here only.

A hit is a request for ``/metalink`` or ``/mirrorlist`` with a query, as DNF and its relatives send
them, answered with 200 or 302. The rules are written per field, between the quotes of the Combined
Log Format, and :data:`LINE` is put together from them; so a line with exactly six quotes can be
cut at its quotes and each field be judged on its own, with the same outcome (see ``_hit_blocks``).

White space, digits and word characters are ASCII's. Text is what UTF-8 gives, with U+FFFD for bytes
that are none.
"""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import parse_qsl

from .._logs.access_log import parse_time

#: Grows when a rule changes, so that raw days made by older rules are out of date.
RULES_VERSION = 1

# The fields, between the six quotes of a line. ANSWER, REFERRER, GAP and END have no groups and
# mean the same to RE2, whose \s lacks the vertical tab.
CLIENT = r"(?P<host>\S+)\s\S+\s\S+\s\[(?P<time>.+?)\]\s"
REQUEST = r"(?:GET|HEAD)\s/(?:metalink|mirrorlist)\?(?P<query>\S*)\sHTTP/\d\.\d"
ANSWER = r"[\t-\r ](?:200|302)[\t-\r ](?:[0-9]+|-)[\t-\r ]"
REFERRER = r'[^"]+'
GAP = r"[\t-\r ]"
#: ``libdnf (NAME VERSION_ID; VARIANT_ID; OS.ARCH)``; any other agent counts too, its system unknown
AGENT = (
    r"(?:(?:libdnf|rpm-ostree)(?:/\S+)?\s+"
    r"\((?P<os_name>.*)\s(?P<os_version>[0-9a-z._-]*?);"
    r"\s(?P<os_variant>[0-9a-z._-]*);"
    r"\s[\w./]+\.(?P<os_arch>\w+)\)"
    r'|[^"]*)'
)
END = r"[\t-\r ]*"

FIELDS = (CLIENT, REQUEST, ANSWER, REFERRER, GAP, AGENT, END)
LINE = re.compile('"'.join(FIELDS), re.ASCII)

_REQUEST = re.compile(REQUEST, re.ASCII)
_AGENT = re.compile(AGENT, re.ASCII)

_INT64 = 1 << 63


class System(NamedTuple):
    """What the user agent tells of a system; empty strings where it tells nothing."""

    os_name: str
    os_version: str
    os_variant: str
    os_arch: str


class Request(NamedTuple):
    """What the query tells: sys_age is -1 where the request carries no countme."""

    sys_age: int
    repo_tag: str
    repo_arch: str


class Hit(NamedTuple):
    """One row of the raw hits; ``timestamp`` in seconds since the Unix epoch, UTC."""

    timestamp: int
    host: str
    os_name: str
    os_version: str
    os_variant: str
    os_arch: str
    sys_age: int
    repo_tag: str
    repo_arch: str


class Reject(NamedTuple):
    """Why a line is not a hit."""

    reason: str


#: A log line, but of another request, answer or protocol.
UNRELATED = Reject("unrelated")
#: Not a line in Combined Log Format, or with quotes inside that leave no hit to be found.
GARBLED = Reject("garbled")
#: Malformed: all fields match, but the time is none.
BAD_TIME = Reject("bad_time")
#: Malformed: all fields match, but countme is not a whole number of 64 bits.
BAD_COUNTME = Reject("bad_countme")

MALFORMED = (BAD_TIME.reason, BAD_COUNTME.reason)


def system_of_agent(agent: str) -> System | None:
    """The system behind a user agent (a whole field); None where a line with it is no hit."""
    match = _AGENT.fullmatch(agent)
    return _system(match) if match else None


def request_of_field(field: str) -> Request | Reject:
    """What a request line (a whole field) asks for; UNRELATED or BAD_COUNTME where it is no hit."""
    match = _REQUEST.fullmatch(field)
    if not match:
        return UNRELATED
    try:
        return _request(match["query"])
    except ValueError:
        return BAD_COUNTME


def hit_of_line(line: str) -> Hit | Reject:
    """The exact rule for any line, given without its line end."""
    match = LINE.fullmatch(line)
    if not match:
        return GARBLED
    try:
        timestamp = parse_time(match["time"])
    except ValueError:
        return BAD_TIME
    try:
        request = _request(match["query"])
    except ValueError:
        return BAD_COUNTME
    return Hit(timestamp, match["host"], *_system(match), *request)


def _system(match: re.Match[str]) -> System:
    if match["os_name"] is None:
        return System("", "", "", "")
    return System(match["os_name"], match["os_version"], match["os_variant"], match["os_arch"])


def _request(query: str) -> Request:
    """Form values percent-decoded, the last of a name wins, blank ones count as absent."""
    values = dict(parse_qsl(query, separator="&"))
    sys_age = int(values.get("countme", -1))
    if not -_INT64 <= sys_age < _INT64:
        raise ValueError(f"countme does not fit in 64 bits: {len(str(sys_age))} digits")
    return Request(sys_age, values.get("repo", ""), values.get("arch", ""))
