"""stats_publish as a user runs it: what readers get, and what it refuses."""

from __future__ import annotations

import csv
import gzip
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._totals_db import (
    open_totals,
)
from ansible_collections.fedora_infra.dnf_counting.tests.support.modules import run_module, statuses
from ansible_collections.fedora_infra.dnf_counting.tests.support.totals_files import (
    Files,
    Row,
    totals_rows,
    write_totals,
)

WEEK = 2699
"""2021-W39."""

ROWS = [
    Row(WEEK - 1, 500),
    Row(WEEK - 1, 90, sys_age=-1),
    Row(WEEK, 300, sys_age=1),
    Row(WEEK, 200, sys_age=4),
    Row(WEEK, 480, repo_tag="updates-released-f34"),
    Row(WEEK, 40, "CentOS Stream", "9", "", repo_tag="epel-9"),
    Row(WEEK, 60, sys_age=-1),
    Row(WEEK + 1, 7),
]
STATUS = {WEEK - 1: "complete", WEEK: "complete", WEEK + 1: "provisional"}


@pytest.fixture(name="totals")
def _totals(tmp_path: Path) -> Files:
    return write_totals(tmp_path / "lib", ROWS, status=STATUS)


def profile(totals: Files, **changes: str) -> dict[str, str]:
    given = {"name": "fedora", "prefix": "totals"}
    return {**given, "totals_db": str(totals.db), "totals_csv": str(totals.csv), **changes}


def publish(totals: Files, **options: Any) -> dict[str, Any]:
    given = {"dest": web(totals), "profiles": [profile(totals)]}
    return run_module("stats_publish", **{**given, **options})


def web(totals: Files) -> Path:
    return totals.db.parents[1] / "web"


def published(totals: Files) -> dict[str, bytes]:
    """All files that readers can get, with their content."""
    return {
        str(path.relative_to(web(totals))): path.read_bytes()
        for path in sorted(web(totals).rglob("*"))
        if path.is_file() and not path.name.startswith(".")
    }


def cells(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(content.decode().splitlines()))


def test_old_names_hold_what_they_always_held(totals: Files) -> None:
    result = publish(totals)
    assert result["changed"]
    files = published(totals)
    assert files["totals.csv"] == totals.csv.read_bytes()
    source = totals_rows(totals.db)
    assert totals_rows(web(totals) / "totals.db") == source
    assert totals_rows(web(totals) / "totals-unique.db") == [r for r in source if r[6] == "-1"]
    assert totals_rows(web(totals) / "totals-countme.db") == [r for r in source if r[6] != "-1"]
    for name in ("totals.db", "totals-unique.db", "totals-countme.db"):
        with sqlite3.connect(web(totals) / name) as connection:
            objects = connection.execute("SELECT name FROM sqlite_master ORDER BY name").fetchall()
        assert objects == [("countme_totals",), ("weeknum_idx",)]
        with open_totals(web(totals) / name, write=False):
            pass  # countme_totals would continue it
    for name in ("totals.db", "totals.csv", "totals-unique.db", "totals-countme.db"):
        assert gzip.decompress(files[f"{name}.gz"]) == files[name]


def test_newest_complete_week_by_release(totals: Files) -> None:
    (week,) = publish(totals, check=True)["newest_week"]
    assert week == {
        "profile": "fedora",
        "week": "2021-W39",
        "week_start": "2021-09-27",
        "week_end": "2021-10-03",
        "status": "complete",
        "machines": 540,
        "by_release": [
            {"os_name": "Fedora Linux", "os_version": "34", "machines": 500},
            {"os_name": "CentOS Stream", "os_version": "9", "machines": 40},
        ],
    }


def test_second_run_changes_nothing_and_check_mode_agrees(totals: Files) -> None:
    planned = publish(totals, check=True)
    assert planned["changed"]
    assert not web(totals).exists()
    first = publish(totals)
    assert set(statuses(planned)) == set(statuses(first))
    assert set(statuses(planned).values()) == {"due"}
    before = {path: path.stat().st_mtime_ns for path in web(totals).rglob("*") if path.is_file()}
    for options in ({"check": True}, {}):
        again = publish(totals, **options)
        assert not again["changed"]
        assert set(statuses(again).values()) == {"unchanged"}
        assert again["published"] == first["published"]
    assert before == {path: path.stat().st_mtime_ns for path in before}
