"""countme_raw as a user runs it, on logs as they come."""

from __future__ import annotations

import csv
import gzip
import json
import lzma
import os
import subprocess
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import zstandard
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._hits.raw_days import (
    read_record,
)
from ansible_collections.fedora_infra.dnf_counting.tests.support.modules import run_module, statuses
from ansible_collections.fedora_infra.dnf_counting.tests.support.raw_day_files import write_raw_day
from ansible_collections.fedora_infra.dnf_counting.tests.support.waiting import until

GOLDEN = Path(__file__).parents[1] / "data" / "golden"
LOG = "mirrors.fedoraproject.org-access.log"
DAY = "2021-09-28"
LINE = (
    '{host} - - [27/Sep/2021:12:{minute:02}:00 +0000] "GET /metalink?repo={repo}&arch=x86_64'
    '&countme=1 HTTP/2.0" 200 18336 "-" "libdnf (Fedora 34; server; Linux.x86_64)"\n'
)


def lines(count: int, *, host: str = "192.0.2.1", repo: str = "fedora-34") -> bytes:
    text = "".join(LINE.format(host=host, minute=n % 60, repo=f"{repo}-{n}") for n in range(count))
    return text.encode()


@pytest.fixture(name="tree")
def _tree(tmp_path: Path) -> Path:
    """A combined tree with one day."""
    write_log(tmp_path / "combined", lines(10))
    return tmp_path / "combined"


def write_log(tree: Path, content: bytes, *, ending: str = "", day: str = DAY) -> Path:
    path = tree.joinpath(*day.split("-"), LOG + ending)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def count(tree: Path, **options: Any) -> dict[str, Any]:
    given = {"src": tree, "log_name": LOG, "raw_dir": tree.parent / "raw", "dates": [DAY]}
    return run_module("countme_raw", **{**given, **options})


def rows(tree: Path, day: str = DAY) -> list[tuple[Any, ...]]:
    table = pq.read_table(tree.parent / "raw" / f"{day}.parquet")
    return list(zip(*(column.to_pylist() for column in table.columns), strict=True))


def test_golden_days_have_the_expected_hits(tmp_path: Path) -> None:
    raw_dir = tmp_path / "raw"
    options = {"raw_dir": raw_dir, "since": "2021-09-24", "until": "2021-10-13", "dates": None}
    result = count(GOLDEN / "combined-http", **options)
    assert result["summary"] == {"made": 19, "missing": 1}
    found = {
        row
        for path in raw_dir.glob("*.parquet")
        for row in zip(*(c.to_pylist() for c in pq.read_table(path).columns), strict=True)
    }
    with lzma.open(GOLDEN / "expected" / "raw.csv.xz", "rt", newline="", encoding="utf-8") as text:
        reader = csv.reader(text)
        next(reader)
        expected = {
            (int(time), host, *system, int(age), tag, arch)
            for time, host, *system, age, tag, arch in reader
        }
    assert found == expected
    for unit in result["units"][1:]:
        assert unit["lines"] == unit["hits"] + sum(unit["rejects"].values())
        assert unit["rows"] <= unit["hits"]
    assert "192.0.2" not in json.dumps(result), "an address in the result"


def test_first_run_changes_second_does_not_and_check_mode_agrees(tree: Path) -> None:
    planned = count(tree, check=True, diff=True)
    assert planned["changed"]
    assert statuses(planned) == {DAY: "due"}
    assert planned["diff"]["after"] == f"{DAY}: not counted yet\n"
    assert not (tree.parent / "raw").exists(), "check mode wrote"

    assert count(tree)["changed"]
    assert len(rows(tree)) == 10

    for check in (False, True):
        again = count(tree, check=check)
        assert not again["changed"]
        assert statuses(again) == {DAY: "unchanged"}


def test_raw_days_are_private_whatever_the_umask(tree: Path) -> None:
    before = os.umask(0)
    try:
        count(tree)
    finally:
        os.umask(before)
    assert (tree.parent / "raw" / f"{DAY}.parquet").stat().st_mode & 0o777 == 0o640


def test_incident_source_rewritten_and_double_count(tree: Path) -> None:
    """A log that grew is counted anew: its day is replaced, never added to."""
    count(tree)
    write_log(tree, lines(10) + lines(3, host="192.0.2.2"))
    result = count(tree, diff=True)
    assert result["changed"]
    assert "changed input" in result["diff"]["after"]
    assert len(rows(tree)) == 13
    assert len(set(rows(tree))) == 13


@pytest.mark.parametrize(
    ("ending", "pack"),
    [
        (".xz", lzma.compress),
        (".gz", gzip.compress),
        (".zst", zstandard.compress),
        (".bz2", __import__("bz2").compress),
    ],
)
def test_compressed_forms_are_the_same_log(tree: Path, ending: str, pack: Any) -> None:
    """Incident double_count: the same file under two names counts once; two that differ don't."""
    plain = tree.joinpath(*DAY.split("-"), LOG)
    content = plain.read_bytes()
    packed = write_log(tree, pack(content), ending=ending)
    count(tree)
    assert len(rows(tree)) == 10

    os.utime(packed, ns=(0, plain.stat().st_mtime_ns))
    plain.unlink()
    assert statuses(count(tree)) == {DAY: "unchanged"}, "compressing a log made it count again"

    write_log(tree, content + lines(1, host="192.0.2.9"))
    result = count(tree, ok=False)
    assert f"{LOG}{ending}" in result["units"][0]["reasons"][0]
    assert "different content" in result["units"][0]["reasons"][0]
    assert len(rows(tree)) == 10


@pytest.mark.parametrize(
    ("ending", "pack"),
    [
        pytest.param(".xz", lzma.compress, id="xz"),
        pytest.param(".gz", gzip.compress, id="gz"),
        pytest.param(".zst", zstandard.compress, id="zst"),
        pytest.param(".bz2", __import__("bz2").compress, id="bz2"),
    ],
)
def test_incident_truncated_xz(tmp_path: Path, ending: str, pack: Any) -> None:
    """A cut log is an error with file and offset; the day stays, others go on; then it heals."""
    tree = tmp_path / "combined"
    whole = pack(lines(2000))
    log = write_log(tree, whole, ending=ending)
    write_log(tree, lines(5), day="2021-09-29")
    count(tree, dates=[DAY])

    log.write_bytes(whole[: len(whole) // 2])
    result = count(tree, dates=[DAY, "2021-09-29"], ok=False)
    assert statuses(result) == {DAY: "failed", "2021-09-29": "made"}
    assert str(log) in result["units"][0]["reasons"][0]
    assert "byte" in result["units"][0]["reasons"][0]
    assert len(rows(tree)) == 2000, "a part of a log took the place of the whole"
    assert [p.name for p in (tmp_path / "raw").glob(".*unfinished*")] == []

    log.write_bytes(whole)
    assert statuses(count(tree)) == {DAY: "made"}


def test_not_compressed_although_its_name_says_so(tmp_path: Path) -> None:
    tree = tmp_path / "combined"
    log = write_log(tree, lines(3), ending=".xz")
    result = count(tree, ok=False)
    assert str(log) in result["units"][0]["reasons"][0]
    assert DAY in result["msg"]


def test_a_log_that_is_a_link_out_of_the_tree_is_refused(tree: Path) -> None:
    log = tree.joinpath(*DAY.split("-"), LOG)
    elsewhere = tree.parent / "elsewhere"
    log.rename(elsewhere)
    log.symlink_to(elsewhere)
    result = count(tree, ok=False)
    assert "symbolic link" in result["units"][0]["reasons"][0]


def test_a_damaged_raw_day_is_made_again(tree: Path) -> None:
    count(tree)
    raw_day = tree.parent / "raw" / f"{DAY}.parquet"
    raw_day.write_bytes(raw_day.read_bytes()[:100])
    result = count(tree, diff=True)
    assert statuses(result) == {DAY: "made"}
    assert "raw day with its record" in result["diff"]["after"]
    assert len(rows(tree)) == 10


def test_a_raw_day_of_another_format_is_made_again(tree: Path) -> None:
    write_raw_day(tree.parent / "raw", date.fromisoformat(DAY), [], format=2)
    result = count(tree, diff=True)
    assert statuses(result) == {DAY: "made"}
    assert "format 2, not 1" in result["diff"]["after"]
    assert len(rows(tree)) == 10


def test_malformed_lines_are_counted_by_reason_and_shown_without_address(tree: Path) -> None:
    bad = lines(1, host="192.0.2.66").replace(b"countme=1", b"countme=\x1b[31mred")
    write_log(tree, lines(2) + bad + b"\x00\x16\x03garbage\n" + lines(1).replace(b"200", b"404"))
    unit = count(tree)["units"][0]
    assert unit["rejects"] == {"bad_countme": 1, "garbled": 1, "unrelated": 1}
    assert unit["samples"][0]["reason"] == "bad_countme"
    assert "192.0.2.66" not in unit["samples"][0]["line"]
    assert "\\x1b[31mred" in unit["samples"][0]["line"]


def test_hosts_come_from_the_record_of_the_combined_day(tree: Path) -> None:
    hosts = {"hosts_expected": ["proxy01", "proxy02"], "hosts_present": ["proxy01"]}
    record = tree.joinpath(*DAY.split("-"), ".combine.json")
    count(tree)
    path = tree.parent / "raw" / f"{DAY}.parquet"
    assert read_record(path).hosts_expected is None
    record.write_text(json.dumps(combined_record(hosts)))
    assert count(tree)["changed"]
    assert read_record(path).hosts_expected == ("proxy01", "proxy02")
    assert read_record(path).hosts_present == ("proxy01",)


def combined_record(hosts: dict[str, list[str]]) -> dict[str, Any]:
    log = {
        "inputs": [],
        "rejected": [],
        "lines": 10,
        "bytes": 1,
        "undated": 0,
        "first": None,
        "last": None,
        **hosts,
    }
    return {"format": 1, "day": DAY, "logs": {LOG: log}}


def test_hashed_hosts_keep_counts_of_distinct_addresses(tree: Path) -> None:
    content = lines(4) + lines(4, host="192.0.2.2") + lines(4, host="192.0.2.2", repo="x")
    write_log(tree, content)
    count(tree, hash_hosts=True)
    hashed = rows(tree)
    assert len(hashed) == 12
    assert len({row[1] for row in hashed}) == 2
    assert "192.0.2" not in str(hashed)
    write_log(tree, content + lines(1, host="192.0.2.2", repo="y"))
    count(tree, hash_hosts=True)
    assert {row[1] for row in rows(tree)} == {row[1] for row in hashed}, "another key"
    keys = list((tree.parent / "raw" / ".host-keys").iterdir())
    assert [key.stat().st_mode & 0o777 for key in keys] == [0o600]


def test_days_are_made_again_when_hashing_is_turned_on_or_off(tree: Path) -> None:
    """A day half in plain addresses and half hashed would count its clients twice."""
    count(tree)
    for hashed in (True, False):
        result = count(tree, hash_hosts=hashed, diff=True)
        assert statuses(result) == {DAY: "made"}
        assert "hashed in it" in result["diff"]["after"]
        assert ("192.0.2.1" in str(rows(tree))) is not hashed
        assert statuses(count(tree, hash_hosts=hashed)) == {DAY: "unchanged"}


def test_incident_disk_full_leftovers_of_a_killed_comparison_are_removed(tree: Path) -> None:
    """What a run spilled before it was killed, a folder, is in nobody's way."""
    spill = tree.parent / "raw" / f".{DAY}.parquet.unfinished.spill"
    spill.mkdir(parents=True)
    (spill / "block").write_bytes(b"half")
    count(tree)
    assert not spill.exists()


def test_there_is_nothing_to_trim_on_a_new_log_host(tmp_path: Path) -> None:
    result = run_module("countme_raw", raw_dir=tmp_path / "raw", state="trimmed")
    assert statuses(result) == {"raw": "missing"}
    assert not result["changed"]


def test_several_days_made_at_once_are_those_made_alone(tmp_path: Path) -> None:
    days = [f"2021-09-{day}" for day in (27, 28, 29, 30)]
    made = {}
    for workers in (1, 4):
        raw_dir = tmp_path / f"raw{workers}"
        result = run_module(
            "countme_raw",
            src=GOLDEN / "combined-http",
            log_name=LOG,
            raw_dir=raw_dir,
            dates=days,
            workers=workers,
        )
        assert [unit["name"] for unit in result["units"]] == days
        made[workers] = [pq.read_table(raw_dir / f"{day}.parquet") for day in days]
    assert made[1] == made[4]


def test_incident_raw_grows(tmp_path: Path) -> None:
    """Trimming removes what no week needs, says so, and then finds nothing more to do."""
    tree = tmp_path / "combined"
    days = [f"2021-{day}" for day in ("09-06", "09-13", "09-20", "09-27", "10-04", "10-05")]
    for day in days:
        write_log(tree, lines(1), day=day)
    options = {"dates": None, "since": days[0], "until": days[-1]}
    count(tree, **options, hash_hosts=True)
    raw_dir = tmp_path / "raw"
    # the hits of all files are of week 2021-W39; files that hold hits of a kept week stay
    kept = run_module("countme_raw", raw_dir=raw_dir, state="trimmed", keep_weeks=0)
    assert not kept["changed"]

    for day in days[:3]:
        content = lines(1).replace(b"27/Sep/2021", f"{int(day[-2:]) - 1:02}/Sep/2021".encode())
        write_log(tree, content, day=day)
    count(tree, **options)
    trim = {"raw_dir": raw_dir, "state": "trimmed", "keep_weeks": 0}
    planned = run_module("countme_raw", **trim, check=True)
    assert {name for name, status in statuses(planned).items() if status == "due"} == set(days[:3])
    assert (raw_dir / f"{days[0]}.parquet").exists()

    uncounted = run_module("countme_raw", **trim, totals_db=tmp_path / "totals.db")
    assert not uncounted["changed"], "days of weeks that are not counted were trimmed"
    assert "not counted yet" in uncounted["units"][0]["reasons"][0]

    assert run_module("countme_raw", **trim)["changed"]
    assert sorted(path.stem for path in raw_dir.glob("*.parquet")) == days[3:]
    assert json.loads((raw_dir / ".trimmed.json").read_text()) == {"through": days[2]}
    assert not run_module("countme_raw", **trim)["changed"]


def test_incident_second_run_is_told_who_writes(tree: Path) -> None:
    count(tree)
    raw_dir = tree.parent / "raw"
    write_log(tree, lines(11))
    holder = subprocess.Popen(["flock", raw_dir / ".writing", "cat"], stdin=subprocess.PIPE)
    try:
        until(
            lambda: (
                subprocess.run(
                    ["flock", "-n", raw_dir / ".writing", "true"], check=False
                ).returncode
            )
        )
        result = count(tree, ok=False)
    finally:
        holder.communicate()
    assert "expected to be the only writer" in result["msg"]
    assert len(rows(tree)) == 10
    assert count(tree)["changed"]


def test_incident_partial_transfer_killed_runs_leave_nothing_behind(tree: Path) -> None:
    raw_dir = tree.parent / "raw"
    raw_dir.mkdir()
    for ending in ("", ".late", ".timely"):
        (raw_dir / f".{DAY}.parquet.unfinished{ending}").write_bytes(b"half")
    count(tree)
    assert sorted(path.name for path in raw_dir.iterdir()) == [".writing", f"{DAY}.parquet"]


def test_incident_bad_permissions(tree: Path) -> None:
    """A file where the folder should be: the error names it, and nothing is written."""
    (tree.parent / "raw").write_text("not a folder")
    result = count(tree, ok=False)
    assert str(tree.parent / "raw") in result["msg"]


def test_incident_wrong_day_inside_and_clock_jump(tree: Path) -> None:
    """Hits count by their own times, whatever day the file is named for."""
    week = b"".join(
        lines(1, repo=f"d{day}").replace(b"27/Sep", f"{day}/Sep".encode()) for day in range(20, 28)
    )
    write_log(tree, week + lines(1).replace(b"/2021:", b"/2038:"))
    count(tree)
    record = read_record(tree.parent / "raw" / f"{DAY}.parquet")
    assert record.weeks == {2698: 7, 2699: 1, 3586: 1}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"log_name": "../../etc/passwd"}, "plain file name"),
        ({"dates": ["2021-13-01"]}, "YYYY-MM-DD"),
        ({"src": None}, "src"),
    ],
)
def test_wrong_options_are_explained(tree: Path, options: dict[str, Any], message: str) -> None:
    assert message in count(tree, ok=False, **options)["msg"]
