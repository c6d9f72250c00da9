"""http_log_sync with hosts that fail, hang, lie or are forgotten, and options that can't be."""

from __future__ import annotations

import errno
import os
import shutil
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._storage.files import (
    write_error,
    writer_lock,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._sync import (
    hosts as sync_hosts,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._sync import (
    stage as sync_stage,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._sync.memory import (
    MEMORY_NAME,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._sync.plan import HostSource
from ansible_collections.fedora_infra.dnf_counting.tests.support.ports import free_port
from ansible_collections.fedora_infra.dnf_counting.tests.support.rsync_hosts import (
    DAYS,
    LOOPBACK,
    serving,
    statuses,
    tree,
    write_rotated,
)
from ansible_collections.fedora_infra.dnf_counting.tests.support.stages import outcome_of
from ansible_collections.fedora_infra.dnf_counting.tests.support.sync_hosts import (
    ACCESS,
    ERROR,
    LogHosts,
    every,
)


def test_an_odd_folder_of_one_host_stops_no_other(hosts: LogHosts) -> None:
    hosts.sync()
    shutil.move(hosts.dest / "proxy01", hosts.folder / "elsewhere")
    (hosts.dest / "proxy01").symlink_to(hosts.folder / "elsewhere")
    result = hosts.sync(until=str(DAYS[-1] + timedelta(days=2)), days=1)
    assert [(host["name"], host["status"]) for host in result["hosts"]] == [
        ("proxy01", "failed"),
        ("proxy02", "missing"),
    ]
    assert "found a symbolic link" in result["hosts"][0]["reason"]


def test_what_is_not_on_disk_is_not_remembered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refusing(folder: Path) -> None:
        raise write_error(folder, OSError(errno.EIO, "no"))

    monkeypatch.setattr(sync_stage, "sync_file_system", refusing)
    write_rotated(tmp_path / "served", ACCESS, DAYS[-1])
    dest, sources = tmp_path / "hosts", (HostSource("proxy01", f"{tmp_path}/served/"),)
    settings = sync_stage.SyncSettings(
        sources, tuple(DAYS), sync_hosts.TransferSettings(dest), catch_up_days=0
    )
    done = outcome_of(sync_stage.SYNC, settings)
    assert done.changed
    assert "Input/output error" in done.failure
    assert not (dest / MEMORY_NAME).exists()
    monkeypatch.undo()
    done = outcome_of(sync_stage.SYNC, settings)
    assert (done.changed, done.failure) == (False, "")
    assert (dest / MEMORY_NAME).exists()


def test_hosts_that_never_serve_are_flagged(hosts: LogHosts) -> None:
    shutil.rmtree(hosts.logs("proxy01"))
    hosts.logs("proxy01").mkdir()
    today = datetime.now(UTC).date()
    hosts.sync()
    result = hosts.sync(until=str(today + timedelta(days=3)), missing_after_days=3)
    silent = {host["name"]: host["last_log"] for host in result["silent_hosts"]}
    assert silent == {"proxy01": None, "proxy02": "2026-11-20"}
    assert len(result["warnings"]) == 2


def test_incident_unknown_host(hosts: LogHosts) -> None:
    unknown = {"name": "proxy99", "source": "{host}.invalid::log/httpd/"}
    result = hosts.sync("proxy01", unknown)
    assert statuses(result) == every("made", "proxy01") | every("unknown", "proxy99")
    (reason,) = {unit["reasons"][0] for unit in result["units"] if "proxy99" in unit["name"]}
    assert "name" in reason
    assert "proxy99.invalid" in reason
    assert not (hosts.dest / "proxy99").exists()


def test_incident_rsync_refused(hosts: LogHosts, tmp_path: Path) -> None:
    nobody = {"name": "proxy98", "source": f"rsync://{LOOPBACK}:{free_port()}/log/httpd/"}
    with serving(tmp_path / "d", {"log": tmp_path}, **{"hosts deny": "*"}) as port:
        denied = {"name": "proxy99", "source": f"rsync://{LOOPBACK}:{port}/log/httpd/"}
        result = hosts.sync("proxy01", nobody, denied)
    assert statuses(result) == every("made", "proxy01") | every("failed", "proxy98", "proxy99")
    assert result["changed"] is True
    reasons = {host["name"]: host["reason"] for host in result["hosts"]}
    attempts = {host["name"]: host["attempts"] for host in result["hosts"]}
    assert "firewall" in reasons["proxy98"]
    assert "hosts allow" in reasons["proxy99"]
    assert attempts == {"proxy01": 1, "proxy98": 3, "proxy99": 1}


def test_when_all_fail_the_module_fails(hosts: LogHosts) -> None:
    source = f"rsync://{LOOPBACK}:{hosts.port}/nothing/"
    for check in (True, False):
        result = hosts.sync(source=source, check=check)
        assert result["failed"] is True
        assert "proxy01: an rsync daemon without that module" in result["msg"]
        assert statuses(result) == every("failed", "proxy01", "proxy02")


def test_threshold_of_failed_hosts(hosts: LogHosts) -> None:
    bad = {"name": "proxy99", "source": f"rsync://{LOOPBACK}:{hosts.port}/nothing/"}
    result = hosts.sync("proxy01", bad, max_failed_hosts=0)
    assert (result["failed"], result["changed"]) == (True, True)
    assert hosts.path("proxy01", DAYS[0]).exists()
    assert "failed" not in hosts.sync("proxy01", bad, max_failed_hosts=1)


def test_folder_missing_on_the_host(hosts: LogHosts) -> None:
    result = hosts.sync("proxy01", "proxy77")
    assert statuses(result) == every("made", "proxy01") | every("failed", "proxy77")
    assert "no such folder" in result["hosts"][1]["reason"]


@contextmanager
def speaking(talk: Callable[[socket.socket], None]) -> Iterator[int]:
    """A server that is no rsync daemon."""
    with socket.create_server((LOOPBACK, 0)) as server:

        def serve() -> None:
            while True:
                try:
                    connection = server.accept()[0]
                except OSError:
                    return
                threading.Thread(target=talk, args=(connection,), daemon=True).start()

        threading.Thread(target=serve, daemon=True).start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)


def silent(connection: socket.socket) -> None:
    connection.recv(1)


def trickling(connection: socket.socket) -> None:
    connection.sendall(b"@RSYNCD: 31.0 md5\n")
    try:
        while not threading.Event().wait(0.1):
            connection.sendall(b"a line of a message that never ends\n")
    except OSError:
        return


@pytest.mark.parametrize(
    ("talk", "limits", "words"),
    [
        (silent, {"connect_timeout": 1, "stall_timeout": 1}, "nothing"),
        (trickling, {"host_timeout": 2}, "time left for the host"),
    ],
)
def test_incident_rsync_hangs(
    hosts: LogHosts,
    talk: Callable[[socket.socket], None],
    limits: dict[str, int],
    words: str,
) -> None:
    with speaking(talk) as port:
        hanging = {"name": "proxy99", "source": f"rsync://{LOOPBACK}:{port}/log/httpd/"}
        result = hosts.sync("proxy01", hanging, **limits, attempts=1)
    assert statuses(result) == every("made", "proxy01") | every("failed", "proxy99")
    assert words in result["hosts"][1]["reason"]


def test_incident_hostile_source(hosts: LogHosts) -> None:
    logs = hosts.logs("proxy01")
    day = f"{DAYS[0]:%Y%m%d}"
    (logs / f"passwd-access.log-{day}").symlink_to("/etc/passwd")
    (logs / f"hosts-access.log-{day}.xz").symlink_to("../../../../../etc/hosts")
    os.mkfifo(logs / f"pipe-access.log-{day}")
    (logs / f"folder-access.log-{day}").mkdir()
    (logs / f"folder-access.log-{day}" / f"inner-access.log-{day}").touch()
    for name in ("-e sh", ".hidden", "a\nb", "\x1b[2J", "$(id)", "a b", "*", "..", "ü"):
        (logs / f"{name}log-{day}").touch()
    for name in ("passwd", f"access-{day}", f"a.log-{day}.XZ/"[:-1], "a.log-20261399"):
        (logs / name).touch()
    for check in (True, False):
        result = hosts.sync("proxy01", check=check)
        reasons = result["units"][0]["reasons"]
        for name in ("passwd", "hosts", "pipe"):
            assert any(f"refused '{name}-access.log-{day}" in reason for reason in reasons)
        assert result["units"][0]["files"] == 2
        assert str(result["warnings"]).count("refused") == 1
    fetched = {Path(path).name for path in tree(hosts.dest)}
    assert fetched == {ACCESS, ERROR}
    assert not any(path.is_symlink() for path in hosts.dest.rglob("*"))


@pytest.mark.parametrize(
    ("limit", "words"),
    [
        ({"max_file_size": "1K"}, "larger than max_file_size"),
        ({"max_host_size": "1K"}, "raise max_host_files or max_host_size"),
        ({"max_host_files": 3}, "raise max_host_files or max_host_size"),
    ],
)
@pytest.mark.parametrize("kib_per_second", [300, 0], ids=["on-its-way", "all-at-once"])
def test_incident_hostile_source_too_much(
    hosts: LogHosts, limit: dict[str, Any], words: str, kib_per_second: int
) -> None:
    for day in DAYS:
        write_rotated(hosts.logs("proxy01"), "big-access.log", day, os.urandom(200_000))
    result = hosts.sync("proxy01", "proxy02", **limit, bandwidth_limit=kib_per_second)
    said = [reason for unit in result["units"] for reason in unit["reasons"]]
    assert any(words in reason for reason in said)
    assert hosts.path("proxy02", DAYS[0]).exists()


def test_incident_hostile_config(hosts: LogHosts, tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    for host in (f"--rsh=touch {canary}", "a/../../etc"):
        result = hosts.sync("proxy01", host)
        assert result["failed"] is True
        assert "expected a host name" in result["msg"]
    for source in (f"--rsh=touch {canary}", "{host}:/var/log/"):
        assert "option source" in hosts.sync(source=source)["msg"]
    assert not canary.exists()
    assert not hosts.dest.exists()


@pytest.mark.parametrize(
    ("options", "name"),
    [({"workers": 0}, "workers"), ({"mode": "rw"}, "mode"), ({"mode": "0777"}, "mode")],
)
def test_options_out_of_range(hosts: LogHosts, options: dict[str, Any], name: str) -> None:
    assert f"option {name}" in hosts.sync(**options)["msg"]


def test_incident_second_run(hosts: LogHosts) -> None:
    with writer_lock(hosts.dest, run_id="nightly"):
        result = hosts.sync()
        looked = hosts.sync(check=True)
    assert result["failed"] is True
    assert "run nightly, since" in result["msg"]
    assert statuses(looked) == every("due", "proxy01", "proxy02")
    assert tree(hosts.dest) == {}


def test_incident_bad_permissions_target(hosts: LogHosts) -> None:
    hosts.dest.mkdir()
    (hosts.dest / "proxy01").write_text("in the way")
    result = hosts.sync()
    assert statuses(result) == every("failed", "proxy01") | every("made", "proxy02")
    assert "expected a folder" in result["hosts"][0]["reason"]


def test_incident_hostile_source_no_time_or_name_of_a_file_stops_a_run(hosts: LogHosts) -> None:
    day = f"{DAYS[0]:%Y%m%d}"
    logs = hosts.logs("proxy01")
    for number, mtime in enumerate((1 << 40, -(1 << 36), 253_402_300_805)):
        write_rotated(logs, f"odd{number}-access.log", DAYS[0], mtime=mtime)
    long_name = "n" * 210
    (logs / f"{long_name}-access.log-{day}").touch()
    (logs / f"b.log-{day}.zip").touch()
    planned = hosts.sync("proxy01", check=True)
    first = hosts.sync("proxy01")
    again = hosts.sync("proxy01")
    assert [result["units"][0]["files"] for result in (planned, first, again)] == [5, 5, 0]
    for result in (first, again):
        assert str(result["warnings"]).count("not the name of a rotated log") == 1
