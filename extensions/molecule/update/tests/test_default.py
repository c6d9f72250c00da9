"""A log host that was updated: what is in use, and what becomes of it by further updates."""

from __future__ import annotations

import fcntl
import json
import os
from pathlib import Path
from typing import Any

from ansible_collections.fedora_infra.dnf_counting.tests.support.collection_copies import (
    COPIES,
    PACKAGING,
    environment,
)
from ansible_collections.fedora_infra.dnf_counting.tests.support.deployed import (
    LOCK,
    RUN,
    played,
)
from ansible_collections.fedora_infra.dnf_counting.tests.support.log_host import Played

FOLDER = Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"]) / "collections"
OLD, NEW = COPIES["old"].version, COPIES["new"].version
VERSIONS = Path("/srv/countme/venv-versions")
REVERT = ("-e", "web_data_analysis_update_state=reverted")
#: Where nobody answers.
NO_INDEX = {
    "PIP_CONFIG_FILE": "/dev/null",
    "PIP_FIND_LINKS": "/nonexistent",
    "PIP_INDEX_URL": "http://127.0.0.1:9/simple",
    "PIP_EXTRA_INDEX_URL": "",
    "PIP_RETRIES": "0",
}


def update(name: str, *options: str, **settings: str) -> Played:
    """Run update_packages of a copy of the collection."""
    return played("update_packages", *options, **environment(FOLDER / name, **settings))


def record() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((VERSIONS / "versions.json").read_text())
    return found


def assert_that_it_runs(host: Any, name: str) -> None:
    """A run begins with this version, and root owns what runs."""
    now = record()["now"]
    assert now["collection"] == COPIES[name].version
    assert Path("/srv/countme/venv").resolve() == VERSIONS / now["libraries_dir"]
    assert (VERSIONS / "collection").resolve() == VERSIONS / now["collection_dir"]
    began = host.run(f"runuser -u countme -- {RUN} --list-tasks 2>&1 | cat")
    log = host.file("/var/log/dnf_counting/run.log").content_string
    assert "Publish the totals, charts and pages" in log, began.stdout
    host.run("truncate -s 0 /var/log/dnf_counting/run.log")
    packaging = "26.2" if COPIES[name].other_packaging else PACKAGING
    asked = "import packaging; print(packaging.__version__)"
    said = host.run(f"runuser -u nobody -- /srv/countme/venv/bin/python -I -c '{asked}'")
    assert said.stdout.strip() == packaging
    assert host.run(f"find {VERSIONS} -not -user root").stdout == ""
    assert host.run(f"find {VERSIONS} -type f -perm /022").stdout == ""


def assert_that_there_is_nothing_else() -> None:
    both = record()["now"], record()["before"]
    folders = {version[kind] for version in both for kind in ("collection_dir", "libraries_dir")}
    assert {path.name for path in VERSIONS.iterdir() if path.is_dir()} == {*folders, "collection"}


def test_the_new_version_runs_and_the_one_before_is_kept(host: Any) -> None:
    assert record()["before"]["collection"] == OLD
    assert_that_it_runs(host, "new")
    assert_that_there_is_nothing_else()


def test_check_mode_tells_what_would_change_and_changes_nothing(host: Any) -> None:
    before = record()
    told = update("old", "--check", "--diff")
    assert told.code == 0
    assert f"collection: {NEW} -> {OLD}" in told.output
    assert f"packaging: 26.2 -> {PACKAGING}" in told.output
    assert "changed=1 " in told.output
    assert record() == before


def test_a_version_that_fails_its_test_is_not_used(host: Any) -> None:
    before = record()
    failed = update("broken")
    assert failed.code == 2
    assert f"the self-test of collection {COPIES['broken'].version} failed" in failed.output
    assert "this version is broken" in failed.output
    assert f"collection {NEW} with its libraries is still in use" in failed.output
    assert record() == before
    assert_that_there_is_nothing_else()


def test_without_a_package_index_nothing_is_changed(host: Any) -> None:
    before = record()
    failed = update("unreachable", **NO_INDEX)
    assert failed.code == 2
    assert f"Nothing was changed, collection {NEW} is in use" in failed.output
    assert "the package index that pip is configured for can be reached" in failed.output
    assert record() == before
    # the next switch removes the collection, whose libraries could not be had
    libraries = {before[version]["libraries_dir"] for version in ("now", "before")}
    assert {path.name for path in VERSIONS.glob("libraries-*")} == libraries
    assert_that_it_runs(host, "new")


def test_it_goes_back_while_a_run_is_at_work_and_leaves_what_that_may_use(host: Any) -> None:
    assert host.run(f"runuser -u countme -- touch {LOCK}").rc == 0
    with Path(LOCK).open("r+") as lock:
        lock.truncate()
        lock.write("process 4711 since yesterday\n")
        lock.flush()
        fcntl.flock(lock, fcntl.LOCK_EX)
        went_back = update("new", *REVERT)
    assert went_back.code == 0
    assert f"collection: {NEW} -> {OLD}" in went_back.output
    assert "a run is at work (process 4711 since yesterday)" in went_back.output
    assert (VERSIONS / record()["now"]["libraries_dir"]).is_dir()
    assert_that_it_runs(host, "old")


def test_going_back_twice_goes_back_once(host: Any) -> None:
    again = update("new", *REVERT)
    assert again.code == 0
    assert_that_it_runs(host, "old")
