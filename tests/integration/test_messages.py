"""Messages of real runs over a real RabbitMQ, whatever state it is in."""

from __future__ import annotations

import lzma
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._base.stage import (
    TOPIC_PREFIX,
)
from ansible_collections.fedora_infra.dnf_counting.tests.support import announcer
from ansible_collections.fedora_infra.dnf_counting.tests.support.message_schemas import schema_for
from ansible_collections.fedora_infra.dnf_counting.tests.support.modules import run_module
from ansible_collections.fedora_infra.dnf_counting.tests.support.ports import free_port
from ansible_collections.fedora_infra.dnf_counting.tests.support.rabbitmq import (
    SERVER,
    Broker,
    Received,
    running_broker,
    silent_listener,
    write_config,
)

pytestmark = [
    pytest.mark.xdist_group("rabbitmq"),
    pytest.mark.skipif(not SERVER.exists(), reason="needs rabbitmq-server"),
]
PREFIX = f"org.example.test.{TOPIC_PREFIX}."


@pytest.fixture(scope="module")
def shared_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    with running_broker(tmp_path_factory.mktemp("broker")) as running:
        yield running


@pytest.fixture
def broker(shared_broker: Broker) -> Broker:
    shared_broker.received()  # what another test left
    return shared_broker


@pytest.fixture
def good(broker: Broker, tmp_path: Path) -> Path:
    return write_config(tmp_path / "good.toml", f"amqp://guest:guest@127.0.0.1:{broker.port}")


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    """The rotated logs of two hosts; a third is missing."""
    for host in ("proxy01", "proxy02"):
        folder = tmp_path / "log-hosts" / host
        folder.mkdir(parents=True)
        for day in ("20261119", "20261120"):
            (folder / f"a-access.log-{day}.xz").write_bytes(lzma.compress(b"a line\n" * 1000))
    return tmp_path / "log-hosts"


def sync(logs: Path, dest: Path, **options: Any) -> dict[str, Any]:
    """One sync of three hosts."""
    return run_module(
        "http_log_sync",
        hosts=["proxy01", "proxy02", "proxy03"],
        source=f"{logs}/{{host}}/",
        dest=dest,
        dates=["2026-11-19", "2026-11-20"],
        attempts=2,
        retry_delay=0,
        system_log=False,
        **options,
    )


def what_matters(result: dict[str, Any]) -> dict[str, Any]:
    """A result without what it took, and without warnings."""
    kept = {name: value for name, value in result.items() if name not in ("seconds", "warnings")}
    del kept["invocation"]
    for one in (*kept["units"], *kept["hosts"]):
        one.pop("seconds", None)
    return kept


def checked(received: list[Received], run_id: str) -> list[str]:
    """The topics of a run's messages, below the prefix; each message holds to its schema."""
    topics = []
    for message in received:
        if message.body["run_id"] != run_id:
            continue
        topic = message.topic.removeprefix(PREFIX)
        schema = schema_for(topic)
        assert schema is not None, message.topic
        jsonschema.validate(message.body, schema.schema())
        topics.append(topic)
    return topics


def told_of(received: list[Received], topic: str, **fields: Any) -> list[Received]:
    return [
        one
        for one in received
        if one.topic == PREFIX + topic and fields.items() <= one.body.items()
    ]


def test_a_run_announces_itself_its_hosts_and_their_days(
    broker: Broker, good: Path, logs: Path, tmp_path: Path
) -> None:
    spool = tmp_path / "state" / "messages.db"
    sync(logs, tmp_path / "hosts", run_id="r1", messaging_config=good, messaging_spool=spool)
    received = broker.received()
    topics = checked(received, "r1")
    assert topics[0] == "sync.start"
    assert topics[-1] == "sync.finish"
    assert topics.count("sync.host.start") == 3
    assert topics.count("sync.host.logdate.start") == 6
    finished = told_of(received, "sync.host.logdate.finish", synced_host="proxy01")
    assert [one.body["log_date"] for one in finished] == ["2026-11-19", "2026-11-20"]
    assert {one.body["result"] for one in finished} == {"made"}
    assert told_of(received, "sync.finish", result="incomplete")[0].body["bytes"] > 0
    # the host that failed: tried again, failed for good, and never finished
    assert len(told_of(received, "sync.host.logdate.fail.final", synced_host="proxy03")) == 2
    (failed,) = told_of(received, "sync.host.fail", synced_host="proxy03")
    assert "proxy03" in failed.body["reason"]
    assert failed.severity == 40
    assert not told_of(received, "sync.host.finish", synced_host="proxy03")
    assert len({one.id for one in received}) == len(received)
    assert os.stat(spool).st_mode & 0o777 == 0o600


def test_check_mode_announces_nothing(
    broker: Broker, good: Path, logs: Path, tmp_path: Path
) -> None:
    spool = tmp_path / "messages.db"
    sync(logs, tmp_path / "hosts", check=True, messaging_config=good, messaging_spool=spool)
    assert broker.received() == []
    assert not spool.exists()


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as entered:
        yield entered


def config_in_state(state: str, broker: Broker, folder: Path, stack: ExitStack) -> Path:
    """A configuration whose bus is in that state."""
    path = folder / "bad.toml"
    if state == "down":
        return write_config(path, f"amqp://127.0.0.1:{free_port()}")
    if state == "refusing":
        return write_config(path, f"amqp://nobody:wrong@127.0.0.1:{broker.port}")
    if state == "silent":
        return write_config(path, f"amqp://127.0.0.1:{stack.enter_context(silent_listener())}")
    if state == "no TLS there":
        return write_config(path, f"amqps://127.0.0.1:{broker.port}")
    if state == "configuration missing":
        return path
    if state == "configuration unreadable":
        path.mkdir()
        return path
    path.write_text("amqp_url = {{{\n")
    return path


@pytest.mark.parametrize(
    "state",
    ["down", "refusing", "silent", "no TLS there"],
)
def test_incident_bus_down_changes_no_result_and_loses_no_message(
    state: str, broker: Broker, good: Path, logs: Path, tmp_path: Path, stack: ExitStack
) -> None:
    keeps_on(config_in_state(state, broker, tmp_path, stack), broker, good, logs, tmp_path)


@pytest.mark.parametrize(
    "state",
    ["configuration missing", "configuration unreadable", "configuration damaged"],
)
def test_incident_bus_config_unreadable_changes_no_result_and_loses_no_message(
    state: str, broker: Broker, good: Path, logs: Path, tmp_path: Path, stack: ExitStack
) -> None:
    keeps_on(config_in_state(state, broker, tmp_path, stack), broker, good, logs, tmp_path)


def keeps_on(bad: Path, broker: Broker, good: Path, logs: Path, folder: Path) -> None:
    """Two steps of a run with a bus in trouble, and the next run with a good one."""
    spool = folder / "messages.db"
    options: dict[str, Any] = {"messaging_spool": spool, "messaging_timeout": 2}
    without = sync(logs, folder / "hosts-without", run_id="r1")
    first = sync(logs, folder / "hosts", run_id="r1", messaging_config=bad, **options)
    assert what_matters(first) == what_matters(without)
    assert "the bus is down" in str(first["warnings"])
    # a later step of the same run does not try again, and does not complain again
    later = sync(logs, folder / "hosts", run_id="r1", messaging_config=good, **options)
    assert "the bus is down" not in str(later.get("warnings", []))
    assert broker.received() == []
    sync(logs, folder / "hosts", run_id="r2", messaging_config=good, **options)
    received = broker.received()
    topics = checked(received, "r1") + checked(received, "r2")
    assert len(topics) == len(received) == len({one.id for one in received})
    assert topics.count("sync.start") == topics.count("sync.finish") == 3
    assert [one.body["run_id"] for one in received] == sorted(o.body["run_id"] for o in received)
    assert [one.sent_at for one in received] == sorted(one.sent_at for one in received)


class Announcer:
    """A run that announces on demand; see the module of that name."""

    def __init__(self, config: Path, spool: Path, run_id: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, announcer.__file__, config, spool, run_id],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def announce(self, count: int) -> str:
        """Gives what became of the messages."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(f"{count}\n")
        self._process.stdin.flush()
        return self._process.stdout.readline().strip()

    def close(self) -> None:
        """End the run."""
        self._process.communicate(timeout=60)
        assert self._process.returncode == 0


def numbers(received: list[Received]) -> list[tuple[str, int]]:
    return [(one.body["run"], one.body["number"]) for one in received]


def test_incident_bus_down_and_restarted_in_the_middle_of_a_run(tmp_path: Path) -> None:
    spool = tmp_path / "messages.db"
    with running_broker(tmp_path / "broker") as broker:
        config = write_config(tmp_path / "c.toml", f"amqp://127.0.0.1:{broker.port}")
        with closing(Announcer(config, spool, "r1")) as run:
            assert run.announce(5) == "sent"
            broker.stop()
            assert run.announce(5) == "waiting 5"
            broker.start()
            assert run.announce(2) == "waiting 7"
        with closing(Announcer(config, spool, "r2")) as run:
            assert run.announce(3) == "sent"
        received = broker.received()
    assert numbers(received) == [("r1", n) for n in range(1, 13)] + [("r2", n) for n in (1, 2, 3)]
    assert [one.sent_at for one in received[:12]] == [f"at {number}" for number in range(1, 13)]


def test_two_runs_at_a_time_send_each_message_once(
    broker: Broker, good: Path, tmp_path: Path
) -> None:
    spool = tmp_path / "messages.db"
    with closing(Announcer(good, spool, "a")) as a, closing(Announcer(good, spool, "b")) as b:
        for _unused in range(5):
            assert {a.announce(4), b.announce(4)} == {"sent"}
    received = broker.received()
    assert sorted(numbers(received)) == sorted((r, n) for r in "ab" for n in range(1, 21))


def test_operators_send_messages_of_their_own(broker: Broker, good: Path, tmp_path: Path) -> None:
    options: dict[str, Any] = {
        "topic": "maintenance.start",
        "body": {"reason": "moved"},
        "messaging_config": good,
        "messaging_spool": tmp_path / "messages.db",
        "run_id": "r1",
    }
    planned = run_module("stats_message", check=True, **options)
    assert (planned["units"][0]["status"], planned["changed"]) == ("due", True)
    assert broker.received() == []
    sent = run_module("stats_message", **options)
    assert (sent["units"][0]["status"], sent["changed"], sent["waiting"]) == ("made", True, 0)
    (received,) = broker.received()
    assert received.topic == PREFIX + "maintenance.start"
    assert received.body["reason"] == "moved"
    assert received.body["run_id"] == "r1"
    assert received.body["host"]


@pytest.mark.parametrize("topic", ["", "a..b", "a b", "a.#", "x" * 300])
def test_odd_topics_are_refused(topic: str, tmp_path: Path) -> None:
    refused = run_module(
        "stats_message",
        ok=False,
        topic=topic,
        messaging_config=tmp_path / "c.toml",
        messaging_spool=tmp_path / "messages.db",
    )
    assert "option topic" in refused["msg"]
    assert list(tmp_path.iterdir()) == []
