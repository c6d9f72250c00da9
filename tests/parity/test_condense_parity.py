"""Condensing: fast way, exact rule and the line-by-line equivalent of the old rules agree."""

from __future__ import annotations

import io
import lzma
import random
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._condense.columns import (
    FEDORA_COLUMNS,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._condense.days import (
    CondensedDays,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._condense.fast_path import (
    BlockClients,
    ClientReader,
    join,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._condense.mirrorsdata import (
    CsvSettings,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._condense.repositories import (
    FEDORA_REPOSITORIES,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._condense.rules import (
    UNKNOWN_REPO,
    Client,
    calendar_day,
    client_of_line,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._condense.stage import (
    CONDENSE,
    CondenseSettings,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._condense.tables import (
    MirrorsTable,
)
from ansible_collections.fedora_infra.dnf_counting.tests.support import condense_by_line
from ansible_collections.fedora_infra.dnf_counting.tests.support.log_lines import log_lines, mutated
from ansible_collections.fedora_infra.dnf_counting.tests.support.mirror_lines import (
    mirror_line,
    mirror_lines,
)
from ansible_collections.fedora_infra.dnf_counting.tests.support.stages import outcome_of
from hypothesis import given, settings
from hypothesis import strategies as st

DAY = date(2021, 9, 28)
OLD_REPOS = condense_by_line.REPOS
LOG = "mirrors.fedoraproject.org-access.log"
GOLDEN = Path(__file__).parents[1] / "data" / "golden"
# another seed every day, the same one for all processes of a run
SEEDS = [1, 2, 3, date.today().toordinal()]

Row = tuple[str, ...]


def rows_of(found: BlockClients) -> set[Row]:
    """The clients of blocks as the rows they stand for."""
    joined = join([found])
    hosts = joined.host.to_pylist()
    rows = [
        (joined.dates[code], host, *joined.targets[target])
        for code, host, target in zip(
            joined.date.tolist(), hosts, joined.target.tolist(), strict=True
        )
    ]
    assert len(rows) == len(set(rows))
    return set(rows)


def text_lines(block: bytes) -> Iterator[str]:
    """The lines of a block as a log file opened for text has them, but for empty ones."""
    for line in io.StringIO(block.decode("utf-8", "replace"), newline=None):
        if line != "\n":
            yield line.removesuffix("\n")


def is_timely(written: str) -> bool:
    return timedelta(-366) <= calendar_day(written) - DAY <= timedelta(1)


def exact(lines: Iterable[str]) -> tuple[set[Row], Counter[str], Counter[str]]:
    """Rows, rejects and unknown repositories by the exact rule."""
    rows: set[Row] = set()
    rejects: Counter[str] = Counter()
    unknown: Counter[str] = Counter()
    for line in lines:
        outcome = client_of_line(line, FEDORA_REPOSITORIES.release_of)
        if not isinstance(outcome, Client):
            rejects[outcome.reason] += 1
            continue
        unknown[outcome.request.unknown_repo] += 1
        if is_timely(outcome.date):
            rows.add((outcome.date, outcome.host, *outcome.request.target))
        else:
            rejects["odd_date"] += 1
    del unknown[""]
    return rows, rejects, unknown


def check_agreement(block: bytes) -> None:
    found = ClientReader(DAY, FEDORA_REPOSITORIES.release_of).clients(block)
    lines = list(text_lines(block))
    rows, rejects, unknown = exact(lines)
    assert rows_of(found) == rows
    assert +found.rejects == rejects
    assert found.unknown == unknown
    assert found.lines == len(lines)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("make", [mirror_lines, log_lines], ids=["mirror", "hits"])
def test_the_fast_way_agrees_with_the_exact_rule(make: type, seed: int) -> None:
    check_agreement(b"\n".join(make(15_000, seed)) + b"\n")


@settings(max_examples=150, deadline=None)
@given(st.randoms(use_true_random=False), st.integers(1, 12))
def test_the_fast_way_agrees_with_the_exact_rule_on_mutated_blocks(
    rng: random.Random, count: int
) -> None:
    block = b"\n".join(mirror_line(rng) for _unused in range(count))
    check_agreement(mutated(block, rng))


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet='01.:af -[]"/SepmtalinkGET?=&\t\r\x1c\x85\u2028é', max_size=120))
def test_the_fast_way_agrees_with_the_exact_rule_on_any_text(text: str) -> None:
    start = '192.0.2.1 - - [27/Sep/2021:12:00:00 +0000] "GET /metalink?'
    check_agreement(f'{text}\n/metalink {text}\n{start}{text}" 200 1 "-" "-"\n'.encode())


def is_new(release: str) -> bool:
    """Whether a release is one that the old table did not have yet."""
    name, number = re.fullmatch(r"(.*?)([0-9]*)", release).groups()  # type: ignore[union-attr]
    first = 10 if name in ("epel", "epel_next", "playground_epel", "rhel") else 40
    return number != "" and int(number) >= first


@pytest.mark.parametrize("seed", SEEDS)
def test_the_exact_rule_agrees_with_the_old_one_line_by_line(seed: int) -> None:
    agreeing = 0
    for line in text_lines(b"\n".join(mirror_lines(15_000, seed))):
        outcome = client_of_line(line, FEDORA_REPOSITORIES.release_of)
        before = condense_by_line.client_line(line)
        if not isinstance(outcome, Client):
            # the old rule took any text for a day or a year
            assert not before or outcome.reason == "bad_date"
            continue
        written, host, request = outcome
        old_release = before.split()[-2]
        if request.target.release != old_release:
            assert old_release == UNKNOWN_REPO
            assert is_new(request.target.release)
        assert f"{written} {host} {old_release} {request.target.arch}" == before
        agreeing += 1
    assert agreeing > 3000


def test_every_name_of_the_old_table_means_the_same() -> None:
    # in the table names are without their dashes, and fedora- is f
    named = {name.replace("fcisco", "fedora-cisco"): release for name, release in OLD_REPOS.items()}
    assert {name: FEDORA_REPOSITORIES.release_of(name) for name in named} == named


@settings(max_examples=500, deadline=None)
@given(
    st.lists(
        st.sampled_from([
            "core", "fedora", "extras", "legacy", "fc", "f", "epel", "modular", "next", "rawhide",
            "playground", "cisco", "openh264", "rhel", "-", "--", "client", "cloud", "server",
            "workstation", "updates", "testing", "released", "info", "cl", "ient", "centosplus",
            "3", "8", "33", "39", "09", ".", "90", "0", "1", "Z", "E", "_", " ",
        ]),
        max_size=7,
    ).map("".join)
)  # fmt: skip
def test_repositories_are_named_as_of_old_but_for_new_releases(asked: str) -> None:
    before, now = condense_by_line.repo_of(asked), FEDORA_REPOSITORIES.release_of(asked)
    if before != now:
        assert before == UNKNOWN_REPO
        assert is_new(now)


@pytest.mark.parametrize("seed", SEEDS)
def test_rows_agree_with_the_old_chain_of_comparisons(tmp_path: Path, seed: int) -> None:
    known = [
        line
        for line in text_lines(b"\n".join(mirror_lines(8_000, seed)))
        if isinstance(outcome := client_of_line(line, FEDORA_REPOSITORIES.release_of), Client)
        and is_timely(outcome.date)
        and outcome.date < "2021-09-28"
        and outcome.host.isascii()
        and not is_new(outcome.request.target.release)
    ]
    log = tmp_path / f"{DAY:%Y/%m/%d}" / LOG
    log.parent.mkdir(parents=True)
    log.write_text("\n".join(known) + "\n", encoding="utf-8", newline="")
    expected = tmp_path / "clients"
    condense_by_line.main(str(log), str(expected))
    condense(tmp_path, [DAY])
    made = (tmp_path / "csv" / "mirrorsdata-all.csv").read_text(encoding="utf-8").splitlines()
    assert made[1:] == condense_by_line.rows_of_sorted(expected, FEDORA_COLUMNS.first)
    assert len(made) > 2


def condense(tmp_path: Path, days: list[date], src: Path | None = None) -> None:
    data_dir, csv_dir = tmp_path / "days", tmp_path / "csv"
    settings = CondenseSettings(
        CondensedDays(src or tmp_path, LOG, data_dir), CsvSettings(data_dir, csv_dir), tuple(days)
    )
    units = outcome_of(CONDENSE, settings).units
    assert all(unit.status in ("made", "missing") for unit in units), units


def test_golden_rows_come_out_to_the_byte(tmp_path: Path) -> None:
    days = [date(2021, 9, 24) + timedelta(days=n) for n in range(20)]
    condense(tmp_path, days, GOLDEN / "combined-http")
    expected = (GOLDEN / "expected" / "mirrorsdata-all.csv").read_bytes()
    assert (tmp_path / "csv" / "mirrorsdata-all.csv").read_bytes() == expected
    assert (tmp_path / "csv" / "mirrorsdata-2021.csv").read_bytes() == expected
    assert MirrorsTable.empty(FEDORA_COLUMNS).to_bytes().splitlines() == expected.splitlines()[:2]


def test_golden_clients_are_those_of_the_line_by_line_equivalent() -> None:
    with lzma.open(GOLDEN / "expected" / "mirrorlist-clients.txt.xz", "rt") as text:
        expected = text.read().splitlines()
    lines: list[str] = []
    for log in sorted((GOLDEN / "combined-http").glob(f"*/*/*/{LOG}*")):
        content = log.read_bytes()
        lines += text_lines(lzma.decompress(content) if log.suffix == ".xz" else content)
    assert condense_by_line.client_lines(lines) == expected
