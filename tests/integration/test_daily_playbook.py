"""The playbooks against real rsync daemons: twice, in check mode, and on bad input."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._condense.columns import (
    FIRST_COLUMNS,
)
from ansible_collections.fedora_infra.dnf_counting.tests.support import condense_by_line
from ansible_collections.fedora_infra.dnf_counting.tests.support.log_host import (
    CENTOS,
    FEDORA,
    STAGES_AT_WORK,
    LogHost,
    Seen,
    assert_totals_are_the_oracles,
)
from ansible_collections.fedora_infra.dnf_counting.tests.support.oracle import sorted_rows

YESTERDAY = datetime.now(UTC).date() - timedelta(days=1)
#: Files that say who writes, what the sync remembers of the hosts, and how runs went.
RUN_NOTES = {".writing", ".compressing", ".sync.json", "history.db", "progress.jsonl"}


@pytest.fixture
def log_host(tmp_path: Path) -> LogHost:
    made = LogHost(tmp_path, days=15)
    made.make_logs()
    return made


def assert_rows_are_as_counted_line_by_line(log_host: LogHost, clients: Path) -> None:
    lines: list[str] = []
    for log in (log_host.run_dir / "combined").glob(f"[0-9]*/*/*/{FEDORA}"):
        lines += log.read_text(encoding="utf-8", errors="replace").splitlines()
    counted = condense_by_line.client_lines(lines)
    clients.write_text("".join(f"{line}\n" for line in counted))
    expected = condense_by_line.rows_of_sorted(clients, FIRST_COLUMNS)
    mirrors = log_host.published.with_name("mirrors") / "mirrorsdata-all.csv"
    rows = mirrors.read_text().splitlines()
    assert len(rows) > 10
    assert rows[0].split(",")[1:] == [f"{n:02}-{name}" for n, name in enumerate(FIRST_COLUMNS, 2)]
    # the day of the last rotation has only begun
    assert rows[1:] == [row for row in expected if row < f"{YESTERDAY}"]


def outputs_in(state: dict[str, Seen]) -> dict[str, Seen]:
    """The state without what each run may write: who writes, and what sync remembers of hosts."""
    return {path: seen for path, seen in state.items() if Path(path).name not in RUN_NOTES}


def test_second_run_changes_nothing_and_check_mode_agrees_with_both(tmp_path: Path) -> None:
    log_host = LogHost(tmp_path, days=15, pages=True)
    log_host.make_logs()
    deployed = log_host.play("deploy")
    assert deployed.code == 0, deployed.output
    assert deployed.changed == ["Make the folders"]
    assert log_host.play("deploy").changed == []

    before = log_host.state()
    planned = log_host.play("daily", "--check", "--diff")
    assert planned.code == 0, planned.output
    assert planned.changed == ["Fetch the logs of the log hosts"]
    assert log_host.state() == before

    first = log_host.play("daily")
    assert first.code == 0, first.output
    assert first.changed == STAGES_AT_WORK
    assert "complete: " in first.output
    assert first.said_by("Name what the other stages left open") == ""
    assert str(log_host.published / "totals.csv") in first.output
    assert_totals_are_the_oracles(log_host, tmp_path / "oracle")
    assert_rows_are_as_counted_line_by_line(log_host, tmp_path / "clients")

    made = log_host.state()
    planned = log_host.play("daily", "--check", "--diff")
    assert planned.code == 0, planned.output
    assert planned.changed == []
    assert log_host.state() == made

    second = log_host.play("daily")
    assert second.code == 0, second.output
    assert second.changed == []
    assert outputs_in(log_host.state()) == outputs_in(made)


def test_bad_input_is_named_and_keeps_nothing_else_from_being_counted(
    log_host: LogHost, tmp_path: Path
) -> None:
    day = YESTERDAY - timedelta(days=1)
    # a port below those that daemons are given
    refused = {"name": "proxy98", "source": "rsync://127.0.0.1:1/log/httpd/"}
    silent = list(log_host.httpd("proxy03").glob(f"*-{day:%Y%m%d}.xz"))
    for path in silent:
        path.unlink()
    no_xz = log_host.httpd("proxy02") / f"{FEDORA}-{day:%Y%m%d}.xz"
    no_xz.write_bytes(b"this is no xz file\n" * 1000)
    in_the_way = tmp_path / "a-file"
    in_the_way.write_text("in the way")

    assert log_host.play("deploy").code == 0
    bad = {"web_data_analysis_hosts": log_host.hosts_and("unknown99.invalid", refused)}
    target = in_the_way / "countme"
    ended = log_host.play("daily", web_data_analysis_publish_dir=str(target), **bad)
    assert ended.code != 0
    said = ended.output.replace("\n", " ")
    for expected in (
        "unknown99.invalid: a name unknown to DNS",
        "proxy98: the connection refused",
        f"proxy03 {day}: ",
        f"proxy02/{day:%Y/%m/%d}/http/{FEDORA}.xz: expected a whole xz file",
        f"publish: {target}: expected to write there",
        f"{target.with_name('mirrors')}: expected to write there",
    ):
        assert expected in said, ended.output
    assert "3 of the stages failed" in said
    left_open = ended.said_by("Name what the other stages left open")
    assert f"combine: {FEDORA}: damaged: left out: " in left_open
    assert f"({day})" in left_open
    # the others went on
    assert len(sorted_rows(log_host.run_dir / "countme" / "totals.csv")) > 2
    assert len(sorted_rows(log_host.run_dir / "countme" / "totals-centos.csv")) > 2
    assert in_the_way.read_text() == "in the way"
    assert not [path for path in log_host.state() if path.endswith(".unfinished")]

    # what is there is counted right, the damaged log apart, and the next runs say so again
    ended = log_host.play("daily", **bad)
    assert ended.changed == [
        "Condense the logs of the mirror list to the clients of each day",
        "Publish the totals",
    ]
    assert "1 of the stages failed" in ended.output
    assert_totals_are_the_oracles(log_host, tmp_path / "oracle")
    quality = json.loads((log_host.published / "quality.json").read_text())
    assert "complete" not in {week["status"] for week in quality["weeks"]}


def test_a_part_of_the_run_is_prepared_and_cleaned_up_after(log_host: LogHost) -> None:
    assert log_host.play("deploy").code == 0
    part = log_host.play("daily", "--tags", "combine")
    assert part.code == 0, part.output
    own = (
        "Start the log hosts",
        "Combine the logs of the hosts by time",
        "Stop the simulated log hosts",
    )
    assert [name for name in part.ran if name in own] == [*own]
    assert not {"Fetch the logs of the log hosts", "Publish the totals"} & {*part.ran}


def test_old_logs_are_compressed_and_nothing_is_made_again_for_that(
    log_host: LogHost, tmp_path: Path
) -> None:
    assert log_host.play("deploy").code == 0
    assert log_host.play("daily").code == 0
    counted = outputs_in(log_host.state())

    packed = log_host.play("daily", web_data_analysis_plain_days=9)
    assert packed.code == 0, packed.output
    assert packed.changed == ["Compress the combined logs of past months"]
    state = outputs_in(log_host.state())
    plain = {path for path in counted if path not in state}
    assert {path + ".xz" for path in plain} == {path for path in state if path not in counted}
    assert len({Path(path).parent for path in plain}) == log_host.days - 9
    others = {path: seen for path, seen in counted.items() if path not in plain}
    assert {path: state[path] for path in others} == others

    again = log_host.play("daily", web_data_analysis_plain_days=9)
    assert again.changed == [], again.output
    assert_totals_are_the_oracles(log_host, tmp_path / "oracle")


def test_a_log_that_cannot_be_compressed_keeps_nothing_from_being_published(
    log_host: LogHost,
) -> None:
    day = YESTERDAY - timedelta(days=13)
    assert log_host.play("deploy").code == 0
    assert log_host.play("daily").code == 0
    packed = log_host.run_dir / "combined" / f"{day:%Y/%m/%d}" / f"{CENTOS}.xz"
    packed.mkdir()
    (log_host.published / "totals.csv").unlink()
    ended = log_host.play("daily", web_data_analysis_plain_days=12)
    assert ended.code != 0
    assert "compress: 1 logs could not be compressed" in ended.output.replace("\n", " ")
    left_open = ended.said_by("Name what the other stages left open")
    assert f"compress: {CENTOS}: failed: " in left_open
    assert f"({day})" in left_open
    assert (log_host.published / "totals.csv").exists()


def test_a_day_that_comes_late_is_counted_by_the_next_run(
    log_host: LogHost, tmp_path: Path
) -> None:
    day = YESTERDAY - timedelta(days=9)
    late = log_host.httpd("proxy01") / f"{FEDORA}-{day:%Y%m%d}.xz"
    late.rename(tmp_path / "late")
    assert log_host.play("deploy").code == 0
    first = log_host.play("daily")
    assert first.code == 0, first.output
    before = sorted_rows(log_host.published / "totals.csv")

    (tmp_path / "late").rename(late)
    second = log_host.play("daily")
    assert second.code == 0, second.output
    assert second.changed == [
        "Fetch the logs of the log hosts",
        "Combine the logs of the hosts by time",
        "Condense the logs of the mirror list to the clients of each day",
        "Find the hits of fedora",
        "Total the weeks of fedora",
        "Publish the totals",
    ]
    assert sorted_rows(log_host.published / "totals.csv") != before
    assert_totals_are_the_oracles(log_host, tmp_path / "oracle")
