"""Log lines as they come and as they must not: made by mutation, from a seed."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

_HOSTS = (b"192.0.2.1", b"2001:db8::1", b"::ffff:192.0.2.7", b"client.example.org", b"-", b"[::1]")
_TIMES = (
    b"27/Sep/2021:12:00:00 +0000",
    b"31/Dec/2021:23:59:59 +0000",
    b"29/Feb/2024:00:00:00 -0000",
    b"29/Feb/2023:00:00:00 +0000",
    b"01/Jan/2022:00:00:00 +0530",
    b"01/Jan/2022:00:00:00 -1130",
    b"27/Sep/2021:12:00:60 +0000",
    b"27/Sep/2021:24:00:00 +0000",
    b"27/Sep/2021:1:2:3 +0000",
    b"27/Sep/2021:12:00:00  +0000",
    b"27/Sep/0001:12:00:00 +2359",
    b"27/Sep/9999:12:00:00 -2359",
    b"27/Sep/2021:12:00:00 +2400",
    b"27/Sep/2021:12:00:00 +0060",
    b"27/Sep/2021:12:00:00 +0000] [27/Sep/2021:12:00:00 +0000",
    b"+7/Sep/2021:+1:+2:+3 +0000",
    b"27/Sep/2_21:1_2:00:00 +0000",
    "٢٧/Sep/2021:12:00:00 +0000".encode(),
    b"Mon",
    b"",
)
_PATHS = (
    b"/metalink",
    b"/mirrorlist",
    b"/metalink/",
    b"/static/x.css",
    b"//metalink",
    b"/Metalink",
)
_REPOS = (
    b"fedora-33", b"epel-8", b"updates-released-f33", b"", b"%ff", b"%C3%A9", b"a+b", b"a%0Ab",
    b"a%00b", b"%zz", b"a'b", b"<script>", b"%", b"\xff", "é".encode(), b"a=b", b"a;b", b"#",
)  # fmt: skip
_AGES = (
    b"1", b"0", b"4", b"-5", b"+2", b"%2B1", b"%31", b"1_0", b"1.5", b"abc", b"", b"0003",
    b"9223372036854775807", b"9223372036854775808", b"-9223372036854775808", b"%D9%A3",
    b"1" * 5000, b"%202%20", b"1#frag",
)  # fmt: skip
_AGENTS = (
    b"libdnf (Fedora 33; workstation; Linux.x86_64)",
    b"libdnf/0.35.5 (Fedora Linux 40; server; Linux.aarch64)",
    b"rpm-ostree (Fedora 33; coreos; Linux.x86_64)",
    b"libdnf (Fedora 33; ; Linux.x86_64)",
    b"libdnf (Arch Linux ; generic; Linux.x86_64)",
    b"libdnf (Odd; Name (x) 33; kde; Linux/gnu.x.x86_64)",
    b"libdnf (Fedora 33-Beta; workstation; Linux.x86_64)",
    b"libdnf  (Fedora  33; workstation; Linux.x86_64)",
    "libdnf (Fédora 33; kde; Linux.x86_64)".encode(),
    b'libdnf (Fed"ora 33; kde; Linux.x86_64)',
    b"libdnf (Fed\\x2dora 33; kde; Linux.x86_64)",
    b"urlgrabber/3.10 yum/3.4.3",
    b"",
    b"-",
    b'quote " inside',
)
_NASTY = (
    b'"', b"\\", b'\\"', b" ", b"  ", b"\t", b"\v", b"\f", b"\r", b"\x00", b"\x1c", b"\x85",
    b"\xff", b"\xc3", b"\xe2\x80\xa8", b"\xc2\xa0", b"\xc2\x85", b"\xef\xbb\xbf", b"[", b"]",
    b"%", b"?", b"&", b";", b"1", b"/", b"\x7f", b"\x1b[31m", b"'", b",",
)  # fmt: skip


def plain_line(rng: random.Random) -> bytes:
    """A line put together from fields that are mostly right."""

    def field(values: tuple[bytes, ...]) -> bytes:
        return values[0] if rng.random() < 0.85 else rng.choice(values)

    values = [b"repo=" + field(_REPOS), b"arch=x86_64", b"countme=" + field(_AGES)]
    rng.shuffle(values)
    query = b"&".join(values[: rng.randint(0, 3)] or [b"repo=x"])
    method = field((b"GET", b"HEAD", b"POST", b"get"))
    protocol = field((b"HTTP/2.0", b"HTTP/1.1", b"HTTP/2", b"HTTP/1.10"))
    mark = field((b"?", b"", b"??"))
    return b'%b - %b [%b] "%b %b%b%b %b" %b %b "%b" "%b"%b' % (
        field(_HOSTS),
        field((b"-", b"alice", b'""', b"a b")),
        field(_TIMES),
        method,
        field(_PATHS),
        mark,
        query,
        protocol,
        field((b"200", b"302", b"404", b"206")),
        field((b"18336", b"-", b"12k", b"")),
        field((b"-", b"https://example.org/", b"", b'a"b')),
        field(_AGENTS),
        field((b"", b" ", b"   ", b"\t", b" 123")),
    )


def mutated(line: bytes, rng: random.Random) -> bytes:
    """The line with some of it replaced, removed, doubled or swapped."""
    text = bytearray(line)
    for _unused in range(rng.randint(1, 3)):
        at = rng.randrange(len(text) + 1)
        until = min(len(text), at + rng.randint(0, 4))
        text[at:until] = rng.choice((b"", rng.choice(_NASTY), bytes(text[at:until]) * 2))
    return bytes(text)


def spoiled_lines(
    make_line: Callable[[random.Random], bytes], count: int, seed: int, *, mutated_share: float
) -> Iterator[bytes]:
    """Lines of which so many are mutated, one in 50 two in one and one in 100 no line at all.

    They have no line feed; they may hold carriage returns, as any other byte.
    """
    rng = random.Random(seed)
    for _unused in range(count):
        line = make_line(rng)
        choice = rng.random() - mutated_share
        if choice < 0:
            line = mutated(line, rng)
        elif choice < 0.02:
            line += make_line(rng)
        elif choice < 0.03:
            line = rng.randbytes(rng.randint(0, 60)).replace(b"\n", b"")
        yield line


def log_lines(count: int, seed: int) -> Iterator[bytes]:
    """Lines of the mirror list's log, for the rules of counting."""
    return spoiled_lines(plain_line, count, seed, mutated_share=0.45)
