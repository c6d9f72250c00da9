"""stats_publish with a history of the published weeks."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

from ansible_collections.fedora_infra.dnf_counting.tests.support.modules import run_module, statuses
from ansible_collections.fedora_infra.dnf_counting.tests.support.totals_files import (
    Files,
    Row,
    write_totals,
)

WEEK = 2699
ROWS = [Row(WEEK - 1, 500), Row(WEEK, 300)]


def publish(totals: Files, **options: Any) -> dict[str, Any]:
    root = totals.db.parents[1]
    given = {
        "dest": root / "web",
        "profiles": [
            {
                "name": "fedora",
                "prefix": "totals",
                "totals_db": str(totals.db),
                "totals_csv": str(totals.csv),
            }
        ],
        "git_history": root / "weeks.git",
        "git_identity": "Counting <counting@example.org>",
    }
    return run_module("stats_publish", **{**given, **options})


def test_weeks_are_committed_only_where_they_changed(tmp_path: Path) -> None:
    totals = write_totals(tmp_path / "lib", ROWS)
    assert statuses(publish(totals, check=True))["git history"] == "due"
    assert not (tmp_path / "weeks.git").exists()
    (made,) = [u for u in publish(totals)["units"] if u["name"] == "git history"]
    assert (made["status"], made["files"]) == ("made", 2)
    for check in (True, False):
        again = publish(totals, check=check)
        assert not again["changed"]
        assert statuses(again)["git history"] == "unchanged"
    write_totals(tmp_path / "lib", [*ROWS, Row(WEEK, 7, repo_tag="new")])
    assert statuses(publish(totals, check=True))["git history"] == "due"
    (made,) = [u for u in publish(totals)["units"] if u["name"] == "git history"]
    assert made["files"] == 1
    subjects = subprocess.run(
        ["git", f"--git-dir={tmp_path}/weeks.git", "log", "--format=%s"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert subjects.stdout.splitlines() == ["1 week published", "2 weeks published"]


def test_failing_git_leaves_the_published_files_alone(tmp_path: Path) -> None:
    totals = write_totals(tmp_path / "lib", ROWS)
    (tmp_path / "weeks.git").write_text("in the way")
    result = publish(totals, ok=False)
    assert "weeks.git" in result["msg"]
    assert statuses(result)["git history"] == "failed"
    assert statuses(result)["totals.csv"] == "made"
    assert (tmp_path / "web" / "weeks" / "2021-W39.csv").exists()
    assert result["newest_week"]


def test_a_repository_in_the_web_root_is_refused(tmp_path: Path) -> None:
    totals = write_totals(tmp_path / "lib", ROWS)
    result = publish(totals, git_history=tmp_path / "web" / "weeks.git", ok=False)
    assert "option git_history" in result["msg"]
    assert not (tmp_path / "web").exists()
