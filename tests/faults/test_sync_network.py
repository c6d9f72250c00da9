"""Sync through networks that break: real rsync daemons in network namespaces (root only)."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.fedora_infra.dnf_counting.tests.support.host_network import (
    HostNetwork,
    why_not,
)
from ansible_collections.fedora_infra.dnf_counting.tests.support.rsync_hosts import (
    DAYS,
    MIDNIGHT,
    end_group,
    module_command,
    run_module,
    statuses,
    tree,
    write_rotated,
)
from ansible_collections.fedora_infra.dnf_counting.tests.support.waiting import until

NAME = "site-access.log"
DAY = DAYS[-1]
REASON = why_not()
pytestmark = [pytest.mark.root, pytest.mark.skipif(bool(REASON), reason=REASON)]


class Stage:
    """Two hosts on a network of our own, the first slow and with one large log."""

    def __init__(self, network: HostNetwork, folder: Path) -> None:
        self.network = network
        self.folder = folder
        self.dest = folder / "hosts"
        self.large = os.urandom(400_000)
        for host in ("slow", "good"):
            logs = network.add_host(host, daemon=host == "good")
            write_rotated(logs, NAME, DAY, self.large if host == "slow" else b"short\n")
        self.daemon = network.start_daemon("slow")
        network.slow_down("slow", kbit=800)

    def options(self, *hosts: str, **options: Any) -> dict[str, Any]:
        return {
            "hosts": [self.network.entry(host) for host in hosts or ("slow", "good")],
            "dest": str(self.dest),
            "dates": [str(DAY)],
            "attempts": 1,
            "retry_delay": 0.1,
            "connect_timeout": 2,
            "stall_timeout": 3,
            **options,
        }

    def sync(self, *hosts: str, **options: Any) -> dict[str, Any]:
        return run_module(self.options(*hosts, **options), folder=self.folder)

    def start(self, *hosts: str, **options: Any) -> subprocess.Popen[str]:
        """Start a sync; gives it when it has a part of the large log."""
        running = subprocess.Popen(
            module_command(self.options(*hosts, **options), folder=self.folder),
            stdout=subprocess.PIPE,
            text=True,
        )
        until(lambda: self.received() > 50_000)
        return running

    def received(self) -> int:
        """Bytes of the large log that are in an unfinished file."""
        sizes = [0]
        for path in (self.dest / "slow" / ".sync").glob(".site-*"):
            with contextlib.suppress(FileNotFoundError):
                sizes.append(path.stat().st_size)
        return max(sizes)

    @property
    def partial(self) -> Path:
        return self.dest / "slow" / ".sync" / ".partial" / f"{NAME}-{DAY:%Y%m%d}"

    @property
    def log(self) -> Path:
        return self.dest / "slow" / f"{DAY:%Y/%m/%d}" / "http" / NAME


def result_of(running: subprocess.Popen[str]) -> dict[str, Any]:
    output = running.communicate(timeout=60)[0]
    result: dict[str, Any] = json.loads(output)
    return result


def rsyncs_writing_to(folder: Path) -> list[int]:
    """Processes that have the folder among their arguments."""
    found = []
    for command in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            if str(folder).encode() in command.read_bytes().rpartition(b"--\0")[2]:
                found.append(int(command.parent.name))
    return found


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with HostNetwork(tmp_path / "network") as network:
        yield Stage(network, tmp_path)


def test_incident_rsync_hangs_partition_before(stage: Stage) -> None:
    stage.network.cut_off("slow")
    result = stage.sync()
    assert statuses(result) == {f"good {DAY}": "made", f"slow {DAY}": "failed"}
    slow = result["hosts"][1]
    assert "no answer from its rsync daemon" in slow["reason"]
    assert slow["seconds"] < 2 * (2 + 3) < 39  # of rsync's own time-out
    stage.network.heal("slow")
    assert statuses(stage.sync("slow")) == {f"slow {DAY}": "made"}


def test_incident_rsync_hangs_partition_in_mid_transfer_is_resumed(stage: Stage) -> None:
    running = stage.start()
    stage.network.cut_off("slow")
    result = result_of(running)
    assert statuses(result) == {f"good {DAY}": "made", f"slow {DAY}": "failed"}
    assert "nothing arriv" in result["hosts"][1]["reason"]
    assert rsyncs_writing_to(stage.dest) == []
    assert stage.partial.stat().st_size > 50_000
    assert not stage.log.exists()
    stage.network.heal("slow")
    assert statuses(stage.sync("slow")) == {f"slow {DAY}": "made"}
    assert stage.log.read_bytes() == stage.large
    assert [Path(path).name for path in tree(stage.dest)] == [NAME, NAME]


def test_incident_partial_transfer_daemon_dies_in_mid_file(stage: Stage) -> None:
    """The log is far larger than what the kernel of the host has taken on to send."""
    stage.network.slow_down("slow", kbit=40_000)
    stage.large = os.urandom(16_000_000)
    write_rotated(stage.folder / "network/slow/log/httpd", NAME, DAY, stage.large)
    running = stage.start()
    until(lambda: stage.received() > 2_000_000)
    end_group(stage.daemon)
    result = result_of(running)
    assert statuses(result)[f"slow {DAY}"] == "failed"
    assert "connection unexpectedly closed" in result["hosts"][1]["reason"]
    kept = stage.partial.stat().st_size
    assert 2_000_000 < kept < len(stage.large)
    assert not stage.log.exists()
    stage.network.start_daemon("slow")
    sent_before = sent_by(stage, "slow")
    stage.sync("slow")
    assert stage.log.read_bytes() == stage.large
    # what was kept did not come again; packets have headers
    assert sent_by(stage, "slow") - sent_before < (len(stage.large) - kept) * 1.1 + 100_000


def sent_by(stage: Stage, host: str) -> int:
    """Bytes that a host has sent."""
    shown = subprocess.run(
        [
            *("ip", "netns", "exec", stage.network.namespace(host)),
            *("cat", "/sys/class/net/eth0/statistics/tx_bytes"),
        ],
        capture_output=True,
        check=True,
    )
    return int(shown.stdout)


def test_incident_partial_transfer_tried_again_in_the_same_run(stage: Stage) -> None:
    running = stage.start(attempts=20, retry_delay=0.3)
    end_group(stage.daemon)
    stage.daemon = stage.network.start_daemon("slow")
    result = result_of(running)
    assert statuses(result)[f"slow {DAY}"] == "made"
    assert result["hosts"][1]["attempts"] > 1
    assert stage.log.read_bytes() == stage.large


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_incident_partial_transfer_killed(stage: Stage, number: signal.Signals) -> None:
    running = stage.start("slow")
    running.send_signal(number)
    running.communicate(timeout=30)
    until(lambda: rsyncs_writing_to(stage.dest) == [])
    assert not stage.log.exists()
    result = stage.sync("slow")
    assert statuses(result) == {f"slow {DAY}": "made"}
    assert stage.log.read_bytes() == stage.large
    assert stage.sync("slow")["changed"] is False
    assert [Path(path).name for path in tree(stage.dest)] == [NAME]


def test_incident_partial_transfer_old_log_stays_whole_meanwhile(stage: Stage) -> None:
    stage.network.slow_down("slow", kbit=100_000)
    stage.sync()
    stage.network.slow_down("slow", kbit=800)
    changed = os.urandom(400_000)
    write_rotated(stage.folder / "network/slow/log/httpd", NAME, DAY, changed, mtime=MIDNIGHT + 5)
    running = stage.start()
    assert stage.log.read_bytes() == stage.large
    stage.network.cut_off("slow")
    result_of(running)
    assert stage.log.read_bytes() == stage.large
    stage.network.heal("slow")
    stage.sync("slow")
    assert stage.log.read_bytes() == changed


def test_a_host_takes_no_longer_than_its_time(stage: Stage) -> None:
    stage.network.slow_down("slow", kbit=200)
    result = stage.sync(host_timeout=2, attempts=5)
    assert statuses(result) == {f"good {DAY}": "made", f"slow {DAY}": "failed"}
    assert "time left for the host" in result["hosts"][1]["reason"]
    assert stage.partial.stat().st_size > 0


def test_incident_disk_full(stage: Stage) -> None:
    stage.network.slow_down("slow", kbit=100_000)
    stage.dest.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=200k", "tmpfs", stage.dest], check=True)
    try:
        result = stage.sync("slow", max_failed_hosts=1)
        assert statuses(result) == {f"slow {DAY}": "failed"}
        assert "Free some space" in result["hosts"][0]["reason"]
        assert not stage.log.exists()
        subprocess.run(["mount", "-o", "remount,size=2m", stage.dest], check=True)
        assert statuses(stage.sync("slow")) == {f"slow {DAY}": "made"}
        assert stage.log.read_bytes() == stage.large
    finally:
        subprocess.run(["umount", stage.dest], check=True)


def test_names_of_hosts_are_looked_up(stage: Stage) -> None:
    """The default source, with a hosts file of our own in place of DNS."""
    names = stage.folder / "names"
    names.write_text(f"127.0.0.1 localhost\n{stage.network.address('good')} good\n")
    bind = f'mount --bind {names} /etc/hosts && exec "$@"'
    result = run_module(
        stage.options(hosts=["good", "gone"]),
        folder=stage.folder,
        prefix=("unshare", "-m", "sh", "-c", bind, "sh"),
    )
    assert statuses(result) == {f"gone {DAY}": "unknown", f"good {DAY}": "made"}
