"""One rsync: its arguments, and its run under our limits (against programs named rsync)."""

from __future__ import annotations

import errno
import os
import re
import threading
from datetime import date
from pathlib import Path

import pytest
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._base.errors import (
    SettingsError,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._sync import (
    rsync as sync_rsync,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._sync.rsync import (
    TransferLimits,
    fetch_arguments,
    list_arguments,
    run_rsync,
    source_address,
)
from ansible_collections.fedora_infra.dnf_counting.tests.support.waiting import is_at_work, until

DAY = date(2026, 12, 31)


@pytest.mark.parametrize(
    ("template", "address"),
    [
        ("{host}::log/httpd/", "proxy01::log/httpd/"),
        ("{host}.example.org::log", "proxy01.example.org::log/"),
        ("rsync://{host}:8730/log/httpd/", "rsync://proxy01:8730/log/httpd/"),
        ("rsync://[2001:db8::1]:8730/log/", "rsync://[2001:db8::1]:8730/log/"),
        ("/srv/logs of/{host}", "/srv/logs of/proxy01/"),
    ],
)
def test_source_is_a_folder(template: str, address: str) -> None:
    assert source_address(template, "proxy01") == address


@pytest.mark.parametrize(
    "template",
    [
        pytest.param("--rsh=touch /tmp/x {host}::log/", id="option"),
        pytest.param("{host}:/var/log/httpd/", id="remote-shell"),
        pytest.param("user@{host}:log/", id="remote-shell-user"),
        pytest.param("ssh://{host}/log/", id="other-protocol"),
        pytest.param("{host}::log/httpd/*", id="pattern"),
        pytest.param("{host}::log/a b/", id="two-arguments"),
        pytest.param("{host}::log/\n", id="newline"),
        pytest.param("{host}::", id="module-list"),
        pytest.param("logs/{host}/", id="relative"),
        pytest.param("/srv/\x1b[2J", id="control-character"),
        pytest.param("", id="empty"),
    ],
)
def test_incident_hostile_config_source(template: str) -> None:
    with pytest.raises(SettingsError, match="option source"):
        source_address(template, "proxy01")


def test_arguments_ask_for_the_days_and_nothing_else() -> None:
    limits = TransferLimits(kib_per_second=7, file_bytes=99, stall_seconds=5, connect_seconds=3)
    arguments = fetch_arguments("proxy01::log/", "/t/.sync/", [DAY], limits)
    assert arguments[-3:] == ["--", "proxy01::log/", "/t/.sync/"]
    filters = [one for one in arguments if one.startswith(("--include", "--exclude"))]
    endings = ("", ".xz", ".gz", ".zst", ".bz2")
    assert filters[-6:-1] == [f"--include=*log-20261231{ending}" for ending in endings]
    assert filters[-1] == "--exclude=*"
    assert {"--bwlimit=7", "--max-size=99", "--timeout=5", "--contimeout=3"} <= {*arguments}
    assert not {"--recursive", "--archive", "--links", "--inplace"} & {*arguments}


def test_local_source_has_no_connect_timeout() -> None:
    arguments = list_arguments("/srv/logs/", [DAY], TransferLimits())
    assert not [one for one in arguments if one.startswith(("--contimeout", "--sockopts"))]


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program that runs in place of rsync, to be written by the test."""
    path = f"{tmp_path}:{sync_rsync.ENVIRONMENT['PATH']}"
    monkeypatch.setitem(sync_rsync.ENVIRONMENT, "PATH", path)
    program = tmp_path / "rsync"
    program.touch(mode=0o755)
    return program


def write(program: Path, script: str) -> None:
    program.write_text(f"#!/bin/sh\n{script}\n")


def until_ended(process: int) -> None:
    """Wait for a process to end; a signal takes a moment to do its work."""
    until(lambda: not is_at_work(process), "the process to end")


def test_end_and_words_are_reported(program: Path) -> None:
    write(program, 'echo "to $1"; echo oops >&2; exit 23')
    ended = run_rsync(["there"], stall_seconds=10, wall_seconds=10)
    assert ended == (23, "to there\noops\n", "")


def test_of_many_words_the_last_are_kept(program: Path) -> None:
    write(program, "seq 100000; echo last")
    ended = run_rsync([], stall_seconds=10, wall_seconds=10, kept_bytes=100)
    assert len(ended.output) == 100
    assert ended.output.endswith("last\n")


def test_incident_cron_environment(program: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RSYNC_RSH", "evil")
    monkeypatch.setenv("HOME", "/evil")
    write(program, "env; readlink /proc/$$/fd/0")
    text = run_rsync([], stall_seconds=10, wall_seconds=10).output
    names = set(re.findall(r"^(\w+)=", text, re.M)) - {"PWD", "OLDPWD", "SHLVL", "_"}
    assert names == {"LC_ALL", "PATH", "TZ"}
    assert text.endswith("/dev/null\n")


def test_incident_rsync_hangs_the_whole_group_is_ended(program: Path, tmp_path: Path) -> None:
    write(program, f"trap '' TERM; sleep 600 & echo $! > {tmp_path}/child; echo $$; wait")
    ended = run_rsync([], stall_seconds=0.3, wall_seconds=60)
    assert "nothing arrived for" in ended.ended_because
    until_ended(int(ended.output))
    until_ended(int((tmp_path / "child").read_text()))


def test_a_child_left_behind_is_ended_too(program: Path) -> None:
    write(program, "sleep 600 >/dev/null 2>&1 & echo $!")
    ended = run_rsync([], stall_seconds=10, wall_seconds=10)
    until_ended(int(ended.output))


def test_incident_rsync_hangs_trickling_meets_the_wall_clock(program: Path) -> None:
    write(program, "while :; do echo x; sleep 0.05; done")
    ended = run_rsync([], stall_seconds=60, wall_seconds=0.4)
    assert "not done in the time left" in ended.ended_because


def test_what_arrives_restarts_the_stall_clock(program: Path) -> None:
    write(program, "sleep 1.2")
    arriving = iter(range(10**6))
    ended = run_rsync([], stall_seconds=0.6, wall_seconds=60, progress=lambda: next(arriving))
    assert ended.ended_because == ""


def test_stopped_from_another_thread(program: Path) -> None:
    write(program, "sleep 600")
    stopping = threading.Event()
    threading.Timer(0.2, stopping.set).start()
    ended = run_rsync([], stall_seconds=60, wall_seconds=60, stopping=stopping)
    assert ended.ended_because == "this run was stopped"


def test_an_objection_to_what_arrives_ends_it(program: Path, tmp_path: Path) -> None:
    write(program, f"echo $$ > {tmp_path}/pid; sleep 600")

    def too_much() -> None:
        if (tmp_path / "pid").exists() and (tmp_path / "pid").read_text():
            raise ValueError("too much")

    with pytest.raises(ValueError, match="too much"):
        run_rsync([], stall_seconds=60, wall_seconds=60, progress=too_much)
    until_ended(int((tmp_path / "pid").read_text()))


def test_no_rsync_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for folder in (tmp_path, "/usr/sbin"):
        monkeypatch.setitem(sync_rsync.ENVIRONMENT, "PATH", str(folder))
        assert run_rsync([], stall_seconds=5, wall_seconds=5).code == 127


@pytest.mark.parametrize("number", [errno.EAGAIN, errno.ENOMEM, errno.EACCES, errno.EMFILE])
def test_an_rsync_that_cannot_be_started_is_told(
    monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def refusing(*command: object, **settings: object) -> None:
        raise OSError(number, os.strerror(number), "/usr/bin/setpriv")

    monkeypatch.setattr(sync_rsync.subprocess, "Popen", refusing)
    ended = run_rsync([], stall_seconds=5, wall_seconds=5)
    assert ended == (126, f"starting rsync failed: {os.strerror(number)}", "")


def test_incident_partial_transfer_rsync_ends_with_us(program: Path, tmp_path: Path) -> None:
    """Killed without a chance to end its rsync, a run leaves none that writes without its lock."""
    if not sync_rsync._launcher():
        pytest.skip("setpriv (util-linux) is not installed")
    write(program, f"echo $$ > {tmp_path}/pid; exec sleep 600")
    us = os.fork()
    if not us:
        run_rsync([], stall_seconds=60, wall_seconds=60)
        os._exit(0)
    written = tmp_path / "pid"
    until(lambda: written.exists() and written.read_text())
    pid = int((tmp_path / "pid").read_text())
    os.kill(us, 9)
    os.waitpid(us, 0)
    until_ended(pid)
