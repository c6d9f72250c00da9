# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Log hosts in network namespaces, each with a real rsync daemon; for root only.

Each host is ``HOST`` in a namespace of its own, with an address on a bridge. A host can be cut off,
slowed down, and put behind a wire with a delay.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

from ansible_collections.fedora_infra.dnf_counting.tests.support.rsync_hosts import (
    daemon_config,
    end_group,
)
from ansible_collections.fedora_infra.dnf_counting.tests.support.waiting import PATIENCE

_networks = itertools.count()
WIRE = Path(__file__).with_name("delay_wire.py")


def why_not() -> str:
    """Why there can't be namespaces here; empty where there can."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    if not shutil.which("ip"):
        return "network namespaces need iproute2"
    probe = f"probe{os.getpid()}"
    if subprocess.run(["ip", "netns", "add", probe], capture_output=True, check=False).returncode:
        return "network namespaces are not allowed here"
    subprocess.run(["ip", "netns", "del", probe], check=False)
    return ""


class HostNetwork:
    """A bridge of our own with log hosts on it; a context manager that takes all away again."""

    def __init__(self, folder: Path, *, delay_ms: float = 0) -> None:
        """``delay_ms`` is that of one way; a round trip takes twice as long."""
        self.folder = folder
        self._delay_ms = delay_ms
        # a namespace takes its time to go, so no two networks of a process share a name
        number = os.getpid() % 65536
        self._tag = f"{number:04x}{next(_networks):02x}"
        self._net = f"10.{number >> 8}.{number & 255}"
        self._bridge = f"ct{self._tag}"
        self._namespaces: dict[str, str] = {}
        self._running: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> HostNetwork:
        self._ip("link", "add", self._bridge, "type", "bridge")
        self._ip("addr", "add", f"{self._net}.1/24", "dev", self._bridge)
        self._ip("link", "set", self._bridge, "up")
        return self

    def __exit__(self, *error: object) -> None:
        for running in self._running:
            end_group(running)
        for namespace in self._namespaces.values():
            self._ip("netns", "del", namespace)
        self._ip("link", "del", self._bridge)

    def add_host(self, host: str, *, daemon: bool = True) -> Path:
        """Add a host; gives the folder that is served as ``HOST::log/httpd/``."""
        number = len(self._namespaces) + 1
        namespace = f"ct{self._tag}n{number}"
        self._ip("netns", "add", namespace)
        self._namespaces[host] = namespace
        self._connect(namespace, number)
        self._ip("-n", namespace, "addr", "add", f"{self.address(host)}/24", "dev", "eth0")
        self._ip("-n", namespace, "link", "set", "eth0", "up")
        self._ip("-n", namespace, "link", "set", "lo", "up")
        logs = self.folder / host / "log" / "httpd"
        logs.mkdir(parents=True, exist_ok=True)
        if daemon:
            self.start_daemon(host)
        return logs

    def _connect(self, namespace: str, number: int) -> None:
        outside, inside = f"ct{self._tag}v{number}", f"ct{self._tag}w{number}"
        if self._delay_ms:
            wire = subprocess.Popen(
                [
                    *(sys.executable, str(WIRE), str(self._delay_ms)),
                    *(self._bridge, outside, namespace, inside),
                ],
                stdout=subprocess.PIPE,
                start_new_session=True,
            )
            self._running.append(wire)
            assert wire.stdout is not None
            assert wire.stdout.readline() == b"ready\n"
            self._ip("-n", namespace, "link", "set", inside, "down")
            self._ip("-n", namespace, "link", "set", inside, "name", "eth0")
        else:
            peer = ("peer", "name", "eth0", "netns", namespace)
            self._ip("link", "add", outside, "type", "veth", *peer)
            self._ip("link", "set", outside, "master", self._bridge, "up")

    def start_daemon(self, host: str) -> subprocess.Popen[bytes]:
        """Start the rsync daemon of a host and wait until it answers."""
        config = daemon_config(self.folder / host, {"log": self.folder / host / "log"}, {})
        command = ["rsync", "--daemon", "--no-detach", f"--config={config}"]
        daemon = self.run_on(host, *command)
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            with (
                contextlib.suppress(OSError),
                socket.create_connection((self.address(host), 873), 5) as to,
            ):
                if to.recv(8) == b"@RSYNCD:":
                    return daemon
            time.sleep(0.05)
        raise RuntimeError(f"the daemon of {host} does not answer")

    def run_on(self, host: str, *command: str) -> subprocess.Popen[bytes]:
        """Run something on a host until the network is taken away."""
        running = subprocess.Popen(
            ["ip", "netns", "exec", self._namespaces[host], *command],
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
        self._running.append(running)
        return running

    def address(self, host: str) -> str:
        """The host's address."""
        return f"{self._net}.{list(self._namespaces).index(host) + 10}"

    def namespace(self, host: str) -> str:
        """The host's network namespace."""
        return self._namespaces[host]

    def entry(self, host: str) -> dict[str, str]:
        """The host in the form of the sync module's list."""
        return {"name": host, "source": f"rsync://{self.address(host)}/log/httpd/"}

    def cut_off(self, host: str) -> None:
        """Let nothing of the host through any more, silently, as a broken network does."""
        self._ip("-n", self._namespaces[host], "route", "add", "blackhole", f"{self._net}.1/32")

    def heal(self, host: str) -> None:
        """Undo :meth:`cut_off`."""
        self._ip("-n", self._namespaces[host], "route", "del", "blackhole", f"{self._net}.1/32")

    def slow_down(self, host: str, *, kbit: int) -> None:
        """Let so many kbit per second through from the host."""
        rate = ("rate", f"{kbit}kbit", "burst", "16kb", "latency", "500ms")
        within = ("tc", "-n", self._namespaces[host])
        subprocess.run(
            [*within, "qdisc", "replace", "dev", "eth0", "root", "tbf", *rate], check=True
        )

    @staticmethod
    def _ip(*arguments: str) -> None:
        subprocess.run(["ip", *arguments], check=True)
