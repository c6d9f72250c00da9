# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Opening SQLite files, and the translation of SQLite's errors."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._base.errors import (
    CountingError,
    LockedError,
    OutputError,
    SourceError,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._storage.sqlite import (
    connect,
    sqlite_errors,
)


def error_of(code: int) -> sqlite3.Error:
    error = sqlite3.OperationalError("the text of SQLite")
    error.sqlite_errorcode = code
    return error


@pytest.mark.parametrize(
    ("code", "written", "kind", "text"),
    [
        (
            sqlite3.SQLITE_BUSY,
            None,
            LockedError,
            "a.db: expected to read the totals, found another",
        ),
        (
            sqlite3.SQLITE_LOCKED,
            "a.db",
            LockedError,
            "a.db: expected to write the totals, found an",
        ),
        (sqlite3.SQLITE_FULL, "a.db", OutputError, "a.db: expected to write there, found No space"),
        (sqlite3.SQLITE_FULL, "copy", OutputError, "copy: expected to write there, found No space"),
        (sqlite3.SQLITE_CANTOPEN, "a.db", OutputError, "a.db: .*Give the counting user write"),
        (sqlite3.SQLITE_CANTOPEN, "copy", SourceError, "a.db: .*Give the counting user read"),
        (sqlite3.SQLITE_IOERR_READ, None, SourceError, "a.db: .*the totals that can be read now"),
        (sqlite3.SQLITE_READONLY, None, SourceError, "a.db: .*A program was ended while it wrote"),
        (sqlite3.SQLITE_CORRUPT, None, SourceError, "a.db: .*'the text of SQLite'. Restore it."),
        (sqlite3.SQLITE_CORRUPT, "copy", SourceError, "a.db: .*Restore it."),
        (
            sqlite3.SQLITE_NOTADB,
            "a.db",
            OutputError,
            "a.db: expected the totals in SQLite's format",
        ),
        (sqlite3.SQLITE_ERROR, None, SourceError, "a.db: .*Restore it."),
    ],
)
def test_an_error_of_sqlite_becomes_one_with_advice(
    code: int, written: str | None, kind: type[CountingError], text: str
) -> None:
    with (
        pytest.raises(CountingError, match=text) as raised,
        sqlite_errors(
            Path("a.db"),
            "the totals",
            if_damaged="Restore it.",
            written=Path(written) if written else None,
        ),
    ):
        raise error_of(code)
    assert type(raised.value) is kind


def test_a_name_with_special_characters_is_the_name_of_one_file(tmp_path: Path) -> None:
    path = tmp_path / "a?mode=ro&b#c%20d.db"
    with closing(connect(path, "rwc", timeout_seconds=1)) as connection:
        connection.execute("CREATE TABLE one (number INTEGER)")
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


def test_a_relative_path_is_opened_in_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    connect(Path("relative.db"), "rwc", timeout_seconds=1).execute("CREATE TABLE one (n)").close()
    assert os.listdir(tmp_path) == ["relative.db"]
