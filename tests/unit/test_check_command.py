"""The check command for monitors: run as they run it, on status files good and bad."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

COMMAND = (
    Path(__file__).parents[2] / "roles" / "web_data_analysis" / "files" / "check_dnf_counting.py"
)
CODES = {"OK": 0, "WARNING": 1, "CRITICAL": 2, "UNKNOWN": 3}
#: As the guidelines for plugins have it.
PERFORMANCE = re.compile(
    r"(?:'[^'=|]+'|[^'=| ]+)=-?[0-9]+(?:\.[0-9]+)?(?:s|%|B)?;[0-9]*;[0-9]*;[0-9]*(?:;[0-9]*)?"
)


def problem(severity: str, what: str = "something") -> dict[str, str]:
    return {"severity": severity, "stage": "sync", "what": what, "since": "", "next_step": ""}


def status(*problems: dict[str, str], hours: float = 2, **values: Any) -> dict[str, Any]:
    made = datetime.now(UTC) - timedelta(hours=hours)
    return {
        "format": 1,
        "generated_at": made.isoformat(timespec="seconds"),
        "log_host": "log01",
        "problems": list(problems),
        "hosts": [{"name": "proxy01", "days": {"2021-10-01": "missing", "2021-10-02": "present"}}],
        "trees": [{"name": "raw fedora", "free_percent": 23.5}],
        "steps": [{"stage": "combine", "subject": "", "last": {"seconds": 12.5}}],
        **values,
    }


def check(path: Path, *options: str) -> tuple[str, str]:
    """The state and all that is put out; exit code and form are as they must be."""
    done = subprocess.run(
        # -I: it needs nothing of the environment, as little as that of a monitor gives
        [sys.executable, "-I", "-S", COMMAND, *options, path],
        env={},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    first = done.stdout.splitlines()[0]
    state = first.split()[1]
    assert done.returncode == CODES[state], done.stdout
    assert first.count("|") <= 1
    assert done.stdout.isascii()
    return state, done.stdout


def written(folder: Path, content: Any) -> Path:
    path = folder / "status.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


@pytest.mark.parametrize(
    ("severities", "state"),
    [
        ([], "OK"),
        (["unknown"], "UNKNOWN"),
        (["warning", "unknown"], "WARNING"),
        (["critical", "warning", "unknown"], "CRITICAL"),
    ],
)
def test_the_worst_problem_is_the_state(severities: list[str], state: str, tmp_path: Path) -> None:
    path = written(tmp_path, status(*map(problem, severities)))
    assert check(path)[0] == state


@pytest.mark.parametrize(
    ("hours", "state"), [(25, "OK"), (27, "WARNING"), (51, "CRITICAL"), (-1, "UNKNOWN")]
)
def test_the_age_of_the_status_is_judged_too(hours: float, state: str, tmp_path: Path) -> None:
    assert check(written(tmp_path, status(hours=hours)))[0] == state


def test_the_ages_can_be_chosen(tmp_path: Path) -> None:
    path = written(tmp_path, status(hours=5))
    assert check(path, "-w", "4", "-c", "8")[0] == "WARNING"
    assert check(path, "--warning=1", "--critical=4.5")[0] == "CRITICAL"


def test_an_old_status_does_not_hide_what_is_worse(tmp_path: Path) -> None:
    state, said = check(written(tmp_path, status(problem("critical", "it broke"), hours=30)), "-v")
    assert state == "CRITICAL"
    assert "it broke" in said


def test_one_line_has_the_first_problem_how_many_more_and_performance_data(tmp_path: Path) -> None:
    path = written(tmp_path, status(problem("critical", "it broke"), problem("warning", "and it")))
    said = check(path)[1]
    assert said.startswith("COUNTING CRITICAL - it broke (and 1 more) | age=")
    assert said.count("\n") == 1
    data = said.strip().partition(" | ")[2]
    found = PERFORMANCE.findall(data)
    assert " ".join(found) == data
    assert "host_days_missing=1;;;0" in found
    assert "'free raw fedora'=23.5%;;;0;100" in found
    assert "'time combine'=12.5s;;;0" in found
    assert check(path, "-v")[1].splitlines()[1:] == ["and it"]


@pytest.mark.parametrize(
    "content",
    [
        pytest.param("", id="empty"),
        pytest.param("{", id="cut short"),
        pytest.param("[" * 100_000, id="nested too deep"),
        pytest.param("[]", id="no mapping"),
        pytest.param({"format": 2}, id="newer"),
        pytest.param(status() | {"generated_at": "yesterday"}, id="no time"),
        pytest.param(status() | {"generated_at": "2021-10-01T00:00:00"}, id="no zone"),
        pytest.param(status() | {"problems": 3}, id="no problems"),
        pytest.param(status() | {"problems": [{"severity": "worse", "what": ""}]}, id="severity"),
    ],
)
def test_what_is_no_status_is_unknown(content: Any, tmp_path: Path) -> None:
    state, said = check(written(tmp_path, content))
    assert state == "UNKNOWN"
    assert len(said) < 700


def test_no_file_a_folder_and_wrong_options_are_unknown(tmp_path: Path) -> None:
    assert check(tmp_path / "none")[0] == "UNKNOWN"
    assert check(tmp_path)[0] == "UNKNOWN"
    assert check(written(tmp_path, status()), "--wrong")[0] == "UNKNOWN"


def test_incident_hostile_source_text_ends_no_line_and_begins_no_performance_data(
    tmp_path: Path,
) -> None:
    hostile = "a | b=1\nOK - all is well\x1b[2J\u202e'" + "x" * 10_000
    content = status(problem("warning", hostile), log_host=hostile)
    content["trees"] = [
        {"name": hostile, "free_percent": 1},
        {"name": None, "free_percent": "x"},
        3,
    ]
    content["hosts"] = [{"days": 3}, None]
    state, said = check(written(tmp_path, content))
    assert state == "WARNING"
    assert said.count("\n") == 1
    assert said.strip().isprintable()
