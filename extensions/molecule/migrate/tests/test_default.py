"""The log host after it was taken over from the earlier system, and after it was given back.

The commands are those of docs/migrate.md, as they stand there.
"""

from __future__ import annotations

import csv
import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.fedora_infra.dnf_counting.tests.support.oracle import sorted_rows

GUIDE = Path(os.environ["MOLECULE_PROJECT_DIRECTORY"]) / "docs" / "migrate.md"
COMMANDS = re.findall(r"^ *(ansible-playbook .*)", GUIDE.read_text(encoding="utf-8"), re.MULTILINE)
DEPLOY, PLAN, MIGRATE, REVERT, UNSCHEDULE = COMMANDS
RUN = Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"]) / "sample-run"
BACKUP = RUN / "countme-before"
OLD = RUN / "old"


def differences() -> list[dict[str, str]]:
    report = BACKUP / "anew" / "fedora" / "differences.csv"
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


def played(command: str) -> str:
    """What a command of the guide says, with the inventory of this scenario."""
    program, inventory = "ansible-playbook", os.environ["MOLECULE_INVENTORY_FILE"]
    assert command.startswith(f"{program} -i inventory.yml ")
    command = command.replace("inventory.yml", inventory, 1)
    command = command.replace(program, str(Path(sys.executable).with_name(program)), 1)
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def seen(folder: Path) -> dict[str, tuple[int, int, str]]:
    """Mode, time and content or aim of all files in a folder."""
    return {
        str(path.relative_to(folder)): (
            path.lstat().st_mode,
            path.lstat().st_mtime_ns,
            os.readlink(path) if path.is_symlink() else path.read_text(encoding="latin-1"),
        )
        for path in folder.rglob("*")
        if path.is_symlink() or path.is_file()
    }


def test_totals_are_continued_in_place_and_kept_as_they_were() -> None:
    kept = BACKUP / "totals" / "fedora"
    assert sorted_rows(kept / "totals.csv") == sorted_rows(RUN / "countme" / "totals.csv")
    assert len(sorted_rows(kept / "totals.csv")) > 100
    assert (kept / "totals.db").read_bytes()[:15] == b"SQLite format 3"


def test_by_the_commands_of_the_guide_it_is_set_aside_and_comes_back() -> None:
    set_aside = {"bin/countme-update.sh", "bin/mirrorlist.py", "cron.d/countme", "cron.d/latin"}
    left = {"bin/others.sh", "cron.d/others", "cron.d/similar", "crontabs/countme"}
    assert {*seen(OLD)} == left | {"lib/mirrorlist.py"}
    aside = seen(Path(f"{BACKUP}/files{OLD}"))
    assert {*aside} == set_aside

    assert "failed=0" in played(DEPLOY)
    for command in (PLAN, MIGRATE):
        said = played(command)
        assert "changed=0" in said, said
        assert f"{OLD}/crontabs/countme" in said.partition("to be removed by hand")[2]
    for changes in (True, False):
        said = played(REVERT)
        assert ("changed=0" not in said) is changes, said
        assert aside.items() <= seen(OLD).items()
    assert not (BACKUP / "files").exists()
    assert "failed=0" in played(UNSCHEDULE)

    # the totals that it goes on with are the first ones, if it is taken over once more
    assert [path.name[:13] for path in BACKUP.glob("totals*")] == ["totals-until-"]
    job = [sys.executable, "-c", "import time; time.sleep(600)", f"{OLD}/bin/countme-update.sh"]
    at_work = subprocess.Popen(job)
    try:
        with pytest.raises(AssertionError, match=f"found processes: {at_work.pid}"):
            played(MIGRATE)
    finally:
        at_work.kill()
        at_work.wait()
    assert aside.items() <= seen(OLD).items()
    # what is damaged of one site is told at the end, and keeps no other from being taken over
    for name in ("raw.db", "totals-centos.db"):
        (RUN / "countme" / name).write_bytes(b"damaged " * 1000)
    with pytest.raises(AssertionError) as failed:
        played(MIGRATE)
    assert re.search(r"fedora: /.*/raw.db: expected a database", str(failed.value))
    assert re.search(r"centos: /.*/totals-centos.db: expected a sound SQLite", str(failed.value))
    assert not aside.keys() & seen(OLD).keys()
    assert (BACKUP / "totals" / "fedora" / "totals.db").exists()
    assert (BACKUP / "anew" / "centos").exists()
