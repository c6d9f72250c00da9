# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Millions of hits as index columns, without duplicates: one row group of a raw day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .._base.libs import np, pa
from .._logs.coded_columns import compact_dictionary, drop_unused, string_column
from .fast_path import BlockHits
from .raw_days import COLUMNS

_KEY_LIMIT = 1 << 63


@dataclass(frozen=True)
class HitGroup:
    """Hits as columns of equal length.

    Host, system and request are indices, as in BlockHits.
    """

    timestamp: Any
    host: Any
    """A pyarrow dictionary array."""
    system: Any
    systems: Sequence[Any]
    request: Any
    requests: Sequence[Any]

    def __len__(self) -> int:
        return len(self.timestamp)

    def rows(self, chosen: Any) -> HitGroup:
        """Return the chosen rows. ``chosen`` has indices or is a mask."""
        rows = np.flatnonzero(chosen) if chosen.dtype == bool else chosen
        return HitGroup(
            self.timestamp[rows],
            self.host.take(pa.array(rows)),
            self.system[rows],
            self.systems,
            self.request[rows],
            self.requests,
        )

    def part(self, start: int, end: int) -> HitGroup:
        """Return the rows from ``start`` up to ``end``, without ``end``."""
        return HitGroup(
            self.timestamp[start:end],
            self.host[start:end],
            self.system[start:end],
            self.systems,
            self.request[start:end],
            self.requests,
        )

    def distinct(self) -> HitGroup:
        """Return the distinct rows. Keep the first of equal rows, and keep the order."""
        keys = _row_keys([self.timestamp, self.host.indices.to_numpy(), self.system, self.request])
        # Codes ascend in order of first appearance. Thus each new highest code is a first row.
        codes = pa.array(keys).dictionary_encode().indices.to_numpy()
        first = np.ones(len(codes), bool)
        first[1:] = codes[1:] > np.maximum.accumulate(codes)[:-1]
        return self if first.all() else self.rows(first)

    def to_table(self) -> Any:
        """Return the nine columns as a pyarrow table. The strings stay dictionaries."""
        systems, system = drop_unused(self.systems, self.system)
        requests, request = drop_unused(self.requests, self.request)
        by_system = list(zip(*systems, strict=True)) or [()] * 4
        by_request = list(zip(*requests, strict=True)) or [()] * 3
        sys_age = np.array(by_request[0], np.int64)[request]
        columns = [
            pa.array(self.timestamp),
            compact_dictionary(self.host),
            *(string_column(values, system) for values in by_system),
            pa.array(sys_age),
            *(string_column(values, request) for values in by_request[1:]),
        ]
        return pa.table(columns, names=list(COLUMNS))


def join(parts: Sequence[HitGroup | BlockHits]) -> HitGroup:
    """Return several parts as one group.

    The indices of the group point into common lists without duplicates.
    """
    systems, system = _joined([(part.systems, part.system) for part in parts])
    requests, request = _joined([(part.requests, part.request) for part in parts])
    hosts = [
        part.host if isinstance(part, BlockHits) else part.host.dictionary_decode()
        for part in parts
    ]
    return HitGroup(
        np.concatenate([part.timestamp for part in parts]),
        pa.concat_arrays(hosts).dictionary_encode(),
        system,
        systems,
        request,
        requests,
    )


def _joined(parts: Sequence[tuple[Sequence[Any], Any]]) -> tuple[Sequence[Any], Any]:
    common = parts[0][0]
    if all(values is common for values, _unused in parts):
        return common, np.concatenate([codes for _unused, codes in parts])
    numbers: dict[Any, int] = {}
    columns = []
    for values, codes in parts:
        found, places = drop_unused(values, codes)
        numbered = [numbers.setdefault(value, len(numbers)) for value in found]
        columns.append(np.array(numbered, np.int32)[places])
    return list(numbers), np.concatenate(columns)


def _row_keys(columns: Sequence[Any]) -> Any:
    """Return one int64 per row. Two keys are equal if and only if all columns are equal."""
    keys = None
    size = 1
    for column in columns:
        low, high = (int(column.min()), int(column.max())) if len(column) else (0, 0)
        if high - low >= _KEY_LIMIT // size:
            column, low, high = _ranked(column)
        if keys is not None and high - low >= _KEY_LIMIT // size:
            keys, _unused, size = _ranked(keys)
            size += 1
        part = column.astype(np.int64) - low
        keys = part if keys is None else keys * (high - low + 1) + part
        size *= high - low + 1
    return keys


def _ranked(column: Any) -> tuple[Any, int, int]:
    """Return the ranks of the values of a column, as (ranks, lowest, highest)."""
    distinct, ranks = np.unique(column, return_inverse=True)
    return ranks.astype(np.int64), 0, max(len(distinct) - 1, 0)
