# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Raw days: the hits of one log, in one Parquet file for each rotation day.

The file contains its record. ``RAW_DIR/YYYY-MM-DD.parquet`` has the columns of
:class:`~.rules.Hit`. No row occurs twice.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Self

from .._base.errors import OutputError
from .._base.libs import pa
from .._daily.files import DayRecord, day_path, list_days, read_day_record
from .statistics import STATISTICS

#: The version of this format. A file of another version is made again.
FORMAT = 1
_TRIMMED = ".trimmed.json"

#: The origin of the hits of a raw day.
FROM_LOG = "log"
FROM_DATABASE = "database"
"""The raw hits of an earlier system. A raw day made from the log of that day replaces them."""

COLUMNS = (
    "timestamp",
    "host",
    "os_name",
    "os_version",
    "os_variant",
    "os_arch",
    "sys_age",
    "repo_tag",
    "repo_arch",
)
INTEGER_COLUMNS = ("timestamp", "sys_age")


@dataclass(frozen=True, kw_only=True)
class RawRecord(DayRecord):
    """The origin and the content of a raw day. Times are in Unix seconds, UTC."""

    hits: int
    """The number of lines that are hits. ``rows`` is the number of distinct hits."""
    weeks: Mapping[int, int]
    """The number of rows, by number of the week that they count in."""
    first: int | None
    last: int | None
    last_seen: Mapping[str, int | None]
    """The time of the last hit in ``seen_by`` of a statistic, by the name of the statistic.

    The hit shows that the statistic is collected.
    """
    hosts_expected: tuple[str, ...] | None
    """The hosts whose logs should be in the combined log; None if that is not recorded."""
    hosts_present: tuple[str, ...] | None
    hashed: bool = False
    """True if the hosts are keyed hashes."""
    format: int = FORMAT
    origin: str = FROM_LOG

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> Self:
        values = dict(record)
        values["weeks"] = {int(week): int(rows) for week, rows in values["weeks"].items()}
        for name in ("hosts_expected", "hosts_present"):
            values[name] = None if values[name] is None else tuple(values[name])
        last_seen = {one.name: values.pop(f"last_{one.name}", None) for one in STATISTICS}
        return super().from_json({**values, "last_seen": last_seen})

    def to_json(self) -> dict[str, Any]:
        values = super().to_json()
        last_seen = values.pop("last_seen")
        return {**values, **{f"last_{name}": time for name, time in last_seen.items()}}


def raw_schema() -> Any:
    """Return the Arrow schema of a raw day."""
    types = {name: pa.int64() for name in INTEGER_COLUMNS}
    return pa.schema([(name, types.get(name, pa.string())) for name in COLUMNS])


#: The functions for the path of a raw day and for the list of raw days.
raw_day_path = day_path
list_raw_days = list_days


def read_record(path: Path) -> RawRecord:
    """Return the record of a raw day.

    Raises OutputError if the file is damaged or is not a raw day of this collection.
    """
    return read_day_record(
        path,
        RawRecord,
        known_format=FORMAT,
        expected="a raw day with its record",
        advice="Run countme_raw for that day: it is made again from the combined log.",
    )


def read_trimmed_through(raw_dir: Path) -> date | None:
    """Return the newest rotation day of the trimmed raw days; None if no day was trimmed.

    Raises OutputError if the record of the trimmed days can't be read.
    """
    path = raw_dir / _TRIMMED
    try:
        return date.fromisoformat(json.loads(path.read_bytes())["through"])
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise OutputError(
            path,
            expected='a record such as {"through": "2021-09-30"}',
            found=f"{type(error).__name__}: {str(error)[:200]}",
            advice="Write into it up to which rotation day the raw days were trimmed.",
        ) from error


def trimmed_record(through: date) -> tuple[str, bytes]:
    """Return the name and content of the file that records the trimmed raw days.

    ``through`` is the newest rotation day of the trimmed raw days.
    """
    return _TRIMMED, (json.dumps({"through": str(through)}) + "\n").encode()
