"""The plan of raw days."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from datetime import date
from multiprocessing import get_context
from pathlib import Path
from typing import IO, Any

import pytest
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._daily import (
    stage as daily_stage,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._hits.stage import (
    RawDays,
    make_raw_days,
)

GOLDEN = Path(__file__).parents[4] / "data" / "golden"
LOG = "mirrors.fedoraproject.org-access.log"
DAYS = [date(2021, 12, 31), date(2022, 1, 1)]


def test_a_folder_that_cannot_be_looked_at_fails_its_days_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def variants_of_log(folder: Path, log_name: str) -> list[Path]:
        if "2022" in folder.parts:
            raise PermissionError(errno.EACCES, "Permission denied", str(folder / log_name))
        return []

    monkeypatch.setattr(daily_stage, "variants_of_log", variants_of_log)
    plans = RawDays(tmp_path, "mirrors-access.log", tmp_path / "raw").plan(DAYS).days
    assert [plan.unit.status for plan in plans] == ["missing", "failed"]
    reason = plans[1].unit.reasons[0]
    assert "2022/01/01/mirrors-access.log: expected to look at it" in reason
    assert "Let the counting user read it" in reason


def test_a_log_that_is_replaced_while_it_is_read_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = tmp_path / "2022" / "01" / "01" / LOG
    log.parent.mkdir(parents=True)
    log.write_text("the log as it was\n")
    open_log = daily_stage.open_log

    @contextlib.contextmanager
    def open_and_replace(path: Path, **options: Any) -> Iterator[IO[bytes]]:
        with open_log(path, **options) as opened:
            new = path.with_name("new")
            new.write_text("the log as it is, with a line more\n")
            new.replace(path)
            yield opened

    monkeypatch.setattr(daily_stage, "open_log", open_and_replace)
    files = RawDays(tmp_path, LOG, tmp_path / "raw")
    made = make_raw_days(files, files.plan(DAYS))
    assert [unit.status for unit in made.units] == ["missing", "made"]
    again = files.plan(DAYS).units[1]
    assert (again.status, again.reasons) == ("due", (f"changed input 2022/01/01/{LOG}",))


def test_an_executor_makes_whole_days_in_other_processes(tmp_path: Path) -> None:
    days = [date(2021, 9, 27), date(2021, 9, 28)]
    files = RawDays(GOLDEN / "combined-http", LOG, tmp_path / "raw")
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as executor:
        made = make_raw_days(files, files.plan(days), executor=executor)
    assert [unit.status for unit in made.units] == ["made", "made"]
    assert [unit.status for unit in files.plan(days).units] == ["unchanged"] * 2
