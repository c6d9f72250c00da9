"""What the log host has after its daily run."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.fedora_infra.dnf_counting.tests.support.oracle import (
    oracle_totals,
    sorted_rows,
)

RUN = Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"]) / "sample-run"
PUBLISHED = RUN / "html" / "csv-reports" / "countme"


@pytest.mark.parametrize(
    ("path", "mode"),
    [
        (RUN / "hosts", 0o750),
        (RUN / "combined-http", 0o750),
        (RUN / "countme", 0o750),
        (PUBLISHED, 0o755),
    ],
    ids=lambda value: value.name if isinstance(value, Path) else oct(value),
)
def test_folders_that_hold_addresses_are_private(host: Any, path: Path, mode: int) -> None:
    folder = host.file(str(path))
    assert folder.is_directory
    assert folder.mode == mode


@pytest.mark.parametrize(
    "name",
    [
        f"{prefix}{ending}"
        for prefix in ("totals", "totals-centos")
        for ending in (".db", ".csv", ".db.gz", ".csv.gz", "-unique.db", "-countme.db", ".parquet")
    ],
)
def test_published_files_can_be_read_by_all(host: Any, name: str) -> None:
    published = host.file(str(PUBLISHED / name))
    assert published.is_file
    assert published.size > 0
    assert published.mode & 0o444 == 0o444


def test_raw_hits_are_private(host: Any) -> None:
    names = host.file(str(RUN / "countme" / "raw")).listdir()
    days = [host.file(str(RUN / "countme" / "raw" / name)) for name in names if name[0] != "."]
    assert len(days) == 15
    assert {day.mode & 0o007 for day in days} == {0}


@pytest.mark.parametrize(
    ("log_name", "totals"),
    [
        ("mirrors.fedoraproject.org-access.log", "totals.csv"),
        ("mirrors.centos.org-access.log", "totals-centos.csv"),
    ],
)
def test_totals_are_those_of_the_oracle(log_name: str, totals: str, tmp_path: Path) -> None:
    expected = oracle_totals(RUN / "combined-http", log_name, tmp_path)
    assert len(expected) > 2
    assert sorted_rows(PUBLISHED / totals) == expected
    assert sorted_rows(RUN / "countme" / totals) == expected


def test_a_complete_week_is_named_as_such() -> None:
    quality = json.loads((PUBLISHED / "quality.json").read_text())
    assert "complete" in {week["status"] for week in quality["weeks"]}


def test_log_hosts_were_stopped(host: Any) -> None:
    for pid_file in host.file(str(RUN / "rsyncd")).listdir():
        if pid_file.endswith(".pid"):
            pid = host.file(str(RUN / "rsyncd" / pid_file)).content_string.strip()
            assert not host.file(f"/proc/{pid}/cwd").exists
