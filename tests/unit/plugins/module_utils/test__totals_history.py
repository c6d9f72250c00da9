"""Totals out of a CSV file."""

from __future__ import annotations

import csv
import sqlite3
from pathlib import Path

import pytest
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._errors import SourceError
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._totals_csv import (
    csv_rows,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._totals_db import (
    counted_weeks,
    open_totals,
    rows_of,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._totals_history import (
    restore_history,
)

EXPECTED = Path(__file__).parents[3] / "data" / "golden" / "expected" / "totals.csv"


def test_golden_totals_come_back_as_they_were(tmp_path: Path) -> None:
    database = tmp_path / "totals.db"
    planned = restore_history(EXPECTED, database, check=True)
    assert planned.status == "due"
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
