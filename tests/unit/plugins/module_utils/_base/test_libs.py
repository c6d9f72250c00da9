"""Libraries are loaded when they are first used."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._base import libs
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._base.errors import (
    SettingsError,
)

LIBS = libs.__name__


def loaded_after(code: str) -> list[str]:
    """Return the large libraries that a new interpreter has loaded after some code."""
    names = "numpy", "pyarrow", "duckdb", "jinja2", "vl_convert", "zstandard"
    script = f"{code}\nimport sys\nprint(*[name for name in {names} if name in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    return done.stdout.split()


def test_an_import_loads_nothing_and_a_use_loads_one_library() -> None:
    assert loaded_after(f"from {LIBS} import np, pa, jinja2, duckdb") == []
    assert loaded_after(f"from {LIBS} import jinja2\njinja2.Environment") == ["jinja2"]
    assert loaded_after(f"import {LIBS} as libs\nlibs.not_installed(libs.DISTRIBUTIONS)") == []


def test_a_library_that_is_not_installed_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(libs._LIBRARIES, "absent", ("no_such_module", "no-such-distribution"))
    assert libs.absent is None
    assert libs.not_installed(["no-such-distribution", "numpy"]) == ["no-such-distribution"]
    assert list(libs.missing(["no-such-distribution", "numpy"])) == ["no-such-distribution"]
    monkeypatch.delitem(libs.__dict__, "absent")


def test_a_damaged_library_is_named_when_it_is_used(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "damaged_library.py").write_text("import no_such_module")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setitem(libs._LIBRARIES, "damaged", ("damaged_library", "damaged-library"))
    library = libs.damaged
    with pytest.raises(SettingsError, match=r"library damaged-library: .*no_such_module"):
        library.function()
    monkeypatch.delitem(libs.__dict__, "damaged")
