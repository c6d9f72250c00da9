"""The guide to scaling out, as it stands: the library with executors that make days elsewhere."""

from __future__ import annotations

import contextlib
import json
import multiprocessing
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import dask
import distributed
import pyarrow.parquet as pq
import pytest

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "scale-out.md").read_text(encoding="utf-8")
GOLDEN = ROOT / "tests" / "data" / "golden" / "combined-http"
#: However busy this machine is, a part of the cluster that is alive is waited for.
PATIENCE = {"distributed.comm.timeouts.connect": "1h", "distributed.comm.timeouts.tcp": "1h"}


@pytest.fixture
def example(tmp_path: Path) -> tuple[dict[str, Any], str]:
    """What the guide's example defines, for a tree and folders of this test; its part for Dask."""
    tree = shutil.copytree(GOLDEN, tmp_path / "combined-http")
    library, dask_part = re.findall(r"^```python\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)
    library = library.replace("/mnt/fedora_stats/combined-http", str(tree))
    library = library.replace("/mnt/fedora_stats/raw", str(tmp_path / "raw"))
    names: dict[str, Any] = {}
    exec(compile(library, "docs/scale-out.md", "exec"), names)
    return names, dask_part


def rows_of_days(raw_dir: Path) -> dict[str, Any]:
    return {path.name: pq.read_table(path) for path in sorted(raw_dir.glob("*.parquet"))}


def test_other_processes_make_days(example: tuple[dict[str, Any], str], tmp_path: Path) -> None:
    count = example[0]["count"]
    (expression,) = re.findall(r"`concurrent\.futures\.(ProcessPoolExecutor\(.*\))`", GUIDE)
    names = {"ProcessPoolExecutor": ProcessPoolExecutor, "multiprocessing": multiprocessing}
    with eval(expression, names) as executor:
        assert [unit.status for unit in count(executor)] == ["made"] * 7
        assert [unit.status for unit in count(executor)] == ["unchanged"] * 7
    assert len(rows_of_days(tmp_path / "raw")) == 7


@contextlib.contextmanager
def at_work(*command: str | Path, folder: Path, name: str) -> Iterator[subprocess.Popen[bytes]]:
    """A part of a Dask cluster, ended at the end of the block; what it says is in a file."""
    environment = dict(os.environ)
    for setting, value in PATIENCE.items():
        environment["DASK_" + setting.upper().replace(".", "__")] = value
    with (folder / f"{name}.log").open("wb") as log:
        started = subprocess.Popen(
            [Path(sys.executable).with_name("dask"), *command],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    try:
        yield started
    finally:
        started.terminate()
        started.wait()


@contextlib.contextmanager
def cluster(folder: Path) -> Iterator[str]:
    """A scheduler and two workers on loopback, each a process of its own; gives its address."""
    loopback = ("--host", "127.0.0.1", "--dashboard-address", "127.0.0.1:0")
    known = folder / "scheduler.json"
    scheduler = ("scheduler", *loopback, "--port", "0", "--scheduler-file", known)
    worker = ("worker", *loopback, "--scheduler-file", known, "--nthreads", "1", "--no-nanny",
              "--local-directory", folder)  # fmt: skip
    with contextlib.ExitStack() as parts:
        first = parts.enter_context(at_work(*scheduler, folder=folder, name="scheduler"))
        while not known.exists():
            assert first.poll() is None, (folder / "scheduler.log").read_text()
            time.sleep(0.05)
        for name in ("worker1", "worker2"):
            parts.enter_context(at_work(*worker, folder=folder, name=name))
        parts.enter_context(dask.config.set(PATIENCE))
        with distributed.Client(scheduler_file=str(known)) as client:
            client.wait_for_workers(2)
        yield json.loads(known.read_text())["address"]


def test_a_dask_cluster_makes_days(example: tuple[dict[str, Any], str], tmp_path: Path) -> None:
    """The same files as one process makes; a log that is damaged fails its own day only."""
    (log,) = (tmp_path / "combined-http/2021/09/29").iterdir()
    whole = log.read_bytes()
    log.write_bytes(whole[: len(whole) // 2])
    names, dask_part = example
    folder = tmp_path / "cluster"
    folder.mkdir()
    with cluster(folder) as address:
        there = compile(dask_part.replace("tcp://scheduler:8786", address), "scale-out.md", "exec")
        exec(there, names)
        assert [unit.name for unit in names["units"] if unit.status != "made"] == ["2021-09-29"]
        assert str(log) in names["units"][3].reasons[0]
        log.write_bytes(whole)
        exec(there, names)
        again = {unit.name: unit.status for unit in names["units"]}
        assert again.pop("2021-09-29") == "made"
        assert set(again.values()) == {"unchanged"}
    by_cluster = rows_of_days(tmp_path / "raw")
    shutil.rmtree(tmp_path / "raw")
    with ThreadPoolExecutor(1) as executor:
        names["count"](executor)
    assert rows_of_days(tmp_path / "raw") == by_cluster
