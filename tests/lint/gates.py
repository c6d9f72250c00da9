# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The gates everything committed has to pass: one line each when green, all it says when red.

    .venv/bin/python tests/lint/gates.py [NAME...]

They look at a copy of the tracked files below ``build/ansible_collections``, where Ansible's tools
want a collection to be.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).parents[2]
BUILD = ROOT / "build"
COPY = BUILD / "ansible_collections" / "fedora_infra" / "dnf_counting"
BIN = Path(sys.executable).parent

#: The one thing ansible-test fetches that is no package: a script that installs pip. This stands
#: in for it with pip's own wheel, so that the gates need nothing but a package index.
GET_PIP = """\
import sys
from pathlib import Path

here = Path(__file__).parent
sys.path.insert(0, str(next(here.glob("pip-{version}-*.whl"))))
from pip._internal.cli.main import main

unknown = ("--no-setuptools", "--no-wheel")
arguments = [argument for argument in sys.argv[1:] if argument not in unknown]
sys.exit(main(["install", "--no-index", "--find-links", str(here), *arguments]))
"""


class GateError(Exception):
    """What a gate has to say against the code."""


def tool(*command: str | Path, cwd: Path = COPY, **settings: str) -> str:
    """Run a tool of the environment; its output. Raises GateError with the output if it fails."""
    environment = {
        **os.environ,
        "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
        "ANSIBLE_COLLECTIONS_PATH": str(BUILD),
        "ANSIBLE_NOCOLOR": "1",
        "NO_COLOR": "1",
        **settings,
    }
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        raise GateError(f"$ {' '.join(map(str, command))}\n{done.stdout}")
    return done.stdout


def copy_tracked_files() -> None:
    """Make COPY hold the tracked files as they are in the checkout, and nothing else."""
    shutil.rmtree(COPY, ignore_errors=True)
    for name in tool("git", "ls-files", "-z", cwd=ROOT).split("\0"):
        if name and (ROOT / name).exists():
            (COPY / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, COPY / name, follow_symlinks=False)
    # ansible-test asks git for the files; the checkout's own git ignores this folder
    tool("git", "init", "--quiet", "--initial-branch", "copy")
    tool("git", "add", "--all")


def sanity() -> None:
    # a home of its own: ansible-test keeps environments and downloads there
    home = BUILD / "home"
    cache = home / ".ansible" / "test" / "cache"
    cache.mkdir(parents=True, exist_ok=True)
    settings = {"HOME": str(home), **user_pip_settings()}
    from ansible_test._internal import python_requirements

    source = Path(python_requirements.__file__).read_text(encoding="utf-8")
    version = re.findall(r"pip='([0-9.]+)'", source)[-1]
    if not list(cache.glob(f"pip-{version}-*.whl")):
        tool(sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", cache,
             f"pip=={version}", cwd=ROOT)  # fmt: skip
    script = cache / f"get_pip_{version.replace('.', '_')}.py"
    script.write_text(GET_PIP.format(version=version), encoding="utf-8")
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    command = ("ansible-test", "sanity", "--local", "--python", python, "--color", "no")
    try:
        said = tool(*command, **settings)
    except GateError as error:
        told = [line for line in str(error).splitlines() if line.startswith(("ERROR", "FATAL"))]
        raise GateError("\n".join(told) or str(error)) from error
    if "All targets skipped" in said:
        raise GateError(said)


def user_pip_settings() -> dict[str, str]:
    """Keep the user's own pip configuration and cache although HOME is another."""
    kept = {"PIP_CACHE_DIR": str(Path("~/.cache/pip").expanduser())}
    configuration = Path("~/.config/pip/pip.conf").expanduser()
    if configuration.exists() and "PIP_CONFIG_FILE" not in os.environ:
        kept["PIP_CONFIG_FILE"] = str(configuration)
    return kept


def ansible_lint() -> None:
    tool("ansible-lint", "--profile", "production", "--offline", "-q", "--nocolor")


def ruff() -> None:
    tool("ruff", "check", "--quiet", ".")
    tool("ruff", "format", "--quiet", "--check", "--diff", ".")


def mypy() -> None:
    tool("mypy", "--no-error-summary")


def yamllint() -> None:
    tool("yamllint", "--strict", ".")


def changelog() -> None:
    tool("antsibull-changelog", "lint")


def tarball() -> None:
    """The collection builds, installs elsewhere, and every module shows its documentation there."""
    place = BUILD / "tarball"
    shutil.rmtree(place, ignore_errors=True)
    tool("ansible-galaxy", "collection", "build", "--output-path", place)
    (archive,) = place.glob("*.tar.gz")
    elsewhere = place / "installed"
    settings = {"ANSIBLE_COLLECTIONS_PATH": str(elsewhere)}
    tool("ansible-galaxy", "collection", "install", "--offline", "--no-deps", "-p", elsewhere,
         archive, **settings)  # fmt: skip
    collection = elsewhere / "ansible_collections" / "fedora_infra" / "dnf_counting"
    for unwanted in ("sample", "tests", "Makefile", ".ci"):
        if (collection / unwanted).exists():
            raise GateError(f"the tarball holds {unwanted}; see build_ignore in galaxy.yml")
    for path in sorted((collection / "plugins" / "modules").glob("[a-z]*.py")):
        name = f"fedora_infra.dnf_counting.{path.stem}"
        shown = tool("ansible-doc", "--type", "module", name, cwd=place, **settings)
        if f"> MODULE {name}" not in shown:
            raise GateError(f"ansible-doc shows nothing of {name}:\n{shown}")


#: The slow ones first.
GATES: dict[str, Callable[[], None]] = {
    "ansible-test sanity": sanity,
    "ansible-lint": ansible_lint,
    "tarball": tarball,
    "mypy": mypy,
    "yamllint": yamllint,
    "ruff": ruff,
    "changelog": changelog,
}


def passes(name: str) -> bool:
    began = time.monotonic()
    try:
        GATES[name]()
    except GateError as error:
        print(f"lint: {name}: FAILED\n{error}", flush=True)
        return False
    print(f"lint: {name}: passed ({time.monotonic() - began:.0f} s)", flush=True)
    return True


def main(names: Sequence[str]) -> int:
    unknown = [name for name in names if name not in GATES]
    if unknown:
        raise SystemExit(f"no such gate: {', '.join(unknown)}; there are {', '.join(GATES)}")
    copy_tracked_files()
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return 0 if all(list(pool.map(passes, names or GATES))) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
