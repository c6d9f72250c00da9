"""A share that hangs, or turns read-only, in the middle of a stage."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date
from pathlib import Path

import pytest
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._base.observer import (
    Observer,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._base.records import (
    WorkUnit,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._combine.plan import (
    CombineSettings,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._combine.stage import (
    COMBINE,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._condense.days import (
    CondensedDays,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._condense.mirrorsdata import (
    CsvSettings,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._condense.stage import (
    CONDENSE,
    CondenseSettings,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._hits.stage import (
    RAW,
    RawDays,
    RawSettings,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._logs.paths import (
    dated_name,
    day_folder,
    host_day_folder,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._storage.files import (
    current_writer,
    writer_lock,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._sync import (
    hosts as sync_hosts,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._sync.plan import HostPlan
from ansible_collections.fedora_infra.dnf_counting.tests.support.stages import outcome_of
from ansible_collections.fedora_infra.dnf_counting.tests.support.stale_share import (
    REASON,
    Share,
    share,
)

pytestmark = [pytest.mark.root, pytest.mark.skipif(bool(REASON), reason=REASON)]

DAYS = [date(2021, 9, 27), date(2021, 9, 28), date(2021, 9, 29)]
LOG = "mirrors.fedoraproject.org-access.log"
LINE = (
    '192.0.2.{number} - - [{day:%d}/Sep/2021:00:00:09 +0000] "GET /metalink?repo=fedora-34'
    '&arch=x86_64&countme=1 HTTP/2.0" 200 18336 "-" "libdnf (Fedora 34; server; Linux.x86_64)"\n'
)

Run = Callable[[Observer], Sequence[WorkUnit]]
"""Runs a stage; gives the units of its days."""


@pytest.fixture(name="stale")
def _stale(tmp_path: Path) -> Iterator[Share]:
    with share(tmp_path) as mounted:
        yield mounted


def write_logs(folder_of: Callable[[date], Path], name_of: Callable[[date], str]) -> None:
    for day in DAYS:
        folder_of(day).mkdir(parents=True, exist_ok=True)
        text = "".join(LINE.format(number=number, day=day) for number in range(200))
        (folder_of(day) / name_of(day)).write_text(text)


def syncing(tmp_path: Path, dest: Path) -> Run:
    """One host a day, one after the other."""
    for day in DAYS:
        write_logs(lambda _day: tmp_path / "served", lambda day: dated_name(LOG, day))

    def run(observer: Observer) -> list[WorkUnit]:
        settings = sync_hosts.TransferSettings(dest, workers=1, attempts=1, observer=observer)
        plans = [HostPlan(f"proxy{day:%d}", f"{tmp_path}/served/", (day,)) for day in DAYS]
        with writer_lock(dest):
            outcomes = sync_hosts.sync_hosts(plans, settings)
        return [unit for outcome in outcomes for unit in outcome.units]

    return run


def combining(tmp_path: Path, dest: Path) -> Run:
    write_logs(lambda day: host_day_folder(tmp_path / "hosts", "proxy01", day), lambda _day: LOG)
    settings = CombineSettings(tmp_path / "hosts", dest, workers=1, days=tuple(DAYS))
    return lambda observer: outcome_of(COMBINE, settings, observer=observer).units


def counting(tmp_path: Path, dest: Path) -> Run:
    write_logs(lambda day: day_folder(tmp_path / "combined", day), lambda _day: LOG)
    settings = RawSettings(RawDays(tmp_path / "combined", LOG, dest), tuple(DAYS))
    return lambda observer: outcome_of(RAW, settings, observer=observer).units


def condensing(tmp_path: Path, dest: Path) -> Run:
    write_logs(lambda day: day_folder(tmp_path / "combined", day), lambda _day: LOG)
    settings = CondenseSettings(
        CondensedDays(tmp_path / "combined", LOG, dest),
        CsvSettings(dest, tmp_path / "csv"),
        tuple(DAYS),
    )
    return lambda observer: outcome_of(CONDENSE, settings, observer=observer).units[: len(DAYS)]


class AfterTheFirst(Observer):
    """Something happens once the first unit is made."""

    def __init__(self, happen: Callable[[], None]) -> None:
        self._happen = happen
        self.happened = threading.Event()

    def ended(self, unit: WorkUnit, *, kind: str = "") -> None:
        if unit.status == "made" and not self.happened.is_set():
            self._happen()
            self.happened.set()


STAGES = pytest.mark.parametrize("stage", [syncing, combining, counting, condensing])


@STAGES
def test_incident_nfs_stale_turns_read_only_in_the_middle(
    stage: Callable[[Path, Path], Run], stale: Share, tmp_path: Path
) -> None:
    """What was made stays, the rest fails in words, and the next run heals."""
    dest = stale.path / "tree"
    run = stage(tmp_path, dest)
    units = run(AfterTheFirst(stale.turn_read_only))
    assert [unit.status for unit in units] == ["made", "failed", "failed"]
    for unit in units[1:]:
        assert "ead-only file system" in unit.reasons[0], unit
        assert "writable" in unit.reasons[0], unit
    stale.repair()
    again = [unit.status for unit in run(Observer())]
    # what a sync fetches is on disk at its end only, as it can be fetched again
    assert again in (["unchanged", "made", "made"], ["made"] * 3 if stage is syncing else [])
    assert [unit.status for unit in run(Observer())] == ["unchanged"] * 3
    assert [path.name for path in dest.rglob("*.unfinished*")] == []


@STAGES
def test_incident_nfs_stale_hangs_in_the_middle(
    stage: Callable[[Path, Path], Run], stale: Share, tmp_path: Path
) -> None:
    """The run waits, whoever asks is told of it, and it goes on once the share answers."""
    dest = stale.path / "tree"
    run = stage(tmp_path, dest)
    units: list[WorkUnit] = []
    hanging = AfterTheFirst(stale.hang)
    at_work = threading.Thread(target=lambda: units.extend(run(hanging)))
    at_work.start()
    try:
        while not (hanging.happened.is_set() and waits_for_a_disk()):
            assert at_work.is_alive()
            time.sleep(0.01)
        assert "process" in current_writer(dest)
        assert units == []
    finally:
        stale.answer()
        at_work.join()
    assert [unit.status for unit in units] == ["made", "made", "made"]
    assert [unit.status for unit in run(Observer())] == ["unchanged"] * 3


def waits_for_a_disk() -> bool:
    """Return whether the kernel holds up a thread of this process, or a program that it runs."""
    tasks = [*Path("/proc/self/task").iterdir()]
    for children in _texts(task / "children" for task in tasks):
        for number in children.split():
            tasks += Path(f"/proc/{number}/task").glob("*")
    return any(
        text.rpartition(")")[2].split()[0] == "D" for text in _texts(t / "stat" for t in tasks)
    )


def _texts(paths: Iterable[Path]) -> Iterator[str]:
    """Yield what is in files of processes; one that ends meanwhile has none."""
    for path in paths:
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            yield path.read_text()
