"""Totals as countme_totals leaves them, made by hand: a database and its CSV file."""

from __future__ import annotations

import csv
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._base.days_and_weeks import (
    week_end,
    week_start,
)

HEADER = "week_start,week_end,hits,os_name,os_version,os_variant,os_arch,sys_age,repo_tag,repo_arch"


class Row(NamedTuple):
    week: int
    hits: int
    os_name: str = "Fedora Linux"
    os_version: str = "34"
    os_variant: str = "server"
    os_arch: str = "x86_64"
    sys_age: int = 1
    repo_tag: str = "fedora-34"
    repo_arch: str = "x86_64"


class Files(NamedTuple):
    db: Path
    csv: Path


def write_totals(
    folder: Path,
    rows: Iterable[Row],
    *,
    stem: str = "totals",
    status: Mapping[int, str] | None = None,
    suspect_reason: str = "",
) -> Files:
    """Both files; with a table ``weeks`` where the ``status`` of weeks is given."""
    folder.mkdir(parents=True, exist_ok=True)
    files = Files(folder / f"{stem}.db", folder / f"{stem}.csv")
    ordered = sorted(rows, key=lambda row: row.week)
    files.db.unlink(missing_ok=True)
    connection = sqlite3.connect(files.db)
    columns = ", ".join(f"{name} TEXT NOT NULL" for name in ("weeknum", *Row._fields[2:]))
    connection.execute(f"CREATE TABLE countme_totals (hits INTEGER NOT NULL, {columns})")
    connection.execute("CREATE INDEX weeknum_idx ON countme_totals (weeknum)")
    connection.executemany(
        "INSERT INTO countme_totals VALUES (?,?,?,?,?,?,?,?,?)",
        [(row.hits, str(row.week), *map(str, row[2:])) for row in ordered],
    )
    if status is not None:
        _write_weeks(connection, status, suspect_reason)
    connection.commit()
    connection.close()
    write_csv(files.csv, ordered)
    return files


def write_csv(path: Path, rows: Sequence[Row]) -> None:
    with path.open("w", encoding="utf-8", newline="") as opened:
        writer = csv.writer(opened)
        writer.writerow(HEADER.split(","))
        writer.writerows((week_start(r.week), week_end(r.week), *r[1:]) for r in rows)


def _write_weeks(
    connection: sqlite3.Connection, status: Mapping[int, str], suspect_reason: str
) -> None:
    connection.execute(
        "CREATE TABLE weeks (weeknum INTEGER PRIMARY KEY, week_start TEXT NOT NULL,"
        " week_end TEXT NOT NULL, status TEXT NOT NULL, expected_host_days INTEGER,"
        " received_host_days INTEGER, hits INTEGER NOT NULL, malformed INTEGER NOT NULL,"
        " revision INTEGER NOT NULL, computed_at TEXT NOT NULL, fingerprint TEXT NOT NULL,"
        " suspect INTEGER NOT NULL, suspect_reason TEXT NOT NULL, inputs TEXT NOT NULL,"
        " log_name TEXT NOT NULL, polluted TEXT NOT NULL)"
    )
    for week, text in status.items():
        span = (str(week_start(week)), str(week_end(week)))
        quality = (14, 13, 100, 2, 1, "2021-10-05T09:00:00+00:00", "f1")
        suspect = (
            int(bool(suspect_reason)),
            suspect_reason,
            '["proxy01.example/2021-10-01"]',
            "",
            "",
        )
        connection.execute(
            f"INSERT INTO weeks VALUES ({','.join('?' * 16)})",
            (week, *span, text, *quality, *suspect),
        )


def totals_rows(path: Path) -> list[tuple[object, ...]]:
    """All rows of a totals database, sorted."""
    connection = sqlite3.connect(path)
    try:
        return sorted(connection.execute("SELECT * FROM countme_totals").fetchall())
    finally:
        connection.close()
