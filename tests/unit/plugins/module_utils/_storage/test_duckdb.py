"""Errors of DuckDB in terms of what an operator can do."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._base.errors import (
    OutputError,
    SourceError,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._storage.duckdb import (
    Limits,
    connect,
    duckdb_errors,
)


def damaged(found: str) -> SourceError:
    return SourceError("day.parquet", expected="a day", found=found, advice="Make it again.")


def test_a_query_without_enough_memory_names_the_limit_and_the_advice(tmp_path: Path) -> None:
    limits = Limits(tmp_path / "spill", 16, 1)
    with (
        pytest.raises(OutputError, match=r"16 MiB of memory .* Sort that log") as caught,
        duckdb_errors(limits, damaged, more_memory="Sort that log."),
        connect(limits) as connection,
    ):
        connection.execute("SELECT list(i) FROM range(30_000_000) t(i)")
    assert caught.value.place == str(tmp_path / "spill")


def test_a_full_disk_names_the_spill_folder(tmp_path: Path) -> None:
    limits = Limits(tmp_path / "spill")
    with (
        pytest.raises(OutputError, match="No space left") as caught,
        duckdb_errors(limits, damaged),
    ):
        raise duckdb.IOException("Could not write file: No space left on device")
    assert caught.value.place == str(tmp_path / "spill")


def test_any_other_error_is_explained_by_the_caller(tmp_path: Path) -> None:
    limits = Limits(tmp_path / "spill")
    with (
        pytest.raises(
            SourceError, match=r"day.parquet: expected a day, found 'IO Error: .*Make it"
        ),
        duckdb_errors(limits, damaged),
        connect(limits) as connection,
    ):
        connection.execute("SELECT * FROM read_parquet('/no/such/day.parquet')")
