"""Importing the raw hits of the earlier system: parts of days, strange values, no database."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._hits.raw_days import (
    COLUMNS as RAW_COLUMNS,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._migrate.old_raw_db import (
    day_start,
)
from ansible_collections.fedora_infra.dnf_counting.tests.support.modules import (
    run_module,
    statuses,
)
from ansible_collections.fedora_infra.dnf_counting.tests.support.old_raw import write_raw_db
from ansible_collections.fedora_infra.dnf_counting.tests.support.raw_day_files import (
    LOG_NAME,
    Row,
    hit,
    write_raw_day,
)

HOUR = 3600
START = day_start(date(2021, 9, 27))


def whole_days(*numbers: int) -> list[Row]:
    """A hit each hour, on days counted from 2021-09-27."""
    return [hit(START + number * 24 * HOUR + h * HOUR) for number in numbers for h in range(24)]


def imported(folder: Path, *, ok: bool = True, **options: Any) -> dict[str, Any]:
    given = {"raw_db": folder / "raw.db", "log_name": LOG_NAME, "raw_dir": folder / "raw"}
    return run_module("countme_raw_import", ok=ok, **{**given, **options})


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        pytest.param(
            [*whole_days(0, 1), hit(START + 48 * HOUR + 90)],
            {"2021-09-28": "made", "2021-09-29": "made", "2021-09-30": "skipped"},
            id="a-log-ends-after-midnight",
        ),
        pytest.param(
            [hit(START + 13 * HOUR), *whole_days(1), hit(START + 48 * HOUR)],
            {"2021-09-28": "skipped", "2021-09-29": "made", "2021-09-30": "skipped"},
            id="the-first-day-was-trimmed-in-part",
        ),
        pytest.param(
            [*whole_days(0), hit(START + 24 * HOUR), *whole_days(3), hit(START + 96 * HOUR)],
            {
                "2021-09-28": "made",
                "2021-09-29": "skipped",
                "2021-10-01": "made",
                "2021-10-02": "skipped",
            },
            id="a-gap",
        ),
        pytest.param(
            [hit(86400), *whole_days(0), hit(START + 24 * HOUR), hit(day_start(date(2199, 1, 1)))],
            {
                "1970-01-03": "skipped",
                "2021-09-28": "made",
                "2021-09-29": "skipped",
                "2199-01-02": "skipped",
            },
            id="corrupt-dates",
        ),
    ],
)  # fmt: skip
def test_days_that_may_not_be_whole_are_left_out(
    rows: list[Row], expected: dict[str, str], tmp_path: Path
) -> None:
    write_raw_db(tmp_path / "raw.db", rows)
    result = imported(tmp_path)
    assert statuses(result) == expected
    made = {name for name, status in expected.items() if status == "made"}
    assert {path.stem for path in (tmp_path / "raw").glob("*.parquet")} == made


def test_parts_of_days_are_imported_where_that_is_asked_for(tmp_path: Path) -> None:
    write_raw_db(tmp_path / "raw.db", [hit(START + 13 * HOUR)])
    assert statuses(imported(tmp_path)) == {"2021-09-28": "skipped"}
    assert statuses(imported(tmp_path, edge_days=True)) == {"2021-09-28": "made"}


def test_a_raw_day_made_from_its_log_stays_as_it_is(tmp_path: Path) -> None:
    write_raw_db(tmp_path / "raw.db", [*whole_days(0, 1), hit(START + 48 * HOUR)])
    there = write_raw_day(tmp_path / "raw", date(2021, 9, 28), [hit(START)])
    before = there.read_bytes()
    result = imported(tmp_path, until="2021-09-29", days=3)
    assert statuses(result) == {
        "2021-09-27": "missing",
        "2021-09-28": "unchanged",
        "2021-09-29": "made",
    }
    assert there.read_bytes() == before
    # an hour of its neighbours is in it, too, since logs don't end at midnight
    times = pq.read_table(tmp_path / "raw" / "2021-09-29.parquet")["timestamp"].to_pylist()
    assert (min(times), max(times)) == (START + 23 * HOUR, START + 48 * HOUR)


def test_which_days_are_whole_follows_from_the_database_alone(tmp_path: Path) -> None:
    write_raw_db(
        tmp_path / "raw.db", [hit(START + 13 * HOUR), *whole_days(1), hit(START + 49 * HOUR)]
    )
    first = {"2021-09-28": "skipped", "2021-09-29": "made", "2021-09-30": "skipped"}
    assert statuses(imported(tmp_path)) == first
    # whose log came meanwhile
    write_raw_day(tmp_path / "raw", date(2021, 9, 28), [hit(START)])
    assert statuses(imported(tmp_path)) == {**first, "2021-09-29": "unchanged"}


def test_a_database_that_has_grown_is_imported_again(tmp_path: Path) -> None:
    write_raw_db(tmp_path / "raw.db", [*whole_days(0), hit(START + 24 * HOUR)])
    assert imported(tmp_path)["summary"] == {"made": 1, "skipped": 1}
    with closing(sqlite3.connect(tmp_path / "raw.db")) as connection:
        connection.execute("DELETE FROM countme_raw WHERE timestamp = ?", (START,))
        rows = [*whole_days(1), hit(START + 48 * HOUR)]
        connection.executemany("INSERT INTO countme_raw VALUES (?,?,?,?,?,?,?,?,?)", rows)
        connection.commit()
    result = imported(tmp_path, edge_days=True, dates=["2021-09-28", "2021-09-29"])
    assert statuses(result) == {"2021-09-28": "made", "2021-09-29": "made"}


def test_strange_values_are_kept_or_counted_as_no_hits(tmp_path: Path) -> None:
    rows: list[Any] = [*whole_days(0), hit(START + 24 * HOUR)]
    rows += [
        (START + 1, "192.0.2.7", None, None, None, None, -1, None, None),
        (START + 2, "192.0.2.8", "'; DROP TABLE countme_raw; --", "\0", "", "", 2**63 - 1, "", ""),
        (START + 3, b"\xff\xfe", "", "", "", "", 1, "", ""),
        (START + 4, "192.0.2.9", "", "", "", "", "many", "", ""),
        (START + 5.5, "192.0.2.9", "", "", "", "", 1, "", ""),
    ]
    # a table without types, so that each value stays of its own
    write_raw_db(tmp_path / "raw.db", rows, columns=", ".join(RAW_COLUMNS))
    (unit, _edge) = imported(tmp_path)["units"]
    assert (unit["rows"], unit["rejects"]) == (27, {"garbled": 3})
    read = pq.read_table(tmp_path / "raw" / "2021-09-28.parquet").to_pylist()
    systems = {(row["os_name"], row["os_version"], row["sys_age"]) for row in read}
    assert ("", "", -1) in systems
    assert ("'; DROP TABLE countme_raw; --", "\0", 2**63 - 1) in systems


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, "found no file"),
        (b"", "found no such table"),
        (b"this is no database " * 100, "file is not a database"),
    ],
)
def test_what_is_no_database_of_raw_hits_is_named(
    content: bytes | None, told: str, tmp_path: Path
) -> None:
    if content is not None:
        (tmp_path / "raw.db").write_bytes(content)
    result = imported(tmp_path, ok=False)
    assert str(tmp_path / "raw.db") in result["msg"]
    assert told in result["msg"]
    assert not (tmp_path / "raw").exists()


def test_a_damaged_database_is_named(tmp_path: Path) -> None:
    path = write_raw_db(tmp_path / "raw.db", [row for n in range(9) for row in whole_days(n)])
    content = bytearray(path.read_bytes())
    content[4096:] = b"\xa5" * (len(content) - 4096)
    path.write_bytes(content)
    assert (
        "expected a database of raw hits in SQLite's format" in imported(tmp_path, ok=False)["msg"]
    )


def test_a_change_that_a_killed_program_left_is_told_and_how_to_take_it_back(
    tmp_path: Path,
) -> None:
    path = write_raw_db(tmp_path / "raw.db", [*whole_days(0), hit(START + 24 * HOUR)])
    killed = (
        "import os, sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute('BEGIN EXCLUSIVE');"
        "c.execute('PRAGMA cache_size = 1'); c.execute('DELETE FROM countme_raw');"
        "c.execute('PRAGMA cache_spill = 1'); os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", killed, path], check=False)
    assert path.with_name("raw.db-journal").exists()
    said = imported(tmp_path, ok=False)["msg"]
    assert "A program was ended while it wrote there. Open it once" in said
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("SELECT count(*) FROM countme_raw").fetchone()
    assert statuses(imported(tmp_path))["2021-09-28"] == "made"
