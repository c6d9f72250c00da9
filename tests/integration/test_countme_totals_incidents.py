"""countme_totals in the situations that really came up."""

from __future__ import annotations

import json
import os
import resource
import signal
import sqlite3
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import pytest
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._base.days_and_weeks import (
    rotation_days,
    week_start_timestamp,
)
from ansible_collections.fedora_infra.dnf_counting.tests.support.modules import (
    MODULES,
    statuses,
)
from ansible_collections.fedora_infra.dnf_counting.tests.support.raw_day_files import (
    by_rotation_day,
    hit,
    weekly_hits,
    write_raw_day,
    write_raw_days,
)
from ansible_collections.fedora_infra.dnf_counting.tests.support.totals_site import (
    WEEK,
    Site,
)

CHECKOUT = Path(__file__).parents[2]


def test_incident_late_logs_are_counted_and_the_week_revised(site: Site) -> None:
    late = site.raw / f"{rotation_days(WEEK)[3]}.parquet"
    content = late.read_bytes()
    late.unlink()
    site.run()
    assert site.hits()[str(WEEK)] == 8
    late.write_bytes(content)
    result = site.run()
    assert statuses(result)["2021-W39"] == "made"
    assert site.hits()[str(WEEK)] == 10
    assert site.query("SELECT weeknum, status, revision FROM weeks") == [
        (WEEK, "complete", 2),
        (WEEK + 1, "complete", 1),
    ]
    assert not site.run()["changed"]


def test_incident_days_down_all_gaps_close_in_one_run(tmp_path: Path) -> None:
    rows = [row for week in range(WEEK, WEEK + 8) for row in weekly_hits(week)]
    at_once, in_parts = Site(tmp_path / "a"), Site(tmp_path / "b")
    write_raw_days(at_once.raw, rows)
    at_once.run()
    days = sorted(by_rotation_day(rows).items())
    for part in (days[:10], days[10:]):
        for day, of_day in part:
            write_raw_day(in_parts.raw, day, of_day)
        in_parts.run()
    assert in_parts.csv.read_bytes() == at_once.csv.read_bytes()


def test_incident_late_logs_in_any_order_end_in_the_same_totals(tmp_path: Path) -> None:
    """A week first counted from a fragment, long ago, is counted again when its days come."""
    rows = [row for week in range(WEEK, WEEK + 8) for row in weekly_hits(week)]
    at_once, in_parts = Site(tmp_path / "a"), Site(tmp_path / "b")
    write_raw_days(at_once.raw, rows)
    at_once.run()
    days = sorted(by_rotation_day(rows).items())
    for part in (days[-9:], [days[3], days[20]], days[30:], days[:30]):
        for day, of_day in part:
            write_raw_day(in_parts.raw, day, of_day)
        in_parts.run()
    assert in_parts.csv.read_bytes() == at_once.csv.read_bytes()


def test_incident_double_count_the_same_log_under_two_days(site: Site) -> None:
    site.run()
    before = site.hits()
    day = rotation_days(WEEK)[3]
    rows = by_rotation_day(weekly_hits(WEEK))
    write_raw_day(site.raw, day, [*rows[day - timedelta(days=1)], *rows[day]], version=2)
    assert statuses(site.run())["2021-W39"] == "made"
    assert site.hits() == before


def test_incident_source_rewritten_with_the_same_hits_is_no_revision(site: Site) -> None:
    site.run()
    csv = site.csv.stat().st_ino
    day = rotation_days(WEEK)[3]
    write_raw_day(site.raw, day, by_rotation_day(weekly_hits(WEEK))[day], version=2)
    result = site.run()
    assert statuses(result)["2021-W39"] == "made", "its record names the new input"
    assert statuses(result)["totals.csv"] == "unchanged"
    assert site.query(f"SELECT revision FROM weeks WHERE weeknum = {WEEK}") == [(1,)]
    assert site.csv.stat().st_ino == csv
    assert not site.run()["changed"]


def test_incident_raw_grows_trimmed_weeks_stay(site: Site) -> None:
    site.run()
    before = site.hits()
    through = rotation_days(WEEK)[5]
    for path in site.raw.glob("*.parquet"):
        if path.stem <= str(through):
            path.unlink()
    (site.raw / ".trimmed.json").write_text(json.dumps({"through": str(through)}))
    result = site.run()
    assert not result["changed"], [(u["name"], u["status"], u["reasons"]) for u in result["units"]]
    assert statuses(result)["2021-W39"] == "gone"
    assert site.hits() == before
    failed = site.run(weeks=["2021-W39"], ok=False)
    assert "2021-W39" in failed["msg"]
    assert "Bring them back with countme_raw" in failed["units"][0]["reasons"][0]
    assert site.hits() == before


def test_incident_totals_db_locked_gives_a_clear_error_and_changes_nothing(site: Site) -> None:
    site.run()
    late = rotation_days(WEEK)[3]
    write_raw_day(site.raw, late, [hit(week_start_timestamp(WEEK) + 180_000)], version=2)
    before = site.csv.read_bytes()
    reader = sqlite3.connect(site.db, isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM countme_totals").fetchone()
    failed = site.run(lock_timeout=0.2, ok=False)
    assert "another program" in failed["msg"]
    assert "lock_timeout" in failed["msg"]
    assert site.csv.read_bytes() == before
    reader.execute("COMMIT")
    reader.close()
    assert statuses(site.run())["2021-W39"] == "made"


def test_incident_totals_db_locked_for_a_while_is_waited_for(site: Site) -> None:
    site.run()
    write_raw_day(site.raw, rotation_days(WEEK)[3], [], version=2)
    holder = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sqlite3, sys, time\n"
            "c = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
            "c.execute('BEGIN EXCLUSIVE'); print('held', flush=True); time.sleep(1.5)\n",
            str(site.db),
        ],
        stdout=subprocess.PIPE,
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"held\n"
    assert statuses(site.run(lock_timeout=30))["2021-W39"] == "made"
    holder.wait()


def test_incident_second_run_says_who_is_at_work(site: Site) -> None:
    holder = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys\nfrom pathlib import Path\n"
            "from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._storage.files"
            " import writer_lock\n"
            "with writer_lock(Path(sys.argv[1]), run_id='first'):\n"
            "    print('held', flush=True); sys.stdin.read()\n",
            str(site.totals),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert holder.stdout is not None
    assert holder.stdin is not None
    assert holder.stdout.readline() == b"held\n"
    failed = site.run(ok=False)
    assert f"process {holder.pid}, run first" in failed["msg"]
    holder.stdin.close()
    holder.wait()
    assert statuses(site.run())["2021-W39"] == "made"


def test_incident_csv_overwritten_a_run_with_wrong_settings_is_refused(site: Site) -> None:
    other = Site(site.root / "other")
    write_raw_days(other.raw, [*weekly_hits(2650), *weekly_hits(2651)], log_name="centos.log")
    other.run()
    csv = other.csv.read_bytes()
    failed = site.run(totals_csv=other.csv, ok=False)
    assert "expected no weeks that the totals lack" in failed["msg"]
    assert not site.db.exists(), "nothing was counted for files that can't be written"
    assert other.csv.read_bytes() == csv
    failed = site.run(totals_db=other.db, totals_csv=None, ok=False)
    assert "expected raw days of 'centos.log'" in failed["msg"]
    assert other.csv.read_bytes() == csv


def test_incident_public_copy_torn_killed_between_database_and_csv(site: Site) -> None:
    """The database is newer than the CSV file: the next run sees that and heals it."""
    site.run(weeks=["2021-W39"])
    whole = Site(site.root / "whole")
    site.run(totals_db=whole.db, totals_csv=whole.csv)
    site.run(totals_csv=None)
    assert b"2021-10-04" not in site.csv.read_bytes()
    result = site.run()
    assert statuses(result)["totals.csv"] == "made"
    assert site.csv.read_bytes() == whole.csv.read_bytes()


@pytest.mark.parametrize("delay", [0.3, 0.6, 0.9, 1.2])
def test_incident_partial_transfer_a_killed_run_leaves_whole_files(
    site: Site, delay: float
) -> None:
    """Whenever it is killed, readers find whole weeks, and the next run completes them."""
    rows = [row for week in range(WEEK - 20, WEEK) for row in weekly_hits(week)]
    write_raw_days(site.raw, rows)
    options = {"raw_dir": site.raw, "totals_db": site.db, "totals_csv": site.csv, "workers": 1}
    arguments = {name: str(value) for name, value in options.items()}
    started = subprocess.Popen(
        [sys.executable, MODULES / "countme_totals.py"],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    assert started.stdin is not None
    started.stdin.write(json.dumps({"ANSIBLE_MODULE_ARGS": arguments}).encode())
    started.stdin.close()
    time.sleep(delay)
    started.send_signal(signal.SIGKILL)
    started.wait()
    if site.db.exists() and site.query("SELECT 1 FROM sqlite_master"):
        assert set(site.hits().values()) <= {10}
    site.run()
    assert set(site.hits().values()) == {10}
    assert len(site.hits()) == 22
    assert sorted(path.name for path in site.totals.iterdir()) == [
        ".totals.csv.json",
        ".writing",
        "totals.csv",
        "totals.db",
    ]


def test_incident_disk_full_the_next_run_heals(site: Site) -> None:
    """A limit on file size stands for the full disk: the same error path, without a mount."""
    site.run(weeks=["2021-W39"])
    before = site.csv.read_bytes()
    limit = site.db.stat().st_size

    def small_files() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    rows = [hit(week_start_timestamp(WEEK + 1) + n, repo_tag=f"r{n}" * 20) for n in range(2000)]
    write_raw_day(site.raw, rotation_days(WEEK + 1)[1], rows, version=2)
    result = site.run(ok=False, process={"preexec_fn": small_files})
    assert str(site.totals) in result["msg"]
    assert site.csv.read_bytes() == before
    assert list(site.hits()) == [str(WEEK)]
    site.run()
    assert site.hits()[str(WEEK + 1)] > 2000


def test_incident_clock_jump_hits_of_the_future_do_no_harm(site: Site) -> None:
    far = [hit(4_000_000_000), hit(4_100_000_000), hit(253_402_300_799, sys_age=-1)]
    day = rotation_days(WEEK + 2)[1]
    write_raw_day(site.raw, day, [*by_rotation_day(weekly_hits(WEEK + 2))[day], *far], version=2)
    result = site.run()
    assert statuses(result)["2021-W39"] == "made"
    late = rotation_days(WEEK)[3]
    write_raw_day(site.raw, late, [], version=2)
    assert statuses(site.run())["2021-W39"] == "made", "it is still among the newest weeks"


def test_incident_polluter_marks_the_week(tmp_path: Path) -> None:
    site = Site(tmp_path)
    start = week_start_timestamp(WEEK)
    rows = [hit(start + n % 600_000, f"198.51.{n % 250}.{n % 199}") for n in range(40_000)]
    rows += [hit(start + n * 50, "203.0.113.9") for n in range(12_000)]
    write_raw_day(site.raw, rotation_days(WEEK)[1], [*rows, *weekly_hits(WEEK + 1)])
    unit = site.run()["units"][0]
    assert unit["suspect"]
    assert unit["suspect_reason"].startswith("one address sent 12000 of the hits, 23%")
    assert "203.0.113.9" not in json.dumps(site.query("SELECT * FROM weeks"))


def test_incident_missing_day_source_makes_the_week_partial(tmp_path: Path) -> None:
    site = Site(tmp_path)
    hosts = ("proxy01", "proxy02")
    write_raw_days(site.raw, weekly_hits(WEEK), hosts_expected=hosts, hosts_present=hosts)
    monday = rotation_days(WEEK)[0]
    write_raw_day(site.raw, monday, [], hosts_expected=hosts, hosts_present=hosts)
    missing = rotation_days(WEEK)[2]
    rows = by_rotation_day(weekly_hits(WEEK))[missing]
    write_raw_day(site.raw, missing, rows, hosts_expected=hosts, hosts_present=hosts[:1])
    write_raw_days(site.raw, [*weekly_hits(WEEK + 1)], hosts_expected=hosts, hosts_present=hosts)
    unit = site.run()["units"][0]
    found = [unit[name] for name in ("week_status", "expected_host_days", "received_host_days")]
    assert found == ["partial", 14, 13]


def test_incident_nfs_gone_totals_whose_raw_days_are_away_fail(site: Site) -> None:
    site.run()
    site.raw.rename(site.root / "unmounted")
    assert "option raw_dir" in site.run(ok=False)["msg"]
    assert statuses(site.run(check=True)) == {"raw": "missing"}


def test_incident_hostile_request_names_stay_text(site: Site) -> None:
    names = [
        "'; DROP TABLE countme_totals; --",
        "=cmd|' /C calc'!A0",
        "a\0b",
        "\x1b[31m",
        "../../x",
    ]
    start = week_start_timestamp(WEEK)
    rows = [hit(start + n, repo_tag=name) for n, name in enumerate(names)]
    day = rotation_days(WEEK)[1]
    write_raw_day(site.raw, day, [*rows, *by_rotation_day(weekly_hits(WEEK))[day]], version=2)
    site.run()
    found = {name for (name,) in site.query("SELECT DISTINCT repo_tag FROM countme_totals")}
    assert set(names) <= found


def test_incident_cron_environment_neither_path_nor_home(site: Site) -> None:
    site.run(process={"cwd": "/", "env": {"TZ": "America/Los_Angeles"}, "umask": 0o077})
    assert site.csv.stat().st_mode & 0o777 == 0o644
    assert os.access(site.db, os.R_OK)
