"""The raw hits of the earlier system, imported, give the totals that it counted from them."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._base.days_and_weeks import (
    days_between,
)
from ansible_collections.fedora_infra.dnf_counting.tests.support.modules import (
    run_module,
    statuses,
)
from ansible_collections.fedora_infra.dnf_counting.tests.support.old_raw import parse, total
from ansible_collections.fedora_infra.dnf_counting.tests.support.oracle import sorted_rows

pytest.importorskip("mirrors_countme")

GOLDEN = Path(__file__).parents[1] / "data" / "golden"
LOG = "mirrors.fedoraproject.org-access.log"
FIRST, LAST = date(2021, 9, 25), date(2021, 10, 13)


def test_imported_hits_give_the_old_totals_and_a_log_takes_the_place_of_its_imported_day(
    tmp_path: Path,
) -> None:
    logs = sorted((GOLDEN / "combined-http").glob(f"*/*/*/{LOG}*"))
    parse(tmp_path / "raw.db", logs)
    total(tmp_path / "raw.db", tmp_path / "old.db", tmp_path / "old.csv")
    expected = sorted_rows(tmp_path / "old.csv")
    assert len(expected) > 100

    options = {"raw_db": tmp_path / "raw.db", "log_name": LOG, "raw_dir": tmp_path / "raw"}
    planned = run_module("countme_raw_import", check=True, **options)
    assert (planned["changed"], planned["summary"]) == (True, {"due": 19})
    assert not (tmp_path / "raw").exists()
    made = run_module("countme_raw_import", **options)
    assert made["summary"] == {"made": 19}
    assert [*statuses(made)] == [str(day) for day in days_between(FIRST, LAST)]
    again = run_module("countme_raw_import", **options)
    assert (again["changed"], again["summary"]) == (False, {"unchanged": 19})
    assert sorted_rows(counted(tmp_path)) == expected

    # a part of the logs is there: at their seams no hit is lost, and none counts twice; logs next
    # to these hold no hit that is dated hours off
    for log in logs[2:9]:
        folder = tmp_path / "combined" / log.parent.relative_to(GOLDEN / "combined-http")
        folder.mkdir(parents=True)
        shutil.copy(log, folder)
    from_logs: dict[str, Any] = {"src": tmp_path / "combined", "since": str(FIRST)}
    from_logs |= {"until": str(LAST), "log_name": LOG, "raw_dir": tmp_path / "raw"}
    remade = run_module("countme_raw", **from_logs)
    assert remade["summary"] == {"made": 7, "missing": 12}
    assert "now there is its log" in str(remade["units"])
    assert run_module("countme_raw_import", **options)["changed"] is False
    assert sorted_rows(counted(tmp_path)) == expected


def counted(folder: Path) -> Path:
    weeks = ["2698", "2699", "2700"]
    options = {"raw_dir": folder / "raw", "totals_db": folder / "t.db"}
    run_module("countme_totals", **options, totals_csv=folder / "t.csv")
    run_module("countme_totals", **options, totals_csv=folder / "t.csv", weeks=weeks)
    return folder / "t.csv"
