"""The outputs of a status, also with hostile texts: the page, the metrics and the lines."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._base.coverage import (
    STATES,
    CoverageState,
    HostCoverage,
    StageCoverage,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._base.errors import (
    SettingsError,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._base.problem import (
    Problem,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._status import (
    files as files_module,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._status.files import (
    status_files,
    write_status_files,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._status.metrics import (
    metrics_text,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._status.page import (
    status_page,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._status.runs import (
    step_times,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._status.schedule import (
    NextRun,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._status.status import (
    Status,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._status.text import (
    MARKS,
    NARROWEST,
    format_bytes,
    format_seconds,
    status_lines,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._status.trees import Tree
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._watch.history import Step
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._watch.spool import (
    Waiting,
)
from ansible_collections.fedora_infra.dnf_counting.tests.support.counting_host import (
    DAYS,
    NOW,
    CountingHost,
)
from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as openmetrics_families,
)
from prometheus_client.parser import text_string_to_metric_families as text_families

HOSTILE = "<script>alert('x')</script>\"&\\\n\x1b[31m\x00\u202e{}|={{ 7 * 7 }}"
LAST_STATES = {
    day: CoverageState(STATES[n % len(STATES)], (HOSTILE,)) for n, day in enumerate(DAYS)
}


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Status:
    log_host = CountingHost(tmp_path_factory.mktemp("log-host"))
    log_host.sync(without=[("proxy03", DAYS[-9]), ("proxy03", DAYS[-8])])
    return log_host.run().status()


@pytest.fixture
def hostile() -> Status:
    """A status with every state, and hostile text in every place."""
    units = {str(day): one for day, one in LAST_STATES.items()}
    step = Step(1, HOSTILE, HOSTILE, HOSTILE, HOSTILE, NOW, "failed", NOW, 3.0, HOSTILE)
    return Status(
        generated_at=NOW,
        log_host=HOSTILE,
        days=tuple(DAYS),
        run_id=HOSTILE,
        problems=(Problem("critical", "sync", HOSTILE, "", HOSTILE),),
        stages=(StageCoverage("day", units, DAYS[-1], stage="combine", profile=HOSTILE),),
        hosts=(HostCoverage(HOSTILE, True, LAST_STATES, DAYS[-1]),),
        steps=tuple(step_times([step])),
        trees=(Tree(HOSTILE, Path("/" + HOSTILE.replace("/", "")), HOSTILE, 100, 50, 10),),
        next_run=NextRun(NOW + timedelta(days=1), HOSTILE),
        at_work=(HOSTILE,),
        unsent=Waiting(3, None),
    )


class Page(HTMLParser):
    """The elements of a page and its text."""

    def __init__(self, page: bytes) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.open: list[str] = []
        self.feed(page.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag != "meta":
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, tag: str) -> Iterator[dict[str, str | None]]:
        return (attributes for name, attributes in self.elements if name == tag)


def test_incident_hostile_request_text_in_the_page_stays_text(hostile: Status) -> None:
    content = status_page(hostile)
    page = Page(content)
    assert page.open == []
    assert not list(page.all("script"))
    assert "<script>alert('x')</script>" in page.text
    assert not re.search(rb"[\x00\x1b]", content)
    assert "\u202e" not in content.decode()


def test_the_page_needs_no_other_file_no_network_and_no_script(real: Status) -> None:
    page = Page(status_page(real))
    assert {one["href"] for one in page.all("a")} == {"status.json"}
    for _tag, attributes in page.elements:
        assert not {name for name in attributes if name in ("src", "srcset") or name[:2] == "on"}
    (policy,) = [one["content"] for one in page.all("meta") if "http-equiv" in one]
    assert str(policy).startswith("default-src 'none'")


def test_the_page_begins_with_the_problems_and_has_every_host_and_day(real: Status) -> None:
    page = Page(status_page(real))
    headings = [one["id"] for one in page.all("h2")]
    assert headings[:2] == ["problems", "coverage"]
    assert page.text.index(real.problems[0].what) < page.text.index("proxy01")
    titles = {one.get("title") for one in page.all("td")}
    assert f"proxy03, {DAYS[-9]}: missing" in titles
    assert f"proxy01, {DAYS[0]}: present" in titles


def test_a_date_stays_in_one_line(real: Status) -> None:
    page = status_page(real).decode()
    kept = re.findall(r'<span class="keep">Since ([^<]+)\.</span>', page)
    assert len(kept) == len([problem for problem in real.problems if problem.since]) > 0


def test_the_page_can_be_read_by_ear_and_by_key(real: Status) -> None:
    page = Page(status_page(real))
    assert next(page.all("html"))["lang"] == "en"
    for tag, attributes in page.elements:
        if tag == "svg":
            assert attributes["role"] == "img"
            assert attributes["aria-label"]
        if tag == "th":
            assert attributes["scope"] in ("col", "row", "colgroup", "rowgroup")
        if "scroll" in str(attributes.get("class")).split():
            assert (attributes["tabindex"], attributes["role"]) == ("0", "region")
    assert len(list(page.all("caption"))) == len(list(page.all("table")))
    # a state is told in words, not by its colour alone
    assert page.text.count("missing") >= 3


def families(status: Status) -> dict[str, dict[tuple[str, ...], float]]:
    """The metrics as node_exporter's format has them; the same as OpenMetrics has them."""
    text = metrics_text(status)
    found: list[dict[str, dict[tuple[str, ...], float]]] = []
    for parse in (text_families, openmetrics_families):
        parsed: dict[str, Any] = {}
        for family in parse(text):
            assert family.type == "gauge"
            assert family.documentation
            for sample in family.samples:
                labels = tuple(sample.labels[name] for name in sorted(sample.labels))
                parsed.setdefault(sample.name, {})[labels] = sample.value
        found.append(parsed)
    assert found[0] == found[1]
    assert text.endswith("# EOF\n")
    return found[0]


def test_the_metrics_are_valid_in_both_formats_and_agree_with_the_status(real: Status) -> None:
    found = families(real)
    assert found["dnf_counting_status_timestamp_seconds"] == {(): NOW.timestamp()}
    assert found["dnf_counting_problems"] == {
        ("critical",): 0,
        ("warning",): len(real.problems),
        ("unknown",): 0,
    }
    assert found["dnf_counting_host_days"]["proxy03", "missing"] == 2
    assert found["dnf_counting_units"]["fedora", "raw", "present"] == len(DAYS)
    assert found["dnf_counting_weeks"]["fedora", "complete"] >= 2
    assert "dnf_counting_next_run_timestamp_seconds" not in found


def test_hostile_labels_are_read_back_as_they_were(hostile: Status) -> None:
    found = families(hostile)
    assert found["dnf_counting_step_failed"] == {(HOSTILE, HOSTILE): 1}
    assert found["dnf_counting_unsent_messages"] == {(): 3}


def test_the_lines_begin_with_verdict_and_problems_and_are_aligned(real: Status) -> None:
    lines = status_lines(real)
    assert lines[0] == "WARNING: log01.example.org, 2021-10-16 04:00 UTC"
    assert lines[1].startswith("WARNING   proxy03: no log of ")
    calendar = [line for line in lines if line.startswith("proxy0") and "#" in line]
    assert len({line.index("#") for line in calendar}) == 1
    assert calendar[2].split()[1] == "#" * 17 + "--" + "#######"
    assert max(map(len, lines)) <= 100


def test_each_state_has_a_mark_of_its_own() -> None:
    assert set(MARKS) == set(STATES)
    assert len(set(MARKS.values())) == len(STATES)


def test_no_line_of_a_hostile_status_moves_the_cursor(hostile: Status) -> None:
    assert not [line for line in status_lines(hostile) if not line.isprintable()]


@pytest.mark.parametrize("width", [NARROWEST, 79, 200])
def test_no_line_is_wider_than_the_terminal(hostile: Status, real: Status, width: int) -> None:
    long = {"name": "proxy." + "very-" * 30 + "long.example.org"}
    hosts = (*real.hosts, replace(real.hosts[0], **long))
    trees = (*hostile.trees, Tree("raw", Path("/a-folder" * 30)))
    status = replace(hostile, hosts=hosts, days=real.days, trees=trees)
    lines = status_lines(status, width=width)
    assert max(map(len, lines)) <= width
    # nothing is left out, but for a line's end
    assert long["name"] in "".join(line.split(" ")[0] for line in lines)
    assert f"{real.days[-1]}" in "".join(lines)


def test_of_a_calendar_too_long_for_the_terminal_the_newest_days_are_shown(real: Status) -> None:
    (name,) = {host.name for host in real.hosts if host.name == "proxy01"}
    line = next(x for x in status_lines(real, width=NARROWEST) if x.startswith(f"{name} "))
    assert line.split()[1] == "#" * len(real.days)
    days = [real.days[0] - timedelta(days=n) for n in range(100, 0, -1)]
    before = {day: CoverageState("missing") for day in days}
    hosts = [replace(host, days={**before, **host.days}) for host in real.hosts]
    long = replace(real, days=(*days, *real.days), hosts=tuple(hosts))
    lines = status_lines(long, width=NARROWEST)
    line = next(x for x in lines if x.startswith(f"{name} "))
    assert len(line) == NARROWEST
    assert line.split()[1].endswith("-" + "#" * len(real.days))


@pytest.mark.parametrize(
    ("count", "spelled"),
    [(None, "-"), (0, "0 B"), (1023, "1023 B"), (1536, "1.5 KiB"), (200 << 30, "200 GiB")],
)
def test_bytes_are_formatted_for_readers(count: int | None, spelled: str) -> None:
    assert format_bytes(count) == spelled


@pytest.mark.parametrize(
    ("seconds", "spelled"),
    [(None, "-"), (4.21, "4.2 s"), (200, "3 min 20 s"), (7500, "2 h 05 min")],
)
def test_durations_are_formatted_for_readers(seconds: float | None, spelled: str) -> None:
    assert format_seconds(seconds) == spelled


def test_the_files_are_written_whole_and_for_all_to_read(real: Status, tmp_path: Path) -> None:
    folder, metrics = tmp_path / "status", tmp_path / "node" / "dnf_counting.prom"
    write_status_files(status_files(real, status_dir=folder, metrics_file=metrics))
    assert json.loads((folder / "status.json").read_text()) == json.loads(
        json.dumps(real.to_json())
    )
    assert {path.name for path in folder.iterdir()} == {"status.json", "status.html"}
    assert metrics.stat().st_mode & 0o777 == 0o644


def test_without_jinja2_all_but_the_page_is_written(
    real: Status, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files_module, "not_installed", list)
    files = status_files(real, status_dir=tmp_path, metrics_file=tmp_path / "counting.prom")
    assert {path.name for path in files} == {"status.json", "counting.prom"}


def test_nothing_is_written_that_was_not_asked_for(real: Status) -> None:
    assert status_files(real) == {}


def test_metrics_in_a_file_that_node_exporter_would_not_read_are_refused(real: Status) -> None:
    with pytest.raises(SettingsError, match=r"ends in \.prom"):
        status_files(real, metrics_file=Path("/var/lib/node_exporter/counting.txt"))


def test_an_empty_status_makes_a_page_too() -> None:
    status = Status(NOW, "log01", (DAYS[0],))
    assert Page(status_page(status)).open == []
    assert "No hosts." in status_lines(replace(status, run_id="x"))
