"""A folder with raw days and totals, and countme_totals run on it."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._base.days_and_weeks import (
    rotation_days,
)
from ansible_collections.fedora_infra.dnf_counting.tests.support.modules import run_module
from ansible_collections.fedora_infra.dnf_counting.tests.support.raw_day_files import (
    weekly_hits,
    write_raw_day,
    write_raw_days,
)

WEEK = 2699


@dataclass(frozen=True)
class Site:
    """A folder with raw days and totals."""

    root: Path

    @property
    def raw(self) -> Path:
        return self.root / "raw"

    @property
    def totals(self) -> Path:
        return self.root / "totals"

    @property
    def db(self) -> Path:
        return self.totals / "totals.db"

    @property
    def csv(self) -> Path:
        return self.totals / "totals.csv"

    def run(self, **options: Any) -> dict[str, Any]:
        given: dict[str, Any] = {
            "raw_dir": self.raw,
            "totals_db": self.db,
            "totals_csv": self.csv,
            "workers": 1,
            **options,
        }
        return run_module("countme_totals", **given)

    def query(self, query: str) -> list[tuple[Any, ...]]:
        connection = sqlite3.connect(self.db)
        try:
            return connection.execute(query).fetchall()
        finally:
            connection.close()

    def hits(self) -> dict[str, int]:
        query = "SELECT weeknum, sum(hits) FROM countme_totals WHERE sys_age >= '0' GROUP BY 1"
        return dict(self.query(query))

    def files(self) -> dict[str, tuple[int, int]]:
        """What is there, with inode and time; nothing written means nothing differs."""
        found = {path: path.lstat() for path in self.root.rglob("*")}
        return {str(path): (at.st_ino, at.st_mtime_ns) for path, at in found.items()}


def three_weeks(root: Path) -> Site:
    """Three weeks, of which two are over."""
    rows = [row for week in range(WEEK, WEEK + 3) for row in weekly_hits(week)]
    write_raw_days(root / "raw", rows)
    write_raw_day(root / "raw", rotation_days(WEEK)[0], [])
    return Site(root)
