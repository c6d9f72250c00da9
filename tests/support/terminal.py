# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A terminal of a given width, and what a command puts on it."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import termios
from collections.abc import Mapping, Sequence
from pathlib import Path

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def on_terminal(
    command: Sequence[str | Path], *, columns: int, environment: Mapping[str, str], cwd: Path
) -> str:
    """All that a command puts on a terminal, with its colours."""
    here, there = pty.openpty()
    fcntl.ioctl(there, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    started = subprocess.Popen(
        command, stdin=there, stdout=there, stderr=there, env=dict(environment), cwd=cwd
    )
    os.close(there)
    pieces = []
    try:
        while piece := os.read(here, 1 << 16):
            pieces.append(piece)
    except OSError:
        pass  # so a terminal ends on Linux
    finally:
        os.close(here)
    started.wait()
    return b"".join(pieces).decode().replace("\r\n", "\n")


def without_colours(text: str) -> str:
    return _COLOUR.sub("", text)
