# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Columns that store each distinct value once and an integer code for each row.

A code is an index into the list of values. A value without a row takes space in every row group
that is written, so unused values are dropped before writing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .._base.libs import np, pa


def drop_unused(values: Sequence[Any], codes: Any) -> tuple[list[Any], Any]:
    """Return the values that occur in ``codes``, and the codes renumbered for them."""
    is_used, new_codes = _renumber(len(values), codes)
    return [values[code] for code in np.flatnonzero(is_used).tolist()], new_codes


def compact_dictionary(column: Any) -> Any:
    """Return a pyarrow dictionary array without the dictionary entries that no row uses."""
    is_used, new_codes = _renumber(len(column.dictionary), column.indices.to_numpy())
    return pa.DictionaryArray.from_arrays(
        pa.array(new_codes, pa.int32()), column.dictionary.filter(pa.array(is_used))
    )


def string_column(values: Sequence[str], codes: Any) -> Any:
    """Return a pyarrow dictionary array of strings; equal values share one dictionary entry."""
    entries: dict[str, int] = {}
    entry = np.array([entries.setdefault(value, len(entries)) for value in values], np.int32)
    return pa.DictionaryArray.from_arrays(
        pa.array(entry[codes]), pa.array(list(entries), pa.string())
    )


def _renumber(count: int, codes: Any) -> tuple[Any, Any]:
    """Return a mask of the ``count`` values that occur, and codes that number only those."""
    is_used = np.zeros(count, bool)
    is_used[codes] = True
    return is_used, (np.cumsum(is_used, dtype=np.int32) - 1)[codes]
