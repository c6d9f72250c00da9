"""The self-test of a new version: where all works, and where nothing does."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from importlib import metadata
from pathlib import Path

from ansible_collections.fedora_infra.dnf_counting.tests.support.collection_copies import (
    COPIES,
    FILES,
    loaded,
    make_copy,
)
from ansible_collections.fedora_infra.dnf_counting.tests.support.oracle import oracle_totals

INVENTORY = "dnf_counting: {hosts: {log01: {ansible_connection: local}}}\n"


def configure(folder: Path, inventory: str) -> None:
    folder.mkdir()
    (folder / "inventory.yml").write_text(inventory)
    (folder / "ansible.cfg").write_text(f"[defaults]\ninventory = {folder}/inventory.yml\n")


def run_self_test(place: Path, libraries: dict[str, str], configuration: Path) -> tuple[int, str]:
    settings = {
        "libraries": libraries,
        "config_dir": str(configuration),
        "messaging_config": str(configuration / "messaging.toml"),
    }
    done = subprocess.run(
        [sys.executable, "-I", place / FILES / "self_test.py", json.dumps(settings)],
        cwd="/",
        env={},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


def test_a_version_that_works_passes(tmp_path: Path) -> None:
    place = make_copy(COPIES["new"], tmp_path / "new")
    configure(tmp_path / "configuration", INVENTORY)
    (tmp_path / "configuration" / "messaging.toml").write_text('amqp_url = "amqp://localhost"\n')
    libraries = {"duckdb": metadata.version("duckdb")}
    code, said = run_self_test(place, libraries, tmp_path / "configuration")
    assert (code, said) == (0, "no errors\n")


def test_all_that_does_not_work_is_named_at_once(tmp_path: Path) -> None:
    place = make_copy(COPIES["broken"], tmp_path / "broken")
    configure(tmp_path / "configuration", "dnf_counting: [\n")
    code, said = run_self_test(
        place, {"duckdb": "0.1", "no-such-library": "1"}, tmp_path / "configuration"
    )
    assert code == 1
    lines = said.splitlines()
    assert lines[0].startswith("library duckdb: expected 0.1, found ")
    assert lines[1] == "library no-such-library: expected 1, found none"
    assert lines[2].startswith("counting: expected to count the log of the self-test, found ")
    assert "this version is broken" in lines[2]
    assert lines[3].startswith("configuration: expected that a run can start with ")
    assert lines[4].startswith("messaging: expected a library and its configuration, found that ")
    assert len(lines) == 5


def test_the_totals_it_expects_are_the_oracles(tmp_path: Path) -> None:
    self_test = loaded("self_test")
    self_test.write_logs(tmp_path)
    oracle_totals(tmp_path / "logs", self_test.LOG_NAME, tmp_path / "oracle")
    with (tmp_path / "oracle" / "totals.csv").open(newline="") as opened:
        rows = sorted(csv.reader(opened))
    assert len(rows) == 6
    assert self_test.rows_of(self_test.HERE / "self_test.csv") == rows
