"""Totals out of a CSV file."""

from __future__ import annotations

import contextlib
import csv
import os
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._base.errors import (
    LockedError,
    SourceError,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._storage.files import (
    writer_lock,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._totals import stage
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._totals.csv_file import (
    csv_rows,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._totals.database import (
    counted_weeks,
    open_totals,
    rows_of,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._totals.plan import (
    TotalsSettings,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._totals.restore import (
    restore_history,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._totals.stage import TOTALS
from ansible_collections.fedora_infra.dnf_counting.tests.support.stages import outcome_of

EXPECTED = Path(__file__).parents[4] / "data" / "golden" / "expected" / "totals.csv"


def test_golden_totals_come_back_as_they_were(tmp_path: Path) -> None:
    database = tmp_path / "totals.db"
    planned = restore_history(EXPECTED, database, check=True)
    assert planned.status == "due"
    assert "weeks are planned without these rows" in planned.reasons[1]
    assert not database.exists()

    restored = restore_history(EXPECTED, database)
    assert restored.status == "made"
    with open_totals(database, write=False) as connection:
        written = [
            row
            for week in counted_weeks(connection)
            for row in csv_rows(week, rows_of(connection, week))
        ]
    with EXPECTED.open(encoding="utf-8", newline="") as text:
        expected = list(csv.reader(text))[1:]
    assert sorted([str(value) for value in row] for row in written) == sorted(expected)
    assert restored.figures == {"restored_rows": len(expected)}

    assert restore_history(EXPECTED, database).status == "unchanged"


def test_incident_double_count_of_rows_that_another_run_was_first_to_restore(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = tmp_path / "totals.db"
    (tmp_path / "raw").mkdir()
    settings = TotalsSettings(
        tmp_path / "raw", database, datetime(2021, 10, 14, tzinfo=UTC), history_csv=EXPECTED
    )

    @contextlib.contextmanager
    def lock_that_another_run_had_first(folder: Path, **options: Any) -> Iterator[None]:
        with writer_lock(folder, **options):
            if not database.exists():
                assert restore_history(EXPECTED, database).status == "made"
            yield

    monkeypatch.setattr(stage, "writer_lock", lock_that_another_run_had_first)
    assert outcome_of(TOTALS, settings).units[0].status == "unchanged"
    with open_totals(database, write=False) as connection:
        rows = connection.execute("SELECT count(*) FROM countme_totals").fetchone()
    with EXPECTED.open(encoding="utf-8", newline="") as text:
        assert rows == (len(list(csv.reader(text))) - 1,)


def test_incident_totals_db_locked_is_waited_for_as_long_as_was_asked(tmp_path: Path) -> None:
    database = tmp_path / "totals.db"
    other = sqlite3.connect(database, isolation_level=None)
    other.execute("CREATE TABLE notes (text)")
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(LockedError):
        restore_history(EXPECTED, database, lock_timeout_seconds=0.1)
    other.close()


def test_incident_hostile_request_values_of_any_length_are_read_back(tmp_path: Path) -> None:
    header = EXPECTED.read_bytes().split(b"\n")[0] + b"\n"
    long_value = b"z" * 200_000
    history = tmp_path / "history.csv"
    history.write_bytes(header + b"2021-09-27,2021-10-03,1,a,b,c,d,1," + long_value + b",f\r\n")
    assert restore_history(history, tmp_path / "totals.db").figures == {"restored_rows": 1}


def test_totals_are_for_everybody_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        restore_history(EXPECTED, tmp_path / "totals.db")
    finally:
        os.umask(before)
    assert (tmp_path / "totals.db").stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("week_start,hits\r\n", 1),
        ("2021-09-27,2021-10-03,1,a,b,c,d,1,e,f\r\n", 1),
        ("{header}2021-09-27,2021-10-03,1,a,b,c,d,1,e,f\r\n2021-09-28,x,1,a,b,c,d,1,e,f\r\n", 3),
        ("{header}2021-09-27,2021-10-03,one,a,b,c,d,1,e,f\r\n", 2),
        ("{header}2021-09-27,2021-10-03,1,a,b,c,d,1,e\r\n", 2),
        ("", 1),
    ],
)
def test_what_is_no_row_of_totals_is_named_and_nothing_is_kept(
    tmp_path: Path, text: str, line: int
) -> None:
    header = EXPECTED.read_bytes().split(b"\n")[0].decode() + "\n"
    wrong = tmp_path / "wrong.csv"
    wrong.write_text(text.replace("{header}", header), newline="")
    with pytest.raises(SourceError, match=rf"wrong\.csv, line {line}:"):
        restore_history(wrong, tmp_path / "totals.db")
    with sqlite3.connect(tmp_path / "totals.db") as connection:
        tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    assert tables == (0,)
