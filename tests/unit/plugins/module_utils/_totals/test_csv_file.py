"""The CSV file: only its tail is written anew, readers never see half a file, foreign ones stay."""

from __future__ import annotations

import csv
import errno
import os
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._base.days_and_weeks import (
    week_end,
    week_start,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._base.errors import (
    OutputError,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._totals.csv_file import (
    check_replaceable,
    csv_in_step,
    keep_in_step,
    write_csv,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._totals.csv_reader import (
    CSV_COLUMNS,
)

HEADER = ",".join(CSV_COLUMNS) + "\r\n"
WEEKS = range(2698, 2702)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(tmp_path / "totals.db", isolation_level=None)
    connection.execute(
        "CREATE TABLE countme_totals (hits INTEGER, weeknum TEXT, os_name TEXT, os_version TEXT,"
        " os_variant TEXT, os_arch TEXT, sys_age TEXT, repo_tag TEXT, repo_arch TEXT)"
    )
    for week in WEEKS:
        insert(connection, week)
    yield connection
    connection.close()


def insert(
    connection: sqlite3.Connection, week: int, hits: int = 1, repo: str = "fedora-34"
) -> None:
    row = (hits, str(week), "Fedora", "34", "generic", "x86_64", "1", repo, "x86_64")
    connection.execute("INSERT INTO countme_totals VALUES (?,?,?,?,?,?,?,?,?)", row)


def write(folder: Path, connection: sqlite3.Connection, **options: Any) -> tuple[int, int]:
    return write_csv(folder / "totals.csv", connection, folder / "totals.db", **options)


def weeks_in(path: Path) -> list[str]:
    with path.open(newline="") as there:
        return [row["week_start"] for row in csv.DictReader(there)]


def test_a_file_that_becomes_shorter_while_it_is_copied_is_explained(
    tmp_path: Path, database: sqlite3.Connection
) -> None:
    path = tmp_path / "totals.csv"
    write(tmp_path, database)
    keep = csv_in_step(path, tmp_path / "totals.db")
    os.truncate(path, 10)
    with pytest.raises(OutputError, match="became shorter"):
        write(tmp_path, database, keep=keep, first_changed=2700)
    assert path.stat().st_size == 10


def test_bytes_of_a_row(tmp_path: Path, database: sqlite3.Connection) -> None:
    database.execute("DELETE FROM countme_totals")
    insert(database, 2699, 12, repo='a,"b"\n')
    write(tmp_path, database)
    expected = '2021-09-27,2021-10-03,12,Fedora,34,generic,x86_64,1,"a,""b""\n",x86_64\r\n'
    assert (tmp_path / "totals.csv").read_bytes().decode() == HEADER + expected


def test_only_the_tail_is_written_anew(tmp_path: Path, database: sqlite3.Connection) -> None:
    path = tmp_path / "totals.csv"
    write(tmp_path, database)
    keep = csv_in_step(path, tmp_path / "totals.db")
    before = path.read_bytes()
    insert(database, 2700, 77)
    insert(database, 2702)
    copied, written = write(tmp_path, database, keep=keep, first_changed=2700)
    tail = path.read_bytes()
    assert copied == len(HEADER) + 2 * (len(before) - len(HEADER)) // 4
    assert written == len(tail) - copied
    write(tmp_path, database)
    assert path.read_bytes() == tail, "as if written from the beginning"


def test_incident_totals_csv_of_600_mb_is_not_read_when_a_week_is_added(
    tmp_path: Path, database: sqlite3.Connection
) -> None:
    """The head is taken over as it is, whatever it holds: its rows are not looked at."""
    path = tmp_path / "totals.csv"
    write(tmp_path, database)
    keep = csv_in_step(path, tmp_path / "totals.db")
    mark = path.read_bytes().replace(b"Fedora", b"FEDORA")
    path.write_bytes(mark)
    insert(database, 2702)
    write(tmp_path, database, keep=keep, first_changed=2702)
    assert path.read_bytes().startswith(mark)


@pytest.mark.parametrize("error", [errno.EXDEV, errno.EOPNOTSUPP, errno.ENOSYS])
def test_the_head_is_copied_by_hand_where_the_kernel_can_not(
    tmp_path: Path, database: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch, error: int
) -> None:
    def refuse(*_arguments: object) -> int:
        raise OSError(error, os.strerror(error))

    path = tmp_path / "totals.csv"
    write(tmp_path, database)
    keep = csv_in_step(path, tmp_path / "totals.db")
    insert(database, 2702)
    monkeypatch.setattr(os, "copy_file_range", refuse)
    write(tmp_path, database, keep=keep, first_changed=2702)
    tail = path.read_bytes()
    write(tmp_path, database)
    assert path.read_bytes() == tail


def test_deleted_weeks_disappear(tmp_path: Path, database: sqlite3.Connection) -> None:
    write(tmp_path, database)
    keep = csv_in_step(tmp_path / "totals.csv", tmp_path / "totals.db")
    database.execute("DELETE FROM countme_totals WHERE weeknum = '2699'")
    write(tmp_path, database, keep=keep, first_changed=2699)
    assert weeks_in(tmp_path / "totals.csv") == ["2021-09-20", "2021-10-04", "2021-10-11"]


def test_a_file_is_in_step_until_it_or_the_totals_change(
    tmp_path: Path, database: sqlite3.Connection
) -> None:
    path, totals = tmp_path / "totals.csv", tmp_path / "totals.db"
    assert csv_in_step(path, totals) is None
    write(tmp_path, database)
    keep = csv_in_step(path, totals)
    assert keep
    insert(database, 2703)
    assert csv_in_step(path, totals) is None
    keep_in_step(path, keep, totals)
    assert csv_in_step(path, totals)
    path.write_bytes(path.read_bytes().replace(b"Fedora", b"fedora"))
    assert csv_in_step(path, totals) is None


def test_incident_public_copy_torn_a_failure_leaves_the_file_as_it_was(
    tmp_path: Path, database: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "full")

    path = tmp_path / "totals.csv"
    write(tmp_path, database)
    before, inode = path.read_bytes(), path.stat().st_ino
    insert(database, 2702)
    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(OutputError, match="Free some space"):
            write(tmp_path, database)
    assert (path.read_bytes(), path.stat().st_ino) == (before, inode)
    assert not list(tmp_path.glob(".*unfinished"))
    reader = path.open("rb")
    write(tmp_path, database)
    assert reader.read() == before, "a reader goes on with the state it began with"
    reader.close()
    assert path.stat().st_ino != inode


@pytest.mark.parametrize(
    ("content", "found"),
    [
        pytest.param(b"name,hits\r\n1,2\r\n", "something else", id="other-columns"),
        pytest.param(
            HEADER.encode() + b"1990-01-01,1990-01-07,1,a,b,c,d,1,e,f\r\n",
            "the week of 1990-01-01",
            id="weeks-that-would-be-lost",
        ),
    ],
)
def test_incident_csv_overwritten_foreign_files_are_refused(
    tmp_path: Path, content: bytes, found: str
) -> None:
    path = tmp_path / "totals.csv"
    path.write_bytes(content)
    with pytest.raises(OutputError, match=found):
        check_replaceable(path, tmp_path / "totals.db", WEEKS)


def rows_of_weeks(weeks: Sequence[int]) -> bytes:
    return b"".join(
        f'{week_start(week)},{week_end(week)},1,"\r\n1990-01-01,",b,c,d,1,e,f\r\n'.encode()
        for week in weeks
    )


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(None, id="none"),
        pytest.param(b"", id="empty"),
        pytest.param(HEADER.encode(), id="no-rows"),
        pytest.param(HEADER.encode() + rows_of_weeks([2698, 2699]), id="old"),
    ],
)
def test_files_that_the_totals_contain_are_replaced(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "totals.csv"
    if content is not None:
        path.write_bytes(content)
    check_replaceable(path, tmp_path / "totals.db", WEEKS)
