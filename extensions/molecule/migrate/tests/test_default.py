"""The log host after it was taken over from the earlier system, and after it was given back."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from ansible_collections.fedora_infra.dnf_counting.tests.support.oracle import sorted_rows

RUN = Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"]) / "sample-run"
BACKUP = RUN / "countme-before"
OLD = RUN / "old"


def differences() -> list[dict[str, str]]:
    report = BACKUP / "anew" / "differences-fedora.csv"
    with report.open(encoding="utf-8", newline="") as text:
        return list(csv.DictReader(text))


def test_a_late_log_is_named_as_the_cause_of_what_differs() -> None:
    found = differences()
    assert {row["week"] for row in found} == {"2021-W40"}
    causes = Counter(row["likely_cause"] for row in found)
    assert causes == {"late log counted": len(found)}
    assert all(int(row["new_hits"]) > int(row["old_hits"]) for row in found)


def test_hits_of_a_log_that_is_lost_are_taken_from_the_old_database(host: Any) -> None:
    days = [name for name in host.file(str(RUN / "countme" / "raw")).listdir() if name[0] != "."]
    assert len(days) == 19
    assert "2021-09-30.parquet" in days


def test_totals_are_continued_in_place_and_kept_as_they_were() -> None:
    kept = BACKUP / "totals" / "totals.csv"
    assert sorted_rows(kept) == sorted_rows(RUN / "countme" / "totals.csv")
    assert len(sorted_rows(kept)) > 100
    assert (BACKUP / "totals" / "totals.db").exists()


def test_old_jobs_and_scripts_are_set_aside_and_come_back(host: Any) -> None:
    old = {"bin/countme-update.sh": 0o750, "cron.d/countme": 0o640}
    others = ("bin/others.sh", "cron.d/others")
    for name in old:
        assert not host.file(str(OLD / name)).exists
        assert host.file(f"{BACKUP}/files{OLD}/{name}").exists
    assert all(host.file(str(OLD / name)).exists for name in others)

    playbook = [
        *(Path(sys.executable).with_name("ansible-playbook"), "fedora_infra.dnf_counting.migrate"),
        *("-i", os.environ["MOLECULE_INVENTORY_FILE"]),
        *("-e", "web_data_analysis_migrate_state=reverted"),
    ]
    for changes in (True, False):
        done = subprocess.run(playbook, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout
        assert ("changed=0" not in done.stdout) is changes, done.stdout
        assert {name: host.file(str(OLD / name)).mode for name in old} == old
    assert not (BACKUP / "files").exists()
