# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Raw days for tests, written from rows: as countme_raw leaves them, without any log."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._base.days_and_weeks import (
    week_of,
    week_start_timestamp,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._base.records import (
    InputFile,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._hits.raw_days import (
    RawRecord,
    raw_day_path,
    raw_schema,
)

Row = tuple[int, str, str, str, str, str, int, str, str]
LOG_NAME = "mirrors-access.log"


def hit(
    timestamp: int,
    host: str = "192.0.2.1",
    *,
    sys_age: int = 1,
    repo_tag: str = "fedora-34",
    os_version: str = "34",
) -> Row:
    """A hit of a Fedora system; by default with countme."""
    return (
        timestamp,
        host,
        "Fedora",
        os_version,
        "workstation",
        "x86_64",
        sys_age,
        repo_tag,
        "x86_64",
    )


def weekly_hits(week: int, systems: int = 10) -> list[Row]:
    """Hits of one week: each system counts once and asks once more without countme, day by day."""
    start = week_start_timestamp(week)
    rows = []
    for system in range(systems):
        at = start + system % 7 * 86400 + 3600 + system
        rows.append(hit(at, f"192.0.2.{system}"))
        rows.append(hit(at + 60, f"192.0.2.{system}", sys_age=-1))
    return rows


def by_rotation_day(rows: Iterable[Row]) -> dict[date, list[Row]]:
    """The rows by the day on which their log would have been rotated."""
    days: dict[date, list[Row]] = {}
    for row in rows:
        day = date.fromordinal(719163 + row[0] // 86400 + 1)
        days.setdefault(day, []).append(row)
    return days


def record_of(day: date, of_day: Sequence[Row], *, version: int = 1, **values: Any) -> RawRecord:
    """The record of a raw day; ``version`` stands for the state of the log it was made from."""
    times = [row[0] for row in of_day]
    fields: dict[str, Any] = {
        "day": str(day),
        "log_name": LOG_NAME,
        "rules": 1,
        "source": InputFile(f"{day:%Y/%m/%d}/{LOG_NAME}", 100 * len(of_day), version),
        "lines": len(of_day),
        "hits": len(of_day),
        "rows": len(of_day),
        "rejects": {},
        "weeks": dict(Counter(week_of(time) for time in times)),
        "first": min(times, default=None),
        "last": max(times, default=None),
        "last_seen": {
            "countme": max((row[0] for row in of_day if row[6] >= 0), default=None),
            "unique": max((row[0] for row in of_day if row[6] < 0), default=None),
        },
        "hosts_expected": None,
        "hosts_present": None,
    }
    return RawRecord(**{**fields, **values})


def write_raw_day(
    raw_dir: Path, day: date, rows: Iterable[Row], *, version: int = 1, **values: Any
) -> Path:
    """Write the distinct rows as a raw day; ``values`` replace fields of its record."""
    distinct = list(dict.fromkeys(rows))
    record = record_of(day, distinct, version=version, **values)
    schema = raw_schema()
    columns = list(zip(*distinct, strict=True)) if distinct else [()] * len(schema)
    arrays = [pa.array(column, kind.type) for column, kind in zip(columns, schema, strict=True)]
    table = pa.Table.from_arrays(arrays, schema=schema.with_metadata(record.metadata()))
    raw_dir.mkdir(parents=True, exist_ok=True)
    path = raw_day_path(raw_dir, day)
    pq.write_table(table, path, compression="zstd", row_group_size=1000)
    return path


def write_raw_days(raw_dir: Path, rows: Iterable[Row], **values: Any) -> Mapping[date, Path]:
    """Write the rows as raw days, each by its own time."""
    return {
        day: write_raw_day(raw_dir, day, of_day, **values)
        for day, of_day in sorted(by_rotation_day(rows).items())
    }
