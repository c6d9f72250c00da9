# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Condensed days, which hold the distinct clients of one log in one Parquet file per rotation day.

``DATA_DIR/YYYY-MM-DD.parquet`` has the columns ``date`` (as written in the log), ``host``,
``release`` and ``arch``. The rows are sorted by date. Each row occurs once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from .._base.libs import pa
from .._daily.files import DayRecord, read_day_record

#: The version of this format. A run makes a file of another format again.
FORMAT = 1

COLUMNS = ("date", "host", "release", "arch")


@dataclass(frozen=True, kw_only=True)
class CondensedRecord(DayRecord):
    """The record of the inputs and of the content of a condensed day."""

    requests: int
    """The number of lines that name a client. ``rows`` is the number of distinct clients."""
    dates: Mapping[str, int]
    """The number of rows by date as written."""
    unknown_requests: int
    unknown_repos: tuple[tuple[str, int], ...]
    """Repositories of no known release, with their numbers of requests, most requested first."""
    format: int = FORMAT

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> Self:
        values = dict(record)
        values["dates"] = {str(one): int(rows) for one, rows in values["dates"].items()}
        values["unknown_repos"] = tuple(
            (str(repo), int(requests)) for repo, requests in values["unknown_repos"]
        )
        return super().from_json(values)


def condensed_schema() -> Any:
    """Return the schema of the file: each column holds strings as indices into a dictionary."""
    coded = pa.dictionary(pa.int32(), pa.string())
    return pa.schema([(name, coded) for name in COLUMNS])


def read_record(path: Path) -> CondensedRecord:
    """Return the record of a condensed day.

    Raises OutputError if the file is damaged or is not a condensed day.
    """
    return read_day_record(
        path,
        CondensedRecord,
        known_format=FORMAT,
        expected="a condensed day with its record",
        advice="Run mirrorlist_condense for that day: it is made again from the combined log.",
    )
