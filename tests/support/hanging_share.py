# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A share whose server is gone: a file system (FUSE) that takes questions and never answers.

Who asks waits in the kernel, and not even SIGKILL ends that before the server is back.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

_C = ctypes.CDLL(None, use_errno=True)
_LAZILY = 2
_REQUEST = struct.Struct("<IIQQIIII")
_ANSWER = struct.Struct("<IiQ")
_INIT = struct.Struct("<IIIIHHIIHH28x")
_QUESTION_BYTES = 1 << 20


def why_none() -> str:
    """Why there can be no such share here; empty where there can."""
    if os.geteuid():
        return "needs root"
    try:
        os.close(os.open("/dev/fuse", os.O_RDWR))
    except OSError as error:
        return f"needs /dev/fuse: {error.strerror}"
    return ""


@contextlib.contextmanager
def hanging_share(folder: Path) -> Iterator[None]:
    """Mount one there; at the end its server comes back, and all who wait get an error."""
    folder.mkdir(parents=True, exist_ok=True)
    server = subprocess.Popen([sys.executable, __file__, folder], stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    try:
        assert server.stdout.readline() == "it hangs\n"
        yield
    finally:
        server.kill()
        server.wait()
        _C.umount2(os.fsencode(folder), _LAZILY)


def serve(folder: str) -> None:
    device = os.open("/dev/fuse", os.O_RDWR)
    options = f"fd={device},rootmode=40000,user_id=0,group_id=0,allow_other"
    if _C.mount(b"server:/gone", os.fsencode(folder), b"fuse", 0, options.encode()):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    # the kernel asks nothing else before it knows the version
    number = _REQUEST.unpack_from(os.read(device, _QUESTION_BYTES))[2]
    version = _INIT.pack(7, 31, 0, 0, 12, 10, 1 << 17, 0, 32, 0)
    os.write(device, _ANSWER.pack(_ANSWER.size + len(version), 0, number) + version)
    print("it hangs", flush=True)
    while True:
        os.read(device, _QUESTION_BYTES)


if __name__ == "__main__":
    serve(sys.argv[1])
