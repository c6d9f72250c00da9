"""The copy of the totals that migrate keeps: one state, whatever was going on when it was made."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from ansible_collections.fedora_infra.dnf_counting.tests.support.totals_files import (
    Row,
    write_totals,
)

SCRIPT = Path(__file__).parents[2] / "roles" / "web_data_analysis" / "files" / "keep_totals.py"
TOTALS = [Row(2699, number) for number in range(1, 400)]
CHANGE = "UPDATE countme_totals SET hits = hits + 1"


def keep(source: Path, copy: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", SCRIPT.read_text(encoding="utf-8"), source, copy]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def hits(path: Path) -> int:
    with closing(sqlite3.connect(f"file:{path}?immutable=1", uri=True)) as connection:
        (found,) = connection.execute("SELECT sum(hits) FROM countme_totals").fetchone()
    return int(found)


def killed_after(path: Path, *statements: str) -> None:
    """Change a database by a program that is killed before it can clean up."""
    program = (
        "import os, sqlite3, sys; c = sqlite3.connect(sys.argv[1], isolation_level=None);"
        "[c.execute(one).fetchall() for one in sys.argv[2:]]; os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", program, path, *statements], check=False)


@pytest.mark.parametrize(
    ("statements", "left", "changed"),
    [
        pytest.param(
            ["PRAGMA cache_size = 1", "BEGIN EXCLUSIVE", CHANGE, "PRAGMA cache_spill = 1", CHANGE],
            "totals.db-journal",
            0,
            id="a-change-that-was-not-ended-is-taken-back",
        ),
        pytest.param(
            ["PRAGMA journal_mode = WAL", CHANGE],
            "totals.db-wal",
            len(TOTALS),
            id="a-change-that-is-only-in-the-log-beside-it-counts",
        ),
    ],
)
def test_a_state_is_kept_whatever_a_killed_program_left(
    statements: list[str], left: str, changed: int, tmp_path: Path
) -> None:
    source = write_totals(tmp_path, TOTALS).db
    before = hits(source)
    killed_after(source, *statements)
    assert (tmp_path / left).stat().st_size > 0
    copy = tmp_path / "kept" / "totals.db"
    copy.parent.mkdir()
    assert keep(source, copy).returncode == 0
    assert hits(copy) == before + changed
    assert [path.name for path in copy.parent.iterdir()] == ["totals.db"]
    assert copy.stat().st_mode & 0o777 == 0o644


def test_a_damaged_file_is_named_and_no_copy_is_made(tmp_path: Path) -> None:
    source = tmp_path / "totals.db"
    source.write_bytes(b"this is no database " * 400)
    done = keep(source, tmp_path / "copy.db")
    assert done.returncode == 1
    assert f"{source}: expected a sound SQLite file, found 'file is not a database'" in done.stderr
    assert not (tmp_path / "copy.db").exists()
