# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A wire with delay, for a kernel without netem: two TAP devices and this process between them.

usage: delay_wire.py DELAY_MS BRIDGE TAP NETNS TAP_IN_NETNS
"""

from __future__ import annotations

import collections
import contextlib
import fcntl
import os
import select
import struct
import subprocess
import sys
import time

_TUNSETIFF = 0x400454CA
_IFF_TAP = 0x0002
_IFF_NO_PI = 0x1000


def _tap(name: str) -> int:
    device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(device, _TUNSETIFF, struct.pack("16sH22x", name.encode(), _IFF_TAP | _IFF_NO_PI))
    return device


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True)


def main() -> None:
    delay_seconds = float(sys.argv[1]) / 1000
    bridge, outside, namespace, inside = sys.argv[2:6]
    near, far = _tap(outside), _tap(inside)
    _ip("link", "set", outside, "master", bridge, "up")
    _ip("link", "set", inside, "netns", namespace)
    _ip("-n", namespace, "link", "set", inside, "up")
    print("ready", flush=True)
    other = {near: far, far: near}
    # one delay for all: what came first is due first
    under_way: collections.deque[tuple[float, int, bytes]] = collections.deque()
    while True:
        wait = max(0.0, under_way[0][0] - time.monotonic()) if under_way else None
        for device in select.select([near, far], [], [], wait)[0]:
            with contextlib.suppress(BlockingIOError):
                for _frame in range(64):
                    frame = os.read(device, 1 << 16)
                    under_way.append((time.monotonic() + delay_seconds, other[device], frame))
        while under_way and under_way[0][0] <= time.monotonic():
            device, frame = under_way.popleft()[1:]
            with contextlib.suppress(OSError):
                os.write(device, frame)


if __name__ == "__main__":
    main()
