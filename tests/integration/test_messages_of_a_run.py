"""Messages of two equal nightly runs over a real RabbitMQ, which stops half-way through the first."""

from __future__ import annotations

import shutil
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._base.stage import (
    TOPIC_PREFIX,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._pipeline.stages import (
    STAGES,
)
from ansible_collections.fedora_infra.dnf_counting.tests.support.log_host import (
    FOLDERS,
    STAGES_AT_WORK,
    LogHost,
    Played,
)
from ansible_collections.fedora_infra.dnf_counting.tests.support.message_schemas import schema_for
from ansible_collections.fedora_infra.dnf_counting.tests.support.rabbitmq import (
    SERVER,
    Broker,
    Received,
    running_broker,
)

pytestmark = [
    pytest.mark.xdist_group("rabbitmq"),
    pytest.mark.skipif(not SERVER.exists(), reason="needs rabbitmq-server"),
]
PREFIX = "org.example.test"
#: The stages in the messages of a run; ``count`` stands for the stages of one profile.
STAGE_NAMES = {"count"} | {stage.name for stage in STAGES}
#: The fields that tell units of one topic apart.
_NAMING = ("run_id", "command", "subject", "unit")


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    with running_broker(tmp_path_factory.mktemp("broker")) as running:
        yield running


class AnnouncingHost:
    """A log host, deployed, that announces its runs."""

    def __init__(self, folder: Path, broker: Broker) -> None:
        self._host = LogHost(folder, days=9)
        self._host.make_logs(30)
        self._options: dict[str, Any] = {
            "web_data_analysis_messaging": True,
            "web_data_analysis_messaging_config": str(folder / "bus" / "dnf_counting.toml"),
            "web_data_analysis_messaging_url": f"amqp://guest:guest@127.0.0.1:{broker.port}",
            "web_data_analysis_messaging_topic_prefix": PREFIX,
        }
        deployed = self._host.play("deploy", **self._options)
        assert deployed.code == 0, deployed.output
        self.records = self._host.run_dir / "combined"
        self._spool = self._host.run_dir / "countme" / "messages.db"

    def run(self) -> tuple[Played, dict[str, bytes]]:
        """Run; return what it said, and what it published."""
        played = self._host.play("daily", **self._options)
        assert played.code == 0, played.output
        names = ("totals.csv", "totals-centos.csv")
        return played, {name: (self._host.published / name).read_bytes() for name in names}

    def forget_all_but_the_spool(self) -> None:
        """Go back to where deploying ended, with the messages that wait to be sent."""
        kept = self._host.root / "messages.db"
        self._spool.rename(kept)
        for name in FOLDERS:
            if "/" not in name:
                shutil.rmtree(self._host.run_dir / name)
        self._host.make_folders()
        kept.rename(self._spool)


def event_of(message: Received) -> tuple[tuple[str, ...], str]:
    """What a message is about, and what happened to it."""
    topic = message.topic.removeprefix(f"{PREFIX}.{TOPIC_PREFIX}.")
    schema = schema_for(topic, base="countme-centos-update")
    assert schema is not None, message.topic
    jsonschema.validate(message.body, schema.schema())
    words = topic.split(".")
    words = words[:-1] if words[-2] == "fail" else words
    about = (".".join(words[:-1]), *(str(message.body.get(name)) for name in _NAMING))
    return about, words[-1]


def assert_each_start_has_one_end(received: list[Received]) -> None:
    begun: set[tuple[str, ...]] = set()
    ended: Counter[tuple[str, ...]] = Counter()
    for message in received:
        about, event = event_of(message)
        if event == "start":
            assert about not in begun, about
            begun.add(about)
        else:
            assert event in ("finish", "fail"), message.topic
            assert about in begun, about
            ended[about] += 1
    assert ended == Counter(begun)


def stop_when(broker: Broker, happened: Callable[[], object], over: threading.Event) -> None:
    while not over.is_set() and not happened():
        time.sleep(0.05)
    broker.stop()


def test_each_start_has_its_end_and_a_bus_that_stops_half_way_gets_all_in_the_end(
    broker: Broker, tmp_path: Path
) -> None:
    host = AnnouncingHost(tmp_path, broker)
    over = threading.Event()
    stopper = threading.Thread(
        target=stop_when, args=(broker, lambda: [*host.records.rglob(".combine.json")], over)
    )
    stopper.start()
    try:
        disturbed = host.run()
    finally:
        over.set()
        stopper.join()
        broker.start()
    before = broker.received()

    # the same once more and undisturbed, which also sends what is left of the first run
    host.forget_all_but_the_spool()
    undisturbed = host.run()
    assert disturbed[0].ran == undisturbed[0].ran
    assert disturbed[0].changed == undisturbed[0].changed == STAGES_AT_WORK
    assert disturbed[1] == undisturbed[1]

    received = [*before, *broker.received()]
    first, second = [*dict.fromkeys(message.body["run_id"] for message in received)]
    of_first = [message for message in received if message.body["run_id"] == first]
    whole = [message for message in received if message.body["run_id"] == second]
    assert 0 < len(before) < len(of_first)
    assert received == of_first + whole
    assert_each_start_has_one_end(received)
    assert len({message.id for message in received}) == len(received)
    assert [one.sent_at for one in received] == sorted(one.sent_at for one in received)
    told = Counter(message.topic for message in whole)
    assert Counter(message.topic for message in of_first) == told

    assert {message.body["stage"] for message in whole} == STAGE_NAMES
    merged = {message.topic.split(".")[-2] for message in whole if "logmerge" in message.topic}
    assert merged == {"proxy", "download", "people"}
    published = [one.body for one in whole if one.topic.endswith("publish.profile.finish")]
    assert all(body["seconds"] > 0 for body in published)
