"""Hosts in parallel, their attempts and outcomes, with an rsync that only pretends."""

from __future__ import annotations

import os
import random
import threading
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._base.records import (
    WorkUnit,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._sync import (
    hosts as hosts_module,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._sync.hosts import (
    TransferSettings,
    fetch_host,
    list_host,
    parse_list,
    sync_hosts,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._sync.plan import HostPlan
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._sync.rsync import (
    RsyncResult,
    TransferLimits,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._sync.shadow_tree import (
    HostTree,
    ListedLog,
)
from ansible_collections.fedora_infra.dnf_counting.tests.support.observers import Noted

DAYS = (date(2026, 11, 19), date(2026, 11, 20))
OLD = date(2026, 11, 10)
REFUSED = RsyncResult(10, "failed to connect to x: Connection refused (111)")
UNKNOWN = RsyncResult(10, "rsync: getaddrinfo: x 873: Name or service not known")
BROKEN = RsyncResult(12, "")


class FakeRsync:
    """Serves files by host, after a number of failures."""

    def __init__(self, **files: Sequence[str]) -> None:
        self.files = files
        self.failures: dict[str, list[RsyncResult]] = {}
        self.text = ""
        self.asked: list[str] = []
        self._lock = threading.Lock()

    def __call__(self, arguments: Sequence[str], **limits: Any) -> RsyncResult:
        listing = arguments[0] == "--list-only"
        address = arguments[-1 if listing else -2]
        host = address.partition(":")[0]
        with self._lock:
            self.asked.append(host)
            ended = self.failures[host].pop(0) if self.failures.get(host) else None
        files = self.files.get(host, ())
        if listing:
            lines = (f"-rw-r--r--  {len(n)} 2026/11/20 00:00:01 {n}" for n in files)
            return ended or RsyncResult(0, "\n".join(lines))
        if ended:
            files = files[: len(files) // 2] if ended.code in (12, 24) else ()
        for name in files:
            (Path(arguments[-1]) / name).write_text(name)
        return ended or RsyncResult(0, self.text)


def plan(host: str, **values: Any) -> HostPlan:
    return HostPlan(host, f"{host}::log/", DAYS, **values)


@pytest.fixture
def settings(tmp_path: Path) -> Callable[..., TransferSettings]:
    def make(rsync: FakeRsync, **values: Any) -> TransferSettings:
        return TransferSettings(dest=tmp_path, rsync=rsync, **{"retry_seconds": 0, **values})

    return make


def statuses(units: Sequence[WorkUnit]) -> dict[str, str]:
    return {unit.name: unit.status for unit in units}


Make = Callable[..., TransferSettings]


def test_days_made_and_missing(settings: Make) -> None:
    rsync = FakeRsync(p1=["a.log-20261120", "b.log-20261120.xz"])
    outcome = fetch_host(plan("p1"), settings(rsync))
    assert statuses(outcome.units) == {"p1 2026-11-19": "missing", "p1 2026-11-20": "made"}
    made = outcome.units[1]
    assert (made.figures["files"], made.figures["attempts"]) == (2, 1)
    assert made.reasons == ("2 new logs",)
    assert outcome.status == "made"
    assert outcome.with_logs == outcome.whole == (DAYS[1],)


def test_unchanged_without_anything_new(settings: Make) -> None:
    fetch_host(plan("p1"), settings(FakeRsync(p1=["a.log-20261120"])))
    outcome = fetch_host(plan("p1"), settings(FakeRsync(p1=[])))
    assert [unit.status for unit in outcome.units] == ["missing", "unchanged"]
    assert outcome.status == "unchanged"


def test_a_day_before_the_window_is_spoken_of_when_it_comes(settings: Make) -> None:
    late = plan("p1", catch_up=(OLD,))
    quiet = fetch_host(late, settings(FakeRsync(p1=["a.log-20261120"])))
    assert [unit.name for unit in quiet.units] == ["p1 2026-11-19", "p1 2026-11-20"]
    came = fetch_host(late, settings(FakeRsync(p1=["a.log-20261110"])))
    assert statuses(came.units)["p1 2026-11-10"] == "made"
    assert OLD in came.whole


def test_tried_again_until_it_is_good(settings: Make) -> None:
    rsync = FakeRsync(p1=["a.log-20261119", "a.log-20261120"])
    rsync.failures = {"p1": [REFUSED, BROKEN]}
    outcome = fetch_host(plan("p1"), settings(rsync, attempts=3))
    assert (outcome.attempts, outcome.status) == (3, "made")
    assert [unit.figures["files"] for unit in outcome.units] == [1, 1]


@pytest.mark.parametrize(
    ("ended", "attempts", "status"), [(REFUSED, 3, "failed"), (UNKNOWN, 1, "unknown")]
)
def test_tried_only_as_often_as_it_helps(
    settings: Make, ended: RsyncResult, attempts: int, status: str
) -> None:
    rsync = FakeRsync()
    rsync.failures = {"p1": [ended] * 9}
    outcome = fetch_host(plan("p1"), settings(rsync, attempts=3))
    assert (len(rsync.asked), outcome.attempts, outcome.status) == (attempts, attempts, status)
    assert {unit.status for unit in outcome.units} == {status}


def test_pauses_grow_and_vary(settings: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hosts_module, "random", random.Random(1))
    pauses: list[float] = []

    class Stopping(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            pauses.append(timeout or 0)
            return False

    rsync = FakeRsync()
    rsync.failures = {"p1": [BROKEN] * 9}
    fetch_host(plan("p1"), settings(rsync, attempts=4, retry_seconds=10, stopping=Stopping()))
    assert len(pauses) == 3
    for pause, middle in zip(pauses, (10, 20, 40), strict=True):
        assert middle / 2 <= pause <= middle * 1.5
    assert len({pause / middle for pause, middle in zip(pauses, (10, 20, 40), strict=True)}) == 3


def test_no_pause_beyond_the_time_of_the_host(settings: Make) -> None:
    rsync = FakeRsync()
    rsync.failures = {"p1": [BROKEN] * 9}
    limits = TransferLimits(host_seconds=5)
    outcome = fetch_host(plan("p1"), settings(rsync, retry_seconds=1000, limits=limits))
    assert outcome.attempts == 1


def test_what_is_whole_stays_when_the_rest_fails(settings: Make) -> None:
    rsync = FakeRsync(p1=["a.log-20261119", "a.log-20261120"])
    rsync.failures = {"p1": [BROKEN]}
    outcome = fetch_host(plan("p1"), settings(rsync, attempts=1))
    assert {unit.status for unit in outcome.units} == {"failed"}
    assert [unit.figures["files"] for unit in outcome.units] == [1, 0]
    assert outcome.with_logs == (DAYS[0],)
    assert outcome.whole == ()


def test_vanished_files_are_fetched_but_their_days_not_whole(settings: Make) -> None:
    rsync = FakeRsync(p1=["a.log-20261119", "a.log-20261120"])
    rsync.failures = {"p1": [RsyncResult(24, "")] * 9}
    outcome = fetch_host(plan("p1"), settings(rsync, attempts=2))
    assert (outcome.attempts, outcome.status, outcome.whole) == (2, "made", ())


def test_one_host_never_stops_the_others(settings: Make, tmp_path: Path) -> None:
    files = {f"p{number}": ["a.log-20261119", "a.log-20261120"] for number in range(6)}
    rsync = FakeRsync(**files)
    rsync.failures = {"p1": [REFUSED] * 9, "p3": [UNKNOWN]}
    (tmp_path / "p4").write_text("in the way")
    noted = Noted()
    outcomes = sync_hosts(
        [plan(h) for h in files], settings(rsync, workers=2, observer=noted, attempts=2)
    )
    assert {outcome.host: outcome.status for outcome in outcomes} == {
        "p0": "made",
        "p1": "failed",
        "p2": "made",
        "p3": "unknown",
        "p4": "failed",
        "p5": "made",
    }
    assert noted.of("p0", "host") == ["start", "made"]
    assert noted.of("p0 2026-11-19", "logdate") == ["start", "made"]
    assert noted.of("p1 2026-11-19", "logdate") == ["start", "retry", "failed"]
    assert noted.of("p3", "host") == ["start", "unknown"]
    assert noted.of("p4", "host") == ["start", "failed"]
    assert (noted.done["hosts"], noted.total["hosts"]) == (6, 6)
    assert not (tmp_path / "p1").exists()


def test_a_defect_stops_all(settings: Make) -> None:
    def defective(arguments: Sequence[str], **limits: Any) -> RsyncResult:
        raise ZeroDivisionError

    defect = settings(defective)
    with pytest.raises(ZeroDivisionError):
        sync_hosts([plan("p1")], defect)
    assert defect.stopping.is_set()


def test_refused_by_rsync_is_told_with_its_day(settings: Make) -> None:
    rsync = FakeRsync(p1=["a.log-20261120"])
    rsync.text = (
        'skipping non-regular file "b.log-20261120"\nbig.log-20261119.xz is over max-size\n'
    )
    outcome = fetch_host(plan("p1"), settings(rsync))
    assert "refused 'big.log-20261119.xz': larger than max_file_size" in outcome.units[0].reasons
    assert outcome.units[0].warnings == outcome.units[0].reasons[1:]
    assert "yet" not in outcome.units[0].reasons[0]
    assert "refused 'b.log-20261120': not a regular file" in outcome.units[1].reasons


def test_a_host_with_much_that_is_refused_gives_one_warning_a_day(settings: Make) -> None:
    rsync = FakeRsync(p1=["a.log-20261120"])
    rsync.text = "".join(f"big{n}.log-20261120 is over max-size\n" for n in range(100))
    (warning,) = fetch_host(plan("p1"), settings(rsync)).units[1].warnings
    assert warning == "refused 'big0.log-20261120': larger than max_file_size (and 99 more)"


@pytest.mark.parametrize(("good", "warnings"), [(True, 1), (False, 0)])
def test_what_is_refused_at_each_attempt_is_told_once(
    settings: Make, good: bool, warnings: int
) -> None:
    rsync = FakeRsync(p1=[])
    rsync.text = 'skipping non-regular file "a.log-20261120"\n'
    rsync.failures = {"p1": [RsyncResult(12, rsync.text)] * (2 if good else 3)}
    unit = fetch_host(plan("p1"), settings(rsync, attempts=3)).units[1]
    refused = "refused 'a.log-20261120': not a regular file"
    assert unit.reasons.count(refused) == 1
    # the reasons of a day that failed are a warning already
    assert unit.warnings == (refused,) * warnings


def test_a_list_is_understood() -> None:
    text = """drwxr-xr-x        4096 2026/11/23 20:32:43 .
-rw-r--r--          68 2026/11/20 00:00:01 a.log-20261119.xz
-rw-r--r--+        101 2026/11/20 00:00:02 b.log-20261119
lrwxrwxrwx          11 2026/11/23 20:32:43 evil.log-20261120
-rw-r--r--          10 2026/11/23 20:32:43 notes.txt
"""
    listed = parse_list(text, file_bytes=100)
    assert listed.logs == {DAYS[0]: [ListedLog("a.log.xz", 68, 1795132801)]}
    assert {day: len(reasons) for day, reasons in listed.refused.items()} == {
        DAYS[0]: 1,
        DAYS[1]: 1,
    }


def test_looking_says_what_is_due_and_writes_nothing(settings: Make, tmp_path: Path) -> None:
    rsync = FakeRsync(p1=["a.log-20261119", "a.log-20261120"])
    outcome = list_host(plan("p1"), settings(rsync))
    assert (outcome.status, {unit.status for unit in outcome.units}) == ("due", {"due"})
    assert list(tmp_path.iterdir()) == []


def test_looking_sees_change_and_sameness(settings: Make, tmp_path: Path) -> None:
    tree = HostTree(tmp_path, "p1")
    rsync = FakeRsync(p1=["a.log-20261119", "a.log-20261120"])
    fetch_host(plan("p1"), settings(rsync))
    look = list_host(plan("p1"), settings(rsync))
    assert look.units[0].reasons == ("1 changed log",)  # the pretended one has the time of now
    for day in DAYS:
        os.utime(tree.day_path(day) / "a.log", (1795132801, 1795132801))
    assert list_host(plan("p1"), settings(rsync)).status == "unchanged"


def test_looking_fails_like_syncing(settings: Make) -> None:
    rsync = FakeRsync()
    rsync.failures = {"p1": [UNKNOWN]}
    assert list_host(plan("p1"), settings(rsync)).status == "unknown"


def test_a_refused_log_of_a_day_before_the_window_is_told_though_nothing_came(
    settings: Make,
) -> None:
    rsync = FakeRsync(p1=["a.log-20261119", "a.log-20261120"])
    rsync.text = 'skipping non-regular file "a.log-20261110"\n'
    outcome = fetch_host(plan("p1", catch_up=(OLD,)), settings(rsync))
    refused = "refused 'a.log-20261110': not a regular file"
    assert outcome.units[0].name == "p1 2026-11-10"
    assert outcome.units[0].status == "missing"
    assert outcome.units[0].warnings == (refused,)


def test_a_refused_log_of_a_day_not_asked_for_is_told_of_its_host(settings: Make) -> None:
    rsync = FakeRsync(p1=["a.log-20261120", "a.log-20200101"])
    outcome = fetch_host(plan("p1"), settings(rsync))
    assert outcome.reason == "refused 'a.log-20200101': not requested"
    assert outcome.warnings == (outcome.reason,)
    assert statuses(outcome.units)["p1 2026-11-20"] == "made"


def test_a_day_of_which_a_log_was_refused_is_asked_for_again(settings: Make) -> None:
    rsync = FakeRsync(p1=["a.log-20261119", "a.log-20261120"])
    rsync.text = "b.log-20261119 is over max-size\n"
    outcome = fetch_host(plan("p1"), settings(rsync))
    assert outcome.with_logs == DAYS
    assert outcome.whole == (DAYS[1],)


def test_a_log_that_comes_at_each_attempt_counts_once_and_as_new(settings: Make) -> None:
    rsync = FakeRsync(p1=["a.log-20261119", "b.log-20261120"])
    rsync.failures = {"p1": [BROKEN]}
    outcome = fetch_host(plan("p1"), settings(rsync, attempts=2))
    assert [unit.reasons for unit in outcome.units] == [("1 new log",), ("1 new log",)]
    assert [unit.figures["files"] for unit in outcome.units] == [1, 1]


@pytest.mark.parametrize("year", ["0000", "12345", "99999999"])
def test_incident_hostile_source_a_file_of_an_impossible_year_is_listed(year: str) -> None:
    text = f"-rw-r--r--  68 {year}/11/20 00:00:01 a.log-20261119.xz\n"
    assert parse_list(text, file_bytes=100).logs == {DAYS[0]: [ListedLog("a.log.xz", 68, 0)]}
