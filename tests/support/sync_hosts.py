# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts that serve rotated logs on loopback, and the log host that fetches them."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

from ansible_collections.fedora_infra.dnf_counting.tests.support.rsync_hosts import (
    DAYS,
    LOOPBACK,
    run_module,
    write_rotated,
)

ACCESS = "site-access.log.xz"


ERROR = "site-error.log"


class LogHosts:
    """Some hosts with their logs, and the log host that fetches them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.dest = folder / "hosts"
        self.served = folder / "served"
        self.port = 0

    def logs(self, host: str) -> Path:
        """The folder that a host serves."""
        return self.served / host / "httpd"

    def write(self, host: str, day: date, content: bytes = b"", **values: Any) -> None:
        """Rotate two logs on a host."""
        for name in (ACCESS, ERROR):
            write_rotated(self.logs(host), name, day, content, **values)

    def sync(self, *hosts: object, check: bool = False, **options: Any) -> dict[str, Any]:
        """Run the module, by default for the days of these tests."""
        base: dict[str, Any] = {
            "hosts": list(hosts) or ["proxy01", "proxy02"],
            "dest": str(self.dest),
            "source": f"rsync://{LOOPBACK}:{self.port}/hosts/{{host}}/httpd/",
            "until": str(DAYS[-1]),
            "retry_delay": 0.01,
        }
        settings = {name: options.pop(name) for name in ("environment", "diff") if name in options}
        merged = {name: value for name, value in {**base, **options}.items() if value is not None}
        return run_module(merged, folder=self.folder, check=check, **settings)

    def path(self, host: str, day: date, name: str = ACCESS) -> Path:
        return self.dest / host / f"{day:%Y/%m/%d}" / "http" / name


def every(status: str, *hosts: str) -> dict[str, str]:
    return {f"{host} {day}": status for host in hosts for day in DAYS}


@contextlib.contextmanager
def served(folder: Path, daemon: tuple[Path, int]) -> Iterator[LogHosts]:
    """Two hosts with logs of all days, which go afterwards; ``daemon`` is its folder and port."""
    hosts = LogHosts(folder)
    hosts.served, hosts.port = daemon
    for host in ("proxy01", "proxy02"):
        for day in DAYS:
            hosts.write(host, day)
    try:
        yield hosts
    finally:
        for host in hosts.served.iterdir():
            if host.is_dir():
                shutil.rmtree(host)
