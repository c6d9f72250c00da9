"""The log host after its old weeks were made whole, and the commands of docs/backfill-and-repair.md."""

from __future__ import annotations

import csv
import os
import re
import shlex
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._base.days_and_weeks import (
    week_name,
    week_of_day,
    week_start,
)
from ansible_collections.fedora_infra.dnf_counting.tests.support.log_host import Played
from ansible_collections.fedora_infra.dnf_counting.tests.support.oracle import (
    oracle_totals,
    sorted_rows,
)

GUIDE = Path(os.environ["MOLECULE_PROJECT_DIRECTORY"]) / "docs" / "backfill-and-repair.md"
PLANNED, ONE_SITE, DROPPED, BROUGHT_BACK = re.findall(
    r"```sh\n(.*?)\n```", GUIDE.read_text(encoding="utf-8"), re.DOTALL
)
#: The Monday of the week that the guide speaks of.
GUIDE_MONDAY = date(2026, 11, 9)
BIN = Path(sys.executable).parent
RUN = Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"]) / "sample-run"
PUBLISHED = RUN / "html" / "csv-reports" / "countme"
RAW = RUN / "countme" / "raw"
FEDORA = "mirrors.fedoraproject.org-access.log"
CENTOS = "mirrors.centos.org-access.log"

#: The newer of the two weeks: a log ends just after the midnight before its day.
WEEK = week_of_day(datetime.now(UTC).date() - timedelta(days=2)) - 1
MONDAY = week_start(WEEK - 1)


def day(number: int) -> date:
    """A day of the two weeks, of which 0 is the first Monday."""
    return MONDAY + timedelta(days=number)


@pytest.mark.parametrize(
    "expected",
    [
        pytest.param(f"sync: proxy01 {day(2)}: due: 1 new log", id="late-log"),
        pytest.param(f"combine: {FEDORA}: due: not combined yet ({day(1)})", id="combined-day"),
        pytest.param("raw fedora: due: not counted yet", id="trimmed-days"),
        pytest.param(f"raw fedora: due: {RAW}/{day(8)}.parquet: expected a raw day",
                     id="damaged-day"),
        pytest.param(f"fedora: these weeks would be counted again: {WEEK - 1}, {WEEK}", id="weeks"),
    ],
)  # fmt: skip
def test_check_mode_named_what_is_out_of_date(expected: str) -> None:
    assert expected in (RUN / "plan.txt").read_text(encoding="utf-8")


def test_late_and_lost_days_are_made_and_those_of_an_old_week_come_back(host: Any) -> None:
    assert host.file(f"{RUN}/hosts/proxy01/{day(2):%Y/%m/%d}/http/{FEDORA}.xz").size > 0
    assert host.file(f"{RUN}/combined-http/{day(1):%Y/%m/%d}/{FEDORA}").size > 0
    raw_days = {path.stem: path.stat() for path in RAW.glob("*.parquet")}
    # the log of a day before its week holds nothing of it
    assert {str(day(number)) for number in range(15)} <= raw_days.keys()
    assert {stat.st_mode & 0o007 for stat in raw_days.values()} == {0}


@pytest.mark.parametrize(
    ("log_name", "totals"), [(FEDORA, "totals.csv"), (CENTOS, "totals-centos.csv")]
)
def test_totals_are_those_of_the_oracle(log_name: str, totals: str, tmp_path: Path) -> None:
    expected = oracle_totals(RUN / "combined-http", log_name, tmp_path)
    assert sorted_rows(PUBLISHED / totals) == expected
    assert sorted_rows(RUN / "countme" / totals) == expected


def test_they_were_short_before_and_their_weeks_are_complete_now() -> None:
    assert sorted_rows(RUN / "short.csv") != sorted_rows(PUBLISHED / "totals.csv")
    with (PUBLISHED / "quality.csv").open(encoding="utf-8", newline="") as text:
        weeks = {row["week_start"]: row for row in csv.DictReader(text)}
    assert [weeks[f"{day(n)}"]["status"] for n in (0, 7)] == ["complete", "complete"]
    # the newer one lost raw days that had been counted already, and no log
    assert [weeks[f"{day(n)}"]["revision"] for n in (0, 7)] == ["2", "1"]


def of_this_log_host(example: str) -> str:
    """Return an example of the guide, about the newer week and the folders that are here."""

    def shifted(found: re.Match[str]) -> str:
        return str(day(7) + (date.fromisoformat(found[0]) - GUIDE_MONDAY))

    example = re.sub(r"\d{4}-\d\d-\d\d", shifted, example)
    example = example.replace(week_name(week_of_day(GUIDE_MONDAY)), week_name(WEEK))
    return example.replace("/var/lib/countme", str(RUN / "countme"))


def played(example: str) -> Played:
    words = shlex.split(of_this_log_host(example))
    assert words[:3] == ["ansible-playbook", "-i", "inventory.yml"]
    command = [BIN / words[0], "-i", os.environ["MOLECULE_INVENTORY_FILE"], *words[3:]]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return Played(done.returncode, done.stdout)


def test_the_commands_of_the_guide_make_what_is_out_of_date_and_nothing_else(
    tmp_path: Path,
) -> None:
    state = RUN / "countme"
    planned = played(PLANNED)
    assert planned.changed == []
    assert "nothing is due: all outputs agree with their inputs" in planned.said_by("Show the plan")

    # a week is taken out, and brought back
    command = of_this_log_host(DROPPED).replace("ansible ", f"{BIN}/ansible ", 1)
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)
    assert "CHANGED" in done.stdout, done.stdout + done.stderr
    assert f"{day(7)}," not in (state / "totals.csv").read_text(encoding="utf-8")
    back = played(BROUGHT_BACK)
    assert back.changed == [
        "Count the weeks that are due, totals fedora",
        "Publish the totals, charts and pages",
    ]
    test_totals_are_those_of_the_oracle(FEDORA, "totals.csv", tmp_path)

    # one site alone
    wednesday = day(9)
    for raw in ("raw", "raw-centos"):
        (state / raw / f"{wednesday}.parquet").unlink()
    assert played(ONE_SITE).changed == ["Find the hits in the combined logs, raw fedora"]
    assert (state / "raw" / f"{wednesday}.parquet").exists()
    assert not (state / "raw-centos" / f"{wednesday}.parquet").exists()
