"""Totals equal, row by row, those of the tools that are replaced."""

from __future__ import annotations

import csv
import io
import lzma
from datetime import UTC, datetime
from pathlib import Path

import pytest
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._totals import (
    update_totals,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._totals_plan import (
    TotalsSettings,
)
from ansible_collections.fedora_infra.dnf_counting.tests.support.raw_day_files import (
    Row,
    by_rotation_day,
    write_raw_day,
    write_raw_days,
)

GOLDEN = Path(__file__).parents[1] / "data" / "golden" / "expected"
NOW = datetime(2021, 10, 14, tzinfo=UTC)


@pytest.fixture(scope="module")
def golden_rows() -> list[Row]:
    with lzma.open(GOLDEN / "raw.csv.xz") as packed:
        lines = csv.reader(io.TextIOWrapper(packed, "utf-8", newline=""))
        next(lines)
        return [(int(r[0]), *r[1:6], int(r[6]), *r[7:]) for r in lines]  # type: ignore[misc]


def sorted_rows(path: Path) -> list[bytes]:
    """The rows as they are written; line ends within quotes don't end a row."""
    rows: list[bytes] = []
    for line in path.read_bytes().split(b"\r\n"):
        if rows and rows[-1].count(b'"') % 2:
            rows[-1] += b"\r\n" + line
        else:
            rows.append(line)
    return sorted(rows)


def settings(folder: Path) -> TotalsSettings:
    return TotalsSettings(
        raw_dir=folder / "raw",
        totals_db=folder / "totals.db",
        totals_csv=folder / "totals.csv",
        now=NOW,
        workers=1,
    )


def test_golden_totals_in_one_go(tmp_path: Path, golden_rows: list[Row]) -> None:
    write_raw_days(tmp_path / "raw", golden_rows)
    update_totals(settings(tmp_path))
    assert sorted_rows(tmp_path / "totals.csv") == sorted_rows(GOLDEN / "totals.csv")


def test_golden_totals_day_by_day(tmp_path: Path, golden_rows: list[Row]) -> None:
    """The log of each day comes in its turn, and two come late."""
    days = sorted(by_rotation_day(golden_rows).items())
    late = [days.pop(3), days.pop(8)]
    for day, rows in [*days, *late]:
        write_raw_day(tmp_path / "raw", day, rows)
        update_totals(settings(tmp_path))
    assert sorted_rows(tmp_path / "totals.csv") == sorted_rows(GOLDEN / "totals.csv")
