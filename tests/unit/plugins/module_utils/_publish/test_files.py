"""The registry of published files agrees with the files that are made."""

from __future__ import annotations

import csv
import json
import sqlite3
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._publish.files import (
    CHAPTERS,
    FILES,
    INDEX,
    WEEK_CSV,
    PublishedFile,
    file_named,
    names_of,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._publish.profile import (
    Profile,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._publish.staging import (
    stage_profile,
)
from ansible_collections.fedora_infra.dnf_counting.tests.support.totals_files import (
    Row,
    write_totals,
)

WEEK = 2699
ALL = (*FILES, WEEK_CSV, INDEX)


@pytest.fixture(name="stage", scope="module")
def _stage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of a profile with the prefix ``totals`` and one week, 2021-W39."""
    root = tmp_path_factory.mktemp("stage")
    rows = [Row(WEEK, 9), Row(WEEK, 5, sys_age=-1)]
    totals = write_totals(root / "lib", rows, status={WEEK: "complete"})
    stage = root / "stage"
    stage.mkdir()
    profile = Profile("fedora", totals.db, totals.csv, "totals")
    stage_profile(profile, stage, min_hits=0, check=lambda _: None, keep=lambda *_: False)
    return stage


def columns_in(path: Path) -> list[str]:
    """Return the columns that a file has."""
    if path.suffix == ".parquet":
        return list(pq.read_schema(path).names)
    if path.suffix == ".db":
        with sqlite3.connect(path) as connection:
            return [row[1] for row in connection.execute("PRAGMA table_info(countme_totals)")]
    if path.suffix == ".json":
        return list(json.loads(path.read_text())["weeks"][0])
    with path.open(newline="") as opened:
        return next(csv.reader(opened))


def test_every_file_of_the_registry_is_made_and_no_other(stage: Path) -> None:
    made = {str(path.relative_to(stage)) for path in stage.rglob("*") if path.is_file()}
    assert made == {file.example for file in (*FILES, WEEK_CSV)}


@pytest.mark.parametrize("file", [one for one in ALL if one.columns], ids=lambda one: one.pattern)
def test_a_file_has_the_columns_that_the_dictionary_describes(
    stage: Path, file: PublishedFile
) -> None:
    assert columns_in(stage / file.example) == [column.name for column in file.columns]


def test_files_of_a_chapter_share_their_columns_and_every_chapter_is_listed() -> None:
    for chapter in CHAPTERS:
        columns = {file.columns for file in ALL if file.chapter == chapter and file.columns}
        assert len(columns) <= 1
    assert {file.chapter for file in ALL} == set(CHAPTERS)


@pytest.mark.parametrize(
    ("prefix", "expected"),
    [
        ("totals", ["machines.csv", "machines.csv.gz", "totals.db", "quality.json"]),
        ("totals-centos", ["machines-centos.csv", "totals-centos.parquet"]),
        ("alma", ["machines-alma.csv", "alma.csv.gz", "recent-alma.csv"]),
    ],
)
def test_names_follow_the_prefix_of_the_profile(prefix: str, expected: list[str]) -> None:
    names = names_of(prefix)
    assert set(expected) <= set(names)
    assert names == sorted(names)
    assert len(names) == 16


def test_a_file_is_found_by_its_name() -> None:
    assert file_named("weeks-centos/2021-W39.csv", "totals-centos") is WEEK_CSV
    assert file_named("totals.db", "totals-centos") is None
    for file in FILES:
        assert file_named(f"{file.name_of('alma')}.gz", "alma") is file
