"""A private RabbitMQ on a free loopback port, and a consumer that keeps all that arrives."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pika
from ansible_collections.fedora_infra.dnf_counting.tests.support.ports import free_port

SERVER = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
_PATIENCE_SECONDS = 120


@dataclass
class Received:
    """A message as it arrived."""

    topic: str
    id: str
    sent_at: str
    severity: int
    body: dict[str, Any]


@dataclass
class Broker:
    """A broker that can be stopped and started again with all it has."""

    folder: Path
    port: int = field(default_factory=free_port)
    tls: dict[str, Path] = field(default_factory=dict)
    """cacertfile, certfile and keyfile; it then speaks TLS only, to clients with certificates."""
    _server: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start, and wait until it answers."""
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "home").mkdir(mode=0o700, exist_ok=True)
        (self.folder / "enabled_plugins").write_text(
            "[rabbitmq_auth_mechanism_ssl]." if self.tls else "[]."
        )
        (self.folder / "rabbitmq.conf").write_text("\n".join(self._settings()) + "\n")
        with (self.folder / "out").open("ab") as out:
            self._server = subprocess.Popen(
                [SERVER],
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._wait_until_it_answers()

    def _settings(self) -> list[str]:
        common = ["log.file.level = error", "auth_mechanisms.1 = PLAIN"]
        if not self.tls:
            return [f"listeners.tcp.1 = 127.0.0.1:{self.port}", *common]
        return [
            "listeners.tcp = none",
            f"listeners.ssl.1 = 127.0.0.1:{self.port}",
            "ssl_options.verify = verify_peer",
            "ssl_options.fail_if_no_peer_cert = true",
            "ssl_cert_login_from = common_name",
            "auth_mechanisms.2 = EXTERNAL",
            *(f"ssl_options.{name} = {path}" for name, path in self.tls.items()),
            *common,
        ]

    def _environment(self) -> dict[str, str]:
        folder = str(self.folder)
        return {
            "PATH": os.environ["PATH"],
            "LANG": "C.UTF-8",
            "HOME": f"{folder}/home",
            "RABBITMQ_NODENAME": f"counting{self.port}@localhost",
            "RABBITMQ_MNESIA_BASE": f"{folder}/mnesia",
            "RABBITMQ_LOG_BASE": f"{folder}/log",
            "RABBITMQ_CONFIG_FILE": f"{folder}/rabbitmq.conf",
            "RABBITMQ_ENABLED_PLUGINS_FILE": f"{folder}/enabled_plugins",
            "RABBITMQ_DIST_PORT": str(free_port()),
            "RABBITMQ_PID_FILE": f"{folder}/rabbit.pid",
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            # a node is given the port of its own name server, so that nothing else is met
            "ERL_EPMD_PORT": str(self._name_server_port()),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": (
                "-kernel inet_dist_use_interface {127,0,0,1} +S 1:1"
            ),
        }

    def _name_server_port(self) -> int:
        kept = self.folder / "epmd.port"
        if not kept.exists():
            kept.write_text(str(free_port()))
        return int(kept.read_text())

    def _wait_until_it_answers(self) -> None:
        until = time.monotonic() + _PATIENCE_SECONDS
        while time.monotonic() < until:
            with (
                contextlib.suppress(OSError),
                socket.create_connection(("127.0.0.1", self.port), 1),
            ):
                return
            if self._server is None or self._server.poll() is not None:
                break
            time.sleep(0.2)
        raise AssertionError((self.folder / "out").read_text()[-2000:])

    def stop(self) -> None:
        """Stop it as a reboot would, with all that belongs to it."""
        if self._server is None:
            return
        for number in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._server.pid, number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._server.wait(30)
                break
        self._server = None
        epmd = shutil.which("epmd") or "/usr/bin/epmd"
        port = str(self._name_server_port())
        subprocess.run(
            [epmd, "-port", port, "-kill"],
            env={"ERL_EPMD_RELAXED_COMMAND_CHECK": "1", **self._environment()},
            capture_output=True,
            check=False,
        )

    def connection(self) -> pika.BlockingConnection:
        """A connection of the consumer's; with TLS, it shows the broker's own certificate."""
        options = None
        if self.tls:
            context = ssl.create_default_context(cafile=self.tls["cacertfile"])
            context.load_cert_chain(self.tls["certfile"], self.tls["keyfile"])
            options = pika.SSLOptions(context, "127.0.0.1")
        return pika.BlockingConnection(
            pika.ConnectionParameters("127.0.0.1", self.port, heartbeat=0, ssl_options=options)
        )

    def keep_all(self) -> None:
        """Keep every message from now on, also over a restart."""
        with contextlib.closing(self.connection()) as connection:
            channel = connection.channel()
            channel.queue_declare("kept", durable=True)
            channel.queue_bind("kept", "amq.topic", "#")

    def received(self) -> list[Received]:
        """Takes what has been kept, in the order in which it arrived."""
        found = []
        with contextlib.closing(self.connection()) as connection:
            channel = connection.channel()
            while True:
                method, properties, body = channel.basic_get("kept", auto_ack=True)
                if method is None:
                    return found
                headers = properties.headers
                found.append(
                    Received(
                        method.routing_key,
                        properties.message_id,
                        headers["sent-at"],
                        headers["fedora_messaging_severity"],
                        json.loads(body),
                    )
                )


def write_config(path: Path, url: str, **tls: Path) -> Path:
    """A configuration file of fedora-messaging."""
    lines = [
        f'amqp_url = "{url}"',
        'publish_exchange = "amq.topic"',
        'topic_prefix = "org.example.test"',
        "[tls]",
        *(f'{name} = "{value}"' for name, value in tls.items()),
    ]
    path.write_text("\n".join(lines) + "\n")
    return path


@contextlib.contextmanager
def running_broker(folder: Path) -> Iterator[Broker]:
    """A broker without TLS that keeps all messages."""
    broker = Broker(folder)
    try:
        broker.start()
        broker.keep_all()
        yield broker
    finally:
        broker.stop()


@contextlib.contextmanager
def silent_listener() -> Iterator[int]:
    """A port that accepts connections and never says a word."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(50)
        yield int(listener.getsockname()[1])
