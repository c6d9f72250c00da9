# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Log hosts for tests: real rsync daemons on loopback, and the sync module run against them."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from ansible_collections.fedora_infra.dnf_counting.tests.support.ports import free_port

CHECKOUT = Path(__file__).parents[2]
LOOPBACK = "127.0.0.1"
DAYS = (date(2026, 11, 18), date(2026, 11, 19), date(2026, 11, 20))
MIDNIGHT = 1_795_132_800  # 2026-11-20 00:00 UTC


def write_rotated(
    folder: Path, name: str, day: date, content: bytes = b"", *, mtime: int = MIDNIGHT
) -> Path:
    """Write a log as a host rotates it: ``NAME-YYYYMMDD[.xz]``; it holds its own name."""
    folder.mkdir(parents=True, exist_ok=True)
    stem, dot, ending = name.partition(".log.")
    dated = f"{stem}.log-{day:%Y%m%d}.{ending}" if dot else f"{name}-{day:%Y%m%d}"
    path = folder / dated
    path.write_bytes(content or f"{dated}\n".encode())
    os.utime(path, (mtime, mtime))
    return path


def daemon_config(folder: Path, modules: Mapping[str, Path], lines: Mapping[str, str]) -> Path:
    """Write a configuration that serves folders read only; ``lines`` go to each module."""
    text = f"use chroot = no\nlog file = {folder}/rsyncd.log\nreverse lookup = no\n"
    if os.geteuid() == 0:
        text += "uid = root\ngid = root\n"
    for module, path in modules.items():
        text += f"[{module}]\npath = {path}\nread only = yes\n"
        text += "".join(f"{key} = {value}\n" for key, value in lines.items())
    config = folder / "rsyncd.conf"
    config.write_text(text)
    return config


@contextlib.contextmanager
def serving(
    folder: Path, modules: Mapping[str, Path], port: int = 0, **lines: str
) -> Iterator[int]:
    """Serve folders as modules of an rsync daemon on loopback; gives its port."""
    folder.mkdir(parents=True, exist_ok=True)
    config = daemon_config(folder, modules, lines)
    for _attempt in range(5):
        chosen = port or free_port()
        daemon = subprocess.Popen(
            [
                *("rsync", "--daemon", "--no-detach", f"--config={config}"),
                *(f"--address={LOOPBACK}", f"--port={chosen}"),
            ],
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
        if _answers(daemon, chosen):
            break
    else:
        raise RuntimeError((folder / "rsyncd.log").read_text())
    try:
        yield chosen
    finally:
        end_group(daemon)


def _answers(daemon: subprocess.Popen[bytes], port: int) -> bool:
    while daemon.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection((LOOPBACK, port), 1) as to:
            return to.recv(8) == b"@RSYNCD:"
        time.sleep(0.02)
    return False


def end_group(leader: subprocess.Popen[bytes]) -> None:
    """End a process that leads its group, with all of the group."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(leader.pid, signal.SIGKILL)
    leader.wait()


def module_command(options: Mapping[str, Any], *, folder: Path) -> list[str]:
    """The command that runs the sync module with options, without the ``ansible`` around it."""
    arguments = folder / "http_log_sync.json"
    arguments.write_text(json.dumps({"ANSIBLE_MODULE_ARGS": dict(options)}))
    return [sys.executable, str(CHECKOUT / "plugins/modules/http_log_sync.py"), str(arguments)]


def run_module(
    options: Mapping[str, Any],
    *,
    folder: Path,
    check: bool = False,
    diff: bool = False,
    environment: Mapping[str, str] | None = None,
    prefix: Sequence[str] = (),
) -> dict[str, Any]:
    """Run the sync module; gives its result."""
    flags = {"_ansible_check_mode": check, "_ansible_diff": diff}
    ended = subprocess.run(
        [*prefix, *module_command({**options, **flags}, folder=folder)],
        capture_output=True,
        check=False,
        text=True,
        env=environment,
    )
    assert not ended.stderr, ended.stderr
    result: dict[str, Any] = json.loads(ended.stdout)
    return result


def statuses(result: Mapping[str, Any]) -> dict[str, str]:
    """The status of each host-day."""
    return {unit["name"]: unit["status"] for unit in result["units"]}


def tree(root: Path) -> dict[str, bytes]:
    """All fetched logs, and whatever else lies about; not the memory and the lock."""
    return {
        str(path.relative_to(root)): path.read_bytes() if path.is_file() else b""
        for path in sorted(root.rglob("*"))
        if not path.is_dir() and path.parent != root
    }
