"""http_log_sync against real rsync daemons on loopback."""

from __future__ import annotations

import errno
import os
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._files import (
    write_error,
    writer_lock,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.modules import http_log_sync
from ansible_collections.fedora_infra.dnf_counting.tests.support.rsync_hosts import (
    DAYS,
    LOOPBACK,
    MIDNIGHT,
    free_port,
    run_module,
    serving,
    statuses,
    tree,
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


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, int]]:
    """One daemon for all tests; each puts its hosts below a folder of its own."""
    folder = tmp_path_factory.mktemp("daemon")
    with serving(folder, {"hosts": folder}) as port:
        yield folder, port


@pytest.fixture
def hosts(daemon: tuple[Path, int], tmp_path: Path) -> Iterator[LogHosts]:
    """Two hosts with logs of all days."""
    hosts = LogHosts(tmp_path)
    folder, hosts.port = daemon
    hosts.served = folder
    for host in ("proxy01", "proxy02"):
        for day in DAYS:
            hosts.write(host, day)
    yield hosts
    for host in folder.iterdir():
        if host.is_dir():
            shutil.rmtree(host)


def every(status: str, *hosts: str) -> dict[str, str]:
    return {f"{host} {day}": status for host in hosts for day in DAYS}


def test_first_run_fetches_second_does_not(hosts: LogHosts) -> None:
    planned = hosts.sync(check=True)
    assert not hosts.dest.exists()
    first = hosts.sync()
    before = tree(hosts.dest)
    replanned = hosts.sync(check=True)
    second = hosts.sync()
    assert (planned["changed"], first["changed"]) == (True, True)
    assert (replanned["changed"], second["changed"]) == (False, False)
    assert statuses(planned) == every("due", "proxy01", "proxy02")
    assert statuses(first) == every("made", "proxy01", "proxy02")
    assert statuses(replanned) == statuses(second) == every("unchanged", "proxy01", "proxy02")
    assert tree(hosts.dest) == before
    assert before.keys() == {
        str(hosts.path(host, day, name).relative_to(hosts.dest))
        for host in ("proxy01", "proxy02")
        for day in DAYS
        for name in (ACCESS, ERROR)
    }
    for one, other in zip(planned["units"], first["units"], strict=True):
        assert (one["files"], one["bytes"]) == (other["files"], other["bytes"]) != (0, 0)
    assert first["hosts"][0].keys() == {
        *("name", "status", "files", "bytes", "attempts", "seconds", "reason")
    }


def test_no_program_but_rsync_is_needed(hosts: LogHosts) -> None:
    result = hosts.sync(environment={"PATH": str(hosts.folder)})
    assert statuses(result) == every("made", "proxy01", "proxy02"), result


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

    monkeypatch.setattr(http_log_sync, "sync_file_system", refusing)
    told = http_log_sync.keep(None, tmp_path, {}, changed=True)
    assert "Input/output error" in told
    assert not list(tmp_path.iterdir())


def test_content_and_times_are_those_of_the_host(hosts: LogHosts) -> None:
    hosts.sync()
    for day in DAYS:
        source = hosts.logs("proxy01") / f"site-access.log-{day:%Y%m%d}.xz"
        fetched = hosts.path("proxy01", day)
        assert fetched.read_bytes() == source.read_bytes()
        assert int(fetched.stat().st_mtime) == int(source.stat().st_mtime)
        assert fetched.stat().st_nlink == 1


def test_check_mode_leaves_an_existing_tree_alone(hosts: LogHosts) -> None:
    hosts.sync()
    hosts.write("proxy01", DAYS[0], b"longer than before\n")

    def state() -> list[tuple[str, int, int]]:
        every = (path for path in hosts.dest.rglob("*"))
        return sorted((str(p), p.lstat().st_ino, p.lstat().st_mtime_ns) for p in every)

    before = state()
    result = hosts.sync(check=True, diff=True)
    assert state() == before
    assert statuses(result)["proxy01 2026-11-18"] == "due"
    assert "proxy01 2026-11-18: 2 changed logs" in result["diff"]["after"]


def test_old_tree_is_taken_over_without_fetching(hosts: LogHosts) -> None:
    for day in DAYS:
        for name, dated in ((ACCESS, f"site-access.log-{day:%Y%m%d}.xz"),):
            target = hosts.path("proxy01", day, name)
            target.parent.mkdir(parents=True)
            shutil.copy2(hosts.logs("proxy01") / dated, target)
            with_date = target.parent.with_name("http_with_date") / dated
            with_date.parent.mkdir()
            with_date.hardlink_to(target)
    inodes = [hosts.path("proxy01", day).stat().st_ino for day in DAYS]
    result = hosts.sync("proxy01")
    assert [unit["reasons"] for unit in result["units"]] == [["1 new log"]] * 3
    assert [hosts.path("proxy01", day).stat().st_ino for day in DAYS] == inodes
    assert hosts.sync("proxy01")["changed"] is False


def test_local_source_and_source_of_one_host(hosts: LogHosts) -> None:
    result = hosts.sync({"name": "dl01", "source": str(hosts.logs("proxy01"))}, "proxy02")
    assert statuses(result) == every("made", "dl01", "proxy02")


def test_incident_source_rewritten(hosts: LogHosts) -> None:
    hosts.sync()
    write_rotated(hosts.logs("proxy01"), ERROR, DAYS[1], b"appended later\n", mtime=MIDNIGHT + 9)
    result = hosts.sync()
    changed = {name for name, status in statuses(result).items() if status == "made"}
    assert changed == {"proxy01 2026-11-19"}
    assert hosts.path("proxy01", DAYS[1], ERROR).read_bytes() == b"appended later\n"
    assert hosts.sync()["changed"] is False


def test_incident_late_logs(hosts: LogHosts) -> None:
    late = hosts.logs("proxy02")
    shutil.rmtree(late)
    late.mkdir()
    assert statuses(hosts.sync()) == every("made", "proxy01") | every("missing", "proxy02")
    for day in DAYS:
        hosts.write("proxy02", day)
    # days later, when they are out of the window
    after = hosts.sync(until=str(DAYS[-1] + timedelta(days=5)))
    assert {name for name, status in statuses(after).items() if status == "made"} == set(
        every("", "proxy02")
    )


def test_incident_days_down(hosts: LogHosts) -> None:
    last = date(2026, 11, 29)
    hosts.sync()
    outage = [DAYS[-1] + timedelta(days=n) for n in range(1, 10)]
    for day in outage:
        hosts.write("proxy01", day)
    planned = hosts.sync("proxy01", check=True, until=str(last))
    result = hosts.sync("proxy01", until=str(last))
    assert statuses(result) == {f"proxy01 {day}": "made" for day in outage}
    assert statuses(planned).keys() == statuses(result).keys()
    assert hosts.sync("proxy01", until=str(last))["changed"] is False


@pytest.mark.parametrize("options", [{"dates": ["2026-11-20"]}, {"since": "2026-11-20"}])
def test_named_days_reach_no_further(hosts: LogHosts, options: dict[str, Any]) -> None:
    until = None if "dates" in options else "2026-11-20"
    result = hosts.sync("proxy01", **options, until=until)
    assert statuses(result) == {"proxy01 2026-11-20": "made"}


def test_incident_missing_day_source(hosts: LogHosts) -> None:
    for log in hosts.logs("proxy01").glob("*20261119*"):
        log.unlink()
    for _run in range(2):
        result = hosts.sync()
        missing = {name for name, status in statuses(result).items() if status == "missing"}
        assert missing == {"proxy01 2026-11-19"}
    assert "no log of 2026-11-19 on proxy01" in str(result["units"])


def test_incident_empty_glob(hosts: LogHosts) -> None:
    shutil.rmtree(hosts.logs("proxy01"))
    hosts.logs("proxy01").mkdir()
    write_rotated(hosts.logs("proxy01"), ACCESS, date(2026, 1, 1))
    result = hosts.sync("proxy01")
    assert statuses(result) == every("missing", "proxy01")
    assert (result["changed"], result["hosts"][0]["status"]) == (False, "missing")
    assert tree(hosts.dest) == {}


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


def test_incident_cron_environment(hosts: LogHosts) -> None:
    assert statuses(hosts.sync("proxy01", environment={})) == every("made", "proxy01")


def test_incident_dst_and_zone(hosts: LogHosts) -> None:
    zone = {"PATH": os.environ["PATH"], "TZ": "America/Los_Angeles"}
    hosts.sync("proxy01", environment=zone)
    looked = hosts.sync("proxy01", environment={"TZ": "Asia/Tokyo"}, check=True)
    assert statuses(looked) == every("unchanged", "proxy01")


def test_incident_new_year(hosts: LogHosts) -> None:
    days = [date(2026, 12, 31), date(2027, 1, 1), date(2028, 2, 29)]
    for day in days:
        hosts.write("proxy01", day)
    result = hosts.sync("proxy01", dates=[str(day) for day in days], until=None)
    assert [unit["status"] for unit in result["units"]] == ["made"] * 3
    assert all(hosts.path("proxy01", day).exists() for day in days)


def test_incident_bad_permissions_umask(hosts: LogHosts) -> None:
    before = os.umask(0o077)
    try:
        hosts.sync("proxy01")
    finally:
        os.umask(before)
    log = hosts.path("proxy01", DAYS[0])
    assert log.stat().st_mode & 0o777 == 0o640
    assert log.parent.stat().st_mode & 0o777 == 0o750


def test_incident_bad_permissions_target(hosts: LogHosts) -> None:
    hosts.dest.mkdir()
    (hosts.dest / "proxy01").write_text("in the way")
    result = hosts.sync()
    assert statuses(result) == every("failed", "proxy01") | every("made", "proxy02")
    assert "expected a folder" in result["hosts"][0]["reason"]


def test_it_works_under_ansible(hosts: LogHosts) -> None:
    options = (
        f"hosts=proxy01 dest={hosts.dest} until={DAYS[-1]} "
        f"source=rsync://{LOOPBACK}:{hosts.port}/hosts/{{host}}/httpd/"
    )
    ended = subprocess.run(
        [
            *(Path(sys.executable).with_name("ansible"), "localhost", "-i", "localhost,"),
            *("-c", "local", "-e", f"ansible_python_interpreter={sys.executable}"),
            *("-m", "fedora_infra.dnf_counting.http_log_sync", "-a", options),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert '"made": 3' in ended.stdout
