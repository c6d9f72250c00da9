# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hits by the million, as index columns, with doubles taken out: one row group of a raw day."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from ._countme import Request, System
from ._hit_blocks import BlockHits
from ._libs import np, pa
from ._raw_days import COLUMNS, raw_schema

_KEY_LIMIT = 1 << 63


@dataclass(frozen=True)
class HitGroup:
    """Hits as columns of equal length; host, system and request are indices."""

    timestamp: Any
    host: Any
    """pyarrow dictionary array."""
    system: Any
    systems: Sequence[System]
    request: Any
    requests: Sequence[Request]

    def __len__(self) -> int:
        return len(self.timestamp)

    def rows(self, chosen: Any) -> HitGroup:
        """Some of the rows, by index or mask."""
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
        """The rows from ``start`` up to ``end``."""
        return HitGroup(
            self.timestamp[start:end],
            self.host[start:end],
            self.system[start:end],
            self.systems,
            self.request[start:end],
            self.requests,
        )

    def distinct(self) -> HitGroup:
        """Without doubles; the first of each stays, the order is kept."""
        keys = _row_keys([self.timestamp, self.host.indices.to_numpy(), self.system, self.request])
        ordered = np.sort(keys)
        if not (ordered[1:] == ordered[:-1]).any():
            return self
        first_rows = np.unique(keys, return_index=True)[1]
        first_rows.sort()
        return self.rows(first_rows)

    def to_table(self) -> Any:
        """The nine columns as a pyarrow table, the strings still as dictionaries."""
        by_system = list(zip(*self.systems, strict=True)) or [()] * 4
        by_request = list(zip(*self.requests, strict=True)) or [()] * 3
        sys_age = np.array(by_request[0], np.int64)[self.request]
        columns = [
            pa.array(self.timestamp),
            _only_used(self.host),
            *(_strings(values, self.system) for values in by_system),
            pa.array(sys_age),
            *(_strings(values, self.request) for values in by_request[1:]),
        ]
        return pa.table(columns, names=list(COLUMNS))


def join(parts: Sequence[HitGroup | BlockHits]) -> HitGroup:
    """Several parts as one, the indices brought to common lists without doubles in them."""
    systems, system = _joined((part.systems, part.system) for part in parts)
    requests, request = _joined((part.requests, part.request) for part in parts)
    host = pa.chunked_array([part.host for part in parts]).unify_dictionaries().combine_chunks()
    return HitGroup(
        np.concatenate([part.timestamp for part in parts]),
        host.combine_chunks() if isinstance(host, pa.ChunkedArray) else host,
        system,
        systems,
        request,
        requests,
    )


def empty_table() -> Any:
    """A raw day without a hit."""
    return raw_schema().empty_table()


def _joined(parts: Iterable[tuple[Sequence[Any], Any]]) -> tuple[list[Any], Any]:
    numbers: dict[Any, int] = {}
    columns = []
    for values, codes in parts:
        # what no row uses (None, rejects) must not enter the common list
        used = np.unique(codes)
        numbered = np.zeros(len(values), np.int32)
        for code in used.tolist():
            numbered[code] = numbers.setdefault(values[code], len(numbers))
        columns.append(numbered[codes])
    return list(numbers), np.concatenate(columns)


def _only_used(column: Any) -> Any:
    """A dictionary array without the values that no row has: they would all be written."""
    codes = column.indices.to_numpy()
    used = np.zeros(len(column.dictionary), bool)
    used[codes] = True
    places = np.cumsum(used, dtype=np.int32) - 1
    return pa.DictionaryArray.from_arrays(
        pa.array(places[codes], pa.int32()), column.dictionary.filter(pa.array(used))
    )


def _strings(values: Sequence[str], codes: Any) -> Any:
    """A string column by index; equal values get one place in the dictionary."""
    places: dict[str, int] = {}
    place = np.array([places.setdefault(value, len(places)) for value in values], np.int32)
    return pa.DictionaryArray.from_arrays(
        pa.array(place[codes]), pa.array(list(places), pa.string())
    )


def _row_keys(columns: Sequence[Any]) -> Any:
    """One int64 per row, equal just where all columns are."""
    keys = None
    size = 1
    for column in columns:
        low, high = (int(column.min()), int(column.max())) if len(column) else (0, 0)
        if high - low >= _KEY_LIMIT // size:
            column, low, high = _ranked(column)
        if keys is not None and high - low >= _KEY_LIMIT // size:
            keys, _, size = _ranked(keys)
            size += 1
        part = column.astype(np.int64) - low
        keys = part if keys is None else keys * (high - low + 1) + part
        size *= high - low + 1
    return keys


def _ranked(column: Any) -> tuple[Any, int, int]:
    """The column with its values replaced by their ranks; (ranks, lowest, highest)."""
    distinct, ranks = np.unique(column, return_inverse=True)
    return ranks.astype(np.int64), 0, max(len(distinct) - 1, 0)
