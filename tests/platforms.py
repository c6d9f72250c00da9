# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run the last commit on other releases of Debian: ``make daily`` twice, then quick tests.

    .venv/bin/python tests/platforms.py [SUITE...]

The second run must change nothing. Systems are built below ``build/platforms`` once, and used as
throw-away machines. It needs root, and the mirror of Debian that apt uses on this machine.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from ansible_collections.fedora_infra.dnf_counting.tests.support.throwaway_machine import (
    in_throwaway_machine,
)

ROOT = Path(__file__).resolve().parents[1]
BUILD = ROOT / "build" / "platforms"
#: By suite, the script of debootstrap that builds it, and what it is.
SUITES = {
    "trixie": ("trixie", "Debian 13, Python 3.13"),
    "forky": ("sid", "Debian testing, Python 3.14"),
}
PACKAGES = "ca-certificates,git,make,python3,python3-venv,sudo,xz-utils"
CHECKOUT = "root/dnf_counting"
#: Settings of this machine without which nothing is fetched there.
SETTINGS = (
    *("etc/resolv.conf", "etc/ssl/certs", "usr/local/share/ca-certificates"),
    *("etc/pip.conf", "root/.config/pip"),
)
TESTS = (
    ".venv/bin/python -m pytest --quiet --no-header --numprocesses auto tests/unit tests/parity",
)


class PlatformError(Exception):
    """Carry what went wrong on another system."""


def output_of(command: Sequence[str | Path], *, show: bool = False) -> str:
    """Run a command; return its output. Raise PlatformError if it fails."""
    with subprocess.Popen(
        [str(part) for part in command],
        cwd="/",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdout is not None
        lines = []
        for line in process.stdout:
            lines.append(line)
            if show:
                print(line, end="", flush=True)
    if process.returncode:
        raise PlatformError(f"$ {' '.join(map(str, command[-3:]))}\n{''.join(lines[-80:])}")
    return "".join(lines)


def mirror() -> str:
    """Return the address of the archive that this machine has its own packages from."""
    release = Path("/etc/os-release").read_text(encoding="utf-8")
    (codename,) = re.findall(r"(?m)^VERSION_CODENAME=(\w+)", release)
    targets = ("apt-get", "indextargets", "--format", "$(REPO_URI)", f"Codename: {codename}")
    return output_of(targets).splitlines()[0]


def system(suite: str) -> Path:
    """Return the folder of a system, which is built if it is not there yet."""
    folder = BUILD / suite
    if folder.exists():
        return folder
    unfinished = folder.with_suffix(".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    script = f"/usr/share/debootstrap/scripts/{SUITES[suite][0]}"
    options = ("--variant=minbase", f"--include={PACKAGES}")
    output_of(["debootstrap", *options, suite, unfinished, mirror(), script])
    # a mirror may be a copy of some day
    dated = unfinished / "etc" / "apt" / "apt.conf.d" / "valid-until"
    dated.write_text('Acquire::Check-Valid-Until "false";\n', encoding="ascii")
    unfinished.rename(folder)
    return folder


def archive_of_checkout(folder: Path) -> Path:
    """Return an archive with the last commit, and with settings of this machine."""
    copy = folder / "checkout"
    output_of(["git", "clone", "--quiet", "--no-hardlinks", ROOT, copy])
    archive = folder / "begin.tar"
    with tarfile.open(archive, "w") as opened:
        opened.add(copy, CHECKOUT)
        for name in SETTINGS:
            if Path("/", name).exists():
                opened.add(Path("/", name).resolve(), name)
    return archive


def run_on(suite: str, archive: Path) -> None:
    """Run all on one system. Raise PlatformError where something is not as it should be."""
    commands = " && ".join(
        [f"cd /{CHECKOUT}", "make daily", "echo 'once more'", "make daily", *TESTS]
    )
    clean = ("env", "--ignore-environment", "HOME=/root", "LANG=C.UTF-8", "NO_COLOR=1")
    path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    command = (*clean, path, "sh", "-c", commands)
    output = output_of(
        in_throwaway_machine(*command, root=system(suite), begin_with=archive), show=True
    )
    second = output.rpartition("once more")[2]
    changed = re.findall(r"changed=(\d+)", second)
    if not changed or {*changed} != {"0"}:
        raise PlatformError(f"expected a second run without change, found {changed}")


def main(suites: Sequence[str]) -> int:
    code = 0
    subprocess.run([ROOT / ".ci" / "install", "debootstrap"], check=True)
    with tempfile.TemporaryDirectory() as folder:
        archive = archive_of_checkout(Path(folder))
        for suite in suites or SUITES:
            began = time.monotonic()
            try:
                run_on(suite, archive)
                result = "passed"
            except PlatformError as error:
                print(error)
                result, code = "FAILED", 1
            seconds = time.monotonic() - began
            print(f"platform {suite} ({SUITES[suite][1]}): {result} ({seconds:.0f} s)", flush=True)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
