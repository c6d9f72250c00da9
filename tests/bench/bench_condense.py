# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How fast condensing is, against its rules carried out line by line, on the same log in one run.

    nice -n -20 python tests/bench/bench_condense.py [--lines 1000000] [--large-lines 33000000]

The peer is ``tests/support/condense_by_line.py`` (a regular expression a line), then ``sort``, then
``awk``: no code of the software that is replaced, but what it does in the manner it does it. Both
must make the same row. The logs are made once and kept in build/bench.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import subprocess
import sys
import time
from datetime import date, timedelta
from pathlib import Path
from typing import NamedTuple

from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._condense.columns import (
    FEDORA_COLUMNS,
)
from ansible_collections.fedora_infra.dnf_counting.tests.bench._measure import KEPT, in_own_process
from ansible_collections.fedora_infra.dnf_counting.tests.bench.day_logs import day_log
from ansible_collections.fedora_infra.dnf_counting.tests.support import condense_by_line

LOG = "mirrors.fedoraproject.org-access.log"
DAY = date(2021, 9, 28)
_OURS = """
import json, resource, sys, time
from datetime import UTC, date, datetime
from pathlib import Path
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._base.stage import StageRun, run_stage
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._condense.days import CondensedDays
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._condense.mirrorsdata import CsvSettings
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._condense.stage import CONDENSE, CondenseSettings
src, log_name, work, day = sys.argv[1:]
data, csv = Path(work) / "days", Path(work) / "csv"
started, worked = time.perf_counter(), time.process_time()
settings = CondenseSettings(
    CondensedDays(Path(src), log_name, data), CsvSettings(data, csv), (date.fromisoformat(day),))
units = run_stage(CONDENSE, settings, StageRun(datetime.now(UTC))).units
spent = time.perf_counter() - started, time.process_time() - worked
assert all(unit.status == "made" for unit in units), units
print(json.dumps([*spent, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024]))
"""


class Spent(NamedTuple):
    """What a run took."""

    seconds: float
    processor_seconds: float
    peak_mb: int = 0


def ours(tree: Path, work: Path) -> Spent:
    """The stage in a process of its own, the libraries already there, from log to rows."""
    shutil.rmtree(work, ignore_errors=True)
    return Spent(*in_own_process(_OURS, tree, LOG, work, str(DAY)))


def line_by_line(log: Path, work: Path) -> tuple[Spent, list[str]]:
    """The peer from log to rows, and the rows."""
    work.mkdir(parents=True, exist_ok=True)
    clients = work / "clients"
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.perf_counter()
    subprocess.run([sys.executable, condense_by_line.__file__, log, clients], check=True)
    environment = {**os.environ, "LC_ALL": "C"}
    subprocess.run(["sort", "-u", "-o", clients, clients], check=True, env=environment)
    rows = condense_by_line.rows_of_sorted(clients, FEDORA_COLUMNS.first)
    spent = time.perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    worked = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Spent(spent, worked), rows


def one_day(lines: int) -> None:
    tree, work = KEPT / f"condense-{lines}", KEPT / "condensed"
    log = day_log(tree, LOG, DAY, lines)
    before, rows = line_by_line(log, KEPT / "by-line")
    best = min(ours(tree, work) for _unused in range(3))
    made = (work / "csv" / "mirrorsdata-all.csv").read_text(encoding="utf-8").splitlines()[1:]
    if made != rows or str(DAY - timedelta(days=1)) not in made[-1]:
        raise SystemExit("the two ways counted differently")
    size = log.stat().st_size
    times = before.seconds / best.seconds
    less = before.processor_seconds / best.processor_seconds
    print(
        f"condense {lines:,} lines, {size / 1e6:.0f} MB: {times:.1f} x faster than line by line,"
        f" sort and awk ({best.seconds:.2f} s against {before.seconds:.2f} s), {less:.1f} x less"
        f" processor time ({best.processor_seconds:.2f} s, {before.processor_seconds:.2f} s);"
        f" {size / best.seconds / 1e6:.0f} MB/s, peak {best.peak_mb} MB, same row"
    )


def large_day(lines: int) -> None:
    """A day as large as a real one, with many more clients: memory must stay bounded."""
    tree = KEPT / f"large-{lines}"
    log = day_log(tree, LOG, DAY, lines)
    found = ours(tree, KEPT / "condensed-large")
    size = log.stat().st_size
    print(
        f"{lines:,} lines, {size / 1e9:.1f} GB: {found.seconds:.1f} s,"
        f" {size / found.seconds / 1e6:.0f} MB/s, peak {found.peak_mb} MB"
    )
    shutil.rmtree(KEPT / "condensed-large")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, default=1_000_000)
    parser.add_argument("--large-lines", type=int, default=0, help="also one day of so many lines")
    options = parser.parse_args()
    print(f"{len(os.sched_getaffinity(0))} cores")
    one_day(options.lines)
    if options.large_lines:
        large_day(options.large_lines)


if __name__ == "__main__":
    main()
