"""stats_publish as a user runs it: what readers get."""

from __future__ import annotations

import gzip
import hashlib
import json
import sqlite3
from pathlib import Path

import pyarrow.parquet as pq
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._totals.database import (
    open_totals,
)
from ansible_collections.fedora_infra.dnf_counting.tests.support.modules import statuses
from ansible_collections.fedora_infra.dnf_counting.tests.support.publishing import (
    ROWS,
    STATUS,
    WEEK,
    cells,
    profile,
    publish,
    published,
    web,
)
from ansible_collections.fedora_infra.dnf_counting.tests.support.totals_files import (
    Files,
    Row,
    totals_rows,
    write_csv,
    write_totals,
)


def test_old_names_hold_what_they_always_held(totals: Files) -> None:
    result = publish(totals)
    assert result["changed"]
    files = published(totals)
    assert files["totals.csv"] == totals.csv.read_bytes()
    source = totals_rows(totals.db)
    assert totals_rows(web(totals) / "totals.db") == source
    assert totals_rows(web(totals) / "totals-unique.db") == [r for r in source if r[6] == "-1"]
    assert totals_rows(web(totals) / "totals-countme.db") == [r for r in source if r[6] != "-1"]
    for name in ("totals.db", "totals-unique.db", "totals-countme.db"):
        with sqlite3.connect(web(totals) / name) as connection:
            objects = connection.execute("SELECT name FROM sqlite_master ORDER BY name").fetchall()
        assert objects == [("countme_totals",), ("weeknum_idx",)]
        with open_totals(web(totals) / name, write=False):
            pass  # countme_totals would continue it
    for name in ("totals.db", "totals.csv", "totals-unique.db", "totals-countme.db"):
        assert gzip.decompress(files[f"{name}.gz"]) == files[name]


def test_newest_complete_week_by_release(totals: Files) -> None:
    (week,) = publish(totals, check=True)["newest_week"]
    assert week == {
        "profile": "fedora",
        "week": "2021-W39",
        "week_start": "2021-09-27",
        "week_end": "2021-10-03",
        "status": "complete",
        "machines": 540,
        "by_release": [
            {"os_name": "Fedora Linux", "os_version": "34", "machines": 500},
            {"os_name": "CentOS Stream", "os_version": "9", "machines": 40},
        ],
    }


def test_second_run_changes_nothing_and_check_mode_agrees(totals: Files) -> None:
    planned = publish(totals, check=True)
    assert planned["changed"]
    assert not web(totals).exists()
    first = publish(totals)
    assert set(statuses(planned)) == set(statuses(first))
    assert set(statuses(planned).values()) == {"due"}
    before = {path: path.stat().st_mtime_ns for path in web(totals).rglob("*") if path.is_file()}
    for options in ({"check": True}, {}):
        again = publish(totals, **options)
        assert not again["changed"]
        assert set(statuses(again).values()) == {"unchanged"}
        assert again["published"] == first["published"]
    assert before == {path: path.stat().st_mtime_ns for path in before}


def test_only_what_changed_is_replaced(totals: Files) -> None:
    publish(totals)
    before = published(totals)
    inodes = {name: (web(totals) / name).stat().st_ino for name in before}
    write_totals(totals.db.parent, [*ROWS, Row(WEEK + 1, 3, repo_tag="new")], status=STATUS)
    result = publish(totals)
    after = published(totals)
    made = {name for name, status in statuses(result).items() if status == "made"}
    assert made == {name for name in after if after[name] != before.get(name)}
    assert "weeks/2021-W40.csv" in made
    assert {"weeks/2021-W38.csv", "weeks/2021-W39.csv", "totals-unique.db"}.isdisjoint(made)
    kept = set(after) - made
    assert all((web(totals) / name).stat().st_ino == inodes[name] for name in kept)


def test_totals_with_a_new_time_only_replace_nothing(totals: Files) -> None:
    publish(totals)
    before = published(totals)
    write_totals(totals.db.parent, ROWS, status=STATUS)
    result = publish(totals)
    assert not result["changed"]
    assert published(totals) == before
    assert set(statuses(publish(totals, check=True)).values()) == {"unchanged"}


def test_same_totals_give_same_bytes(tmp_path: Path) -> None:
    """Whatever became of the database before: rows deleted, inserted again, another file."""
    one = write_totals(tmp_path / "one" / "lib", ROWS, status=STATUS)
    other = write_totals(tmp_path / "other" / "lib", [*ROWS, Row(WEEK - 5, 1)], status=STATUS)
    with sqlite3.connect(other.db) as connection:
        connection.execute("DELETE FROM countme_totals WHERE weeknum = ?", (str(WEEK - 5),))
    write_csv(other.csv, ROWS)
    publish(one)
    publish(other)
    first, second = published(one), published(other)
    first.pop("index.json")  # has times
    second.pop("index.json")
    assert first == second


def test_a_removed_or_altered_file_is_put_back(totals: Files) -> None:
    publish(totals)
    good = published(totals)
    good.pop("index.json")
    (web(totals) / "totals.csv.gz").unlink()
    (web(totals) / "weeks" / "2021-W39.csv").write_text("nonsense")
    (web(totals) / "machines.csv").unlink()
    (web(totals) / "machines.csv").symlink_to("/etc/passwd")
    result = publish(totals)
    made = {name for name, status in statuses(result).items() if status == "made"}
    # the index has times to the second: it may or may not be another
    assert made - {"index.json"} == {"totals.csv.gz", "weeks/2021-W39.csv", "machines.csv"}
    again = published(totals)
    again.pop("index.json")
    assert again == good
    (web(totals) / "index.json").unlink()
    assert statuses(publish(totals))["index.json"] == "made"


def test_single_weeks_together_are_totals_csv(totals: Files) -> None:
    publish(totals)
    files = published(totals)
    weeks = [files[f"weeks/2021-W{number}.csv"] for number in (38, 39, 40)]
    header, _unused, _unused = files["totals.csv"].partition(b"\r\n")
    rows = b"".join(week.removeprefix(header + b"\r\n") for week in weeks)
    assert header + b"\r\n" + rows == files["totals.csv"]
    assert files["recent.csv"] == files["totals.csv"]


def test_recent_has_52_weeks(tmp_path: Path) -> None:
    totals = write_totals(tmp_path / "lib", [Row(week, 5) for week in range(WEEK - 59, WEEK + 1)])
    publish(totals)
    recent = cells(published(totals)["recent.csv"])
    assert len(recent) == 52
    assert recent[-1]["week_start"] == "2021-09-27"


def test_parquet_has_the_rows_with_real_types(totals: Files) -> None:
    publish(totals)
    table = pq.read_table(web(totals) / "totals.parquet")
    found = [{k: str(v) for k, v in row.items()} for row in table.to_pylist()]
    assert found == cells(published(totals)["totals.csv"])
    assert [str(table.schema.field(n).type) for n in ("week_start", "hits", "sys_age")] == [
        "date32[day]",
        "int64",
        "int64",
    ]


def test_machines_by_both_methods(totals: Files) -> None:
    publish(totals)
    files = published(totals)
    machines = [row for row in cells(files["machines.csv"]) if row["week"] == "2021-W39"]
    assert [(r["os_name"], r["machines"], r["machines_fedora_nn"]) for r in machines] == [
        ("CentOS Stream", "40", "0"),
        ("Fedora Linux", "500", "500"),
    ]
    assert b"fedora-NN" in files["machines-README.txt"]


def test_quality_of_each_week(totals: Files) -> None:
    publish(totals)
    files = published(totals)
    week = cells(files["quality.csv"])[1]
    assert week == {
        "week": "2021-W39",
        "week_start": "2021-09-27",
        "week_end": "2021-10-03",
        "status": "complete",
        "expected_host_days": "14",
        "received_host_days": "13",
        "hits": "100",
        "malformed": "2",
        "suspect": "0",
        "suspect_reason": "",
        "revision": "1",
        "computed_at": "2021-10-05T09:00:00+00:00",
    }
    in_json = json.loads(files["quality.json"])["weeks"][1]
    assert in_json["suspect"] is False
    assert in_json["received_host_days"] == 13
    assert not any(b"proxy01" in content for content in files.values())


def test_totals_of_the_old_system_have_weeks_of_unknown_quality(tmp_path: Path) -> None:
    totals = write_totals(tmp_path / "lib", ROWS)
    result = publish(totals)
    assert result["newest_week"][0]["week"] == "2021-W40"
    assert {row["status"] for row in cells(published(totals)["quality.csv"])} == {"unknown"}


def test_the_index_agrees_with_the_files(totals: Files) -> None:
    publish(totals)
    files = published(totals)
    index = json.loads(files.pop("index.json"))
    assert index["schema_version"] == 1
    assert {one["name"] for one in index["files"]} == set(files)
    for one in index["files"]:
        content = files[one["name"]]
        assert one["size"] == len(content)
        assert one["sha256"] == hashlib.sha256(content).hexdigest()


def test_two_profiles_side_by_side(totals: Files) -> None:
    centos = write_totals(totals.db.parent, [Row(WEEK, 9)], stem="totals-centos")
    profiles = [profile(totals), profile(centos, name="centos", prefix="totals-centos")]
    result = publish(totals, profiles=profiles)
    files = published(totals)
    twins = ["totals-centos.db.gz", "totals-centos-unique.db", "machines-centos.csv"]
    assert {*twins, "weeks-centos/2021-W39.csv", "quality-centos.json"} <= set(files)
    assert files["totals-centos.csv"] == centos.csv.read_bytes()
    assert [week["profile"] for week in result["newest_week"]] == ["fedora", "centos"]
    assert str(web(totals) / "weeks-centos") in result["published"]


def test_nothing_counted_yet_is_no_failure(tmp_path: Path) -> None:
    totals = Files(tmp_path / "lib" / "totals.db", tmp_path / "lib" / "totals.csv")
    result = publish(totals)
    assert not result["changed"]
    assert set(statuses(result).values()) == {"waiting"}
    assert result["newest_week"] == []
    assert result["published"] == []
    assert not web(totals).exists()


def test_write_ahead_log_is_published_too(totals: Files) -> None:
    writer = sqlite3.connect(totals.db, isolation_level=None)
    try:
        writer.execute("PRAGMA journal_mode = WAL")
        writer.execute("UPDATE countme_totals SET hits = 8 WHERE hits = 7")
        write_csv(totals.csv, [row._replace(hits=8) if row.hits == 7 else row for row in ROWS])
        publish(totals)
        assert any(row[0] == 8 for row in totals_rows(web(totals) / "totals.db"))
    finally:
        writer.close()


def test_incident_hostile_request_shows_as_text(tmp_path: Path) -> None:
    hostile = [
        '=HYPERLINK("http://evil.example")',
        "+cmd|' /C calc'!A0",
        "@SUM(A1)",
        "a\r\n2021-10-04,2021-10-10,1,x,1,,x86_64,1,fake,x86_64",
        'quote"and,comma',
        "\x1b[2J\x00",
        "192.0.2.7",
        "mirror-of-2001:db8::7",
        "<script>alert(1)</script>",
        "'; DROP TABLE countme_totals; --",
    ]
    rows = [Row(WEEK, 1000), *(Row(WEEK, 3, repo_tag=tag) for tag in hostile)]
    totals = write_totals(tmp_path / "lib", rows)
    publish(totals)
    files = published(totals)
    assert files["totals.csv"] == totals.csv.read_bytes()
    assert totals_rows(web(totals) / "totals.db") == totals_rows(totals.db)
    week = cells(files["weeks/2021-W39.csv"])
    assert [row["repo_tag"] for row in week if row["hits"] != "1000"] == [
        '\'=HYPERLINK("http://evil.example")',
        "'+cmd|' /C calc'!A0",
        "'@SUM(A1)",
        "a\\x0d\\x0a2021-10-04,2021-10-10,1,x,1,,x86_64,1,fake,x86_64",
        'quote"and,comma',
        "\\x1b[2J\\x00",
        "(address)",
        "<script>alert(1)</script>",
        "'; DROP TABLE countme_totals; --",
    ]
    assert [row["hits"] for row in week if row["repo_tag"] == "(address)"] == ["6"]
    new = [files[name] for name in ("weeks/2021-W39.csv", "recent.csv", "machines.csv")]
    assert not any(b"192.0.2.7" in content or b"2001:db8" in content for content in new)
    assert "192.0.2.7" not in pq.read_table(web(totals) / "totals.parquet")["repo_tag"].to_pylist()


def test_versions_of_four_numbers_are_no_addresses(tmp_path: Path) -> None:
    totals = write_totals(tmp_path / "lib", [Row(WEEK, 5, "UXCloud", "2.0.8.1"), Row(WEEK, 50)])
    publish(totals)
    files = published(totals)
    assert b"2.0.8.1" in files["weeks/2021-W39.csv"]
    assert b"2.0.8.1" in files["machines.csv"]


def test_an_address_in_the_reason_of_a_suspect_week_is_replaced(tmp_path: Path) -> None:
    totals = write_totals(
        tmp_path / "lib", ROWS, status=STATUS, suspect_reason="one host, 192.0.2.7, sent half"
    )
    publish(totals)
    assert not any(b"192.0.2.7" in content for content in published(totals).values())


def test_min_hits_is_for_new_files_only(totals: Files) -> None:
    publish(totals, min_hits=50)
    files = published(totals)
    assert files["totals.csv"] == totals.csv.read_bytes()
    assert totals_rows(web(totals) / "totals.db") == totals_rows(totals.db)
    assert {row["hits"] for row in cells(files["recent.csv"])} == {
        "500",
        "90",
        "300",
        "200",
        "480",
        "60",
    }
    assert all(int(row["machines"]) >= 50 for row in cells(files["machines.csv"]))
    assert cells(files["weeks/2021-W40.csv"]) == []
    assert pq.read_table(web(totals) / "totals.parquet").num_rows == 6
    assert publish(totals)["changed"]
    assert len(cells(published(totals)["recent.csv"])) == len(ROWS)
