# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of the earlier system, as its own commands write them."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Iterable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

BIN = Path(sys.executable).parent
COLUMNS = (
    "timestamp INTEGER NOT NULL, host TEXT NOT NULL, os_name TEXT, os_version TEXT,"
    " os_variant TEXT, os_arch TEXT, sys_age INTEGER NOT NULL, repo_tag TEXT, repo_arch TEXT"
)


def parse(raw_db: Path, logs: Sequence[Path]) -> None:
    """Take the hits of some logs into a raw.db."""
    command = [BIN / "countme-parse-access-log", "--sqlite", raw_db, *logs]
    _run(command)


def _run(command: Sequence[str | Path]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def total(raw_db: Path, totals_db: Path, totals_csv: Path) -> None:
    """Add the weeks of a raw.db that are over to a totals.db, and dump it."""
    command = [BIN / "countme-totals", "--update-from", raw_db, totals_db]
    _run([*command, "--csv-dump", totals_csv])


def write_raw_db(raw_db: Path, rows: Iterable[Sequence[Any]], columns: str = COLUMNS) -> Path:
    """A raw.db with rows of our own."""
    with closing(sqlite3.connect(raw_db)) as connection:
        connection.execute(f"CREATE TABLE countme_raw ({columns})")
        connection.execute("CREATE INDEX timestamp_idx ON countme_raw (timestamp)")
        marks = ",".join("?" * (columns.count(",") + 1))
        connection.executemany(f"INSERT INTO countme_raw VALUES ({marks})", rows)
        connection.commit()
    return raw_db
