"""stats_publish with totals that are not fit to be published, and with trouble on the way."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import threading
from pathlib import Path

import pytest
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._storage.files import (
    writer_lock,
)
from ansible_collections.fedora_infra.dnf_counting.tests.support.modules import statuses
from ansible_collections.fedora_infra.dnf_counting.tests.support.publishing import (
    ROWS,
    STATUS,
    WEEK,
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


@pytest.mark.parametrize(
    ("rows", "found"),
    [
        pytest.param(ROWS[2:], "1 published weeks missing (2021-W38)", id="week-missing"),
        pytest.param(
            [*ROWS[:2], *(row._replace(hits=row.hits // 3) for row in ROWS[2:])],
            "2 weeks with less than half left (2021-W39, 2021-W40)",
            id="far-smaller",
        ),
        pytest.param([], "3 published weeks missing", id="empty"),
    ],
)
@pytest.mark.parametrize("record", ["with-record", "of-the-old-system"])
def test_incident_csv_overwritten(totals: Files, rows: list[Row], found: str, record: str) -> None:
    publish(totals)
    if record == "of-the-old-system":
        (web(totals) / ".publish.json").unlink()
    before = published(totals)
    write_totals(totals.db.parent, rows, status={row.week: "complete" for row in rows})
    for check in (True, False):
        result = publish(totals, check=check, ok=False)
        assert found in result["msg"]
        assert str(web(totals) / "totals.db") in result["msg"]
        assert str(totals.db) in result["msg"]
        assert statuses(result)["profile fedora"] == "failed"
    assert published(totals) == before
    assert publish(totals, allow_shrink=True)["changed"]
    assert totals_rows(web(totals) / "totals.db") == totals_rows(totals.db)
    weeks = {path.name for path in (web(totals) / "weeks").iterdir()}
    assert len(weeks) >= len({row.week for row in rows})
    if record == "with-record":
        assert len(weeks) == len({row.week for row in rows})


def test_incident_csv_overwritten_by_another_state(totals: Files) -> None:
    publish(totals)
    before = published(totals)
    write_csv(totals.csv, ROWS[:-1])
    result = publish(totals, ok=False)
    assert "another state" in result["msg"]
    assert "2021-W40" in result["msg"]
    assert published(totals) == before


def test_a_profile_that_fails_leaves_the_others_alone(totals: Files) -> None:
    lost = Files(totals.db.parent / "lost.db", totals.db.parent / "lost.csv")
    broken = write_totals(totals.db.parent, [Row(WEEK, 1)], stem="broken")
    broken.db.write_bytes(b"not a database at all" * 1000)
    profiles = [
        profile(broken, name="broken", prefix="broken"),
        profile(totals),
        profile(lost, name="lost", prefix="lost"),
    ]
    result = publish(totals, profiles=profiles, ok=False)
    assert "profile broken" in result["msg"]
    assert str(broken.db) in result["msg"]
    assert statuses(result)["totals.csv"] == "made"
    assert statuses(result)["lost.csv"] == "waiting"
    assert statuses(result)["broken.csv"] == "blocked"
    assert not any(name.startswith("broken") for name in published(totals))


def test_incident_totals_db_locked_by_a_reader(totals: Files) -> None:
    with sqlite3.connect(totals.db) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM countme_totals").fetchone()
        assert publish(totals)["changed"]


def test_incident_public_copy_torn(totals: Files) -> None:
    """Readers download in a loop while two states replace each other."""
    states = [ROWS, [row._replace(hits=row.hits + 1) for row in ROWS]]
    publish(totals)
    whole: set[bytes] = set()
    seen: set[bytes] = set()
    torn: list[str] = []
    stop = threading.Event()

    def read() -> None:
        while not stop.is_set():
            seen.add((web(totals) / "totals.csv").read_bytes())
            copy = web(totals).parent / "download.db"
            copy.write_bytes((web(totals) / "totals.db").read_bytes())
            with sqlite3.connect(copy) as connection:
                (sound,) = connection.execute("PRAGMA integrity_check").fetchone()
                (count,) = connection.execute("SELECT count(*) FROM countme_totals").fetchone()
            if (sound, count) != ("ok", len(ROWS)):
                torn.append(f"{sound}, {count} rows")

    whole.add(totals.csv.read_bytes())
    reader = threading.Thread(target=read)
    reader.start()
    try:
        for turn in range(1, 5):
            write_totals(totals.db.parent, states[turn % 2], status=STATUS)
            whole.add(totals.csv.read_bytes())
            publish(totals)
    finally:
        stop.set()
        reader.join()
    assert not torn
    assert len(seen) == 2
    assert seen == whole


@pytest.mark.parametrize("column", ["os_name", "os_version", "repo_tag"])
def test_refuses_totals_with_addresses_in_a_column(tmp_path: Path, column: str) -> None:
    rows = [Row(WEEK, 5)._replace(**{column: f"198.51.100.{n}"}) for n in range(200)]
    totals = write_totals(tmp_path / "lib", [*rows, Row(WEEK, 100)])
    result = publish(totals, ok=False)
    assert "addresses in at least half of the hits" in result["msg"]
    assert published(totals) == {}


@pytest.mark.parametrize("column", ["host", "timestamp"])
def test_refuses_totals_with_a_private_column(totals: Files, column: str) -> None:
    with sqlite3.connect(totals.db) as connection:
        connection.execute(f"ALTER TABLE countme_totals ADD COLUMN {column} TEXT")
    result = publish(totals, ok=False)
    assert column in result["msg"]
    assert published(totals) == {}


@pytest.mark.parametrize(
    "changes",
    [{"prefix": "../totals"}, {"prefix": "a/b"}, {"prefix": "-x"}, {"name": "two"}],
)
def test_incident_hostile_config(totals: Files, changes: dict[str, str]) -> None:
    profiles = [profile(totals, name="one"), profile(totals, **{"name": "x", **changes})]
    assert "option profiles" in publish(totals, profiles=profiles, ok=False)["msg"]
    assert not web(totals).exists()


def test_incident_partial_transfer_killed_run_is_healed(totals: Files) -> None:
    """What a run leaves that is killed while it makes files, or between two renames."""
    publish(totals)
    good = published(totals)
    (web(totals) / ".publishing").mkdir()
    (web(totals) / ".publishing" / "totals.db").write_bytes(b"half")
    (web(totals) / ".totals.csv.unfinished").write_bytes(b"half")
    (web(totals) / ".publish.json").write_bytes(b'{"format": 1, "prof')
    result = publish(totals)
    assert set(statuses(result).values()) == {"unchanged"}
    assert published(totals) == good
    hidden = {path.name for path in web(totals).iterdir() if path.name.startswith(".")}
    assert hidden <= {".publish.json", ".writing", ".totals.csv.unfinished"}


def test_incident_second_run_is_refused_while_one_writes(totals: Files) -> None:
    web(totals).mkdir()
    with writer_lock(web(totals), run_id="first"):
        result = publish(totals, ok=False)
    assert "run first" in result["msg"]
    assert published(totals) == {}


def test_incident_bad_permissions_umask(totals: Files) -> None:
    before = os.umask(0o077)
    try:
        publish(totals)
    finally:
        os.umask(before)
    for name in published(totals):
        assert (web(totals) / name).stat().st_mode & 0o777 == 0o644
    assert (web(totals) / "weeks").stat().st_mode & 0o777 == 0o755
    assert (web(totals) / ".publish.json").stat().st_mode & 0o007 == 0


@pytest.mark.root
@pytest.mark.skipif(os.geteuid() != 0, reason="mounts a small file system, which needs root")
def test_incident_disk_full(totals: Files) -> None:
    web(totals).mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", web(totals)], check=True)
    try:
        publish(totals)
        good = published(totals)
        more = [Row(WEEK + 1, 5, repo_tag=f"repo-{n:06}") for n in range(4000)]
        write_totals(totals.db.parent, [*ROWS, *more], status=STATUS)
        result = publish(totals, ok=False)
        assert "Free some space" in result["msg"]
        assert str(web(totals)) in result["msg"]
        assert published(totals) == good
        assert not (web(totals) / ".publishing").exists()
        write_totals(totals.db.parent, ROWS, status=STATUS)
        assert not publish(totals)["changed"]
    finally:
        subprocess.run(["umount", web(totals)], check=True)
