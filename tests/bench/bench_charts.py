# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long it takes, and how much memory, to draw all charts of years of figures.

    python tests/bench/bench_charts.py [--years 6] [--rows 5000] [--folder build/bench/charts]

Releases come and go as Fedora's do; one week is partial, one is missing, and in one a client makes
up ten thousand systems. The pictures are kept to be looked at.
"""

from __future__ import annotations

import argparse
import csv
import json
import resource
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import date, timedelta
from itertools import product
from pathlib import Path

from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._charts.address_charts import (
    AddressSource,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._charts.draw import (
    ChartSources,
    draw_charts,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._publish.profile import (
    Profile,
)
from ansible_collections.fedora_infra.dnf_counting.tests.support.totals_files import (
    Row,
    write_totals,
)

CHECKOUT = Path(__file__).parents[2]
FIRST_WEEK = 2614
FIRST_RELEASE = 27
WEEKS_A_RELEASE = 26
MISSING_WEEK = FIRST_WEEK + 101
PARTIAL_WEEKS = (FIRST_WEEK + 40, FIRST_WEEK + 180)
POLLUTED_WEEK = FIRST_WEEK + 220

_VARIANTS = ("workstation", "server", "generic", "kde", "container", "cloud", "silverblue", "iot")
_ARCHES = ("x86_64", "aarch64", "ppc64le", "s390x")
_REPOS = ("fedora-{}", "updates-released-f{}", "fedora-modular-{}", "updates-testing-f{}")
_EL = (("CentOS Linux", 8), ("Red Hat Enterprise Linux", 8), ("Rocky Linux", 8), ("AlmaLinux", 9))


def alive(release: int, week: int) -> float:
    """How many use a release in a week, from 0 to 1: quickly up, slowly down, and never gone."""
    age = (week - FIRST_WEEK) / WEEKS_A_RELEASE - (release - FIRST_RELEASE) + 4
    if age <= 0:
        return 0.0
    return min(1.0, age * 1.2) if age < 2 else 0.55 ** (age - 2)


def weekly_rows(week: int, rows: int) -> Iterator[Row]:
    """The rows of a week, the largest systems first, so that there are about as many as asked."""
    made = 0
    growth = 1 + (week - FIRST_WEEK) / 400
    newest = FIRST_RELEASE + (week - FIRST_WEEK) // WEEKS_A_RELEASE + 4
    fedora = [(r, alive(r, week)) for r in range(newest, FIRST_RELEASE - 12, -1)]
    for (release, share), (v, variant), (a, arch), age, (t, tag) in product(
        [found for found in fedora if found[1] > 0],
        enumerate(_VARIANTS),
        enumerate(_ARCHES),
        (1, 2, 3, 4),
        enumerate(_REPOS),
    ):
        hits = int(90_000 * growth * share * age / (1 + v) ** 2 / (1 + 6 * a) ** 1.5) // (1 + t)
        name = "Fedora Linux" if release >= 35 else "Fedora"
        yield Row(week, hits + 1, name, str(release), variant, arch, age, tag.format(release), arch)
        made += 1
        if made > rows * 0.8:
            break
    for (n, (name, major)), minor, arch, age, tag in product(
        enumerate(_EL), range(10), _ARCHES, (1, 2, 3, 4), ("epel-{}", "epel-modular-{}")
    ):
        hits = int(30_000 * growth / (1 + n) / (1 + minor)) // (1 + 9 * _ARCHES.index(arch)) * age
        version = f"{major}.{minor}"
        yield Row(week, hits + 1, name, version, "generic", arch, age, tag.format(major), arch)
        made += 1
        if made >= rows:
            return


def polluted_rows(week: int) -> Iterator[Row]:
    for n in range(10_000):
        yield Row(week, 3, "<script>alert(1)</script>", f"=cmd|' /C calc'!A{n}", f"\x1b[31m{n}")
    yield Row(week, 90_000, '"]};</style>\u202e' + "A" * 5000, "1.2.3.4", "(none)", "m68k\n\0")


def totals(folder: Path, weeks: int, rows: int) -> Path:
    path = folder / "totals.db"
    if path.exists():
        return path
    counted = [FIRST_WEEK + n for n in range(weeks) if FIRST_WEEK + n != MISSING_WEEK]
    status = dict.fromkeys(counted, "complete")
    status.update({w: "partial" for w in PARTIAL_WEEKS if w in status})
    status[counted[-1]] = "provisional"
    everything = (
        row
        for week in counted
        for row in (
            *weekly_rows(week, rows),
            *(polluted_rows(week) if week == POLLUTED_WEEK else ()),
        )
    )
    made = write_totals(folder, everything, stem="unfinished", status=status)
    with closing(sqlite3.connect(made.db)) as connection:
        connection.execute("UPDATE weeks SET expected_host_days = 315, received_host_days = 315")
        connection.execute(
            "UPDATE weeks SET received_host_days = 100 + (weeknum % 7) * 30 "
            "WHERE status <> 'complete'"
        )
        connection.execute(
            "UPDATE weeks SET suspect = 1, suspect_reason = 'x' WHERE weeknum = ?", (POLLUTED_WEEK,)
        )
        connection.commit()
    made.csv.unlink()
    made.db.rename(path)
    return path


def mirrors_csv(folder: Path, days: int) -> Path:
    """Daily figures with the columns of today, and those of releases to come at the end."""
    path = folder / "mirrorsdata-all.csv"
    golden = CHECKOUT / "tests" / "data" / "golden" / "expected" / "mirrorsdata-all.csv"
    with golden.open(newline="") as opened:
        header = next(csv.reader(opened))
    newest = FIRST_RELEASE + days // 7 // WEEKS_A_RELEASE + 4
    header += [
        f"{len(header) + 1 + n}-{name}"
        for n, name in enumerate(
            [
                *(f"f{r}" for r in range(40, newest + 1)),
                "epel10",
                *(f"cisco_{r}" for r in range(33, 45)),
            ]
        )
    ]
    first = date(2020, 2, 10)
    with path.open("w", newline="") as opened:
        writer = csv.writer(opened, lineterminator="\n")
        writer.writerow(header)
        for n in range(days):
            week = FIRST_WEEK + n / 7
            weekend = 0.8 if (first + timedelta(days=n)).weekday() > 4 else 1.0
            noise = weekend * (1 + ((n * 7919) % 101) / 1500)
            cells = [
                int(_clients(column.split("-", 1)[1], week, n) * noise) for column in header[1:]
            ]
            writer.writerow([first + timedelta(days=n), *cells])
    return path


def _clients(column: str, week: float, day: int) -> float:
    for prefix, size in (("modular_f", 90_000), ("f", 320_000)):
        if column.startswith(prefix) and column[len(prefix) :].isdecimal():
            return size * alive(int(column[len(prefix) :]), int(week))
    fixed = {
        "rawhide": 9_000,
        "modular_rawhide": 2_000,
        "modular": 210_000,
        "unk_rel": 31_000,
        "fedora": 900_000,
        "epel": 1_400_000,
        "x86_64": 2_200_000,
        "x86_32": 60_000 * 0.999**day,
        "arm64": 20_000 + 30 * day,
        "arm": 9_000 * 0.9993**day,
        "ppc64le": 7_000,
        "s390": 2_500,
        "ppc64": 900 * 0.998**day,
        "epel6": 300_000 * 0.999**day,
        "epel7": 700_000 * 0.9996**day,
        "epel8": 400_000,
        "epel9": 250 * day,
        "epel10": 300 * max(0, day - 1600),
    }
    return fixed.get(column, 0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--years", type=int, default=6)
    parser.add_argument("--rows", type=int, default=5000)
    parser.add_argument("--folder", type=Path, default=CHECKOUT / "build" / "bench" / "charts")
    parser.add_argument("--only-draw", action="store_true", help="the figures are there already")
    options = parser.parse_args()
    folder: Path = options.folder / f"{options.years}-{options.rows}"
    folder.mkdir(parents=True, exist_ok=True)
    if not options.only_draw:
        totals(folder, options.years * 52, options.rows)
        mirrors_csv(folder, options.years * 365)
        # in a process of its own, whose memory is that of drawing
        subprocess.run([sys.executable, *sys.argv, "--only-draw"], check=True)
        return
    images = folder / "images"
    shutil.rmtree(images, ignore_errors=True)
    profile = Profile("fedora", folder / "totals.db", folder / "totals.csv", "totals")
    sources = ChartSources((profile,), (AddressSource("mirrors", folder),))
    began, began_processor = time.perf_counter(), time.process_time()
    drawn = draw_charts(sources, images)
    seconds, processor = time.perf_counter() - began, time.process_time() - began_processor
    began = time.perf_counter()
    draw_charts(sources, images)
    result = {
        "weekly_rows": options.rows * options.years * 52,
        "charts": len(drawn),
        "seconds": round(seconds, 1),
        "processor_seconds": round(processor, 1),
        "second_run_seconds": round(time.perf_counter() - began, 1),
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "pictures_bytes": sum(path.stat().st_size for path in images.iterdir()),
        "spec_bytes": sum(len(json.dumps(one.spec)) for one in drawn),
        "images": str(images),
    }
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
