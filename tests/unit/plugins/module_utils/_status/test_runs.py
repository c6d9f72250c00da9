"""Runs in the status: what never finished, failed or takes too long; rooms and schedules."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._base.problem import Problem
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._combine.strays import (
    StrayHosts,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._status import (
    trees as status_trees,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._status.judge import (
    judge,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._status.judge_hosts import (
    JudgementInputs,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._status.runs import (
    step_times,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._status.status import (
    Status,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._status.thresholds import (
    Bounds,
    Thresholds,
    overall,
    too_high,
    too_low,
    worst_first,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._status.trees import (
    Room,
    Tree,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._watch import (
    history as watch_history,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._watch.spool import (
    Message,
    Spool,
    Waiting,
    read_waiting,
)
from ansible_collections.fedora_infra.dnf_counting.tests.support.counting_host import (
    DAYS,
    FIRST,
    NOW,
    CountingHost,
    whats,
)

Step = watch_history.Step
FINDINGS = JudgementInputs(Thresholds(), FIRST, NOW.date(), StrayHosts((), (), (), ()))


def step(number: int, result: str = "made", seconds: float | None = 100.0, **values: str) -> Step:
    """One of the runs of a stage, a day after the other."""
    started = NOW - timedelta(days=20 - number)
    ended = None if seconds is None else started + timedelta(seconds=seconds)
    stage, subject = values.get("stage", "combine"), values.get("subject", "")
    return Step(number, f"run{number}", stage, subject, "log01", started, result, ended, seconds,
                values.get("reason", ""))  # fmt: skip


def problems(steps: list[Step], **values: object) -> list[str]:
    status = Status(NOW, "log01", tuple(DAYS), steps=tuple(step_times(steps)))
    return [p.what for p in worst_first(judge(replace(status, **values), FINDINGS))]  # type: ignore[arg-type]


def test_a_step_that_never_finished_is_shown_as_such(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    history = tmp_path / "history.db"
    start = watch_history.StepStart("run1", "combine", "", "log01", NOW - timedelta(hours=2))
    watch_history.begin_step(history, start)
    # the process that began it is gone
    monkeypatch.setattr(watch_history, "_process", lambda recorded: "")
    log_host = CountingHost(tmp_path / "log-host")
    log_host.sync()
    status = log_host.run().status(history_db=history)
    assert whats(status) == ["combine started and never finished"]
    assert status.problems[0].since == "2021-10-16T02:00:00+00:00"
    assert status.to_json()["steps"][0]["last"]["result"] == "never finished"


def test_a_later_run_that_ended_well_heals_it() -> None:
    steps = [step(1), step(2, "never finished", None), step(3)]
    assert problems(steps) == []
    assert [run.result for run in step_times(steps)[0].runs] == ["made", "never finished", "made"]


def test_a_failure_is_told_with_its_reason() -> None:
    told = problems([step(1), step(2, "failed", 5.0, reason="no space")])
    assert told == ["combine failed: no space"]


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        pytest.param(290.0, [], id="less than three times its usual time"),
        pytest.param(310.0, ["combine takes 3.1 times its usual 100 s"], id="more than that"),
    ],
)
def test_the_last_run_is_held_against_the_median(seconds: float, told: list[str]) -> None:
    usual = [step(number, seconds=100.0 + number % 3) for number in range(1, 15)]
    usual = [replace(one, seconds=100.0) if n % 2 else one for n, one in enumerate(usual)]
    assert problems([*usual, step(15, seconds=seconds)]) == told


def test_a_short_step_may_take_a_minute_more() -> None:
    assert problems([step(1, seconds=1.0), step(2, seconds=59.0)]) == []
    assert problems([step(1, seconds=1.0), step(2, seconds=62.0)]) != []


def test_a_step_at_work_is_held_against_it_too() -> None:
    steps = [step(1), step(2), replace(step(20, "running", None), started=NOW - timedelta(hours=1))]
    assert problems(steps) == ["combine takes 36.0 times its usual 100 s"]


def test_steps_of_several_profiles_are_told_apart() -> None:
    steps = [
        step(n, seconds=seconds, stage="raw", subject=name)
        for n in (1, 2)
        for name, seconds in (("fedora", 100.0), ("centos", 10.0))
    ]
    found = {times.title: times.usual_seconds for times in step_times(steps)}
    assert found == {"raw fedora": 100.0, "raw centos": 10.0}


def test_incident_clock_jump_a_step_of_the_future_is_told() -> None:
    assert problems([step(30)]) == ["steps that started in the future: combine"]


@pytest.mark.parametrize(
    ("free", "severity"), [(20, ""), (10, "warning"), (5, "critical"), (0, "critical")]
)
def test_incident_disk_full_is_seen_before(free: int, severity: str) -> None:
    tree = Tree("combined", Path("/mnt"), total_bytes=100, free_bytes=free)
    status = Status(NOW, "log01", tuple(DAYS), trees=(tree,))
    assert overall(judge(status, FINDINGS)) == (severity or "ok")


def test_of_a_folder_that_is_not_there_no_room_is_told(tmp_path: Path) -> None:
    assert status_trees.room_of(tmp_path / "none") == Room(None, None)
    assert Tree("raw", tmp_path / "none").free_percent is None


def test_unsent_messages_are_told() -> None:
    assert problems([], unsent=Waiting(0, None)) == []
    assert problems([], unsent=Waiting(12, None)) == ["12 messages wait for the bus"]


def test_reading_history_and_spool_leaves_nothing_beside_them(tmp_path: Path) -> None:
    spool, history = tmp_path / "spool.db", tmp_path / "history.db"
    message = Message("sync.start", {}, "2021-10-01T04:00:00+00:00")
    Spool(spool).add(message)
    start = watch_history.StepStart("run1", "combine", "", "log01", NOW)
    watch_history.begin_step(history, start)
    assert read_waiting(spool) == (1, message.sent_at)
    assert len(watch_history.read_steps(history)) == 1
    assert {path.name for path in tmp_path.iterdir()} == {"spool.db", "history.db"}
    with Spool(spool)._open() as sender:  # a sender at work: what it has written is read
        sender.execute("DELETE FROM messages")
        assert read_waiting(spool) == (0, None)
    assert read_waiting(tmp_path / "none") == (0, None)


def test_a_schedule_without_a_next_run_is_told() -> None:
    status = Status(NOW, "log01", tuple(DAYS))
    told = judge(status, replace(FINDINGS, is_scheduled=True))
    assert [problem.stage for problem in told] == ["schedule"]


def test_the_worst_comes_first_then_the_oldest() -> None:
    def problem(severity: str, since: str) -> Problem:
        return Problem(severity, "sync", "what", since, "")

    unsorted = [
        problem("unknown", "2021-01-01"),
        problem("warning", ""),
        problem("warning", "2021-10-02"),
        problem("critical", "2021-10-03"),
        problem("warning", "2021-10-01"),
    ]
    assert [(one.severity, one.since) for one in worst_first(unsorted)] == [
        ("critical", "2021-10-03"),
        ("warning", "2021-10-01"),
        ("warning", "2021-10-02"),
        ("warning", ""),
        ("unknown", "2021-01-01"),
    ]
    assert (overall(unsorted), overall([])) == ("critical", "ok")


@pytest.mark.parametrize(
    ("figure", "high", "low"),
    [
        (0, None, "critical"),
        (1, "warning", "critical"),
        (2, "critical", "warning"),
        (3, "critical", None),
        (None, None, None),
    ],
)
def test_thresholds_hold_from_their_figure_on(
    figure: float | None, high: str | None, low: str | None
) -> None:
    assert too_high(figure, Bounds(1, 2)) == high
    assert too_low(figure, Bounds(2, 1)) == low
