"""The module for real: its result, its files, check mode, and options that are wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.fedora_infra.dnf_counting.tests.support.counting_host import (
    FIRST,
    HOSTS,
    LAST,
    CountingHost,
)
from ansible_collections.fedora_infra.dnf_counting.tests.support.modules import run_module
from ansible_collections.fedora_infra.dnf_counting.tests.support.recorded_options import record_runs


@pytest.fixture(scope="module")
def log_host(tmp_path_factory: pytest.TempPathFactory) -> CountingHost:
    made = CountingHost(tmp_path_factory.mktemp("log-host"))
    made.sync(without=[("proxy02", LAST)])
    return made.run()


def info(log_host: CountingHost, **options: Any) -> dict[str, Any]:
    """Return the result of the module for a log host whose stages ran once."""
    history_db = log_host.root / "history.db"
    if not history_db.exists():
        record_runs(log_host, history_db)
    given: dict[str, Any] = {
        "history_db": history_db,
        "since": str(FIRST),
        "until": str(LAST),
        "log_host": "log01",
    }
    return run_module("dnf_counting_info", **{**given, **options})


def test_the_result_is_what_the_file_holds(log_host: CountingHost, tmp_path: Path) -> None:
    metrics = tmp_path / "dnf_counting.prom"
    result = info(log_host, status_dir=tmp_path / "status", metrics_file=metrics, run_id="r1")
    assert result["changed"] is False
    assert result["status"] == json.loads((tmp_path / "status" / "status.json").read_text())
    assert result["status"]["run_id"] == "r1"
    assert result["problems"] == result["status"]["problems"]
    # these days are years ago
    assert result["state"] == "critical"
    assert result["lines"][0].startswith("CRITICAL: log01, ")
    assert {host["name"]: host["days"][str(LAST)] for host in result["status"]["hosts"]} == {
        "proxy01": "present",
        "proxy02": "missing",
        "proxy03": "present",
    }
    assert "dnf_counting_problems{" in metrics.read_text()
    assert "proxy02" in (tmp_path / "status" / "status.html").read_text()
    assert len(result["files"]) == 3


def test_check_mode_tells_the_same_and_writes_nothing(
    log_host: CountingHost, tmp_path: Path
) -> None:
    planned = info(log_host, check=True, status_dir=tmp_path / "status")
    assert planned["files"] == [str(tmp_path / "status" / f"status.{e}") for e in ("html", "json")]
    assert list(tmp_path.iterdir()) == []
    # room on disks is other programs', too
    told = [[x for x in one["lines"][1:] if "iB " not in x] for one in (planned, info(log_host))]
    assert len(told[0]) > 20
    assert told[0] == told[1]


def test_before_the_first_run_there_is_nothing_to_report(tmp_path: Path) -> None:
    result = run_module("dnf_counting_info", history_db=tmp_path / "none" / "history.db")
    assert result["state"] == "unknown"
    assert list(tmp_path.iterdir()) == []


def test_incident_hostile_config_in_the_host_list_is_reported_and_spoils_nothing(
    log_host: CountingHost, tmp_path: Path
) -> None:
    history_db = tmp_path / "history.db"
    record_runs(log_host, history_db, sync={"hosts": [*HOSTS, "--rsh=sh"]})
    result = info(log_host, history_db=history_db)
    (problem,) = [one["what"] for one in result["problems"] if one["stage"] == "settings"]
    assert "'--rsh=sh'" in problem
    assert len(result["status"]["hosts"]) == len(HOSTS)


def test_a_run_history_that_is_damaged_is_a_problem(tmp_path: Path) -> None:
    history_db = tmp_path / "history.db"
    history_db.write_text("no database")
    result = run_module("dnf_counting_info", history_db=history_db)
    assert ("critical", "history") in [(p["severity"], p["stage"]) for p in result["problems"]]


def test_thresholds_are_options(log_host: CountingHost) -> None:
    patient = {
        name: [100_000, 200_000]
        for name in ("combined_age_days", "raw_age_days", "totals_age_days", "host_missing_days")
    }
    patient |= {"hosts_missing_percent": [101, 101], "disk_free_percent": [-1, -1]}
    told = info(log_host, thresholds=patient)["problems"]
    assert told == []
    told = info(log_host, thresholds={**patient, "raw_age_days": [1, 200_000]})["problems"]
    assert [(problem["severity"], problem["stage"]) for problem in told] == [("warning", "raw")]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"thresholds": {"raw_age_days": [1]}}, "two numbers"),
        ({"metrics_file": "/tmp/x.txt"}, "ends in .prom"),
        ({"patience_seconds": 0}, "option patience_seconds"),
        ({"since": "yesterday"}, "option since"),
    ],
)
def test_wrong_options_are_explained(
    log_host: CountingHost, options: dict[str, Any], expected: str
) -> None:
    assert expected in info(log_host, ok=False, **options)["msg"]
