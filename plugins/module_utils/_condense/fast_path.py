# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fast path from log to clients, which is exact by construction.

The form of a log line depends only on the text up to its sixth quote. pyarrow's tokenizer cuts a
line with exactly six quotes at these quotes. No field contains a quote then, so the line names a
client if, and only if, each field matches its own part of the exact rule. Requests have few
distinct values, so the reader finds the target of each value once. numpy reads addresses and dates
in their usual form. The exact rule reads every other line.
"""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from threading import Lock
from typing import Any, NamedTuple

from .._base.days_and_weeks import UNIX_EPOCH_DAY
from .._base.libs import np, pa, pc
from .._logs.coded_columns import drop_unused
from .._logs.quoted_fields import MemoizedRule, codes_of, cut_at_quotes, lines_of, matches
from .._logs.request_time import TAIL_BYTES, read_days
from .rules import (
    ODD_DATE,
    PATHS,
    UNRELATED,
    Client,
    ReleaseOf,
    Request,
    Target,
    calendar_day,
    client_of_line,
    mentions_path,
    request_of_field,
)

# These patterns are narrower than the exact rule, which accepts white space and digits of Unicode.
_PLAIN_ANSWER = r"[\t-\r ][0-9]+[\t-\r ][!-~]*[\t-\r ]"
_PLAIN_GAP = r"[\t-\r ]"
_ANY_PATH = "|".join(PATHS)
#: Fields that are searched for a path only if the request mentions no path.
_SELDOM_READ = ("referrer", "agent", "end")
_PLAIN = ("client", "gap", *_SELDOM_READ)

#: The largest number of days from the date of a line to its later rotation day. Rotation can fail
#: for weeks. An older date comes from damage or an attack. It would stay in published rows forever.
_DAYS_BEFORE = 366
#: The largest number of days from the rotation day to the later date of a line.
_DAYS_AFTER = 1

#: Bits for the bytes of addresses: one for addresses with points, one for addresses with colons.
_POINTS, _COLONS = 1, 2


@functools.cache
def _address_bits() -> Any:
    bits = np.zeros(256, np.uint8)
    for text, kinds in (
        (b"0123456789", _POINTS | _COLONS),
        (b".", _POINTS),
        (b"abcdefABCDEF:", _COLONS),
    ):
        bits[list(text)] = kinds
    return bits


@dataclass
class BlockClients:
    """The clients of a block of lines as columns of equal length, and the counts of other lines."""

    date: Any
    """numpy int32, indices into ``dates``."""
    dates: Sequence[str]
    """The dates as written."""
    host: Any
    """pyarrow dictionary array of strings."""
    target: Any
    """numpy int32, indices into ``targets``."""
    targets: Sequence[Target]
    """The targets behind the indices. The list may grow."""
    lines: int
    """The number of lines read, without empty lines."""
    rejects: Counter[str]
    unknown: Counter[str] = field(default_factory=Counter)
    """The number of requests by repository of no known release, as written in the request."""

    def __len__(self) -> int:
        return len(self.date)


class _Field(NamedTuple):
    """The meaning of a request field."""

    request: Request
    mentions_path: bool


class ClientReader:
    """A reader of clients from blocks of lines of one rotation day. Threads may share it."""

    def __init__(self, day: date, release_of: ReleaseOf) -> None:
        self._first = day.toordinal() - _DAYS_BEFORE
        self._last = day.toordinal() + _DAYS_AFTER
        self._release_of = release_of
        self._request = MemoizedRule(self._field, lambda one: one.mentions_path)
        self._targets: list[Target] = []
        self._number: dict[Target, int] = {}
        self._lock = Lock()

    def _field(self, text: str) -> _Field:
        return _Field(request_of_field(text, self._release_of), mentions_path(text))

    def clients(self, block: bytes | memoryview) -> BlockClients:
        """Return all clients of a block of complete lines.

        A block that starts with an empty line is not copied.
        """
        fields, odd_lines = cut_at_quotes(block, plain=_PLAIN)
        count = len(fields["client"])
        requests, request, related = self._request(fields["request"])
        others = np.flatnonzero(~related)
        for name in ("client", "answer", *_SELDOM_READ) if len(others) else ():
            related[others] |= _mention_path(fields[name].take(pa.array(others)))
        rows, days, hosts = _plain_rows(fields)
        plain = np.zeros(count, bool)
        plain[rows] = True
        chosen = related[rows]
        if not chosen.all():
            rows, days, hosts = rows[chosen], days[chosen], hosts.filter(pa.array(chosen))
        found_requests, places = drop_unused(
            [one.request for one in requests.results], request[rows]
        )
        dates, codes = _as_dates(days)
        found = BlockClients(
            date=codes,
            dates=dates,
            host=hosts,
            target=self._numbers_of(found_requests)[places],
            targets=self._targets,
            lines=count + len(odd_lines),
            rejects=Counter({UNRELATED.reason: count - int(np.count_nonzero(related))}),
            unknown=_unknown(found_requests, np.bincount(places, minlength=len(found_requests))),
        )
        odd_lines += lines_of(fields, np.flatnonzero(related & ~plain))
        self._add(found, odd_lines)
        self._leave_out_odd_dates(found)
        return found

    def _numbers_of(self, requests: Sequence[Request]) -> Any:
        """Return the indices of the targets of the requests, and add new targets to the list."""
        with self._lock:
            numbers = []
            for one in requests:
                number = self._number.setdefault(one.target, len(self._targets))
                if number == len(self._targets):
                    self._targets.append(one.target)
                numbers.append(number)
        return np.array(numbers, np.int32)

    def _add(self, found: BlockClients, lines: Sequence[str]) -> None:
        """Add the clients and rejects that the exact rule finds in more lines."""
        clients: list[Client] = []
        for line in lines:
            outcome = client_of_line(line, self._release_of)
            if isinstance(outcome, Client):
                clients.append(outcome)
            else:
                found.rejects[outcome.reason] += 1
        if not clients:
            return
        numbers = {written: number for number, written in enumerate(found.dates)}
        codes = [numbers.setdefault(client.date, len(numbers)) for client in clients]
        found.dates = list(numbers)
        found.date = np.append(found.date, np.array(codes, np.int32))
        hosts = pa.array([client.host for client in clients], pa.string()).dictionary_encode()
        found.host = pa.chunked_array([found.host, hosts]).unify_dictionaries().combine_chunks()
        requests = [client.request for client in clients]
        found.target = np.append(found.target, self._numbers_of(requests))
        found.unknown.update(_unknown(requests, [1] * len(requests)))

    def _leave_out_odd_dates(self, found: BlockClients) -> None:
        days = (calendar_day(one).toordinal() for one in found.dates)
        timely = [self._first <= day <= self._last for day in days]
        if all(timely):
            return
        rows = np.flatnonzero(np.array(timely)[found.date])
        found.rejects[ODD_DATE.reason] += len(found.date) - len(rows)
        _keep(found, rows)


def _unknown(requests: Sequence[Request], counts: Sequence[int]) -> Counter[str]:
    unknown: Counter[str] = Counter()
    for one, count in zip(requests, counts, strict=True):
        if one.unknown_repo and count:
            unknown[one.unknown_repo] += int(count)
    return unknown


def distinct(found: BlockClients) -> BlockClients:
    """Return each client once, sorted by date, index of the target and index of the host."""
    hosts, targets = max(len(found.host.dictionary), 1), max(len(found.targets), 1)
    rank = np.argsort(np.argsort(found.dates)) if found.dates else np.zeros(0, np.int64)
    keys = codes_of(found.host) + hosts * (found.target + targets * rank[found.date])
    keys.sort()  # This is much faster than a hash table that is larger than the caches.
    if len(keys):
        keys = keys[np.append(True, keys[1:] != keys[:-1])]
    rest, host = np.divmod(keys, hosts)
    day, target = np.divmod(rest, targets)
    return replace(
        found,
        date=day.astype(np.int32),
        dates=sorted(found.dates),
        host=pa.DictionaryArray.from_arrays(pa.array(host.astype(np.int32)), found.host.dictionary),
        target=target.astype(np.int32),
    )


def _keep(found: BlockClients, rows: Any) -> None:
    found.date = found.date[rows]
    found.host = found.host.take(pa.array(rows))
    found.target = found.target[rows]


def _mention_path(texts: Any) -> Any:
    """Return an array that is True for each text (pyarrow bytes) that mentions a path."""
    if pa.types.is_dictionary(texts.type):
        texts = texts.dictionary_decode()
    return pc.match_substring_regex(texts, _ANY_PATH).to_numpy(zero_copy_only=False)


def _as_dates(days: Any) -> tuple[list[str], Any]:
    """Return the distinct dates of some days since the Unix epoch, and the index of each day."""
    if not len(days):
        return [], np.zeros(0, np.int32)
    first, last = int(days.min()), int(days.max())
    if first == last:
        found, codes = [first], np.zeros(len(days), np.int32)
    else:
        numbers, codes = np.unique(days, return_inverse=True)
        found, codes = numbers.tolist(), codes.astype(np.int32)
    return [str(date.fromordinal(UNIX_EPOCH_DAY + day)) for day in found], codes


def _plain_rows(fields: dict[str, Any]) -> tuple[Any, Any, Any]:
    """Return the numbers, days and hosts of the lines that need no exact rule.

    The requests of the lines do not matter here.
    """
    client = fields["client"]
    days, plain = read_days(client)
    plain &= matches(fields["answer"], _PLAIN_ANSWER)
    plain &= matches(fields["gap"], _PLAIN_GAP)
    rows = np.flatnonzero(plain)
    chosen = client if len(rows) == len(client) else client.take(pa.array(rows))
    hosts = pc.binary_slice(chosen, 0, -TAIL_BYTES).dictionary_encode()
    is_address = _are_addresses(hosts.dictionary)
    if not is_address.all():
        fitting = is_address[codes_of(hosts)]
        rows, hosts = rows[fitting], hosts.filter(pa.array(fitting))
        # The dictionary must not keep the other hosts, because they may not be valid text.
        hosts = hosts.dictionary_decode().dictionary_encode()
    addresses = pa.DictionaryArray.from_arrays(hosts.indices, hosts.dictionary.cast(pa.string()))
    return rows, days[rows], addresses


def _are_addresses(hosts: Any) -> Any:
    """Return an array that is True for each host (pyarrow bytes) that is a plain address."""
    _unused, offset_buffer, text_buffer = hosts.buffers()
    found = np.zeros(len(hosts), bool)
    if not len(hosts) or text_buffer is None:
        return found
    offsets = np.frombuffer(offset_buffer, np.int32)[hosts.offset : hosts.offset + len(hosts) + 1]
    filled = np.flatnonzero(np.diff(offsets))
    if len(filled):
        text = np.frombuffer(text_buffer, np.uint8)[: offsets[-1]]
        kinds = np.bitwise_and.reduceat(_address_bits()[text], offsets[:-1][filled])
        found[filled] = kinds != 0
    return found


def join(parts: Sequence[BlockClients]) -> BlockClients:
    """Join the clients of several blocks of one reader, and return each client once."""
    numbers: dict[str, int] = {}
    columns = []
    for part in parts:
        codes = [numbers.setdefault(written, len(numbers)) for written in part.dates]
        columns.append(np.array(codes, np.int32)[part.date] if codes else part.date)
    host = pa.chunked_array([part.host for part in parts]).unify_dictionaries().combine_chunks()
    joined = BlockClients(
        date=np.concatenate(columns),
        dates=list(numbers),
        host=host.combine_chunks() if isinstance(host, pa.ChunkedArray) else host,
        target=np.concatenate([part.target for part in parts]),
        targets=parts[0].targets,
        lines=sum(part.lines for part in parts),
        rejects=sum((part.rejects for part in parts), Counter()),
    )
    return distinct(joined)
