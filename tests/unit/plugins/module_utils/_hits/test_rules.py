"""The rules of a hit, one line at a time."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._hits.rules import (
    BAD_COUNTME,
    BAD_TIME,
    GARBLED,
    MALFORMED,
    Hit,
    Reject,
    hit_of_line,
)

GOLDEN = Path(__file__).parents[4] / "data" / "golden" / "lines.jsonl"
VECTORS = [json.loads(text) for text in GOLDEN.read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
def test_golden_line(vector: dict[str, object]) -> None:
    text = str(vector["line"]).encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    outcomes = [hit_of_line(line) for line in text.replace("\r", "\n").split("\n")]
    assert [list(one) for one in outcomes if isinstance(one, Hit)] == vector["hits"]
    rejects = [one for one in outcomes if isinstance(one, Reject)]
    assert sum(one.reason in MALFORMED for one in rejects) == vector["malformed"]


def test_all_golden_lines_are_there() -> None:
    assert len(VECTORS) == 131


_LINE = (
    '192.0.2.1 - - [{time}] "GET /metalink?repo=a&arch=b&countme={age} HTTP/2.0"'
    ' 200 1 "-" "{agent}"'
)
_TIME = "27/Sep/2021:12:00:00 +0000"


@pytest.mark.parametrize(
    ("time", "age", "expected"),
    [
        pytest.param(_TIME, "9223372036854775807", 2**63 - 1, id="largest"),
        pytest.param(_TIME, "-9223372036854775808", -(2**63), id="smallest"),
        pytest.param(_TIME, "9223372036854775808", BAD_COUNTME, id="beyond-64-bits"),
        pytest.param(_TIME, "1" * 5000, BAD_COUNTME, id="5000-digits"),
        pytest.param("29/Feb/2023:00:00:00 +0000", "1", BAD_TIME, id="incident-new_year-no-leap"),
        pytest.param("27/Sep/2021:12:00:00 +2400", "1", BAD_TIME, id="zone-of-a-day"),
        pytest.param("27/Sep/99999:12:00:00 +0000", "1", BAD_TIME, id="year-99999"),
        pytest.param("27/Sep/2021:12:00:00 +0000 x", "1", 1, id="text-after-zone"),
        pytest.param("x", "x", BAD_TIME, id="time-is-looked-at-first"),
    ],
)
def test_values_at_the_edge(time: str, age: str, expected: object) -> None:
    outcome = hit_of_line(_LINE.format(time=time, age=age, agent="libdnf"))
    assert (outcome.sys_age if isinstance(outcome, Hit) else outcome) == expected


@pytest.mark.parametrize(
    ("agent", "system"),
    [
        ("libdnf (Fedora Linux 50; workstation; Linux.x86_64)", ("Fedora Linux", "50")),
        ("rpm-ostree/2031.1 (Fedora Linux 50; silverblue; Linux.aarch64)", ("Fedora Linux", "50")),
        ("dnf5/5.2 (Fedora Linux 42; server; Linux.x86_64)", ("", "")),
    ],
)
def test_incident_new_user_agent(agent: str, system: tuple[str, str]) -> None:
    outcome = hit_of_line(_LINE.format(time=_TIME, age="1", agent=agent))
    assert isinstance(outcome, Hit)
    assert (outcome.os_name, outcome.os_version) == system


def test_incident_null_repo() -> None:
    line = _LINE.format(time=_TIME, age="1", agent="libdnf").replace("repo=a&arch=b&", "")
    outcome = hit_of_line(line)
    assert isinstance(outcome, Hit)
    assert (outcome.repo_tag, outcome.repo_arch) == ("", "")


def test_what_is_no_log_line_is_garbled() -> None:
    assert hit_of_line("\x16\x03\x01 nonsense") is GARBLED
