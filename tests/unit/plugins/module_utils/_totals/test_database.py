"""The SQLite file: its schema, taking weeks in, and what is not ours."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import pytest
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._base.errors import (
    CountingError,
    LockedError,
    OutputError,
    SourceError,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._publish.totals_reader import (
    reading,
    write_totals_db,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._totals.changes import (
    delete_weeks,
    replace_weeks,
    stage_week,
    staging,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._totals.database import (
    COUNTME_ROWS,
    TotalsRow,
    counted_state,
    counted_weeks,
    hits_of,
    open_totals,
    rows_of,
    week_records,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._totals.quality import (
    WeekRecord,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._totals.trim import (
    plan_trim,
)
from ansible_collections.fedora_infra.dnf_counting.tests.support.raw_day_files import write_raw_day

RECORD = WeekRecord(
    week=2699,
    status="partial",
    expected_host_days=14,
    received_host_days=13,
    malformed=2,
    hits=5,
    revision=3,
    computed_at="2021-10-05T00:00:00+00:00",
    fingerprint="f",
    inputs=("2021-09-28.parquet",),
    log_name="mirrors-access.log",
    polluted="p",
    suspect_reason="s; p",
)


def row(hits: int, age: str = "1", name: str = "Fedora", week: int = 2699) -> TotalsRow:
    return TotalsRow(
        hits, str(week), name, "34", "workstation", "x86_64", age, "fedora-34", "x86_64"
    )


def put(path: Path, rows: Sequence[TotalsRow], record: WeekRecord = RECORD) -> bool:
    """Take the rows in; gives whether they were there already."""
    with (
        open_totals(path, write=True, lock_timeout_seconds=0.1) as connection,
        staging(connection, path.with_name("staged.db")),
    ):
        staged = stage_week(connection, record.week, [rows])
        replace_weeks(connection, [] if staged.same else [record.week], [record])
    return staged.same


def test_the_schema_is_the_one_that_readers_know(tmp_path: Path) -> None:
    totals = pytest.importorskip("mirrors_countme.totals").totals
    raw = sqlite3.connect(tmp_path / "raw.db")
    raw.execute(
        "CREATE TABLE countme_raw (timestamp, host, os_name, os_version, os_variant, os_arch,"
        " sys_age, repo_tag, repo_arch)"
    )
    raw.close()
    totals(countme_totals=str(tmp_path / "old.db"), countme_raw=str(tmp_path / "raw.db"))
    put(tmp_path / "new.db", [row(1)])
    query = "SELECT type, name, sql FROM sqlite_master WHERE tbl_name = 'countme_totals'"
    old, new = (
        sqlite3.connect(tmp_path / name).execute(query).fetchall() for name in ("old.db", "new.db")
    )
    assert new == old
    assert len(new) == 2


def test_rows_keep_their_types_and_come_in_the_documented_order(tmp_path: Path) -> None:
    path = tmp_path / "totals.db"
    put(path, [row(9, "-1"), row(2), row(5, "4"), row(5, "3"), row(5, "3", "CentOS"), row(5, "12")])
    connection = sqlite3.connect(path)
    types = "SELECT DISTINCT typeof(hits), typeof(weeknum), typeof(sys_age) FROM countme_totals"
    assert connection.execute(types).fetchall() == [("integer", "text", "text")]
    expected = [(5, "CentOS", "3"), (5, "Fedora", "3"), (5, "Fedora", "4"), (5, "Fedora", "12")]
    expected += [(2, "Fedora", "1"), (9, "Fedora", "-1")]
    assert [(r.hits, r.os_name, r.sys_age) for r in rows_of(connection, 2699)] == expected
    by_rowid = connection.execute("SELECT hits, os_name, sys_age FROM countme_totals").fetchall()
    assert by_rowid == expected


def test_the_record_of_a_week_comes_back_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "totals.db"
    put(path, [row(5)])
    with open_totals(path, write=False) as connection:
        assert week_records(connection) == [RECORD]
        found = connection.execute("SELECT week_start, week_end, suspect FROM weeks").fetchall()
    assert found == [("2021-09-27", "2021-10-03", 1)]


def test_equal_rows_are_recognised_whatever_their_order(tmp_path: Path) -> None:
    path = tmp_path / "totals.db"
    assert not put(path, [row(1), row(2, "2")])
    assert put(path, [row(2, "2"), row(1)])
    assert not put(path, [row(2, "2"), row(3)])
    assert not put(path, [row(2, "2")])


def test_an_old_file_is_continued_and_other_tables_are_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "totals.db"
    with sqlite3.connect(path) as old:
        columns = "hits INTEGER NOT NULL" + "".join(
            f", {n} TEXT NOT NULL" for n in row(1)._fields[1:]
        )
        old.execute(f"CREATE TABLE countme_totals ({columns})")
        old.execute("INSERT INTO countme_totals VALUES (?,?,?,?,?,?,?,?,?)", row(7, week=2650))
        old.execute("INSERT INTO countme_totals VALUES (?,?,?,?,?,?,?,?,?)", row(7, "-1", week=999))
        old.execute("CREATE TABLE notes (text)")
        old.execute("INSERT INTO notes VALUES ('mine')")
    old.close()
    put(path, [row(1)])
    with open_totals(path, write=False) as connection:
        state = counted_state(connection)
        assert connection.execute("SELECT * FROM notes").fetchall() == [("mine",)]
        assert list(rows_of(connection, 2650)) == [row(7, week=2650)]
    assert state.weeks == {999, 2650, 2699}
    assert (state.spans["countme"].newest, state.spans["unique"]) == (2699, (999, 999))


@pytest.mark.parametrize("table", ["countme_totals", "weeks"])
def test_foreign_tables_of_our_names_are_refused(tmp_path: Path, table: str) -> None:
    path = tmp_path / "totals.db"
    with sqlite3.connect(path) as foreign:
        foreign.execute(f"CREATE TABLE {table} (hits TEXT, day TEXT)")
    foreign.close()
    before = path.read_bytes()
    with pytest.raises(OutputError, match=f"expected table {table} with the columns"):
        put(path, [row(1)])
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "content", [b"not a database, " * 100, b"SQLite format 3\0" + b"\xff" * 4000]
)
def test_what_is_no_database_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "totals.db"
    path.write_bytes(content)
    with pytest.raises(OutputError, match="expected a database of totals in SQLite's format"):
        put(path, [row(1)])
    assert path.read_bytes() == content


def test_week_numbers_that_are_none_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "totals.db"
    put(path, [row(1)])
    with sqlite3.connect(path) as other:
        other.execute("UPDATE countme_totals SET weeknum = 'W39'")
    other.close()
    with pytest.raises(OutputError, match="expected numbers of weeks"):
        put(path, [row(1)])


@pytest.mark.parametrize("weeknum", ["W39", "", "99999999999"])
def test_foreign_week_numbers_are_named_by_every_reader(tmp_path: Path, weeknum: str) -> None:
    path = tmp_path / "totals.db"
    put(path, [row(1)])
    with sqlite3.connect(path) as other:
        other.execute("UPDATE countme_totals SET weeknum = ?", (weeknum,))
    with pytest.raises(SourceError, match="expected the number of a week"):
        counted_weeks(other)
    other.close()
    with pytest.raises(CountingError, match="number"), reading(path):
        pass
    raw_dir = tmp_path / "raw"
    write_raw_day(raw_dir, date(2021, 9, 29), [])
    with pytest.raises(CountingError, match="number"):
        plan_trim(raw_dir, keep_weeks=0, totals_db=path)


def test_all_rows_but_those_of_sys_age_minus_one_are_countme_hits(tmp_path: Path) -> None:
    path = tmp_path / "totals.db"
    put(path, [row(3), row(5, "-2"), row(7, "-1", week=2700)])
    with open_totals(path, write=False) as connection:
        assert hits_of(connection, [2699]) == {2699: 8}
        assert [one.sys_age for one in rows_of(connection, 2699)] == ["-2", "1"]
        assert counted_state(connection).spans["unique"].oldest == 2700
    write_totals_db(path, tmp_path / "countme.db", rows=COUNTME_ROWS)
    with open_totals(tmp_path / "countme.db", write=False) as connection:
        assert [one.sys_age for one in rows_of(connection, 2699)] == ["-2", "1"]


@pytest.mark.parametrize("held", ["BEGIN EXCLUSIVE", "BEGIN IMMEDIATE"])
def test_incident_totals_db_locked_by_a_writer(tmp_path: Path, held: str) -> None:
    path = tmp_path / "totals.db"
    put(path, [row(1)])
    other = sqlite3.connect(path, isolation_level=None)
    other.execute(held)
    with pytest.raises(LockedError, match="raise lock_timeout"):
        put(path, [row(2)])
    other.execute("ROLLBACK")
    other.close()
    assert not put(path, [row(2)])


def test_incident_totals_db_locked_by_a_reader_leaves_the_old_state(tmp_path: Path) -> None:
    path = tmp_path / "totals.db"
    put(path, [row(1)])
    reader = sqlite3.connect(path, isolation_level=None)
    reader.execute("BEGIN")
    assert reader.execute("SELECT sum(hits) FROM countme_totals").fetchone() == (1,)
    with pytest.raises(LockedError):
        put(path, [row(2)])
    assert reader.execute("SELECT sum(hits) FROM countme_totals").fetchone() == (1,)
    reader.execute("COMMIT")
    put(path, [row(2)])
    assert reader.execute("SELECT sum(hits) FROM countme_totals").fetchone() == (2,)
    reader.close()


def test_incident_disk_full_leaves_the_old_state(tmp_path: Path) -> None:
    path = tmp_path / "totals.db"
    put(path, [row(1)])
    with open_totals(path, write=True) as connection:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
    many = [row(1, str(age), "x" * 1000) for age in range(200)]
    with (  # noqa: PT012 - the limit belongs to the connection
        pytest.raises(OutputError, match="Free some space"),
        open_totals(path, write=True) as connection,
        staging(connection, tmp_path / "staged.db"),
    ):
        connection.execute(f"PRAGMA main.max_page_count = {pages}")
        stage_week(connection, 2699, [many])
        replace_weeks(connection, [2699], [RECORD])
    with open_totals(path, write=False) as connection:
        assert list(rows_of(connection, 2699)) == [row(1)]


def test_strings_of_all_kinds_survive(tmp_path: Path) -> None:
    path = tmp_path / "totals.db"
    names = ["", "a\0b", "a\0c", "\r\n", '"', "\U0001f600", "'; DROP TABLE weeks; --"]
    put(path, [row(1, name=name) for name in names])
    with open_totals(path, write=False) as connection:
        assert {r.os_name for r in rows_of(connection, 2699)} == set(names)


def test_deleted_weeks_take_their_records_along(tmp_path: Path) -> None:
    path = tmp_path / "totals.db"
    put(path, [row(1)])
    with open_totals(path, write=True) as connection:
        delete_weeks(connection, [2699, 1])
        assert counted_state(connection).weeks == set()
        assert week_records(connection) == []


def test_incident_public_copy_torn_journal_mode_stays_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "totals.db"
    with sqlite3.connect(path) as old:
        old.execute("PRAGMA journal_mode = WAL")
        old.execute("CREATE TABLE notes (text)")
    old.close()
    put(path, [row(1)])
    assert sqlite3.connect(path).execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_a_name_with_question_marks_is_a_name(tmp_path: Path) -> None:
    path = tmp_path / "a?mode=memory#b%41.db"
    put(path, [row(1)])
    assert path.exists()
