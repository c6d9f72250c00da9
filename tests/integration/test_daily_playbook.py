"""The nightly run against real rsync daemons, as two stories of a log host.

One is of a host where all is well: run in check mode, run, run again, run in part, and with logs that
grow old. The other is of a host that gets bad input, which is repaired, and a log that comes late.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._condense.columns import (
    FEDORA_COLUMNS,
)
from ansible_collections.fedora_infra.dnf_counting.tests.support import condense_by_line
from ansible_collections.fedora_infra.dnf_counting.tests.support.log_host import (
    CENTOS,
    FEDORA,
    FOLDERS,
    STAGES_AT_WORK,
    LogHost,
    Seen,
    assert_totals_are_the_oracles,
)
from ansible_collections.fedora_infra.dnf_counting.tests.support.oracle import sorted_rows

YESTERDAY = datetime.now(UTC).date() - timedelta(days=1)
#: Files that say who writes, what the sync remembers of the hosts, and how runs went.
RUN_NOTES = {".writing", ".compressing", ".sync.json", "history.db", "progress.jsonl"}
#: Published of each profile, after the beginning of its names.
PUBLISHED = (".db", ".csv", ".db.gz", ".csv.gz", "-unique.db", "-countme.db", ".parquet")


def outputs_in(state: dict[str, Seen]) -> dict[str, Seen]:
    """Return the state without what each run may write: its notes, and the status."""
    return {
        name: seen
        for name, seen in state.items()
        if (path := Path(name)).name not in RUN_NOTES and path.parent.name != "countme-status"
    }


def assert_rows_are_as_counted_line_by_line(log_host: LogHost, clients: Path) -> None:
    lines: list[str] = []
    for log in (log_host.run_dir / "combined").glob(f"[0-9]*/*/*/{FEDORA}"):
        lines += log.read_text(encoding="utf-8", errors="replace").splitlines()
    counted = condense_by_line.client_lines(lines)
    clients.write_text("".join(f"{line}\n" for line in counted))
    expected = condense_by_line.rows_of_sorted(clients, FEDORA_COLUMNS.first)
    mirrors = log_host.published.with_name("mirrors") / "mirrorsdata-all.csv"
    rows = mirrors.read_text().splitlines()
    assert len(rows) > 10
    assert rows[0].split(",")[1:] == [
        f"{n:02}-{name}" for n, name in enumerate(FEDORA_COLUMNS.first, 2)
    ]
    # the day of the last rotation has only begun
    assert rows[1:] == [row for row in expected if row < f"{YESTERDAY}"]


def assert_that_only_what_is_published_is_for_all(log_host: LogHost) -> None:
    for prefix in ("totals", "totals-centos"):
        for ending in PUBLISHED:
            published = (log_host.published / f"{prefix}{ending}").stat()
            assert published.st_size > 0
            assert published.st_mode & 0o444 == 0o444
    raw_days = [*(log_host.run_dir / "countme" / "raw").glob("[0-9]*")]
    assert len(raw_days) == log_host.days
    assert {path.stat().st_mode & 0o007 for path in raw_days} == {0}


def assert_that_log_hosts_were_stopped(log_host: LogHost) -> None:
    pids = [path.read_text().strip() for path in (log_host.run_dir / "rsyncd").glob("*.pid")]
    assert not [pid for pid in pids if Path(f"/proc/{pid}/cwd").exists()]


def deploy(log_host: LogHost) -> None:
    deployed = log_host.play("deploy")
    assert deployed.code == 0, deployed.output
    assert deployed.changed == ["Make the folders"]
    made = {name: (log_host.run_dir / name).stat().st_mode & 0o7777 for name in FOLDERS}
    assert made == FOLDERS


def run_in_check_mode(log_host: LogHost, *, would_change: list[str]) -> None:
    before = log_host.state()
    planned = log_host.play("daily", "--check", "--diff")
    assert planned.code == 0, planned.output
    assert planned.changed == would_change
    assert log_host.state() == before


def run_for_the_first_time(log_host: LogHost, work: Path) -> None:
    first = log_host.play("daily")
    assert first.code == 0, first.output
    assert first.changed == STAGES_AT_WORK
    assert "complete: " in first.output
    assert first.said_by("Report the open units") == ""
    assert str(log_host.published / "totals.csv") in first.output
    assert_totals_are_the_oracles(log_host, work / "oracle")
    assert_rows_are_as_counted_line_by_line(log_host, work / "clients")
    quality = json.loads((log_host.published / "quality.json").read_text())
    assert "complete" in {week["status"] for week in quality["weeks"]}
    assert_that_only_what_is_published_is_for_all(log_host)
    assert_that_log_hosts_were_stopped(log_host)


def run_again(log_host: LogHost) -> None:
    before = outputs_in(log_host.state())
    second = log_host.play("daily")
    assert second.code == 0, second.output
    assert second.changed == []
    assert outputs_in(log_host.state()) == before


def run_a_part_with_its_preparation_and_cleaning(log_host: LogHost) -> None:
    part = log_host.play("daily", "--tags", "combine")
    assert part.code == 0, part.output
    own = (
        "Start the simulated hosts",
        "Combine the logs of the hosts by time",
        "Stop the simulated hosts",
    )
    assert [name for name in part.ran if name in own] == [*own]
    assert not {"Fetch the logs of the hosts", "Publish the totals, charts and pages"} & {*part.ran}


def compress_old_logs_and_make_nothing_again_for_that(log_host: LogHost, work: Path) -> None:
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
    assert_totals_are_the_oracles(log_host, work / "of-compressed-logs")


def publish_although_a_log_cannot_be_compressed(log_host: LogHost) -> None:
    """The next run after logs were compressed: nothing is made of them again, either."""
    day = YESTERDAY - timedelta(days=8)
    packed = log_host.run_dir / "combined" / f"{day:%Y/%m/%d}" / f"{CENTOS}.xz"
    packed.mkdir()
    (log_host.published / "totals.csv").unlink()
    ended = log_host.play("daily", web_data_analysis_plain_days=8)
    assert ended.code != 0
    assert "compress: 1 logs could not be compressed" in ended.output.replace("\n", " ")
    left_open = ended.said_by("Report the open units")
    assert f"compress: {CENTOS}: failed: " in left_open
    assert f"({day})" in left_open
    assert (log_host.published / "totals.csv").exists()
    assert ended.changed == ["Publish the totals, charts and pages"]


def test_runs_of_a_log_host_where_all_is_well(tmp_path: Path) -> None:
    log_host = LogHost(tmp_path, days=15, pages=True)
    log_host.make_logs()
    deploy(log_host)
    run_in_check_mode(log_host, would_change=["Fetch the logs of the hosts"])
    run_for_the_first_time(log_host, tmp_path)
    run_in_check_mode(log_host, would_change=[])
    run_again(log_host)
    run_a_part_with_its_preparation_and_cleaning(log_host)
    compress_old_logs_and_make_nothing_again_for_that(log_host, tmp_path)
    publish_although_a_log_cannot_be_compressed(log_host)


class BadInput:
    """A log that is late, a silent host, a log that is no xz file, and hosts that can't be reached."""

    def __init__(self, log_host: LogHost, kept: Path) -> None:
        self.day = YESTERDAY - timedelta(days=1)
        late_day = YESTERDAY - timedelta(days=9)
        # a port below those that daemons are given
        refused = {"name": "proxy98", "source": "rsync://127.0.0.1:1/log/httpd/"}
        self.hosts = {
            "web_data_analysis_hosts": log_host.hosts_and("unknown99.invalid", refused),
        }
        for path in log_host.httpd("proxy03").glob(f"*-{self.day:%Y%m%d}.xz"):
            path.unlink()
        self.no_xz = log_host.httpd("proxy02") / f"{FEDORA}-{self.day:%Y%m%d}.xz"
        self.late = log_host.httpd("proxy01") / f"{FEDORA}-{late_day:%Y%m%d}.xz"
        self.kept = kept
        kept.mkdir()
        for path in (self.no_xz, self.late):
            path.rename(kept / path.name)
        self.no_xz.write_bytes(b"this is no xz file\n" * 1000)

    def repair(self) -> None:
        """Bring the logs; the host that was silent stays so."""
        for path in (self.no_xz, self.late):
            (self.kept / path.name).rename(path)


def name_bad_input_and_count_all_else(log_host: LogHost, bad: BadInput) -> None:
    in_the_way = log_host.root / "a-file"
    in_the_way.write_text("in the way")
    target = in_the_way / "countme"
    ended = log_host.play("daily", web_data_analysis_publish_dir=str(target), **bad.hosts)
    assert ended.code != 0
    said = ended.output.replace("\n", " ")
    for expected in (
        "unknown99.invalid: a name unknown to DNS",
        "proxy98: the connection refused",
        f"proxy03 {bad.day}: ",
        f"proxy02/{bad.day:%Y/%m/%d}/http/{FEDORA}.xz: expected a complete xz file",
        f"publish: {target}: expected to write there",
        f"{target.with_name('mirrors')}: expected to write there",
    ):
        assert expected in said, ended.output
    assert "3 of the stages failed" in said
    left_open = ended.said_by("Report the open units")
    assert f"combine: {FEDORA}: damaged: left out: " in left_open
    assert f"({bad.day})" in left_open
    # the others went on
    assert len(sorted_rows(log_host.run_dir / "countme" / "totals.csv")) > 2
    assert len(sorted_rows(log_host.run_dir / "countme" / "totals-centos.csv")) > 2
    assert in_the_way.read_text() == "in the way"
    assert not [path for path in log_host.state() if path.endswith(".unfinished")]


def count_what_is_there_and_name_the_rest_again(
    log_host: LogHost, bad: BadInput, work: Path
) -> None:
    ended = log_host.play("daily", **bad.hosts)
    assert ended.changed == [
        "Condense the logs of the mirror list to the clients of each day",
        "Publish the totals, charts and pages",
    ]
    assert "1 of the stages failed" in ended.output
    assert_totals_are_the_oracles(log_host, work / "without")
    quality = json.loads((log_host.published / "quality.json").read_text())
    assert "complete" not in {week["status"] for week in quality["weeks"]}


def count_logs_that_come_late(log_host: LogHost, bad: BadInput, work: Path) -> None:
    before = sorted_rows(log_host.published / "totals.csv")
    bad.repair()
    healed = log_host.play("daily")
    assert healed.code == 0, healed.output
    assert healed.changed == [
        "Fetch the logs of the hosts",
        "Combine the logs of the hosts by time",
        "Condense the logs of the mirror list to the clients of each day",
        "Find the hits in the combined logs, raw fedora",
        "Count the weeks that are due, totals fedora",
        "Publish the totals, charts and pages",
    ]
    assert sorted_rows(log_host.published / "totals.csv") != before
    assert_totals_are_the_oracles(log_host, work / "with")


def test_bad_input_keeps_nothing_else_from_being_counted_and_is_counted_once_it_is_good(
    tmp_path: Path,
) -> None:
    log_host = LogHost(tmp_path, days=15)
    log_host.make_logs()
    log_host.make_folders()
    bad = BadInput(log_host, tmp_path / "kept")
    name_bad_input_and_count_all_else(log_host, bad)
    count_what_is_there_and_name_the_rest_again(log_host, bad, tmp_path)
    count_logs_that_come_late(log_host, bad, tmp_path)
