# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How fast sync is, against one rsync for each host and day; needs root for its namespaces.

    python tests/bench/bench_sync.py [--hosts 8] [--logs 60] [--round-trip-ms 50]

Both ways fetch the same logs from the same hosts in one run: 3 days, first all, then nothing new.
The other way is an equivalent of today's script, written for this comparison: per host and day the
hard links with dates, an rsync with a pattern, the links back; 5 hosts at once.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import subprocess
import tempfile
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._logs.paths import (
    dated_name,
    day_folder,
    undated_name,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._storage.files import (
    sync_file_system,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._sync.hosts import (
    HostOutcome,
    TransferSettings,
    sync_hosts,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._sync.memory import (
    load_memory,
    save_memory,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._sync.plan import (
    HostSource,
    plan_hosts,
    updated_memory,
)
from ansible_collections.fedora_infra.dnf_counting.tests.bench._measure import seconds_of
from ansible_collections.fedora_infra.dnf_counting.tests.support.host_network import (
    HostNetwork,
    why_not,
)
from ansible_collections.fedora_infra.dnf_counting.tests.support.rsync_hosts import (
    DAYS,
    write_rotated,
)

_PRESENT_FLAGS = ["-avSHP", "--no-motd", "--timeout=1200", "--contimeout=1200"]


def sync_present_way(addresses: Mapping[str, str], dest: Path) -> None:
    """One rsync for each host and day, 5 hosts at once."""

    def one_host(host: str) -> None:
        for day in DAYS:
            folder = day_folder(dest / host, day)
            plain, dated = folder / "http", folder / "http_with_date"
            plain.mkdir(parents=True, exist_ok=True)
            dated.mkdir(exist_ok=True)
            for log in plain.iterdir():
                _link(log, dated / dated_name(log.name, day))
            pattern = f"{addresses[host]}*{day:%Y%m%d}*"
            command = ["rsync", *_PRESENT_FLAGS, pattern, f"{dated}/"]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            for log in dated.iterdir():
                if rotated := undated_name(log.name):
                    _link(log, plain / rotated[0])

    with ThreadPoolExecutor(5) as pool:
        list(pool.map(one_host, addresses))


def _link(log: Path, name: Path) -> None:
    temporary = name.with_name(f".{name.name}.new")
    temporary.unlink(missing_ok=True)
    os.link(log, temporary)
    temporary.replace(name)
    temporary.unlink(missing_ok=True)


def sync_our_way(addresses: Mapping[str, str], dest: Path) -> list[HostOutcome]:
    """The library's stage as the module runs it."""
    dest.mkdir(exist_ok=True)
    memory = load_memory(dest)
    plans = plan_hosts(
        [HostSource(*pair) for pair in addresses.items()],
        DAYS,
        dest=dest,
        memory=memory,
        catch_up_days=14,
    )
    outcomes = sync_hosts(plans, TransferSettings(dest=dest))
    if any(outcome.status == "made" for outcome in outcomes):
        sync_file_system(dest)
    save_memory(dest, updated_memory(memory, outcomes, today=date(2026, 11, 21)))
    failed = [outcome.reason for outcome in outcomes if outcome.failed]
    if failed:
        raise SystemExit("; ".join(failed))
    return outcomes


def compare(network: HostNetwork, folder: Path, hosts: int, logs: int, repeats: int) -> None:
    """Both ways, cold and warm, the best of some runs each."""
    noise = random.Random(1)
    addresses = {}
    for number in range(1, hosts + 1):
        host = f"proxy{number:02}"
        served = network.add_host(host)
        addresses[host] = network.entry(host)["source"]
        for day in DAYS:
            for log in range(logs):
                name = f"site{log:02}.example.org-access.log.xz"
                write_rotated(served, name, day, noise.randbytes(noise.randrange(500, 20_000)))
    times: dict[str, list[float]] = {}
    for repeat in range(repeats):
        present, ours = folder / f"present{repeat}", folder / f"ours{repeat}"
        for state in ("cold", "warm"):
            for way, run, dest in (
                ("present", sync_present_way, present),
                ("ours", sync_our_way, ours),
            ):
                spent = seconds_of(lambda run=run, dest=dest: run(addresses, dest))
                times.setdefault(f"{way} {state}", []).append(spent)
        same = subprocess.run(
            ["diff", "-r", "-x", "http_with_date", "-x", ".sync.json", present, ours], check=False
        )
        if same.returncode:
            raise SystemExit("the two ways made different trees")
    for state in ("cold", "warm"):
        before, now = min(times[f"present {state}"]), min(times[f"ours {state}"])
        print(
            f"sync {state}: {before / now:.1f} x faster than one rsync a host and day "
            f"({now:.2f} s against {before:.2f} s; {hosts} hosts, 3 days, {logs} logs a host-day)",
            flush=True,
        )


def makespan(network: HostNetwork, folder: Path, hosts: int, workers: int) -> None:
    """Hosts of very different speed: how near the whole comes to the lower bound."""
    noise = random.Random(2)
    addresses = {}
    speeds = [400 * 2 ** (number % 6) for number in range(hosts)]
    noise.shuffle(speeds)
    for number, kbit in enumerate(speeds):
        host = f"slow{number:02}"
        served = network.add_host(host)
        network.slow_down(host, kbit=kbit)
        addresses[host] = network.entry(host)["source"]
        for day in DAYS:
            write_rotated(served, "site-access.log.xz", day, noise.randbytes(40_000))
    dest = folder / "makespan"
    sync_our_way(addresses, dest)  # to learn how long each takes
    for host in addresses:
        shutil.rmtree(dest / host)
    begun = time.perf_counter()
    plans = plan_hosts(
        [HostSource(*pair) for pair in addresses.items()],
        DAYS,
        dest=dest,
        memory=load_memory(dest),
        catch_up_days=0,
    )
    outcomes = sync_hosts(plans, TransferSettings(dest=dest, workers=workers))
    spent = time.perf_counter() - begun
    each = [outcome.seconds for outcome in outcomes]
    bound = max(*each, sum(each) / workers)
    print(
        f"sync makespan: {spent / bound:.2f} x the lower bound "
        f"({spent:.2f} s against {bound:.2f} s; {hosts} hosts of very different speed)",
        flush=True,
    )


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--hosts", type=int, default=8)
    options.add_argument("--logs", type=int, default=60)
    options.add_argument("--round-trip-ms", type=float, default=50)
    options.add_argument("--repeats", type=int, default=2)
    options.add_argument("--slow-hosts", type=int, default=40)
    given = options.parse_args()
    if reason := why_not():
        raise SystemExit(f"skipped: {reason}")
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        with HostNetwork(folder / "a", delay_ms=given.round_trip_ms / 2) as network:
            compare(network, folder, given.hosts, given.logs, given.repeats)
        if given.slow_hosts:
            with HostNetwork(folder / "b") as network:
                makespan(network, folder, given.slow_hosts, workers=10)


if __name__ == "__main__":
    main()
