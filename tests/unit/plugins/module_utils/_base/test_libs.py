"""Libraries are imported when they are used, and a missing one is named with its remedy."""

from __future__ import annotations

import subprocess
import sys

import pytest
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._base import libs
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._base.errors import (
    SettingsError,
)

MODULES = "ansible_collections.fedora_infra.dnf_counting.plugins.modules"


@pytest.mark.parametrize(
    "module",
    ["http_log_combine", "countme_raw", "countme_totals", "mirrorlist_condense", "stats_publish"],
)
def test_a_module_imports_no_library_before_it_needs_one(module: str) -> None:
    heavy = {"numpy", "pyarrow", "duckdb", "vl_convert", "jinja2", "zstandard"}
    code = f"import sys, {MODULES}.{module}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert heavy & {*done.stdout.split()} == set()


def test_a_library_that_cannot_be_imported_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "duckdb", None)
    library = type(libs.duckdb)("duckdb", "duckdb")
    with pytest.raises(SettingsError, match=r"library duckdb: expected to import it.*deploy"):
        library.connect()
    assert set(libs.missing(["duckdb", "numpy"])) == {"duckdb"}


def test_a_distribution_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(libs._MODULES, "duckdb", "no_such_module_anywhere")
    assert libs.not_installed(["numpy", "duckdb"]) == ["duckdb"]
