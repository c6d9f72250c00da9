# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""This machine once more: all that a command writes in it is gone when the command ends.

    throwaway_machine.py [--systemd] COMMAND [ARGUMENT...]

Its root is an overlay of this machine's, in a mount and process namespace of its own; users, /etc
and /var are those of the copy. With --systemd, systemd boots it first. What a command wrote can be
kept in an archive, and another machine can begin with that. The network is this machine's. It needs
root.
"""

from __future__ import annotations

import functools
import os
import subprocess
import sys
from pathlib import Path

#: Set inside; what must not run on a real machine asks for it.
MARK = "DNF_COUNTING_THROWAWAY_MACHINE"

COPY = """
set -eu
mount -t tmpfs -o mode=755 tmpfs /mnt
mkdir /mnt/before /mnt/written /mnt/work /mnt/root
[ -z "$BEGIN_WITH" ] || tar -C /mnt/before --xattrs --xattrs-include='*' -xpf "$BEGIN_WITH"
mount -t overlay overlay -o "lowerdir=/mnt/before:$ROOT",upperdir=/mnt/written,workdir=/mnt/work /mnt/root
# everybody looks up users, whatever the umask was that this machine was made with
chmod a+r /mnt/root/etc/passwd /mnt/root/etc/group
"""

PLAIN = """
mount -t proc proc /mnt/root/proc
mount --rbind /sys /mnt/root/sys
# devices of its own: what is done to /dev/null here must not be done to this machine's
mount -t tmpfs -o mode=755 tmpfs /mnt/root/dev
for device in null zero full random urandom tty; do
    : >/mnt/root/dev/$device
    mount --bind /dev/$device /mnt/root/dev/$device
done
mkdir /mnt/root/dev/pts
mkdir -m 1777 /mnt/root/dev/shm
mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts /mnt/root/dev/pts
ln -s pts/ptmx /mnt/root/dev/ptmx
ln -s /proc/self/fd /mnt/root/dev/fd
mount -t tmpfs -o mode=755 tmpfs /mnt/root/run
mkdir -m 1777 /mnt/root/run/lock
chroot /mnt/root sh -c 'cd "$0" && exec "$@"' "$PWD" "$@"
[ -z "$KEEP" ] || tar -C /mnt/written --xattrs --xattrs-include='*' --exclude=./tmp -cpf "$KEEP" .
"""

#: Up to basic.target, which has the timers and none of the services that are installed here.
#: All of /tmp is the copy's: the checkout may be there.
BOOTED = """
for unit in tmp.mount systemd-networkd-wait-online.service NetworkManager-wait-online.service \
    networking.service systemd-resolved.service; do
    ln -sf /dev/null /mnt/root/etc/systemd/system/$unit
done
rm -rf /mnt/root/etc/tmpfiles.d/*
ln -sf /dev/null /mnt/root/etc/tmpfiles.d/tmp.conf
env --ignore-environment PATH="$PATH" SYSTEMD_NSPAWN_TMPFS_TMP=0 systemd-nspawn --quiet \
    --directory /mnt/root --register=no --keep-unit --console=pipe --resolv-conf=off \
    --timezone=off --boot systemd.unit=basic.target >/mnt/console 2>&1 </dev/null &
nspawn=$!
for _ in $(seq 100); do
    init=$(pgrep --parent $nspawn 2>/dev/null | head -n 1)
    if [ -n "$init" ] && nsenter --target "$init" --mount --pid --ipc --uts --root \
        systemctl is-active --quiet basic.target 2>/dev/null; then
        booted=yes
        break
    fi
    kill -0 $nspawn 2>/dev/null || break
    sleep 0.3
done
[ "${booted:-}" = yes ] || { cat /mnt/console >&2; echo "systemd does not boot" >&2; exit 125; }
nsenter --target "$init" --mount --pid --ipc --uts --cgroup --root \
    sh -c 'cd "$0" && exec "$@"' "$PWD" "$@" && code=0 || code=$?
kill $nspawn 2>/dev/null || true
exit $code
"""


def in_throwaway_machine(
    *command: str | Path,
    root: Path = Path("/"),
    systemd: bool = False,
    begin_with: Path | None = None,
    keep: Path | None = None,
) -> list[str]:
    """Return the command that runs ``command`` in such a machine, in its own working directory.

    It is a copy of the system in the folder ``root``, and begins with what is in the archive
    ``begin_with``. ``keep`` is an archive that gets what the command wrote outside of /tmp, if it
    succeeds and systemd does not run the machine.
    """
    settings = {MARK: "1", "ROOT": root, "BEGIN_WITH": begin_with or "", "KEEP": keep or ""}
    return [
        *("unshare", "--mount", "--pid", "--fork", "--kill-child", "--propagation", "private"),
        *("--mount-proc", "env", *(f"{name}={value}" for name, value in settings.items())),
        *("sh", "-c", COPY + (BOOTED if systemd else PLAIN), "machine", *map(str, command)),
    ]


@functools.cache
def reason_against(*, systemd: bool = False) -> str:
    """Return why there can be no such machine here; empty where there can."""
    if os.geteuid() != 0:
        return "a throw-away machine needs root"
    command = in_throwaway_machine("true", systemd=systemd)
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return f"no throw-away machine: {done.stderr.strip()[-300:]}" if done.returncode else ""


if __name__ == "__main__":
    booted = sys.argv[1] == "--systemd"
    wanted = in_throwaway_machine(*sys.argv[1 + booted :], systemd=booted)
    os.execvp(wanted[0], wanted)
