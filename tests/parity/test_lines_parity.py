"""Fast way, exact rule and the software that is replaced agree on every line."""

from __future__ import annotations

import contextlib
import io
import random
from collections import Counter
from datetime import date

import pytest
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._hits.fast_path import (
    BlockHits,
    BlockReader,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._hits.rules import (
    BAD_COUNTME,
    Hit,
    hit_of_line,
)
from ansible_collections.fedora_infra.dnf_counting.tests.support.log_lines import (
    log_lines,
    mutated,
    plain_line,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from mirrors_countme.matchers import CountmeMatcher

LINES_A_SEED = 30_000
# another seed every day, the same one for all processes of a run
SEEDS = [1, 2, 3, 4, date.today().toordinal()]


def rows_of(block: BlockHits) -> list[tuple[object, ...]]:
    """The hits of a block as the rows they stand for."""
    hosts = block.host.to_pylist()
    return [
        (timestamp, host, *block.systems[system], *block.requests[request])
        for timestamp, host, system, request in zip(
            block.timestamp.tolist(),
            hosts,
            block.system.tolist(),
            block.request.tolist(),
            strict=True,
        )
    ]


def exact_rows(text: str) -> tuple[Counter[tuple[object, ...]], Counter[str]]:
    """Hits and rejects by the exact rule; empty lines are not counted."""
    hits: Counter[tuple[object, ...]] = Counter()
    rejects: Counter[str] = Counter()
    for line in io.StringIO(text, newline=None):
        if line == "\n":
            continue
        outcome = hit_of_line(line.removesuffix("\n"))
        if isinstance(outcome, Hit):
            hits[tuple(outcome)] += 1
        else:
            rejects[outcome.reason] += 1
    return hits, rejects


def oracle_rows(text: str) -> Counter[tuple[object, ...]]:
    """Hits by mirrors-countme, absent values blanked as its writers do.

    It crashes later on a countme beyond 64 bits; such lines are malformed here.
    """
    with contextlib.redirect_stderr(io.StringIO()):
        found = list(CountmeMatcher(io.StringIO(text, newline=None)))
    rows = (tuple("" if value is None else value for value in hit) for hit in found)
    return Counter(row for row in rows if -(2**63) <= int(str(row[6])) < 2**63)


def assert_agreement(block: bytes) -> None:
    text = block.decode("utf-8", "replace")
    fast = BlockReader().hits(block)
    hits, rejects = exact_rows(text)
    assert Counter(rows_of(fast)) == hits == oracle_rows(text)
    assert fast.lines == hits.total() + rejects.total()
    # a line with six quotes may be told to be unrelated where the exact rule only finds no hit
    fast_rejects = +fast.rejects
    assert fast_rejects["unrelated"] + fast_rejects["garbled"] == rejects["garbled"]
    assert fast_rejects["bad_time"] == rejects["bad_time"]
    assert fast_rejects[BAD_COUNTME.reason] == rejects[BAD_COUNTME.reason]


@pytest.mark.parametrize("seed", SEEDS)
def test_many_lines(seed: int) -> None:
    lines = list(log_lines(LINES_A_SEED, seed))
    for start in range(0, len(lines), 5000):
        assert_agreement(b"\n".join(lines[start : start + 5000]) + b"\n")


@settings(max_examples=150, deadline=None)
@given(st.lists(st.integers(0, 1 << 32), min_size=1, max_size=6), st.sampled_from(["\n", "\r\n"]))
def test_few_lines(seeds: list[int], line_end: str) -> None:
    lines = []
    for seed in seeds:
        rng = random.Random(seed)
        lines.append(mutated(plain_line(rng), rng))
    assert_agreement(line_end.encode().join(lines))


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes(block: bytes) -> None:
    assert_agreement(block)


@pytest.mark.parametrize("where", ["query", "agent", "host", "garbage"])
def test_incident_corrupt_line_of_ten_megabytes(where: str) -> None:
    fill = b"y" * (10 << 20)
    parts = {"query": b"", "agent": b"", "host": b"", "garbage": b"", where: fill}
    line = (
        b"%b192.0.2.1%b - - [27/Sep/2021:12:00:00 +0000]"
        b' "GET /metalink?repo=a&x=%b HTTP/2.0" 200 1 "-" "libdnf%b"'
        % (b'"' * bool(parts["garbage"]) + parts["garbage"], parts["host"], parts["query"],
           parts["agent"])
    )  # fmt: skip
    assert_agreement(line + b"\n" + line[:-9] + b"\n")
