# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Raw days: the hits of one log, one Parquet file a rotation day, with its record inside.

``RAW_DIR/YYYY-MM-DD.parquet`` has the columns of :class:`~._countme.Hit`; no row occurs twice.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

from ._day_files import as_metadata, day_path, list_days, read_day_record
from ._errors import OutputError
from ._libs import pa
from ._records import InputFile

#: The version of this format; a file of another one is made again.
FORMAT = 1
_TRIMMED = ".trimmed.json"

#: Where the hits of a raw day are from.
FROM_LOG = "log"
FROM_DATABASE = "database"
"""The raw hits of an earlier system; a raw day made from the log of that day takes its place."""

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


@dataclass(frozen=True)
class RawRecord:
    """What a raw day was made from and what it holds; times in Unix seconds, UTC."""

    day: str
    log_name: str
    rules: int
    source: InputFile
    lines: int
    hits: int
    """Lines that are hits; ``rows`` are the distinct ones."""
    rows: int
    rejects: Mapping[str, int]
    weeks: Mapping[int, int]
    """Rows by number of the week they count in."""
    first: int | None
    last: int | None
    last_countme: int | None
    last_unique: int | None
    hosts_expected: tuple[str, ...] | None
    """Hosts whose logs should be in the combined log; None where that is not recorded."""
    hosts_present: tuple[str, ...] | None
    hashed: bool = False
    """Whether the hosts are keyed hashes."""
    other_forms: tuple[InputFile, ...] = ()
    """The same log once more, plain or compressed, where it lay there in several forms."""
    format: int = FORMAT
    origin: str = FROM_LOG

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> RawRecord:
        """Raises KeyError, TypeError or ValueError for what is not such a record."""
        values = dict(record)
        values["source"] = InputFile.from_json(values["source"])
        values["other_forms"] = tuple(map(InputFile.from_json, values["other_forms"]))
        values["weeks"] = {int(week): int(rows) for week, rows in values["weeks"].items()}
        for name in ("hosts_expected", "hosts_present"):
            values[name] = None if values[name] is None else tuple(values[name])
        return cls(**values)


def raw_schema() -> Any:
    """The Arrow schema of a raw day."""
    types = {name: pa.int64() for name in INTEGER_COLUMNS}
    return pa.schema([(name, types.get(name, pa.string())) for name in COLUMNS])


#: Where a raw day lies, and which there are.
raw_day_path = day_path
list_raw_days = list_days


def record_metadata(record: RawRecord) -> dict[bytes, bytes]:
    """The record as key-value metadata of the Parquet file."""
    return as_metadata(record.to_json())


def read_record(path: Path) -> RawRecord:
    """The record of a raw day. Raises OutputError where the file is damaged or not ours."""
    return read_day_record(
        path,
        RawRecord.from_json,
        expected="a raw day with its record",
        advice="Run countme_raw for that day: it is made again from the combined log.",
    )


def read_trimmed_through(raw_dir: Path) -> date | None:
    """The newest rotation day up to which raw days were trimmed; None where none ever were."""
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
    """Name and content of the file that says up to which rotation day raw days were trimmed."""
    return _TRIMMED, (json.dumps({"through": str(through)}) + "\n").encode()
