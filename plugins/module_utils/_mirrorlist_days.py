# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Condensed days: the distinct clients of one log, one Parquet file a rotation day.

``DATA_DIR/YYYY-MM-DD.parquet`` has the columns ``date`` (as written in the log), ``host``,
``release`` and ``arch``, in order of the date; no row occurs twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ._day_files import as_metadata, read_day_record
from ._libs import pa
from ._records import InputFile

#: The version of this format; a file of another one is made again.
FORMAT = 1

COLUMNS = ("date", "host", "release", "arch")


@dataclass(frozen=True)
class CondensedRecord:
    """What a condensed day was made from and what it holds."""

    day: str
    log_name: str
    rules: int
    source: InputFile
    lines: int
    requests: int
    """Lines that name a client; ``rows`` are the distinct clients."""
    rows: int
    rejects: Mapping[str, int]
    dates: Mapping[str, int]
    """Rows by date as written."""
    unknown_requests: int
    unknown_repos: tuple[tuple[str, int], ...]
    """Repositories of no known release, those asked for most first, with the requests for each."""
    other_forms: tuple[InputFile, ...] = ()
    """The same log once more, plain or compressed, where it lay there in several forms."""
    format: int = FORMAT

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> CondensedRecord:
        """Raises KeyError, TypeError or ValueError for what is not such a record."""
        values = dict(record)
        values["source"] = InputFile.from_json(values["source"])
        values["other_forms"] = tuple(map(InputFile.from_json, values["other_forms"]))
        values["dates"] = {str(one): int(rows) for one, rows in values["dates"].items()}
        values["unknown_repos"] = tuple(
            (str(repo), int(requests)) for repo, requests in values["unknown_repos"]
        )
        found = cls(**values)
        if found.format != FORMAT:
            raise ValueError(f"format {found.format}, not {FORMAT}")
        return found


def condensed_schema() -> Any:
    """The columns as they are written: strings as indices into dictionaries."""
    coded = pa.dictionary(pa.int32(), pa.string())
    return pa.schema([(name, coded) for name in COLUMNS])


def record_metadata(record: CondensedRecord) -> dict[bytes, bytes]:
    """The record as key-value metadata of the Parquet file."""
    return as_metadata(record.to_json())


def read_record(path: Path) -> CondensedRecord:
    """The record of a condensed day. Raises OutputError where the file is damaged or not ours."""
    return read_day_record(
        path,
        CondensedRecord.from_json,
        expected="a condensed day with its record",
        advice="Run mirrorlist_condense for that day: it is made again from the combined log.",
    )
