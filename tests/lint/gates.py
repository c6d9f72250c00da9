# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run the gates that every commit has to pass: one line for each, and the output of what fails.

    .venv/bin/python tests/lint/gates.py [NAME...]

``make test`` runs them beside the other tests, see ``test_gates.py``. SANITY_SKIP in the environment
names tests that ansible-test leaves out. The gates look at a copy of the tracked files below
``build/ansible_collections``, where Ansible's tools want a collection to be.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build"
COLLECTION = "fedora_infra.dnf_counting"
COPY = BUILD / "ansible_collections" / "fedora_infra" / "dnf_counting"
BIN = Path(sys.executable).parent

#: Bytes. It has 350 kB, of which more than half are the libraries of the modules.
TARBALL_LIMIT = 700_000
#: What a collection is made of; its tests, samples and tools stay in the repository.
TARBALL_FILES = re.compile(
    r"(MANIFEST|FILES)\.json|LICENSE|CHANGELOG\.rst|[A-Z_]+\.md|requirements\.txt|bindep\.txt"
    r"|execution-environment\.yml|meta/ee-bindep\.txt|(meta|playbooks|changelogs)/[a-z0-9_/-]+\.ya?ml"
    r"|docs/[a-z0-9./_-]+\.(md|yml|py|json|png|svg)"
    r"|plugins/(modules|doc_fragments|action|plugin_utils)/[a-z0-9_]+\.py"
    r"|plugins/module_utils/_[a-z]+/[a-z0-9_]+\.py"
    r"|roles/web_data_analysis/(README\.md|(defaults|files|handlers|meta|tasks|templates|vars)/.+)"
)

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
    """Carry what a gate found wrong with the code."""


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
    command = ["ansible-test", "sanity", "--local", "--python", python, "--color", "no"]
    for name in os.environ.get("SANITY_SKIP", "").split():
        command += ["--skip-test", name]
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


def arrows() -> None:
    tool(sys.executable, "tests/lint/arrows.py")


def docstrings() -> None:
    tool(sys.executable, "tests/lint/docstrings.py")


def workflows() -> None:
    """Check that the workflow has few rights and uses nothing that can change under it."""
    tool("zizmor", "--offline", "--no-progress", "--quiet", ".github")


def changelog() -> None:
    tool("antsibull-changelog", "lint")


def built(place: Path) -> Path:
    """The collection's tarball, built into a new folder."""
    shutil.rmtree(place, ignore_errors=True)
    tool("ansible-galaxy", "collection", "build", "--output-path", place)
    (archive,) = place.glob("*.tar.gz")
    return archive


def tarball() -> None:
    """The tarball is lean, and what is installed from it elsewhere is documented and works."""
    archive = built(BUILD / "tarball")
    look_into(archive)
    elsewhere = archive.parent / "installed"
    settings = {"ANSIBLE_COLLECTIONS_PATH": str(elsewhere)}
    # by force: the link to the checkout in the environment counts as installed, too
    tool("ansible-galaxy", "collection", "install", "--offline", "--no-deps", "--force",
         "-p", elsewhere, archive, **settings)  # fmt: skip
    collection = elsewhere / "ansible_collections" / "fedora_infra" / "dnf_counting"
    for playbook in sorted((collection / "playbooks").glob("*.yml")):
        tool("ansible-playbook", "--syntax-check", f"{COLLECTION}.{playbook.stem}",
             "--inventory", "log01,", cwd=archive.parent, **settings)  # fmt: skip
    modules = sorted((collection / "plugins" / "modules").glob("[a-z]*.py"))
    names = [f"{COLLECTION}.{path.stem}" for path in modules]
    documented = json.loads(
        tool("ansible-doc", "--json", "--type", "module", *names, cwd=archive.parent, **settings)
    )
    for name, path in zip(names, modules, strict=True):
        if documented[name]["doc"]["filename"] != str(path):
            raise GateError(f"ansible-doc does not show {path}")
    count_with(elsewhere)


def look_into(archive: Path) -> None:
    """Raise GateError where a tarball is larger than it needs to be, or holds strange files."""
    if archive.stat().st_size > TARBALL_LIMIT:
        raise GateError(f"the tarball has {archive.stat().st_size} bytes: what is it that came in?")
    with tarfile.open(archive) as opened:
        files = {entry.name for entry in opened if entry.isfile()}
    strange = sorted(name for name in files if not TARBALL_FILES.fullmatch(name))
    if strange:
        raise GateError(f"not for the tarball, see build_ignore in galaxy.yml: {strange}")
    needed = {"MANIFEST.json", "LICENSE", "README.md", "CHANGELOG.rst", "meta/runtime.yml",
              "meta/execution-environment.yml", "requirements.txt"}  # fmt: skip
    if needed - files:
        raise GateError(f"not in the tarball: {sorted(needed - files)}")


def count_with(installed: Path) -> None:
    """Count a week of real logs with the installed collection alone."""
    raw_dir = installed.parent / "raw"
    options = {
        "src": str(ROOT / "tests" / "data" / "golden" / "combined-http"),
        "log_name": "mirrors.fedoraproject.org-access.log",
        "raw_dir": str(raw_dir),
        "since": "2021-09-27",
        "until": "2021-10-03",
    }
    ran = tool("ansible", "localhost", "-vvv", "--module-name", f"{COLLECTION}.countme_raw",
               "--args", json.dumps(options), cwd=installed.parent,
               ANSIBLE_COLLECTIONS_PATH=str(installed))  # fmt: skip
    if f"Using module file {installed}/" not in ran:
        raise GateError(f"another collection than the installed one was used:\n{ran}")
    if len(list(raw_dir.glob("*.parquet"))) != 7:
        raise GateError(f"no seven raw days in {raw_dir}:\n{ran}")


def importer() -> None:
    """What Galaxy and an automation hub ask of a collection before they take it."""
    archive = built(BUILD / "importer")
    said = tool(sys.executable, "-m", "galaxy_importer.main", archive, cwd=archive.parent,
                # the gate ansible-lint asks for more
                GALAXY_IMPORTER_RUN_ANSIBLE_LINT="false",
                GALAXY_IMPORTER_CHECK_REQUIRED_TAGS="true")  # fmt: skip
    warned = [line for line in said.splitlines() if line.startswith(("WARNING", "ERROR"))]
    if warned or "completed successfully" not in said:
        raise GateError("\n".join(warned) or said)


def documentation() -> None:
    """The modules' and the role's documentation is valid, and makes pages."""
    collections = {"ANSIBLE_COLLECTIONS_PATH": str(BUILD)}
    tool("antsibull-docs", "lint-collection-docs", "--plugin-docs",
         "--validate-collection-refs", "self", "--disallow-unknown-collection-refs", ".",
         **collections)  # fmt: skip
    place = BUILD / "documentation"
    shutil.rmtree(place, ignore_errors=True)
    (place / "pages").mkdir(parents=True)
    (place / "pages").chmod(0o755)
    tool("antsibull-docs", "collection", "--use-current", "--fail-on-error", "--squash-hierarchy",
         "--dest-dir", place / "pages", COLLECTION, **collections)  # fmt: skip
    # the warnings left out are of labels in Ansible's own documentation, which is not here
    tool(sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-C",
         "-D", "extensions=sphinx_antsibull_ext", "-D", "html_theme=basic",
         "-D", "suppress_warnings=ref.ref", place / "pages", place / "html")  # fmt: skip


#: The slow ones first.
GATES: dict[str, Callable[[], None]] = {
    "ansible-test sanity": sanity,
    "ansible-lint": ansible_lint,
    "documentation": documentation,
    "galaxy-importer": importer,
    "tarball": tarball,
    "mypy": mypy,
    "yamllint": yamllint,
    "ruff": ruff,
    "arrows between packages": arrows,
    "docstrings": docstrings,
    "changelog": changelog,
    "zizmor": workflows,
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
