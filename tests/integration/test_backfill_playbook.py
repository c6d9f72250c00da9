"""The playbook for repairs, by the examples of docs/backfill-and-repair.md as they stand there."""

from __future__ import annotations

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
from ansible_collections.fedora_infra.dnf_counting.tests.support.log_host import (
    CHECKOUT,
    LogHost,
    Played,
    assert_totals_are_the_oracles,
)

GUIDE = (CHECKOUT / "docs" / "backfill-and-repair.md").read_text(encoding="utf-8")
PLANNED, ONE_SITE, DROPPED, BROUGHT_BACK = re.findall(r"```sh\n(.*?)\n```", GUIDE, re.DOTALL)
#: The Monday of the week that the guide speaks of.
GUIDE_MONDAY = date(2026, 11, 9)

YESTERDAY = datetime.now(UTC).date() - timedelta(days=1)
#: The newest week that is over: a log ends just after the midnight before its day.
WEEK = week_of_day(YESTERDAY - timedelta(days=1)) - 1
MONDAY = week_start(WEEK)
WEDNESDAY = MONDAY + timedelta(days=2)


def of_this_log_host(example: str, log_host: LogHost) -> str:
    """An example of the guide, about a week of which there are logs."""

    def shifted(found: re.Match[str]) -> str:
        return str(MONDAY + (date.fromisoformat(found[0]) - GUIDE_MONDAY))

    example = re.sub(r"\d{4}-\d\d-\d\d", shifted, example)
    example = example.replace(week_name(week_of_day(GUIDE_MONDAY)), week_name(WEEK))
    return example.replace("/var/lib/countme", str(log_host.run_dir / "countme"))


def play(log_host: LogHost, example: str) -> Played:
    words = shlex.split(of_this_log_host(example, log_host))
    begin = ["ansible-playbook", "-i", "inventory.yml", "fedora_infra.dnf_counting.backfill"]
    assert words[:4] == begin
    played = log_host.play("backfill", *words[4:])
    assert played.code == 0, played.output
    return played


def test_the_examples_of_the_guide_work_as_they_stand(tmp_path: Path) -> None:
    """What they repair, and the plan for it, is in the molecule scenario backfill."""
    log_host = LogHost(tmp_path, days=15)
    log_host.make_logs(100)
    state = log_host.run_dir / "countme"
    assert log_host.play("deploy").code == 0
    assert log_host.play("daily").code == 0

    before = log_host.state()
    planned = play(log_host, PLANNED)
    assert planned.changed == []
    assert "nothing: all is made of what is there" in planned.said_by("Show the plan")
    assert log_host.state() == before

    # a week is taken out, and brought back
    command = of_this_log_host(DROPPED, log_host)
    in_environment = f"{Path(sys.executable).parent}/ansible "
    done = subprocess.run(
        ["sh", "-c", command.replace("ansible ", in_environment, 1)],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "CHANGED" in done.stdout, done.stdout + done.stderr
    assert f"{MONDAY}," not in (state / "totals.csv").read_text(encoding="utf-8")
    back = play(log_host, BROUGHT_BACK)
    assert back.changed == ["Total the weeks of fedora", "Publish the totals"]
    assert_totals_are_the_oracles(log_host, tmp_path / "oracle")

    # one site alone
    for raw in ("raw", "raw-centos"):
        (state / raw / f"{WEDNESDAY}.parquet").unlink()
    assert play(log_host, ONE_SITE).changed == ["Find the hits of fedora"]
    assert (state / "raw" / f"{WEDNESDAY}.parquet").exists()
    assert not (state / "raw-centos" / f"{WEDNESDAY}.parquet").exists()


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({}, "found no backfill_since"),
        ({"backfill_since": "last week"}, "found last week"),
        ({"backfill_since": "2026-11-02", "backfill_profiles": "fedroa"}, "found fedroa"),
        ({"backfill_since": "2026-11-02", "backfill_stages": "cuont"}, "cuont"),
    ],
    ids=str,
)
def test_what_cannot_be_meant_is_refused(given: dict[str, Any], told: str, tmp_path: Path) -> None:
    no_files = {"web_data_analysis_before_run": [], "web_data_analysis_after_run": []}
    refused = LogHost(tmp_path, days=1).play("backfill", **given, **no_files)
    assert refused.code != 0
    assert told in refused.output.replace("\n", " "), refused.output
    assert refused.changed == []
    assert not (tmp_path / "run").exists()
