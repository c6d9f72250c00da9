"""countme_totals as an operator runs it: its file, in a process of its own."""

from __future__ import annotations

import json
import os
import resource
import signal
import sqlite3
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._calendar import (
    rotation_days,
    week_start_timestamp,
)
from ansible_collections.fedora_infra.dnf_counting.tests.support.modules import (
    MODULES,
    run_module,
    statuses,
)
from ansible_collections.fedora_infra.dnf_counting.tests.support.raw_day_files import (
    by_rotation_day,
    hit,
    weekly_hits,
    write_raw_day,
    write_raw_days,
)

WEEK = 2699
CHECKOUT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Site:
    """A folder with raw days and totals."""

    root: Path

    @property
    def raw(self) -> Path:
        return self.root / "raw"

    @property
    def totals(self) -> Path:
        return self.root / "totals"

    @property
    def db(self) -> Path:
        return self.totals / "totals.db"

    @property
    def csv(self) -> Path:
        return self.totals / "totals.csv"

    def run(self, **options: Any) -> dict[str, Any]:
        given: dict[str, Any] = {
            "raw_dir": self.raw,
            "totals_db": self.db,
            "totals_csv": self.csv,
            "workers": 1,
            **options,
        }
        return run_module("countme_totals", **given)

    def query(self, query: str) -> list[tuple[Any, ...]]:
        connection = sqlite3.connect(self.db)
        try:
            return connection.execute(query).fetchall()
        finally:
            connection.close()

    def hits(self) -> dict[str, int]:
        query = "SELECT weeknum, sum(hits) FROM countme_totals WHERE sys_age >= '0' GROUP BY 1"
        return dict(self.query(query))

    def files(self) -> dict[str, tuple[int, int]]:
        """What is there, with inode and time; nothing written means nothing differs."""
        found = {path: path.lstat() for path in self.root.rglob("*")}
        return {str(path): (at.st_ino, at.st_mtime_ns) for path, at in found.items()}


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """Three weeks, of which two are over."""
    rows = [row for week in range(WEEK, WEEK + 3) for row in weekly_hits(week)]
    write_raw_days(tmp_path / "raw", rows)
    write_raw_day(tmp_path / "raw", rotation_days(WEEK)[0], [])
    return Site(tmp_path)


def test_second_run_is_unchanged_and_check_mode_agrees_with_both(site: Site) -> None:
    before = site.files()
    planned = site.run(check=True)
    assert site.files() == before
    assert planned["changed"]
    first = site.run()
    assert first["changed"]
    assert statuses(first) == {
        "2021-W39": "made",
        "2021-W40": "made",
        "2021-W41": "waiting",
        "totals.csv": "made",
    }
    assert {n for n, s in statuses(planned).items() if s == "due"} == {
        n for n, s in statuses(first).items() if s == "made"
    }
    assert first["newest_complete_week"] == "2021-W40"
    assert first["hits"] == 20
    files = site.files()
    assert not site.run(check=True)["changed"]
    second = site.run()
    assert not second["changed"]
    assert second["newest_complete_week"] == "2021-W40"
    locks = {str(site.totals / ".writing")}
    assert {k: v for k, v in site.files().items() if k not in locks} == {
        k: v for k, v in files.items() if k not in locks
    }


def test_diff_mode_says_why(site: Site) -> None:
    assert "2021-W39: a new week" in site.run(check=True, diff=True)["diff"]["after"]


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


def test_days_hashed_in_part_block_their_week(site: Site) -> None:
    """Addresses in one file and their hashes in another would count a client twice."""
    site.run()
    before = site.hits()
    day = rotation_days(WEEK)[3]
    write_raw_day(site.raw, day, by_rotation_day(weekly_hits(WEEK))[day], version=2, hashed=True)
    result = site.run()
    assert statuses(result)["2021-W39"] == "blocked"
    assert "one hash_hosts" in result["units"][0]["reasons"][0]
    assert site.hits() == before


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


def test_a_trimmed_week_that_lacked_a_day_is_counted_again_with_what_it_had(site: Site) -> None:
    """A day that never came must not keep a week from being corrected."""
    never, late = rotation_days(WEEK)[3], rotation_days(WEEK)[5]
    (site.raw / f"{never}.parquet").unlink()
    site.run()
    assert site.hits()[str(WEEK)] == 8
    (site.raw / ".trimmed.json").write_text(json.dumps({"through": str(rotation_days(WEEK)[-1])}))
    rows = by_rotation_day(weekly_hits(WEEK))
    write_raw_day(site.raw, late, [*rows[late], *rows[never]], version=2)
    assert statuses(site.run())["2021-W39"] == "made"
    assert site.hits()[str(WEEK)] == 10


def test_named_weeks_are_recounted_whatever_their_age(site: Site) -> None:
    site.run()
    with sqlite3.connect(site.db) as other:
        other.execute("UPDATE countme_totals SET hits = hits + 1")
    other.close()
    result = site.run(weeks=["2021-09-27"])
    assert statuses(result) == {"2021-W39": "made", "totals.csv": "made"}
    assert site.hits()[str(WEEK)] == 10
    again = site.run(weeks=["2021-W39", str(WEEK)])
    assert statuses(again) == {"2021-W39": "unchanged", "totals.csv": "unchanged"}


def test_absent_deletes_the_week_and_present_counts_it_again(site: Site) -> None:
    site.run()
    before = site.csv.read_bytes()
    planned = site.run(state="absent", weeks=["2021-W40"], check=True)
    assert statuses(planned) == {"2021-W40": "due"}
    assert site.csv.read_bytes() == before
    deleted = site.run(state="absent", weeks=["2021-W40", "2019-W01"])
    assert statuses(deleted) == {"2021-W40": "made", "2019-W01": "unchanged"}
    assert list(site.hits()) == [str(WEEK)]
    assert b"2021-10-04" not in site.csv.read_bytes()
    assert site.query("SELECT weeknum FROM weeks") == [(WEEK,)]
    assert not site.run(state="absent", weeks=["2021-W40"])["changed"]
    site.run()
    assert site.csv.read_bytes() == before


def test_absent_takes_no_history(site: Site) -> None:
    options = {"state": "absent", "weeks": ["2021-W40"], "history_csv": "old.csv"}
    assert "option history_csv" in site.run(**options, ok=False)["msg"]
    assert not site.totals.exists()


def test_absent_wants_weeks(site: Site) -> None:
    assert "weeks" in site.run(state="absent", ok=False)["msg"]


def test_a_file_of_the_old_system_is_continued(site: Site) -> None:
    totals = pytest.importorskip("mirrors_countme.totals").totals
    raw = site.root / "old-raw.db"
    with sqlite3.connect(raw) as connection:
        connection.execute(
            "CREATE TABLE countme_raw (timestamp INTEGER, host, os_name, os_version, os_variant,"
            " os_arch, sys_age INTEGER, repo_tag, repo_arch)"
        )
        rows = [
            *weekly_hits(WEEK - 1, systems=40),
            *weekly_hits(WEEK, systems=3),
            *weekly_hits(WEEK + 1),
        ]
        connection.executemany("INSERT INTO countme_raw VALUES (?,?,?,?,?,?,?,?,?)", rows)
    connection.close()
    site.totals.mkdir()
    with site.csv.open("w", newline="") as out:
        totals(countme_totals=str(site.db), countme_raw=str(raw), csv_dump=out)
    result = site.run()
    assert statuses(result) == {
        "2021-W39": "unchanged",
        "2021-W40": "made",
        "2021-W41": "waiting",
        "totals.csv": "made",
    }
    assert "earlier system" in result["units"][0]["reasons"][0]
    assert site.hits() == {str(WEEK - 1): 40, str(WEEK): 3, str(WEEK + 1): 10}
    named = site.run(weeks=["2021-W39"])
    assert statuses(named)["2021-W39"] == "made"
    assert site.hits()[str(WEEK)] == 10


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
    site.run()
    holder = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys\nfrom pathlib import Path\n"
            "from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._files"
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
    site.run()


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
    options = {"raw_dir": site.raw, "totals_db": site.db, "totals_csv": site.csv, "workers": 1}
    arguments = {name: str(value) for name, value in options.items()}
    finished = subprocess.run(
        [sys.executable, MODULES / "countme_totals.py"],
        input=json.dumps({"ANSIBLE_MODULE_ARGS": arguments}),
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=small_files,
    )
    result = json.loads(finished.stdout)
    assert result["failed"], result
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


def test_suspect_weeks_are_judged_again_when_the_rule_changes(tmp_path: Path) -> None:
    site = Site(tmp_path)
    sizes = [100, 100, 100, 85, 100]
    rows = [r for n, size in enumerate(sizes) for r in weekly_hits(WEEK + n, systems=size)]
    write_raw_days(site.raw, rows)
    assert not any(unit.get("suspect") for unit in site.run()["units"])
    assert site.run(suspect_percent=10, check=True)["changed"]
    result = site.run(suspect_percent=10)
    assert [u["name"] for u in result["units"] if u.get("suspect")] == ["2021-W42"]
    assert statuses(result)["totals.csv"] == "unchanged"
    assert not site.run(suspect_percent=10)["changed"]


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


def test_a_damaged_raw_day_is_named_and_the_others_go_on(site: Site) -> None:
    bad = site.raw / f"{rotation_days(WEEK)[2]}.parquet"
    bad.write_bytes(b"PAR1 is not enough")
    result = site.run()
    assert statuses(result) == {
        "2021-W39": "blocked",
        "2021-W40": "made",
        "2021-W41": "waiting",
        "totals.csv": "made",
    }
    assert str(bad) in result["units"][0]["reasons"][0]
    failed = site.run(weeks=["2021-W39"], ok=False)
    assert "2021-W39" in failed["msg"]


def test_a_new_log_host_without_raw_days_is_no_failure(tmp_path: Path) -> None:
    site = Site(tmp_path)
    for check in (True, False):
        result = site.run(check=check)
        assert not result["changed"]
        assert statuses(result) == {"raw": "missing"}
        assert str(site.raw) in result["units"][0]["reasons"][0]
    assert not site.files()
    assert "option raw_dir" in site.run(weeks=["2021-W39"], check=True, ok=False)["msg"]


def test_incident_nfs_gone_totals_whose_raw_days_are_away_fail(site: Site) -> None:
    site.run()
    site.raw.rename(site.root / "unmounted")
    assert "option raw_dir" in site.run(ok=False)["msg"]
    assert statuses(site.run(check=True)) == {"raw": "missing"}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        pytest.param({"weeks": ["2021-09-28"]}, "option weeks", id="not-a-monday"),
        pytest.param({"totals_csv": "/dev/null/totals.csv"}, "/dev/null", id="unwritable"),
    ],
)
def test_bad_settings_are_explained(site: Site, options: dict[str, Any], message: str) -> None:
    failed = site.run(**options, ok=False)
    assert message in failed["msg"]


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
    options = {"raw_dir": site.raw, "totals_db": site.db, "totals_csv": site.csv}
    arguments = {name: str(value) for name, value in options.items()}
    finished = subprocess.run(
        [sys.executable, MODULES / "countme_totals.py"],
        input=json.dumps({"ANSIBLE_MODULE_ARGS": arguments}),
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
        env={"TZ": "America/Los_Angeles"},
        umask=0o077,
    )
    assert not json.loads(finished.stdout).get("failed"), finished.stdout
    assert site.csv.stat().st_mode & 0o777 == 0o644
    assert os.access(site.db, os.R_OK)


def test_examples_of_the_documentation_run(site: Site) -> None:
    site.run()
    namespace: dict[str, Any] = {}
    source = (MODULES / "countme_totals.py").read_text()
    exec(source[source.index("EXAMPLES") : source.index("RETURN")], namespace)
    for task in yaml.safe_load(namespace["EXAMPLES"]):
        options = task["fedora_infra.dnf_counting.countme_totals"]
        options |= {"raw_dir": site.raw, "totals_db": site.db, "totals_csv": site.csv}
        options["weeks"] = [str(week) for week in options.get("weeks", []) if week != "2021-W38"]
        run_module("countme_totals", **options)


def test_it_runs_through_ansible_from_the_checkout(site: Site) -> None:
    options = {"raw_dir": site.raw, "totals_db": site.db, "totals_csv": site.csv}
    arguments = json.dumps({name: str(value) for name, value in options.items()})
    finished = subprocess.run(
        [
            Path(sys.executable).with_name("ansible"),
            "localhost",
            "-m",
            "fedora_infra.dnf_counting.countme_totals",
            "-a",
            arguments,
        ],
        capture_output=True,
        text=True,
        check=False,
        cwd=CHECKOUT,
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert '"newest_complete_week": "2021-W40"' in finished.stdout
