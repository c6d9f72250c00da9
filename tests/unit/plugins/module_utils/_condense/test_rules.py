"""Which lines name a client, and what it asks for."""

from __future__ import annotations

import time

import pytest
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._condense.repositories import (
    FEDORA_REPOSITORIES,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._condense.rules import (
    BAD_DATE,
    GARBLED,
    UNRELATED,
    Client,
    Reject,
    Request,
    Target,
    arch_of,
    client_of_line,
    date_as_written,
    request_of_field,
)

release_of = FEDORA_REPOSITORIES.release_of

LINE = (
    '192.0.2.1 - - [27/Sep/2021:12:00:00 +0000] "GET /metalink?repo=fedora-33&arch=x86_64 HTTP/2.0"'
    ' 200 18336 "-" "libdnf (Fedora 33; server; Linux.x86_64)"'
)


@pytest.mark.parametrize(
    ("asked", "arch"),
    [
        ("x86_64", "x86_64"),
        ("X86_64", "x86_64"),
        ("x86_64/", "x86_64"),
        *((f"x86_64{end}x", "x86_64") for end in "!\"#$%&'()*+,-./:;<=>?@[\\]^`{|}~"),
        ("x86_64_x", "unknown_arch"),
        ("x86_64é", "unknown_arch"),
        ("i686", "i386"),
        ("i386%20", "i386"),
        ("armhfp", "arm"),
        ("powepc", "ppc"),
        ("riscv64", "unknown_arch"),
        ("", "unknown_arch"),
    ],
)
def test_architectures_end_at_the_first_punctuation(asked: str, arch: str) -> None:
    assert arch_of(asked) == arch


@pytest.mark.parametrize(
    ("query", "meaning"),
    [
        ("?repo=a&repo=fedora-33&arch=x86_64", Request(Target("f33", "x86_64"), "")),
        ("?xrepo=fedora-33&march=x86_64", Request(Target("f33", "x86_64"), "")),
        ("?repo=fedora-33=x&arch=i386=x", Request(Target("f33", "i386"), "")),
        ("?repo=fedora-33?arch=i386", Request(Target("f33", "unknown_arch"), "")),
        (
            "?repo=fedora-33;arch=i386",
            Request(Target("unknown_repo", "unknown_arch"), "fedora-33;arch"),
        ),
        ("?repo=odd", Request(Target("unknown_repo", "unknown_arch"), "odd")),
        ("?repo=" + "x" * 200, Request(Target("unknown_repo", "unknown_arch"), "x" * 80)),
        ("?", Request(Target("unknown_repo", "unknown_arch"), "")),
        ("", Request(Target("unknown_repo", "unknown_arch"), "")),
    ],
)
def test_the_last_part_of_the_query_counts_as_it_stands(query: str, meaning: Request) -> None:
    assert request_of_field(f"GET /metalink{query} HTTP/2.0", release_of) == meaning


@pytest.mark.parametrize("request_line", ["", "GET", "/metalink?repo=fedora-33"])
def test_incident_null_repo(request_line: str) -> None:
    assert request_of_field(request_line, release_of) == Request(
        Target("unknown_repo", "unknown_arch"), ""
    )


@pytest.mark.parametrize(
    ("time_text", "written"),
    [
        ("27/Sep/2021:12:00:00 +0200", "2021-09-27"),
        ("7/Sep/2021:99", "2021-09-7"),
        ("29/Feb/2024", "2024-02-29"),
        ("29/Feb/2023:00", None),
        ("32/Sep/2021:00", None),
        ("27/sep/2021:00", None),
        ("27/Foo/2021:00", None),
        ("=1/Sep/2021:00", None),
        ("٢٧/Sep/2021:00", None),
        ("2021-09-27T00:00:00Z", None),
        ("", None),
    ],
)
def test_incident_corrupt_line_dates(time_text: str, written: str | None) -> None:
    assert date_as_written(time_text) == written


@pytest.mark.parametrize(
    ("before", "after", "outcome"),
    [
        (
            "192.0.2.1",
            "192.0.2.1",
            Client("2021-09-27", "192.0.2.1", Request(Target("f33", "x86_64"), "")),
        ),
        (
            "192.0.2.1",
            "CAFE::1",
            Client("2021-09-27", "CAFE::1", Request(Target("f33", "x86_64"), "")),
        ),
        ("192.0.2.1", "client.example.org", GARBLED),
        ("192.0.2.1", "1.2:3", GARBLED),
        ("192.0.2.1 ", "192.0.2.1  ", GARBLED),
        ("/metalink", "/other", UNRELATED),
        ('"GET', "GET", GARBLED),
        ("27/Sep", "27/Foo", BAD_DATE),
        (" 200 ", " 500 ", Client("2021-09-27", "192.0.2.1", Request(Target("f33", "x86_64"), ""))),
        ("GET", "POST", Client("2021-09-27", "192.0.2.1", Request(Target("f33", "x86_64"), ""))),
        (
            "repo=fedora-33&arch=x86_64",
            'repo=fedora-33&arch="i686',
            Client("2021-09-27", "192.0.2.1", Request(Target("f33", "unknown_arch"), "")),
        ),
    ],
)
def test_a_line_names_a_client_whatever_was_answered(
    before: str, after: str, outcome: Client | Reject
) -> None:
    assert before in LINE
    assert client_of_line(LINE.replace(before, after), release_of) == outcome


@pytest.mark.parametrize("piece", ['] "', '" 1 1 "', '"', '" "', "/metalink ", "]", " ["])
def test_incident_hostile_request_takes_time_in_proportion(piece: str) -> None:
    def seconds(count: int) -> float:
        line = f"192.0.2.1 - - [/metalink{piece * count}"
        started = time.process_time()
        client_of_line(line, release_of)
        return time.process_time() - started

    # a rule that backtracks would take 100 x 100 times as long
    assert seconds(200_000) < 2000 * max(seconds(2000), 0.001)
