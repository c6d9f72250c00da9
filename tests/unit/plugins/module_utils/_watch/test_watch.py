"""Watching a step: what sinks are told, and what becomes of those that fail."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._base.errors import (
    OutputError,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._base.records import (
    WorkUnit,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._watch.watch import (
    Progress,
    Sink,
    Step,
    StepResult,
    Watch,
)

STEP = Step("raw", "run-1", "log01", "fedora")
DAY = WorkUnit("2026-11-20", "due")


class Noting(Sink):
    """Notes what it is told; fails where asked to."""

    name = "noting"

    def __init__(self, fails_at: str = "", error: Exception | None = None) -> None:
        self.told: list[Any] = []
        self._fails_at = fails_at
        self._error = error or RuntimeError("no \x1b[31mway")

    def _note(self, event: str, what: Any = None) -> None:
        if event == self._fails_at:
            raise self._error
        self.told.append((event, what))

    def started(self, step: Step) -> None:
        self._note("started", step)

    def unit_started(self, unit: WorkUnit, kind: str) -> None:
        self._note("unit_started", unit.name)

    def unit_retried(self, unit: WorkUnit, reason: str, kind: str) -> None:
        self._note("unit_retried", reason)

    def unit_ended(self, unit: WorkUnit, kind: str) -> None:
        self._note("unit_ended", unit.status)

    def progressed(self, progress: Progress) -> None:
        self._note("progressed", progress)

    def ended(self, result: StepResult) -> None:
        self._note("ended", result)

    @property
    def events(self) -> list[str]:
        return [event for event, _what in self.told]

    @property
    def result(self) -> StepResult:
        (result,) = [what for event, what in self.told if event == "ended"]
        assert isinstance(result, StepResult)
        return result

    @property
    def progress(self) -> list[Progress]:
        return [what for event, what in self.told if event == "progressed"]


class Clock:
    """Seconds, as set."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_step_is_told_from_its_start_to_its_end() -> None:
    sink, clock = Noting(), Clock()
    watch = Watch(STEP, [sink], monotonic=clock)
    watch.started(DAY)
    watch.retrying(DAY, "it was refused")
    made = WorkUnit(DAY.name, "made", figures={"bytes_read": 7})
    watch.ended(made)
    clock.now += 2.5
    watch.finish([made, WorkUnit("2026-11-21", "unchanged", figures={"bytes": 100})])
    assert sink.events == ["started", "unit_started", "unit_retried", "unit_ended", "ended"]
    assert sink.result == StepResult("made", "", {"made": 1, "unchanged": 1}, 7, 2.5)


@pytest.mark.parametrize(
    ("statuses", "failure", "result"),
    [
        pytest.param(["made", "unchanged"], "", "made", id="made"),
        pytest.param(["trimmed"], "", "made", id="trimmed"),
        pytest.param(["unchanged", "waiting"], "", "unchanged", id="unchanged"),
        pytest.param(["made", "failed"], "", "incomplete", id="incomplete"),
        pytest.param(["made", "failed"], "too many", "failed", id="failed"),
    ],
)
def test_the_result_of_a_step(statuses: list[str], failure: str, result: str) -> None:
    sink = Noting()
    watch = Watch(STEP, [sink])
    watch.finish([WorkUnit(status, status) for status in statuses], failure=failure)
    assert (sink.result.result, sink.result.reason) == (result, failure)


def test_nothing_follows_the_end() -> None:
    sink = Noting()
    watch = Watch(STEP, [sink])
    watch.fail("no room")
    watch.finish([WorkUnit("a", "made")])
    watch.started(DAY)
    watch.fail("again")
    assert sink.events == ["started", "ended"]
    assert sink.result.reason == "no room"


@pytest.mark.parametrize("event", ["started", "unit_started", "unit_ended", "progressed", "ended"])
def test_a_sink_that_fails_is_left_out_with_one_warning(event: str) -> None:
    bad, good = Noting(fails_at=event), Noting()
    watch = Watch(STEP, [bad, good], progress_seconds=0)
    watch.expect("bytes", 10)
    for _unused in range(2):
        watch.started(DAY)
        watch.advance("bytes", 5, unit=DAY.name)
        watch.ended(DAY)
    watch.finish([])
    assert event not in bad.events
    assert {"started", "unit_started", "unit_ended", "progressed", "ended"} == set(good.events)
    (warning,) = watch.warnings()
    assert "noting: left out" in warning
    assert "\x1b" not in warning


def test_errors_of_ours_are_told_in_their_words() -> None:
    error = OutputError("/x", expected="to write there", found="no room", advice="Free some.")
    watch = Watch(STEP, [Noting(fails_at="started", error=error)])
    assert watch.warnings() == [f"noting: left out from now on. {error}"]


def test_progress_is_told_once_a_second_with_rate_and_time_left() -> None:
    sink, clock = Noting(), Clock()
    watch = Watch(STEP, [sink], monotonic=clock)
    watch.expect("bytes", 600)
    watch.expect("bytes", 400)
    for _unused in range(24):
        clock.now += 0.125
        watch.advance("bytes", 10, unit="2026-11-20")
    assert [one.done for one in sink.progress] == [80, 160, 240]
    last = sink.progress[-1]
    assert (last.amount, last.total, last.unit) == ("bytes", 1000, "2026-11-20")
    assert last.rate == pytest.approx(80)
    assert last.eta_seconds == pytest.approx(9.5)


def test_the_last_progress_comes_before_the_end() -> None:
    sink = Noting()
    watch = Watch(STEP, [sink])
    watch.expect("weeks", 3)
    watch.advance("weeks", 3)
    watch.finish([])
    assert sink.events[-2:] == ["progressed", "ended"]
    assert sink.progress[-1].done == 3


def test_what_is_read_again_is_not_done_twice() -> None:
    sink = Noting()
    watch = Watch(STEP, [sink], progress_seconds=0)
    watch.expect("bytes", 100)
    watch.advance("bytes", 80)
    watch.advance("bytes", 80)
    assert sink.progress[-1].done == 100


def test_progress_is_by_what_was_expected_first_and_all_is_told() -> None:
    sink = Noting()
    watch = Watch(STEP, [sink], progress_seconds=0)
    watch.expect("hosts", 4)
    watch.advance("bytes", 4000, unit="proxy01")
    watch.advance("hosts", unit="proxy01")
    assert sink.progress[-1].amount == "hosts"
    assert sink.progress[-1].amounts == {"hosts": 1, "bytes": 4000}


def test_threads_may_tell_at_the_same_time() -> None:
    sink = Noting()
    watch = Watch(STEP, [sink])
    watch.expect("files", 800)

    def work() -> None:
        for _unused in range(200):
            watch.started(DAY)
            watch.advance("files")

    threads = [threading.Thread(target=work) for _unused in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    watch.finish([])
    assert sink.events.count("unit_started") == 800
    assert sink.progress[-1].done == 800


def test_reasons_are_kept_short() -> None:
    sink = Noting()
    Watch(STEP, [sink]).fail("x" * 5000)
    assert len(sink.result.reason) == 1001
