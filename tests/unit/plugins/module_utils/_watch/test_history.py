"""The run history: steps with and without an end, pruning, and files that are no history."""

from __future__ import annotations

import os
import signal
import sqlite3
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._base.errors import (
    OutputError,
    SourceError,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._watch import (
    history as watch_history,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._watch.history import (
    FAILED,
    INCOMPLETE,
    MADE,
    NEVER_FINISHED,
    RUNNING,
    UNCHANGED,
    Step,
    StepEnd,
    StepStart,
    begin_step,
    end_step,
    latest_steps,
    read_steps,
    usual_seconds,
)

NOW = datetime(2026, 11, 23, 4, 30, tzinfo=UTC)


def start(stage: str = "combine", *, subject: str = "", started: datetime = NOW) -> StepStart:
    return StepStart("run-1", stage, subject, "log01", started)


def end(result: str = MADE, **more: object) -> StepEnd:
    return StepEnd(NOW + timedelta(seconds=90), 89.5, result, **more)  # type: ignore[arg-type]


def test_a_step_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    history = tmp_path / "state" / "history.db"
    number = begin_step(history, start("raw", subject="mirrors.log"))
    end_step(history, number, end(FAILED, reason="no room", units={"made": 3}, bytes=1 << 40))
    assert read_steps(history) == [
        Step(
            id=number,
            run_id="run-1",
            stage="raw",
            subject="mirrors.log",
            host="log01",
            started=NOW,
            result=FAILED,
            finished=NOW + timedelta(seconds=90),
            seconds=89.5,
            reason="no room",
            units={"made": 3},
            bytes=1 << 40,
        )
    ]


def test_addresses_of_nobody_and_no_secrets_are_readable_by_the_group_only(tmp_path: Path) -> None:
    history = tmp_path / "history.db"
    before = os.umask(0)
    try:
        begin_step(history, start())
    finally:
        os.umask(before)
    assert stat.S_IMODE(history.stat().st_mode) == 0o640


def test_a_step_at_work_is_told_from_one_that_never_finished(tmp_path: Path) -> None:
    history = tmp_path / "history.db"
    program = (
        "import sys, time, datetime, pathlib\n"
        "from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._watch.history"
        " import StepStart, begin_step\n"
        "now = datetime.datetime.now(datetime.UTC)\n"
        "begin_step(pathlib.Path(sys.argv[1]), StepStart('r', 'sync', '', 'log01', now))\n"
        "print('started', flush=True)\n"
        "time.sleep(600)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, history], stdout=subprocess.PIPE
    ) as killed:
        assert killed.stdout is not None
        assert killed.stdout.readline() == b"started\n"
        (step,) = read_steps(history)
        assert (step.result, step.ended) == (RUNNING, False)
        killed.send_signal(signal.SIGKILL)
    (step,) = read_steps(history)
    assert (step.result, step.ended) == (NEVER_FINISHED, False)


def test_the_first_end_of_a_step_stands(tmp_path: Path) -> None:
    history = tmp_path / "history.db"
    number = begin_step(history, start())
    end_step(history, number, end(FAILED, reason="no room"))
    end_step(history, number, end(MADE))
    assert [step.result for step in read_steps(history)] == [FAILED]


def test_old_steps_go_but_a_jump_of_the_clock_empties_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    history = tmp_path / "history.db"
    monkeypatch.setattr(watch_history, "LEAST_STEPS", 3)
    for days_ago in (500, 402, 399, 3, 2, 1):
        begin_step(history, start(started=NOW - timedelta(days=days_ago)), keep_days=400)
    days = [(NOW - step.started).days for step in read_steps(history)]
    assert days == [399, 3, 2, 1]
    begin_step(history, start(started=NOW + timedelta(days=9999)), keep_days=400)
    assert len(read_steps(history)) == 3


def test_the_history_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch_history, "LEAST_STEPS", 2)
    monkeypatch.setattr(watch_history, "MOST_STEPS", 5)
    for _unused in range(9):
        begin_step(tmp_path / "history.db", start())
    assert [step.id for step in read_steps(tmp_path / "history.db")] == [5, 6, 7, 8, 9]


def test_parallel_steps_are_all_written(tmp_path: Path) -> None:
    history = tmp_path / "history.db"

    def one(number: int) -> None:
        end_step(history, begin_step(history, start(f"stage-{number}")), end())

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(one, range(40)))
    steps = read_steps(history)
    assert {step.stage for step in steps} == {f"stage-{number}" for number in range(40)}
    assert {step.result for step in steps} == {MADE}


@pytest.mark.parametrize("content", [b"no database" * 1000, b"SQLite format 3\0" + b"\xff" * 5000])
def test_a_damaged_file_is_set_aside_for_a_new_one(tmp_path: Path, content: bytes) -> None:
    history = tmp_path / "history.db"
    history.write_bytes(content)
    with pytest.raises(SourceError, match="a run history"):
        read_steps(history)
    begin_step(history, start())
    assert len(read_steps(history)) == 1
    assert (tmp_path / "history.db.damaged").read_bytes() == content


def test_a_database_of_something_else_is_left_alone(tmp_path: Path) -> None:
    totals = tmp_path / "totals.db"
    with sqlite3.connect(totals) as connection:
        connection.execute("CREATE TABLE countme_totals (hits INTEGER)")
    content = totals.read_bytes()
    with pytest.raises(OutputError, match="another kind"):
        begin_step(totals, start())
    with pytest.raises(SourceError, match="another kind"):
        read_steps(totals)
    assert totals.read_bytes() == content


def test_a_symbolic_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "history.db").symlink_to(tmp_path / "elsewhere.db")
    with pytest.raises(OutputError):
        begin_step(tmp_path / "history.db", start())
    assert not (tmp_path / "elsewhere.db").exists()


def test_a_history_that_is_not_there_yet_has_no_steps(tmp_path: Path) -> None:
    assert read_steps(tmp_path / "history.db") == []
    assert list(tmp_path.iterdir()) == []


def steps_of(*durations: tuple[str, float]) -> list[Step]:
    return [
        Step(number, "r", "raw", "", "log01", NOW, result, NOW, seconds)
        for number, (result, seconds) in enumerate(durations)
    ]


@pytest.mark.parametrize(
    ("steps", "usual"),
    [
        pytest.param(steps_of((MADE, 1), (MADE, 9), (INCOMPLETE, 2)), 2, id="median"),
        pytest.param(steps_of((FAILED, 0.1), (UNCHANGED, 0.2), (MADE, 9)), 9, id="work only"),
        pytest.param(steps_of((MADE, 1000), *[(MADE, 5)] * 13, (MADE, 6)), 5, id="last 14"),
        pytest.param([], None, id="none"),
    ],
)
def test_what_a_stage_usually_takes(steps: list[Step], usual: float | None) -> None:
    assert usual_seconds(steps, "raw") == pytest.approx(usual)


def test_the_latest_step_of_each_stage_and_subject() -> None:
    steps = steps_of((MADE, 1), (FAILED, 2))
    assert latest_steps(steps) == {("raw", ""): steps[1]}
