"""The time of a line: one rule, and a fast way that agrees with it on every input."""

from __future__ import annotations

import pytest
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._combine.merge_time import (
    PAD_AFTER,
    PAD_BEFORE,
    line_time,
    scan_lines,
)
from hypothesis import given, settings
from hypothesis import strategies as st

NOON = 1632744000
"""2021-09-27 12:00:00 UTC."""


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        pytest.param(b'10.0.0.1 - - [27/Sep/2021:12:00:00 +0000] "GET', NOON, id="utc"),
        pytest.param(b"h - - [27/Sep/2021:14:00:00 +0200]", NOON, id="east"),
        pytest.param(b"h - - [27/Sep/2021:03:30:00 -0830]", NOON, id="west"),
        pytest.param(b"h - - [28/Sep/2021:01:45:00 +1345]", NOON, id="other-day-there"),
        pytest.param(b"h - - [29/Feb/2020:00:00:00 +0000]", 1582934400, id="leap-day"),
        pytest.param(b"h - - [31/Dec/1969:23:59:59 +0000]", -1, id="before-the-epoch"),
        pytest.param(b"h\t-\t-\t[27/Sep/2021:12:00:00 +0000]", NOON, id="tab"),
        pytest.param(b"h [x - [27/Sep/2021:12:00:00 +0000]", NOON, id="bracket-before"),
        pytest.param(
            b"h - - [27/Sep/2021:12:00:00 +0000] [28/Sep/2021:12:00:00 +0000]", NOON, id="first"
        ),
        pytest.param(
            b"h - - [32/Sep/2021:12:00:00 +0000] [27/Sep/2021:12:00:00 +0000]", NOON, id="valid"
        ),
        pytest.param(b"", None, id="empty"),
        pytest.param(b"garbage \0\xff", None, id="garbage"),
        pytest.param(b"[27/Sep/2021:12:00:00 +0000]", None, id="at-the-start"),
        pytest.param(b"h - -[27/Sep/2021:12:00:00 +0000]", None, id="no-blank"),
        pytest.param(b"h - - [29/Feb/2021:00:00:00 +0000]", None, id="no-such-day"),
        pytest.param(b"h - - [27/Sep/2021:24:00:00 +0000]", None, id="hour-24"),
        pytest.param(b"h - - [27/Sep/2021:12:60:00 +0000]", None, id="minute-60"),
        pytest.param(b"h - - [27/Sep/2021:12:00:60 +0000]", None, id="second-60"),
        pytest.param(b"h - - [27/Sep/0000:12:00:00 +0000]", None, id="year-0"),
        pytest.param(b"h - - [27/sep/2021:12:00:00 +0000]", None, id="month-in-lower-case"),
        pytest.param(b"h - - [27/Sep/2021:12:00:00 +2400]", None, id="zone-24-hours"),
        pytest.param(b"h - - [27/Sep/2021:12:00:00 +0060]", None, id="zone-60-minutes"),
        pytest.param(b"h - - [27/Sep/2021:12:00:00]", None, id="no-zone"),
        pytest.param(b"h - - [7/Sep/2021:12:00:00 +0000]", None, id="one-digit"),
        pytest.param(b"h - - [27/Sep/2021:12:00:00 +0000", None, id="cut"),
    ],
)
def test_time_of_a_line(line: bytes, expected: int | None) -> None:
    assert line_time(line) == expected
    assert scanned(line + b"\n") == [(line + b"\n", expected)]


def scanned(content: bytes) -> list[tuple[bytes, int | None]]:
    """The lines and times that the fast way finds."""
    # what stands around must not matter, even if it would complete a stamp
    block = bytearray(
        b" [27/Sep"[-PAD_BEFORE:] + content + b"/2021:12:00:00 +0000] x".ljust(PAD_AFTER)
    )
    lines = scan_lines(block, PAD_BEFORE, PAD_BEFORE + len(content))
    texts = [content[a:b] for a, b in zip(lines.offsets[:-1], lines.offsets[1:], strict=True)]
    times = [int(t) if d else None for t, d in zip(lines.times, lines.dated, strict=True)]
    return list(zip(texts, times, strict=True))


GOOD_STAMPS = st.builds(
    b" [%02d/%b/%04d:%02d:%02d:%02d %b%02d%02d]".__mod__,
    st.tuples(
        st.integers(0, 33),
        st.sampled_from([b"Jan", b"Feb", b"Sep", b"Dec", b"Xyz", b"sep"]),
        st.sampled_from([0, 1, 1969, 1970, 2000, 2021, 2024, 2100, 9999]),
        st.integers(0, 25),
        st.integers(0, 61),
        st.integers(0, 61),
        st.sampled_from([b"+", b"-", b"*"]),
        st.integers(0, 25),
        st.integers(0, 61),
    ),
)
USUAL_STAMPS = st.builds(
    b"h - - [%b/Sep/2021:%02d:%02d:%02d %b] x\n".__mod__,
    st.tuples(
        st.sampled_from([b"27", b"28"]),
        st.integers(11, 12),
        st.integers(0, 59),
        st.integers(0, 59),
        # next to each other in the same hour, these must not be taken for one another
        st.sampled_from([b"+0000", b"-0000", b"+0100", b"+0001", b"-0100"]),
    ),
)


@st.composite
def broken_stamps(draw: st.DrawFn) -> bytes:
    """A stamp with some bytes changed, most of them to ones that are near."""
    stamp = bytearray(draw(USUAL_STAMPS))
    for _change in range(draw(st.integers(1, 3))):
        place = draw(st.integers(0, len(stamp) - 1))
        stamp[place] = draw(st.sampled_from(b" 0123456789:;/.@[]+-AZaz\n\t\0\x7f\x80\xff?"))
    if draw(st.booleans()):
        del stamp[draw(st.integers(0, len(stamp) - 1)) :]
    return bytes(stamp)


PIECES = st.one_of(
    USUAL_STAMPS,
    GOOD_STAMPS,
    broken_stamps(),
    st.sampled_from([b"\n", b"[", b" ", b"h - -", b"\r"]),
)


@given(st.lists(PIECES, max_size=30).map(b"".join))
@settings(max_examples=1500, deadline=None)
def test_the_fast_way_agrees_with_the_rule_on_every_input(content: bytes) -> None:
    content += b"\n"
    lines = [line + b"\n" for line in content.split(b"\n")[:-1]]
    assert scanned(content) == [(line, line_time(line)) for line in lines]
