# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How fast combining is, against logresolvemerge.pl and xz -dc on the same logs in one run.

    python tests/bench/bench_combine.py [--lines 1000000] [--hosts 8] [--times 30]

The logs are made once and kept in build/bench. The memory is measured on them and on logs that have
each line ``--times`` times.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
from datetime import date
from pathlib import Path
from random import Random

from ansible_collections.fedora_infra.dnf_counting.tests.bench._measure import (
    KEPT,
    in_own_process,
    seconds_of_shell,
)
from ansible_collections.fedora_infra.dnf_counting.tests.bench.day_logs import write_day_log

LOG = "mirrors.fedoraproject.org-access.log"
DAY = date(2021, 9, 28)
PEER = Path("/usr/share/awstats/tools/logresolvemerge.pl")
_BACK_ONE_IN = 20
_OURS = """
import json, resource, sys, time
from datetime import UTC, date, datetime
from pathlib import Path
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._base.stage import StageRun, run_stage
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._combine.plan import CombineSettings
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._combine.stage import COMBINE
started = time.perf_counter()
settings = CombineSettings(Path(sys.argv[1]), Path(sys.argv[2]), days=(date(2021, 9, 28),))
run = run_stage(COMBINE, settings, StageRun(datetime.now(UTC)))
assert [unit.status for unit in run.units] == ["made"], run.units
print(json.dumps({
    "seconds": time.perf_counter() - started,
    "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    "lines": run.units[0].figures["lines"],
}))
"""


def host_logs(lines: int, hosts: int, times: int) -> list[Path]:
    """The logs of so many hosts, whose lines step back as real ones do; made where not there."""
    root = KEPT / f"hosts-{lines}-{hosts}-{times}"
    paths = [root / f"proxy{n:02}/{DAY:%Y/%m/%d}/http/{LOG}.xz" for n in range(hosts)]
    if (root / "whole").exists():
        return paths
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir(parents=True)
    write_day_log(root / "day.log", day=DAY, lines=lines)
    chance = Random(0)
    packers = []
    for path in paths:
        path.parent.mkdir(parents=True)
        packer = subprocess.Popen(
            ["xz", "-T1", "-6" if times == 1 else "-1"],
            stdin=subprocess.PIPE,
            stdout=path.open("wb"),
        )
        assert packer.stdin
        packers.append(packer)
    late = b""
    with (root / "day.log").open("rb") as day:
        for line in day:
            packer = chance.choice(packers)
            assert packer.stdin
            if not chance.randrange(_BACK_ONE_IN):
                line, late = late, line
            packer.stdin.write(line * times)
        packers[0].stdin.write(late * times)  # type: ignore[union-attr]
    for packer in packers:
        packer.communicate()
    (root / "day.log").unlink()
    (root / "whole").touch()
    return paths


def ours(hosts: Path) -> dict[str, float]:
    """Combine these in a process of its own: seconds without its start, and its peak of memory."""
    shutil.rmtree(KEPT / "combined", ignore_errors=True)
    return dict(in_own_process(_OURS, hosts, KEPT / "combined"))


def digest_of_sorted(path: Path) -> str:
    """The same for files with the same lines in any order."""
    command = 'LC_ALL=C sort "$1" | sha256sum'
    return subprocess.run(
        ["sh", "-c", command, "sh", path], check=True, capture_output=True, text=True
    ).stdout


def compare(lines: int, hosts: int) -> None:
    paths = host_logs(lines, hosts, 1)
    root = paths[0].parents[5]
    result = min((ours(root) for attempt in range(5)), key=lambda one: one["seconds"])
    combined = KEPT / "combined" / f"{DAY:%Y/%m/%d}" / LOG
    rate = combined.stat().st_size / result["seconds"] / 1e6
    print(
        f"combine {lines:,} lines of {hosts} xz sources:"
        f" {result['seconds']:.2f} s, {rate:.0f} MB/s, peak {result['peak_mb']} MB"
    )
    cores = len(os.sched_getaffinity(0))
    parallel = f'printf "%s\\n" "$@" | xargs -P{cores} -n1 xz -dc > /dev/null'
    for name, command in (
        (f"xz -dc of the sources, {cores} at a time", parallel),
        ("xz -dc of the sources, one by one", 'xz -dc "$@" > /dev/null'),
    ):
        peer = min(seconds_of_shell(command, *paths) for attempt in range(5))
        print(f"{result['seconds'] / peer:.2f} x the time of {name} ({peer:.2f} s)")
    if not PEER.exists():
        print("logresolvemerge.pl is not installed (Debian package awstats)")
        return
    merged = KEPT / "logresolvemerge.log"
    peer = seconds_of_shell(f'perl {PEER} "$@" > {merged}', *paths)
    print(f"{peer / result['seconds']:.1f} x faster than logresolvemerge.pl ({peer:.2f} s)")
    if digest_of_sorted(combined) != digest_of_sorted(merged):
        raise SystemExit("the two ways have different lines")
    print("both have the same lines")


def compare_memory(lines: int, hosts: int, times: int) -> None:
    small = ours(host_logs(lines, hosts, 1)[0].parents[5])
    large = ours(host_logs(lines, hosts, times)[0].parents[5])
    print(
        f"memory: peak {small['peak_mb']} MB for {small['lines']:,} lines,"
        f" {large['peak_mb']} MB for {large['lines']:,} lines ({large['seconds']:.1f} s)"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--lines", type=int, default=1_000_000)
    parser.add_argument("--hosts", type=int, default=8)
    parser.add_argument("--times", type=int, default=30)
    options = parser.parse_args()
    compare(options.lines, options.hosts)
    compare_memory(options.lines, options.hosts, options.times)
    shutil.rmtree(KEPT / "combined", ignore_errors=True)


if __name__ == "__main__":
    main()
