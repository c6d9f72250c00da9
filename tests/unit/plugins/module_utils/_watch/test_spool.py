"""The spool, and the thread that sends what is in it, with a bus that only pretends."""

from __future__ import annotations

import stat
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._base.records import (
    WorkUnit,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._combine.stage import (
    COMBINE,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._sync.stage import SYNC
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._watch import (
    spool as watch_spool,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._watch.bus import (
    BusDownError,
    Publish,
    RefusedError,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._watch.messages import (
    Messages,
    Sender,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._watch.spool import (
    Message,
    Spool,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._watch.watch import (
    Step,
    Watch,
)


class FakeBus:
    """Takes messages until it goes down; refuses some topics."""

    def __init__(self) -> None:
        self.received: list[Message] = []
        self.connections = 0
        self.refuses: set[str] = set()
        self.goes_down_after = 1_000_000
        self.error: Exception = BusDownError("it is gone")

    def connect(self) -> Publish:
        self.connections += 1
        if self.goes_down_after <= 0:
            raise self.error
        return self._publish

    def _publish(self, message: Message) -> None:
        if len(self.received) >= self.goes_down_after:
            raise self.error
        if message.topic in self.refuses:
            raise RefusedError("not you")
        self.received.append(message)

    @property
    def topics(self) -> list[str]:
        return [message.topic for message in self.received]


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    return Spool(tmp_path / "state" / "messages.db")


@pytest.fixture
def bus() -> FakeBus:
    return FakeBus()


@pytest.fixture
def send(spool: Spool, bus: FakeBus) -> Callable[..., list[str]]:
    """Sends topics in one step of a run; its warnings."""

    def sending(*topics: str, run_id: str = "r1") -> list[str]:
        sender = Sender(spool, run_id=run_id, connect=bus.connect)
        for topic in topics:
            sender.send(Message(topic, {"of": run_id}, "2026-11-23T00:00:00+00:00"))
        sender.close()
        return sender.warnings()

    return sending


Send = Callable[..., list[str]]


def test_a_message_is_read_back_as_it_was(spool: Spool) -> None:
    message = Message("a.b", {"text": "ä\n", "count": 1}, "2026-11-23T00:00:00+00:00", bad=True)
    spool.add(message)
    assert spool.first("") == message
    spool.remove(message)
    assert spool.first("") is None


def test_only_its_owner_reads_the_spool(spool: Spool) -> None:
    spool.add(Message("a", {}, ""))
    assert stat.S_IMODE(spool.path.stat().st_mode) == 0o600


def test_of_too_many_the_oldest_go(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch_spool, "MOST_MESSAGES", 3)
    for number in range(5):
        spool.add(Message(f"m{number}", {}, ""))
    first = spool.first("")
    assert (len(spool), first and first.topic) == (3, "m2")


def test_messages_arrive_in_their_order(bus: FakeBus, send: Send, spool: Spool) -> None:
    assert send(*"abcdef") == []
    assert bus.topics == list("abcdef")
    assert (len(spool), bus.connections) == (0, 1)


def test_what_waits_goes_first_with_its_id_and_time(bus: FakeBus, send: Send, spool: Spool) -> None:
    bus.goes_down_after = 0
    (warning,) = send("a", "b")
    assert "it is gone" in warning
    waiting = spool.first("")
    bus.goes_down_after = 1_000_000
    assert send("c", run_id="r2") == []
    assert bus.topics == ["a", "b", "c"]
    assert bus.received[0] == waiting


def test_a_bus_that_is_down_is_tried_once_a_run(bus: FakeBus, send: Send) -> None:
    bus.goes_down_after = 0
    assert len(send("a")) == 1
    assert send("b") == []
    assert bus.connections == 1
    send("c", run_id="")
    send("d", run_id="")
    assert bus.connections == 3


def test_a_bus_that_goes_down_in_the_middle_gets_the_rest_later(
    bus: FakeBus, send: Send, spool: Spool
) -> None:
    bus.goes_down_after = 3
    send(*"abcdef")
    assert (bus.topics, len(spool)) == (list("abc"), 3)
    bus.goes_down_after = 1_000_000
    send(run_id="r2")
    send("g", run_id="r2")
    assert bus.topics == list("abcdefg")


def test_any_error_of_the_bus_is_that_it_is_down(bus: FakeBus, send: Send, spool: Spool) -> None:
    bus.goes_down_after, bus.error = 0, ZeroDivisionError("a defect")
    (warning,) = send("a")
    assert "ZeroDivisionError" in warning
    assert len(spool) == 1


def test_a_refused_message_keeps_no_other_and_is_dropped_in_the_end(
    bus: FakeBus, send: Send, spool: Spool
) -> None:
    bus.refuses = {"b"}
    said = [send("a", "b", "c"), send("d", run_id="r2"), send("e", run_id="r3")]
    assert bus.topics == list("acde")
    assert [len(warnings) for warnings in said] == [1, 1, 1]
    assert "dropped" in said[2][0]
    assert len(spool) == 0


def test_senders_at_the_same_time_send_each_message_once(spool: Spool, bus: FakeBus) -> None:
    def work(name: str) -> None:
        sender = Sender(spool, run_id=name, connect=bus.connect)
        for number in range(20):
            sender.send(Message(f"{name}{number}", {}, ""))
        sender.close()

    threads = [threading.Thread(target=work, args=(name,)) for name in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    while message := spool.first(""):  # what was announced while the other one had the lock
        bus.received.append(message)
        spool.remove(message)
    assert sorted(bus.topics) == sorted(f"{n}{i}" for n in "ab" for i in range(20))


def test_a_damaged_spool_makes_room_for_a_new_one(spool: Spool, bus: FakeBus, send: Send) -> None:
    spool.path.parent.mkdir()
    spool.path.write_bytes(b"no database" * 500)
    assert send("a") == []
    assert bus.topics == ["a"]


STEP = Step("sync", "r1", "log01", topics=SYNC.topics)


def announced(bus: FakeBus, spool: Spool) -> Watch:
    sender = Sender(spool, run_id="r1", connect=bus.connect)
    return Watch(STEP, [Messages(sender, prefix="p")])


def test_no_finish_follows_a_failure(bus: FakeBus, spool: Spool) -> None:
    watch = announced(bus, spool)
    watch.started(WorkUnit("proxy01", "due"), kind="host")
    watch.fail("the disk is full")
    assert bus.topics == ["p.sync.start", "p.sync.host.start", "p.sync.host.fail", "p.sync.fail"]
    assert bus.received[-1].body["reason"] == "the disk is full"


def test_units_that_were_only_looked_at_are_not_announced(bus: FakeBus, spool: Spool) -> None:
    watch = announced(bus, spool)
    watch.ended(WorkUnit("proxy01 2026-11-20", "unchanged"), kind="logdate")
    watch.ended(WorkUnit("proxy01 2026-11-10", "made"), kind="logdate")
    watch.finish([])
    of_days = [topic for topic in bus.topics if "logdate" in topic]
    assert of_days == ["p.sync.host.logdate.start", "p.sync.host.logdate.finish"]


def test_a_host_that_is_not_known_is_skipped(bus: FakeBus, spool: Spool) -> None:
    watch = announced(bus, spool)
    unit = WorkUnit("proxy01", "unknown", ("its name is not in DNS",))
    watch.started(unit, kind="host")
    watch.ended(unit, kind="host")
    watch.finish([unit])
    assert "p.sync.host.skip" in bus.topics


def test_kinds_that_operators_named_are_words_of_a_topic(bus: FakeBus, spool: Spool) -> None:
    sender = Sender(spool, run_id="r1", connect=bus.connect)
    watch = Watch(
        Step("combine", "r1", "log01", topics=COMBINE.topics), [Messages(sender, prefix="p")]
    )
    watch.started(WorkUnit("2026-11-20 a.log", "due"), kind="Our proxies.#")
    watch.finish([])
    assert bus.topics[1] == "p.combinehttplogs.logmerge.our-proxies--.start"
