# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fast path from log to hits, exact by construction.

All fields of a hit stand between six quotes. A line with exactly six is cut at them by pyarrow's
tokenizer, and since then no field holds a quote, the line is a hit just when each field matches its
own rule. Requests, agents and answers have few distinct values, so each rule of ``_countme`` runs
once per distinct value and the rest is index arithmetic. Addresses and times are read by numpy
where they look as they nearly always do. Every other line goes to the exact rule.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from ._countme import (
    ANSWER,
    END,
    GAP,
    MALFORMED,
    REFERRER,
    UNRELATED,
    Hit,
    Request,
    System,
    hit_of_line,
    request_of_field,
    system_of_agent,
)
from ._libs import np, pa, pa_csv, pc
from ._log_times import TAIL_BYTES, read_tails

_FIELDS = ("client", "request", "answer", "referrer", "gap", "agent", "end")
_PLAIN_RULES = {"answer": ANSWER, "referrer": REFERRER, "gap": GAP, "end": END}

#: Distinct values remembered per field; far above what real logs have, a bound for hostile ones.
_REMEMBERED_VALUES = 200_000
#: Malformed lines kept as samples, per block.
_SAMPLES = 5


@dataclass
class BlockHits:
    """The hits of one block of lines, as columns of equal length, and what became of the others."""

    timestamp: Any
    """numpy int64, Unix seconds."""
    host: Any
    """pyarrow dictionary array of strings."""
    system: Any
    """numpy int32, indices into ``systems``."""
    systems: list[System]
    request: Any
    """numpy int32, indices into ``requests``."""
    requests: list[Request]
    lines: int
    """Lines read, empty ones left out."""
    rejects: Counter[str]
    samples: list[tuple[str, str]] = field(default_factory=list)
    """(reason, line) of the first malformed lines."""


class _FieldRule:
    """A rule for a whole field, run once per distinct value and remembered within bounds."""

    def __init__(self, rule: Callable[[str], Any]) -> None:
        self._rule = rule
        self._remembered: dict[bytes, Any] = {}

    def __call__(self, distinct_values: Any) -> list[Any]:
        """The outcome for each value of a pyarrow binary array."""
        remembered = self._remembered
        if len(remembered) > _REMEMBERED_VALUES:
            remembered = self._remembered = {}
        outcomes = []
        for value in distinct_values.to_pylist():
            if value not in remembered:
                remembered[value] = self._rule(value.decode())
            outcomes.append(remembered[value])
        return outcomes


class BlockReader:
    """Reads hits out of blocks of lines. Threads may share one."""

    def __init__(self) -> None:
        self._request = _FieldRule(request_of_field)
        self._agent = _FieldRule(system_of_agent)

    def hits(self, block: bytes | bytearray) -> BlockHits:
        """All hits of a block that starts where a line starts and ends where one ends.

        A block with an empty line at its start saves a copy of it.
        """
        if not block.isascii():
            block = block.decode("utf-8", "replace").encode()
        fields, odd_lines = _tokenize(block)
        count = len(fields["client"])

        systems = self._agent(fields["agent"].dictionary)
        system = _codes(fields["agent"])
        requests = self._request(fields["request"].dictionary)
        request = _codes(fields["request"])

        related = _lookup(systems, lambda found: found is not None)[system]
        related &= _lookup(requests, lambda asked: asked is not UNRELATED)[request]
        for name, rule in _PLAIN_RULES.items():
            related &= _matches(fields[name].dictionary, rule)[_codes(fields[name])]

        timestamps, readable = read_tails(fields["client"])
        readable &= _lookup(requests, lambda asked: isinstance(asked, Request))[request]
        rows, hosts = _rows_with_plain_hosts(fields["client"], np.flatnonzero(related & readable))
        exact = related
        exact[rows] = False

        found = BlockHits(
            timestamp=timestamps[rows],
            host=hosts.dictionary_encode(),
            system=system[rows],
            systems=systems,
            request=request[rows],
            requests=requests,
            lines=count + len(odd_lines),
            rejects=Counter({UNRELATED.reason: count - len(rows) - int(np.count_nonzero(exact))}),
        )
        exact_lines = _lines(fields, np.flatnonzero(exact))
        return (
            _with_exact(found, [*exact_lines, *odd_lines])
            if len(odd_lines) or len(exact_lines)
            else found
        )


def _matches(values: Any, rule: str) -> Any:
    """Which of the distinct values match a rule as a whole."""
    return pc.match_substring_regex(values, f"^(?:{rule})$").to_numpy(zero_copy_only=False)


def _tokenize(block: bytes | bytearray) -> tuple[dict[str, Any], list[str]]:
    """Lines with exactly six quotes as a column per field; all others as text. No empty lines."""
    odd_lines: list[str] = []

    def set_aside(row: Any) -> str:
        odd_lines.append(row.text)
        return "skip"

    if not block.startswith(b"\n"):
        # else pyarrow would drop a byte order mark, and refuse an empty block
        block = b"\n" + block
    coded = pa.dictionary(pa.int32(), pa.binary())
    table = pa_csv.read_csv(
        pa.py_buffer(block),
        read_options=pa_csv.ReadOptions(
            column_names=_FIELDS, block_size=len(block) + 1, use_threads=False
        ),
        parse_options=pa_csv.ParseOptions(
            delimiter='"',
            quote_char=False,
            double_quote=False,
            escape_char=False,
            invalid_row_handler=set_aside,
        ),
        convert_options=pa_csv.ConvertOptions(
            column_types={n: pa.binary() if n == "client" else coded for n in _FIELDS},
            null_values=[],
            strings_can_be_null=False,
        ),
    )
    return {name: table[name].chunk(0) for name in _FIELDS}, odd_lines


def _codes(column: Any) -> Any:
    return column.indices.to_numpy(zero_copy_only=False)


def _lookup(outcomes: Iterable[Any], test: Callable[[Any], bool]) -> Any:
    """A test of each distinct value's outcome, to be spread over the lines by their codes."""
    return np.array([test(outcome) for outcome in outcomes], bool)


def _rows_with_plain_hosts(client: Any, rows: Any) -> tuple[Any, Any]:
    """Those of the rows whose host is plain printable ASCII, and the hosts, as pyarrow strings."""
    hosts = _hosts(client, rows)
    text = np.frombuffer(hosts.buffers()[2] or b"", np.uint8)
    if not ((text > 0x20) & (text < 0x7F)).all():
        plain = pc.match_substring_regex(hosts, r"^[\x21-\x7e]*$").to_numpy(zero_copy_only=False)
        rows = rows[plain]
        hosts = _hosts(client, rows)
    empty = pc.equal(pc.binary_length(hosts), 0).to_numpy(zero_copy_only=False)
    if empty.any():
        rows = rows[~empty]
        hosts = _hosts(client, rows)
    return rows, hosts.cast(pa.string())


def _hosts(client: Any, rows: Any) -> Any:
    chosen = client if len(rows) == len(client) else client.take(pa.array(rows))
    return pc.binary_slice(chosen, 0, -TAIL_BYTES)


def _lines(fields: dict[str, Any], rows: Any) -> list[str]:
    """The text of some lines that were cut at their quotes."""
    chosen = [fields[name].take(pa.array(rows)).to_pylist() for name in _FIELDS]
    return [b'"'.join(parts).decode() for parts in zip(*chosen, strict=True)]


def _with_exact(found: BlockHits, lines: list[str]) -> BlockHits:
    """Add what the exact rule says of some more lines."""
    hits: list[Hit] = []
    for line in lines:
        outcome = hit_of_line(line)
        if isinstance(outcome, Hit):
            hits.append(outcome)
            continue
        found.rejects[outcome.reason] += 1
        if outcome.reason in MALFORMED and len(found.samples) < _SAMPLES:
            found.samples.append((outcome.reason, line))
    if hits:
        _append(found, hits)
    return found


def _append(found: BlockHits, hits: list[Hit]) -> None:
    first_system, first_request = len(found.systems), len(found.requests)
    more = np.arange(len(hits), dtype=np.int32)
    found.timestamp = np.append(found.timestamp, np.array([hit.timestamp for hit in hits]))
    hosts = pa.array([hit.host for hit in hits], pa.string()).dictionary_encode()
    found.host = pa.chunked_array([found.host, hosts]).combine_chunks()
    found.system = np.append(found.system, more + np.int32(first_system))
    found.systems.extend(System(*hit[2:6]) for hit in hits)
    found.request = np.append(found.request, more + np.int32(first_request))
    found.requests.extend(Request(*hit[6:9]) for hit in hits)
