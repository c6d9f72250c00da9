# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How fast counting is, against the commands it replaces, on the same logs in one run.

    python tests/bench/bench_count.py [--lines 1000000] [--days 10] [--large-lines 33000000]

The logs are made once and kept in build/bench. Peers: mirrors-countme (countme-parse-access-log,
countme-totals), ``xz -dc | wc -l``, and goaccess where it is installed.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

from ansible_collections.fedora_infra.dnf_counting.tests.bench._measure import (
    CHECKOUT,
    KEPT,
    in_own_process,
    seconds_of_command,
)
from ansible_collections.fedora_infra.dnf_counting.tests.bench.day_logs import day_log

LOG = "mirrors.fedoraproject.org-access.log"
FIRST_DAY = date(2021, 9, 28)
_OURS = """
import json, os, resource, sys, time
from datetime import date
from pathlib import Path
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._hits.stage import (
    RawDays, make_raw_days)
src, log_name, raw_dir, *days = sys.argv[1:]
files = RawDays(Path(src), log_name, Path(raw_dir))
started = time.perf_counter()
planned = files.plan([date.fromisoformat(day) for day in days])
units = make_raw_days(files, planned, workers=len(os.sched_getaffinity(0))).units
seconds = time.perf_counter() - started
assert all(unit.status == "made" for unit in units), units
print(json.dumps({"seconds": seconds,
    "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024}))
"""


def ours(src: Path, raw_dir: Path, days: Sequence[date]) -> dict[str, float]:
    """Our library's call in a process of its own: seconds within it, and its peak memory."""
    shutil.rmtree(raw_dir, ignore_errors=True)
    found: dict[str, float] = in_own_process(_OURS, src, LOG, raw_dir, *map(str, days))
    return found


def reference(command: str) -> Path:
    return Path(sys.executable).with_name(command)


def parse_one_day(log: Path, lines: int) -> None:
    database, raw_dir = KEPT / "reference.db", KEPT / "raw"
    database.unlink(missing_ok=True)
    before = seconds_of_command(reference("countme-parse-access-log"), "--sqlite", database, log)
    best = min(
        (ours(KEPT / "days", raw_dir, [FIRST_DAY]) for _unused in range(3)),
        key=lambda one: one["seconds"],
    )
    rate = log.stat().st_size / best["seconds"] / 1e6
    print(
        f"parse {lines:,} lines: {before / best['seconds']:.1f} x faster than"
        f" countme-parse-access-log ({best['seconds']:.2f} s against {before:.2f} s;"
        f" {rate:.0f} MB/s, peak {best['peak_mb']} MB)"
    )
    ours_size = (raw_dir / f"{FIRST_DAY}.parquet").stat().st_size
    times = database.stat().st_size / ours_size
    print(f"raw day: {times:.1f} x smaller than SQLite ({ours_size / 1e6:.1f} MB)")
    if shutil.which("goaccess"):
        other = seconds_of_command(
            "goaccess", log, "--log-format=COMBINED", "-o", KEPT / "goaccess.json"
        )
        print(f"goaccess on the same log: {other / best['seconds']:.1f} x slower ({other:.1f} s)")


def parse_compressed(log: Path) -> None:
    tree = KEPT / "compressed"
    packed = tree / f"{FIRST_DAY:%Y/%m/%d}" / f"{LOG}.xz"
    if not packed.exists():
        packed.parent.mkdir(parents=True, exist_ok=True)
        with packed.open("wb") as output:
            subprocess.run(["xz", "-T1", "-6", "-c", log], check=True, stdout=output)
    peer = seconds_of_command("sh", "-c", f"xz -dc {packed} | wc -l")
    spent = ours(tree, KEPT / "raw-xz", [FIRST_DAY])["seconds"]
    print(
        f"xz input: {spent / peer:.2f} x the time of xz -dc | wc -l ({spent:.2f} s, {peer:.2f} s)"
    )


def end_to_end(days: Sequence[date]) -> None:
    """All days parsed and totalled, by the old commands and by the modules, processes included."""
    tree = KEPT / "days"
    raw_db, totals_db = KEPT / "reference-all.db", KEPT / "reference-totals.db"
    for old in (raw_db, totals_db):
        old.unlink(missing_ok=True)
    logs = [day_log(tree, LOG, day, 0) for day in days]
    before = seconds_of_command(reference("countme-parse-access-log"), "--sqlite", raw_db, *logs)
    before += seconds_of_command(
        reference("countme-totals"), totals_db, "--update-from", raw_db,
        "--csv-dump", KEPT / "reference-totals.csv",
    )  # fmt: skip
    shutil.rmtree(KEPT / "end-to-end", ignore_errors=True)
    raw_dir = KEPT / "end-to-end" / "raw"
    spent = module_seconds(
        "countme_raw", src=tree, log_name=LOG, raw_dir=raw_dir, since=days[0], until=days[-1]
    )
    totals_csv = KEPT / "end-to-end" / "totals.csv"
    spent += module_seconds(
        "countme_totals",
        raw_dir=raw_dir, totals_db=KEPT / "end-to-end" / "totals.db", totals_csv=totals_csv,
    )  # fmt: skip
    expected = (KEPT / "reference-totals.csv").read_bytes().splitlines()
    if sorted(expected) != sorted(totals_csv.read_bytes().splitlines()):
        raise SystemExit("the two ways counted differently")
    size = sum(log.stat().st_size for log in logs)
    print(
        f"{len(days)} days, {size / 1e6:.0f} MB, parsed and totalled: {before / spent:.1f} x faster"
        f" ({spent:.2f} s against {before:.1f} s, {size / spent / 1e6:.0f} MB/s), same totals"
    )


def module_seconds(name: str, **options: object) -> float:
    module = CHECKOUT / "plugins" / "modules" / f"{name}.py"
    arguments = {"ANSIBLE_MODULE_ARGS": {key: str(value) for key, value in options.items()}}
    os.sync()
    started = time.perf_counter()
    subprocess.run(
        [sys.executable, module],
        input=json.dumps(arguments), text=True, check=True, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    return time.perf_counter() - started


def large_day(lines: int) -> None:
    """A day as large as a real one: memory must be that of a small one."""
    day = FIRST_DAY
    tree = KEPT / f"large-{lines}"
    path = day_log(tree, LOG, day, lines)
    found = ours(tree, KEPT / "raw-large", [day])
    size = path.stat().st_size
    print(
        f"{lines:,} lines, {size / 1e9:.1f} GB: {found['seconds']:.1f} s,"
        f" {size / found['seconds'] / 1e6:.0f} MB/s, peak {found['peak_mb']} MB"
    )
    shutil.rmtree(KEPT / "raw-large")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, default=1_000_000, help="lines a day")
    parser.add_argument("--days", type=int, default=10)
    parser.add_argument("--large-lines", type=int, default=0, help="also one day of so many lines")
    options = parser.parse_args()
    days = [FIRST_DAY + timedelta(days=n) for n in range(options.days)]
    logs = [day_log(KEPT / "days", LOG, day, options.lines) for day in days]
    print(f"{len(os.sched_getaffinity(0))} cores")
    parse_one_day(logs[0], options.lines)
    parse_compressed(logs[0])
    end_to_end(days)
    if options.large_lines:
        large_day(options.large_lines)


if __name__ == "__main__":
    main()
