# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An OpenSSH server of our own on loopback, with keys of its own."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

from ansible_collections.fedora_infra.dnf_counting.tests.support.ports import free_port
from ansible_collections.fedora_infra.dnf_counting.tests.support.waiting import until

SERVER = shutil.which("sshd", path="/usr/sbin:/usr/bin") or ""
#: Debian's sshd wants this folder to be there; it is empty.
_EMPTY = Path("/run/sshd")


def _key(path: Path) -> Path:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path], check=True)
    return path


@contextlib.contextmanager
def running_ssh_server(folder: Path) -> Iterator[dict[str, object]]:
    """Gives the variables by which Ansible gets to it, as this user."""
    host_key, user_key = _key(folder / "host_key"), _key(folder / "user_key")
    port = free_port()
    config = folder / "sshd_config"
    config.write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {host_key}\nPidFile none\n"
        "Subsystem sftp internal-sftp\n"
        f"AuthorizedKeysFile {user_key}.pub\nStrictModes no\nUsePAM no\n"
        "PasswordAuthentication no\nPermitRootLogin prohibit-password\n"
        # bash reads what the user has in .bashrc only where it is the first one of a session
        "SetEnv SHLVL=2\n"
    )
    if os.getuid() == 0:
        _EMPTY.mkdir(exist_ok=True)
    server = subprocess.Popen([SERVER, "-D", "-f", config], stderr=(folder / "sshd.log").open("wb"))
    try:
        until(lambda: _answers(port), "the ssh server to answer")
        yield {
            "ansible_connection": "ssh",
            "ansible_host": "127.0.0.1",
            "ansible_port": port,
            "ansible_ssh_private_key_file": str(user_key),
            "ansible_ssh_common_args": (
                "-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR "
                "-F none -o IdentitiesOnly=yes"
            ),
            "ansible_control_path_dir": str(folder / "cp"),
        }
    finally:
        server.terminate()
        server.wait()


def _answers(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False
