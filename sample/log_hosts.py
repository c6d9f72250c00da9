# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Start and stop simulated hosts, each with a real rsync daemon on loopback.

    python sample/log_hosts.py start sample-run
    python sample/log_hosts.py stop sample-run

The daemon of a host serves the folder ``ROOT/log-hosts/HOST`` as rsync module ``log``, on a port of
its own. A port is kept as long as it is free. ``ROOT/rsyncd/hosts.json`` lists the hosts with their
ports, in the format of the variable ``web_data_analysis_hosts``.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

LOOPBACK = "127.0.0.1"
PATIENCE_SECONDS = 10.0


class LogHost:
    """A simulated host with its logs, and with the files of its daemon in ``ROOT/rsyncd``."""

    def __init__(self, root: Path, name: str) -> None:
        self.name = name
        self.logs = root / "log-hosts" / name
        self.folder = root / "rsyncd"
        self.config = self.folder / f"{name}.conf"
        self.pid_file = self.folder / f"{name}.pid"

    def pid(self) -> int | None:
        """Return the process id of the daemon; None if it does not run."""
        with contextlib.suppress(OSError, ValueError):
            pid = int(self.pid_file.read_text())
            command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
            if f"--config={self.config}".encode() in command:
                return pid
        return None

    def start(self, port: int) -> int:
        """Start the daemon unless it runs, on ``port`` if that is free; return its port."""
        if self.pid() is not None and answers(port):
            return port
        self.end()
        self.await_end()
        for _dummy in range(10):
            chosen = port if port and is_free(port) else free_port()
            if self._started(chosen):
                return chosen
            port = 0
        raise SystemExit(f"{self.name}: rsync --daemon does not start; see {self.folder}")

    def _started(self, port: int) -> bool:
        self.folder.mkdir(parents=True, exist_ok=True)
        # As root, rsync would serve as nobody, who may not read the checkout.
        identity = f"uid = {os.getuid()}\ngid = {os.getgid()}\n" if os.getuid() == 0 else ""
        self.config.write_text(
            f"address = {LOOPBACK}\nport = {port}\npid file = {self.pid_file}\n"
            f"log file = {self.folder / self.name}.log\nreverse lookup = no\n{identity}"
            f"[log]\npath = {self.logs}\nread only = yes\nuse chroot = no\n"
        )
        self.pid_file.unlink(missing_ok=True)
        daemon = subprocess.Popen(
            ["rsync", "--daemon", "--no-detach", f"--config={self.config}"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        end = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < end and daemon.poll() is None:
            if self.pid() == daemon.pid and answers(port):
                return True
            time.sleep(0.02)
        daemon.kill()
        daemon.wait()
        return False

    def end(self) -> None:
        """Send the daemon a signal to end, if it runs."""
        pid = self.pid()
        if pid is not None:
            os.kill(pid, signal.SIGTERM)

    def await_end(self) -> None:
        end = time.monotonic() + PATIENCE_SECONDS
        while self.pid() is not None:
            if time.monotonic() > end:
                raise SystemExit(f"{self.name}: its rsync daemon {self.pid()} does not end")
            time.sleep(0.02)


def answers(port: int) -> bool:
    """Return true if an rsync daemon answers on the port."""
    with contextlib.suppress(OSError), socket.create_connection((LOOPBACK, port), 1.0) as peer:
        return peer.recv(8) == b"@RSYNCD:"
    return False


def is_free(port: int) -> bool:
    with socket.socket() as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((LOOPBACK, port))
        except OSError:
            return False
        return True


def free_port() -> int:
    with socket.socket() as trial:
        trial.bind((LOOPBACK, 0))
        return int(trial.getsockname()[1])


def source(port: int) -> str:
    return f"rsync://{LOOPBACK}:{port}/log/httpd/"


def known_ports(path: Path) -> dict[str, int]:
    """Return the port of each host, as the last start has written it."""
    try:
        hosts = json.loads(path.read_text())
        return {one["name"]: int(one["source"].split(":")[2].split("/")[0]) for one in hosts}
    except (OSError, ValueError, LookupError, TypeError):
        return {}


def start(root: Path) -> None:
    names = sorted(path.name for path in (root / "log-hosts").iterdir() if path.is_dir())
    written = root / "rsyncd" / "hosts.json"
    ports = known_ports(written)
    hosts = [
        {"name": name, "source": source(LogHost(root, name).start(ports.get(name, 0)))}
        for name in names
    ]
    text = json.dumps(hosts, indent=2) + "\n"
    if not written.exists() or written.read_text() != text:
        written.write_text(text)


def stop(root: Path) -> None:
    hosts = [LogHost(root, config.stem) for config in sorted((root / "rsyncd").glob("*.conf"))]
    for host in hosts:
        host.end()
    for host in hosts:
        host.await_end()


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Start or stop simulated hosts.")
    parser.add_argument("action", choices=["start", "stop"])
    parser.add_argument("root", type=Path, help="folder that holds log-hosts/HOST/httpd/")
    options = parser.parse_args(arguments)
    root = options.root.resolve()
    if options.action == "start":
        start(root)
    else:
        stop(root)
    return 0


if __name__ == "__main__":
    sys.exit(main())
