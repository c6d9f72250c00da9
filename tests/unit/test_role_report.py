"""What the report says of stages that left something open."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

TEMPLATE = (
    Path(__file__).parents[2] / "roles" / "web_data_analysis" / "templates" / "left_open.txt.j2"
)


def unit(name: str, status: str, *reasons: str, **figures: Any) -> dict[str, Any]:
    return {"name": name, "status": status, "reasons": list(reasons), **figures}


def report(units: list[dict[str, Any]], told: list[str], work: Path) -> list[str]:
    """The lines that Ansible makes of the template."""
    variables = work / "stages.json"
    variables.write_text(json.dumps({"stages": [["stage", units, told]]}), encoding="utf-8")
    done = subprocess.run(
        [
            *(Path(sys.executable).with_name("ansible"), "localhost", "--connection=local"),
            *("--module-name=ansible.builtin.template", f"--extra-vars=@{variables}"),
            f"--args=src={TEMPLATE} dest={work}/report",
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    # as the role reads it: ansible-core 2.18 makes a line of nothing
    return (work / "report").read_text(encoding="utf-8").strip().splitlines()


def days(status: str, *reasons: str) -> list[dict[str, Any]]:
    return [unit(f"2026-11-{n} a.log", status, *reasons) for n in (19, 20, 21)]


@pytest.mark.parametrize(
    ("units", "lines"),
    [
        pytest.param([], [], id="nothing"),
        pytest.param(
            [
                *days("made"),
                *days("unchanged"),
                *days("due", "new input x"),
                *days("missing", "no"),
            ],
            [],
            id="all-well",
        ),
        pytest.param(
            days("waiting", "waiting for p3"),
            ["stage: a.log: waiting: waiting for p3 (3 days from 2026-11-19 to 2026-11-21)"],
            id="days-are-folded",
        ),
        pytest.param(
            [unit("2026-11-19 a.log", "made", "new input x", "left out: p2 is damaged")],
            ["stage: a.log: damaged: left out: p2 is damaged (2026-11-19)"],
            id="a-damaged-log",
        ),
        pytest.param(
            [unit("2026-11-19", "failed", "unreadable")],
            ["stage: failed: unreadable (2026-11-19)"],
            id="a-raw-day",
        ),
        pytest.param(
            [unit("2021-W39", "outdated", "name it", revision=1), unit("2021-W40", "blocked", "b")],
            ["stage: 2021-W39: outdated: name it", "stage: 2021-W40: blocked: b"],
            id="weeks",
        ),
        pytest.param(
            [unit("2021-W38", "gone", "g", revision=1), unit("2021-W39", "gone", "g")],
            ["stage: 2021-W39: gone: g"],
            id="only-weeks-never-counted-are-gone",
        ),
    ],
)
def test_what_is_left_open_is_told_shortly(
    units: list[dict[str, Any]], lines: list[str], tmp_path: Path
) -> None:
    told = ["failed", "blocked", "waiting", "outdated", "gone"]
    assert report(units, told, tmp_path) == lines
