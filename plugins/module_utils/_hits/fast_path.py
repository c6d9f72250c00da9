# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fast path from a block of a log to its hits. Its result equals that of the exact rule.

Six quotes separate the fields of a hit. The tokenizer of pyarrow cuts each line with exactly six
quotes. No field of such a line contains a quote. Therefore the line is a hit if and only if each
field matches its own rule. Requests, agents and answers have few distinct values. Therefore each
rule of ``rules`` runs once per distinct value, and the rest is index arithmetic. numpy reads the
addresses and times that have the usual form. The exact rule reads every other line.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from .._base.libs import np, pa, pc
from .._logs.quoted_fields import MemoizedRule, RuleResults, cut_at_quotes, lines_of, matches
from .._logs.request_time import TAIL_BYTES, read_tails
from .rules import (
    ANSWER,
    BAD_COUNTME,
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

_PLAIN_RULES = {"answer": ANSWER, "referrer": REFERRER, "gap": GAP, "end": END}
#: These fields have the same value in nearly all lines, or a different value in each line.
_PLAIN = ("client", "referrer", "gap", "end")

#: The number of malformed lines that are kept as samples, per block.
_SAMPLES = 5


@dataclass
class BlockHits:
    """The hits of one block of lines, as columns of equal length, and the rejects of the block."""

    timestamp: Any
    """numpy int64, Unix seconds."""
    host: Any
    """pyarrow array of strings."""
    system: Any
    """numpy int32, indices into ``systems``."""
    systems: Sequence[Any]
    """Each element that an index points at is a System."""
    request: Any
    """numpy int32, indices into ``requests``."""
    requests: Sequence[Any]
    """Each element that an index points at is a Request."""
    lines: int
    """Lines read, empty ones left out."""
    rejects: Counter[str]
    samples: list[tuple[str, str]] = field(default_factory=list)
    """(reason, line) of the first malformed lines."""

    def __len__(self) -> int:
        return len(self.timestamp)


class BlockReader:
    """A reader of hits from blocks of lines. Threads may share one reader."""

    def __init__(self) -> None:
        self._request = MemoizedRule(request_of_field, lambda outcome: outcome is not UNRELATED)
        self._agent = MemoizedRule(system_of_agent, lambda found: found is not None)

    def hits(self, block: bytes | memoryview) -> BlockHits:
        """Return all hits of a block that consists of whole lines.

        An empty line at the start of the block avoids a copy of the block.
        """
        fields, odd_lines = cut_at_quotes(block, plain=_PLAIN)
        count = len(fields["client"])

        systems, system, related = self._agent(fields["agent"])
        requests, request, asked = self._request(fields["request"])
        related &= asked
        for name, rule in _PLAIN_RULES.items():
            related &= matches(fields[name], rule)

        timestamps, readable = read_tails(fields["client"])
        readable &= request != requests.numbers_of([BAD_COUNTME])[0]
        rows, hosts = _rows_with_plain_hosts(fields["client"], np.flatnonzero(related & readable))
        exact = related
        exact[rows] = False

        found = BlockHits(
            timestamp=timestamps[rows],
            host=hosts,
            system=system[rows],
            systems=systems.results,
            request=request[rows],
            requests=requests.results,
            lines=count + len(odd_lines),
            rejects=Counter({UNRELATED.reason: count - len(rows) - int(np.count_nonzero(exact))}),
        )
        odd_lines += lines_of(fields, np.flatnonzero(exact))
        if odd_lines:
            _add(found, _exact_hits(odd_lines, found), systems, requests)
        return found


def _rows_with_plain_hosts(client: Any, rows: Any) -> tuple[Any, Any]:
    """Return the rows whose host is printable ASCII, and these hosts as pyarrow strings."""
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


def _exact_hits(lines: Sequence[str], found: BlockHits) -> list[Hit]:
    """Return the hits of the lines by the exact rule. Add rejects and samples to ``found``."""
    hits: list[Hit] = []
    for line in lines:
        outcome = hit_of_line(line)
        if isinstance(outcome, Hit):
            hits.append(outcome)
            continue
        found.rejects[outcome.reason] += 1
        if outcome.reason in MALFORMED and len(found.samples) < _SAMPLES:
            found.samples.append((outcome.reason, line))
    return hits


def _add(
    found: BlockHits, hits: Sequence[Hit], systems: RuleResults, requests: RuleResults
) -> None:
    if not hits:
        return
    found.timestamp = np.append(found.timestamp, np.array([hit.timestamp for hit in hits]))
    found.host = pa.concat_arrays([found.host, pa.array([hit.host for hit in hits], pa.string())])
    more_systems = systems.numbers_of(System(*hit[2:6]) for hit in hits)
    found.system = np.append(found.system, more_systems)
    more_requests = requests.numbers_of(Request(*hit[6:9]) for hit in hits)
    found.request = np.append(found.request, more_requests)
