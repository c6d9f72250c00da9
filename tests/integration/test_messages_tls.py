"""Messages over TLS, with certificates that are good and others."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.fedora_infra.dnf_counting.tests.support.certificates import Authority
from ansible_collections.fedora_infra.dnf_counting.tests.support.modules import run_module
from ansible_collections.fedora_infra.dnf_counting.tests.support.rabbitmq import (
    SERVER,
    Broker,
    write_config,
)

pytestmark = [
    pytest.mark.xdist_group("rabbitmq"),
    pytest.mark.skipif(not SERVER.exists(), reason="needs rabbitmq-server"),
]


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def broker(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    certificate, key = authority.issue("broker")
    tls = {"cacertfile": authority.certificate, "certfile": certificate, "keyfile": key}
    running = Broker(tmp_path_factory.mktemp("broker"), tls=tls)
    try:
        running.start()
        running.keep_all()
        yield running
    finally:
        running.stop()


def config_for(broker: Broker, path: Path, authority: Authority, names: tuple[Path, Path]) -> Path:
    return write_config(
        path,
        f"amqps://127.0.0.1:{broker.port}",
        ca_cert=authority.certificate,
        certfile=names[0],
        keyfile=names[1],
    )


@pytest.mark.parametrize("wrong", ["expired", "of another authority", "broker not trusted", "none"])
def test_incident_bus_cert_expired(
    wrong: str, broker: Broker, authority: Authority, tmp_path: Path
) -> None:
    """The run goes on, says why, and the message arrives when the certificate is a good one."""
    trusted, names = authority, authority.issue("guest")
    if wrong == "expired":
        names = authority.issue("guest", days=-1)
    elif wrong == "of another authority":
        names = Authority(tmp_path / "other").issue("guest")
    elif wrong == "broker not trusted":
        trusted = Authority(tmp_path / "other")
    else:
        names = (tmp_path / "missing.pem", tmp_path / "missing.key")
    bad = config_for(broker, tmp_path / "bad.toml", trusted, names)
    spool = tmp_path / "messages.db"
    result = run_module(
        "stats_message",
        topic="test.first",
        messaging_config=bad,
        messaging_spool=spool,
        messaging_timeout=3,
        run_id="r1",
    )
    assert result["units"][0]["status"] == "waiting"
    assert "the bus is down" in str(result["warnings"])
    good = config_for(broker, tmp_path / "good.toml", authority, authority.issue("guest"))
    result = run_module(
        "stats_message",
        topic="test.second",
        messaging_config=good,
        messaging_spool=spool,
        run_id="r2",
    )
    assert (result["units"][0]["status"], result["waiting"]) == ("made", 0)
    topics = [one.topic.rpartition("stats.")[2] for one in broker.received()]
    assert topics == ["test.first", "test.second"]
