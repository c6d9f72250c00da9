"""The sinks of this machine: progress file, system log, run history."""

from __future__ import annotations

import json
import os
import socket
import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._base.errors import (
    OutputError,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._base.records import (
    WorkUnit,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._watch.history import (
    read_steps,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._watch.local_sinks import (
    HistoryFile,
    ProgressFile,
    SystemLog,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._watch.watch import (
    Sink,
    Step,
    Watch,
)

STEP = Step("sync", "run-1", "log01", "fedora")


def watched(sink: Sink) -> Watch:
    """A step with two hosts, one of which fails."""
    watch = Watch(STEP, [sink], progress_seconds=0)
    watch.expect("hosts", 2)
    for host, status in (("proxy01", "made"), ("proxy02", "failed")):
        unit = WorkUnit(host, status, ("no answer",) if status == "failed" else ())
        watch.started(unit, kind="host")
        watch.advance("hosts", unit=host)
        watch.ended(unit, kind="host")
    watch.finish([WorkUnit("proxy01", "made", figures={"bytes": 9}), WorkUnit("proxy02", "failed")])
    return watch


def lines_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_the_progress_file_has_a_line_for_each_event(tmp_path: Path) -> None:
    path = tmp_path / "state" / "progress.jsonl"
    assert watched(ProgressFile(path)).warnings() == []
    lines = lines_of(path)
    assert [line["event"] for line in lines] == [
        "start",
        *["unit_start", "progress", "unit_end"] * 2,
        "progress",
        "end",
    ]
    assert all(line["run_id"] == "run-1" and line["stage"] == "sync" for line in lines)
    assert lines[2]["done"] == 1
    assert lines[2]["total"] == 2
    assert lines[6] == {
        **{name: lines[6][name] for name in ("time", "run_id", "stage", "subject")},
        "event": "unit_end",
        "unit": "proxy02",
        "kind": "host",
        "status": "failed",
        "reason": "no answer",
    }
    assert (lines[-1]["result"], lines[-1]["bytes"]) == ("incomplete", 9)
    assert datetime.fromisoformat(lines[0]["time"]).tzinfo is not None


def test_the_progress_file_starts_anew_and_is_for_the_group(tmp_path: Path) -> None:
    path = tmp_path / "progress.jsonl"
    path.write_text("of an earlier step\n" * 100)
    path.chmod(0o666)
    watched(ProgressFile(path))
    assert lines_of(path)[0]["event"] == "start"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_lines_are_there_at_once(tmp_path: Path) -> None:
    path = tmp_path / "progress.jsonl"
    watch = Watch(STEP, [ProgressFile(path)])
    assert len(lines_of(path)) == 1
    watch.started(WorkUnit("proxy01", "due"))
    assert len(lines_of(path)) == 2


@pytest.mark.parametrize("kind", ["link", "folder", "pipe"])
def test_what_is_no_file_is_not_written(tmp_path: Path, kind: str) -> None:
    path, target = tmp_path / "progress.jsonl", tmp_path / "target"
    target.write_text("kept")
    if kind == "link":
        path.symlink_to(target)
    elif kind == "folder":
        path.mkdir()
    else:
        os.mkfifo(path)
    with pytest.raises(OutputError):
        ProgressFile(path).started(STEP)
    assert target.read_text() == "kept"


def test_names_from_elsewhere_make_no_lines_of_their_own(tmp_path: Path) -> None:
    path = tmp_path / "progress.jsonl"
    watch = Watch(STEP, [ProgressFile(path)])
    watch.ended(WorkUnit('x"\n{"event": "end"}\x1b[2J', "made"))
    assert len(lines_of(path)) == 2
    assert "\x1b" not in path.read_text()


@pytest.fixture
def log_socket(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(tmp_path / "log"))
        yield listener


def logged(listener: socket.socket) -> list[str]:
    listener.setblocking(False)
    found = []
    while True:
        try:
            found.append(listener.recv(65536).decode())
        except BlockingIOError:
            return found


def test_the_system_log_gets_texts_with_the_run(tmp_path: Path, log_socket: socket.socket) -> None:
    assert watched(SystemLog(str(tmp_path / "log"), monotonic=lambda: 0.0)).warnings() == []
    texts = logged(log_socket)
    priorities = [text.partition(">")[0][1:] for text in texts]
    lines = [json.loads(text.partition(": ")[2]) for text in texts]
    assert all(f"dnf_counting[{os.getpid()}]: " in text for text in texts)
    # progress comes once a minute only; here no minute passes
    assert [line["event"] for line in lines] == ["start", "unit_end", "unit_end", "end"]
    assert {line["run_id"] for line in lines} == {"run-1"}
    informs, warns = str(3 * 8 + 6), str(3 * 8 + 4)
    assert priorities == [informs, informs, warns, warns]


def test_a_log_that_goes_away_is_no_trouble(tmp_path: Path, log_socket: socket.socket) -> None:
    sink = SystemLog(str(tmp_path / "log"), monotonic=lambda: 0.0)
    log_socket.close()
    (tmp_path / "log").unlink()
    assert watched(sink).warnings() == []


def test_the_history_gets_start_and_end(tmp_path: Path) -> None:
    history = tmp_path / "history.db"
    now = datetime(2026, 11, 23, tzinfo=UTC)
    watched(HistoryFile(history, keep_days=400, now=lambda: now))
    (step,) = read_steps(history)
    assert (step.stage, step.subject, step.run_id, step.host) == tuple(
        getattr(STEP, name) for name in ("stage", "subject", "run_id", "host")
    )
    assert (step.result, step.bytes, dict(step.units)) == (
        "incomplete",
        9,
        {"failed": 1, "made": 1},
    )


def test_a_history_that_cant_be_written_is_a_warning(tmp_path: Path) -> None:
    (tmp_path / "history.db").mkdir()
    (warning,) = watched(HistoryFile(tmp_path / "history.db", keep_days=400)).warnings()
    assert "run history" in warning
