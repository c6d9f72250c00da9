# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules for hits in an access log, and for the values of a hit. No other file has such rules.

A hit is a request for ``/metalink`` or ``/mirrorlist`` with a query, and its answer is 200 or 302.
DNF and related clients send such requests. The Combined Log Format separates fields by quotes. Each
field has its own rule, and :data:`LINE` consists of these rules. Therefore a reader can cut a line
with exactly six quotes at its quotes and match each field separately, with the same outcome (see
``fast_path``).

White space, digits and word characters are those of ASCII. Text is decoded as UTF-8, with U+FFFD
for invalid bytes.
"""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import parse_qsl

from .._logs.access_log import parse_time

#: Increment this number when a rule changes: raw days made by older rules are then out of date.
RULES_VERSION = 1

# Six quotes of a line separate these fields. ANSWER, REFERRER, GAP and END have no groups, and they
# match the same text in RE2. They avoid \s because \s in RE2 lacks the vertical tab.
CLIENT = r"(?P<host>\S+)\s\S+\s\S+\s\[(?P<time>.+?)\]\s"
REQUEST = r"(?:GET|HEAD)\s/(?:metalink|mirrorlist)\?(?P<query>\S*)\sHTTP/\d\.\d"
ANSWER = r"[\t-\r ](?:200|302)[\t-\r ](?:[0-9]+|-)[\t-\r ]"
REFERRER = r'[^"]+'
GAP = r"[\t-\r ]"
#: The form is ``libdnf (NAME VERSION_ID; VARIANT_ID; OS.ARCH)``. Any other agent counts too, with
#: an unknown system.
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
    """The system in a user agent; empty strings for values that the agent lacks."""

    os_name: str
    os_version: str
    os_variant: str
    os_arch: str


class Request(NamedTuple):
    """The values of a query. ``sys_age`` is -1 if the request has no countme."""

    sys_age: int
    repo_tag: str
    repo_arch: str


class Hit(NamedTuple):
    """One row of the raw hits. ``timestamp`` is in seconds since the Unix epoch, UTC."""

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
    """The reason why a line is not a hit."""

    reason: str


#: The line is a log line, but has another request, answer or protocol.
UNRELATED = Reject("unrelated")
#: The line is not in Combined Log Format, or quotes inside its fields prevent a match.
GARBLED = Reject("garbled")
#: The line is malformed: all fields match, but the time is invalid.
BAD_TIME = Reject("bad_time")
#: The line is malformed: all fields match, but countme is not a whole number of 64 bits.
BAD_COUNTME = Reject("bad_countme")

MALFORMED = (BAD_TIME.reason, BAD_COUNTME.reason)


def system_of_agent(agent: str) -> System | None:
    """Return the system of a user agent (a whole field); None if its line is not a hit."""
    match = _AGENT.fullmatch(agent)
    return _system(match) if match else None


def request_of_field(field: str) -> Request | Reject:
    """Return the values of a request line (a whole field).

    Return UNRELATED or BAD_COUNTME if the line is not a hit.
    """
    match = _REQUEST.fullmatch(field)
    if not match:
        return UNRELATED
    try:
        return _request(match["query"])
    except ValueError:
        return BAD_COUNTME


def hit_of_line(line: str) -> Hit | Reject:
    """Return the hit or the reject of a line without its line end, by the exact rule."""
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
    """Return the percent-decoded form values of a query.

    The last value of a name is used. A blank value counts as absent. Raises ValueError if countme
    is not a whole number of 64 bits.
    """
    values = dict(parse_qsl(query, separator="&"))
    sys_age = int(values.get("countme", -1))
    if not -_INT64 <= sys_age < _INT64:
        raise ValueError(f"countme does not fit in 64 bits: {len(str(sys_age))} digits")
    return Request(sys_age, values.get("repo", ""), values.get("arch", ""))
