# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How fast raw days are totalled, against countme-totals on the same hits, and what a week costs
that is added to years of history.

    python tests/bench/bench_totals.py [--rows 1000000] [--days 10] [--history-weeks 300]

Hits are drawn from the published distribution; the raw days are made once and kept in build/bench.
"""

from __future__ import annotations

import argparse
import csv
import json
import lzma
import resource
import shutil
import sqlite3
import sys
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._hits.raw_days import (
    COLUMNS,
    raw_day_path,
    raw_schema,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._totals.plan import (
    TotalsSettings,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._totals.stage import TOTALS
from ansible_collections.fedora_infra.dnf_counting.tests.bench._measure import (
    CHECKOUT,
    KEPT,
    seconds_of_command,
)
from ansible_collections.fedora_infra.dnf_counting.tests.support.raw_day_files import record_of
from ansible_collections.fedora_infra.dnf_counting.tests.support.stages import outcome_of

FIRST_DAY = date(2021, 9, 28)
NOW = datetime(2021, 10, 9, tzinfo=UTC)
_COUNTME_ONE_IN = 4
_KEYS = ("os_name", "os_version", "os_variant", "os_arch", "repo_tag", "repo_arch")


def raw_days(rows: int, days: int) -> Path:
    """Raw days with so many hits each; an address asks for three repositories a day on average."""
    folder = KEPT / f"raw-{rows}-{days}"
    if (folder / "whole").exists():
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    random = np.random.default_rng(0)
    with lzma.open(CHECKOUT / "sample" / "distribution.csv.xz", "rt", newline="") as there:
        published = list(csv.DictReader(there))
    weights = np.array([sum(int(row[f"age_{n}"]) for n in range(1, 5)) for row in published], float)
    values = {name: pa.array([row[name] for row in published]) for name in _KEYS}
    addresses = pa.array(
        [".".join(map(str, octets)) for octets in random.integers(1, 255, (rows // 3 + 1, 4))]
    )
    for number in range(days):
        day = FIRST_DAY + timedelta(days=number)
        start = (day - timedelta(days=1) - date(1970, 1, 1)).days * 86400
        drawn = pa.array(random.choice(len(published), rows, p=weights / weights.sum()))
        times = np.sort(start + random.integers(-60, 86400 + 60, rows))
        ages = np.where(random.random(rows) * _COUNTME_ONE_IN < 1, random.integers(1, 5, rows), -1)
        columns = {
            "timestamp": pa.array(times),
            "host": addresses.take(pa.array(random.integers(0, len(addresses), rows))),
            "sys_age": pa.array(ages),
            **{name: array.take(drawn) for name, array in values.items()},
        }
        record = record_of(
            day,
            [],
            weeks=dict(Counter(((times - 345600) // 604800).tolist())),
            first=int(times[0]),
            last=int(times[-1]),
            last_seen={
                "countme": int(times[ages >= 0][-1]),
                "unique": int(times[ages < 0][-1]),
            },
        )
        table = pa.table([columns[name] for name in COLUMNS], names=COLUMNS).cast(raw_schema())
        table = table.replace_schema_metadata(record.metadata())
        path = raw_day_path(folder, day)
        pq.write_table(table, path, compression="zstd", row_group_size=1 << 20)
    (folder / "whole").touch()
    return folder


def peer_database(raw_dir: Path) -> Path:
    """The same hits as the peer keeps them."""
    database = raw_dir / "raw.db"
    if database.exists():
        return database
    unfinished = raw_dir / "raw.unfinished"
    unfinished.unlink(missing_ok=True)
    with sqlite3.connect(unfinished) as connection:
        columns = ", ".join(
            f"{name} {'INTEGER' if name in ('timestamp', 'sys_age') else 'TEXT'} NOT NULL"
            for name in COLUMNS
        )
        connection.execute(f"CREATE TABLE countme_raw ({columns})")
        for path in sorted(raw_dir.glob("*.parquet")):
            table = pq.read_table(path)
            connection.executemany(
                "INSERT INTO countme_raw VALUES (?,?,?,?,?,?,?,?,?)",
                zip(*(table.column(name).to_pylist() for name in COLUMNS), strict=True),
            )
        connection.execute("CREATE INDEX timestamp_idx ON countme_raw (timestamp)")
    connection.close()
    unfinished.rename(database)
    return database


def peer_seconds(raw_dir: Path, folder: Path) -> float:
    database = peer_database(raw_dir)
    command = Path(sys.executable).with_name("countme-totals")
    return seconds_of_command(
        command, "--update-from", database, "--csv-dump", folder / "peer.csv", folder / "peer.db"
    )


def history(database: Path, weeks: int, rows: int = 20_000) -> None:
    """Totals of so many weeks before the first one, as an earlier system left them."""

    def of_week(week: int) -> Iterable[tuple[object, ...]]:
        for n in range(rows):
            repo = f"updates-released-f{n % 97}"
            yield (
                rows - n,
                str(week),
                "Fedora Linux",
                str(n),
                "workstation",
                "x86_64",
                "4",
                repo,
                "x",
            )

    connection = sqlite3.connect(database)
    columns = "hits INTEGER NOT NULL," + ",".join(
        f"{name} TEXT NOT NULL" for name in ("weeknum", *_KEYS[:4], "sys_age", *_KEYS[4:])
    )
    connection.execute(f"CREATE TABLE countme_totals ({columns})")
    for week in range(2699 - weeks, 2699):
        connection.executemany(
            "INSERT INTO countme_totals VALUES (?,?,?,?,?,?,?,?,?)", of_week(week)
        )
    connection.execute("CREATE INDEX weeknum_idx ON countme_totals (weeknum)")
    connection.commit()
    connection.close()


def timed(settings: TotalsSettings) -> tuple[float, dict[str, int]]:
    began = time.perf_counter()
    outcome = outcome_of(TOTALS, settings)
    seconds = time.perf_counter() - began
    return seconds, {k: v for u in outcome.units for k, v in u.figures.items() if "bytes" in k}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--days", type=int, default=10)
    parser.add_argument("--history-weeks", type=int, default=300)
    parser.add_argument("--no-peer", action="store_true")
    options = parser.parse_args()
    raw_dir = raw_days(options.rows, options.days)
    folder = KEPT / "totals"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    settings = TotalsSettings(
        raw_dir=raw_dir, totals_db=folder / "t.db", totals_csv=folder / "t.csv", now=NOW
    )
    ours, _unused = timed(settings)
    again, _unused = timed(settings)
    result: dict[str, object] = {
        "rows_a_day": options.rows,
        "days": options.days,
        "seconds": round(ours, 2),
        "second_run_seconds": round(again, 3),
        "raw_bytes": sum(path.stat().st_size for path in raw_dir.glob("*.parquet")),
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }
    if not options.no_peer:
        peer = peer_seconds(raw_dir, folder)
        same = sorted((folder / "t.csv").read_bytes().split(b"\r\n")) == sorted(
            (folder / "peer.csv").read_bytes().split(b"\r\n")
        )
        result |= {"countme_totals_seconds": round(peer, 2), "ratio": round(peer / ours, 1)}
        result["same_rows"] = same
    if options.history_weeks:
        result["added_to_history"] = with_history(raw_dir, folder, options.history_weeks)
    print(json.dumps(result, indent=2))


def with_history(raw_dir: Path, folder: Path, weeks: int) -> dict[str, object]:
    """What taking one week into years of totals costs, and the CSV file at first and later."""
    settings = TotalsSettings(
        raw_dir=raw_dir, totals_db=folder / "h.db", totals_csv=folder / "h.csv", now=NOW
    )
    history(settings.totals_db, weeks)
    first, _unused = timed(settings)
    seconds, written = revised(replace(settings, weeks=(2699,)))
    return {"first_seconds": round(first, 2), "revised_seconds": round(seconds, 2), **written}


def revised(settings: TotalsSettings) -> tuple[float, dict[str, int]]:
    """One week counted again with another result: a raw day of it lost half of its hits."""
    half = settings.totals_db.with_name("half")
    half.mkdir()
    for path in settings.raw_dir.glob("*.parquet"):
        (half / path.name).hardlink_to(path)
    day = half / f"{FIRST_DAY + timedelta(days=2)}.parquet"
    table = pq.read_table(day)
    day.unlink()
    pq.write_table(
        table.filter(pc.less(table["timestamp"], table["timestamp"][len(table) // 2])), day
    )
    return timed(replace(settings, raw_dir=half))


if __name__ == "__main__":
    main()
