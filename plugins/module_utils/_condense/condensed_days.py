# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Condensed days: the distinct clients of one log, one Parquet file a rotation day.

``DATA_DIR/YYYY-MM-DD.parquet`` has the columns ``date`` (as written in the log), ``host``,
``release`` and ``arch``, in order of the date; no row occurs twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from .._base.libs import pa
from .._daily.files import DayRecord, read_day_record

#: The version of this format; a file of another one is made again.
FORMAT = 1

COLUMNS = ("date", "host", "release", "arch")


@dataclass(frozen=True, kw_only=True)
class CondensedRecord(DayRecord):
    """What a condensed day was made from and what it holds."""

    requests: int
    """Lines that name a client; ``rows`` are the distinct clients."""
    dates: Mapping[str, int]
    """Rows by date as written."""
    unknown_requests: int
    unknown_repos: tuple[tuple[str, int], ...]
    """Repositories of no known release, those asked for most first, with the requests for each."""
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
    """The columns as they are written: strings as indices into dictionaries."""
    coded = pa.dictionary(pa.int32(), pa.string())
    return pa.schema([(name, coded) for name in COLUMNS])


def read_record(path: Path) -> CondensedRecord:
    """The record of a condensed day. Raises OutputError where the file is damaged or not ours."""
    return read_day_record(
        path,
        CondensedRecord,
        known_format=FORMAT,
        expected="a condensed day with its record",
        advice="Run mirrorlist_condense for that day: it is made again from the combined log.",
    )
