"""Columns of codes: unused values go, rows keep their values."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._logs.coded_columns import (
    compact_dictionary,
    drop_unused,
    string_column,
)
from hypothesis import given
from hypothesis import strategies as st

VALUES = ["x86_64", "aarch64", "", "x86_64", "ppc64le"]
codes_of_rows = st.lists(st.integers(0, len(VALUES) - 1)).map(lambda codes: np.array(codes, int))


@given(codes=codes_of_rows)
def test_rows_keep_their_values_when_unused_values_are_dropped(codes: np.ndarray) -> None:
    values, new_codes = drop_unused(VALUES, codes)
    assert [values[code] for code in new_codes] == [VALUES[code] for code in codes]
    assert len(values) == len(set(codes.tolist()))


@given(codes=codes_of_rows)
def test_a_compacted_column_has_only_the_entries_that_rows_use(codes: np.ndarray) -> None:
    column = string_column(VALUES, codes)
    compact = compact_dictionary(column)
    assert compact.to_pylist() == column.to_pylist() == [VALUES[code] for code in codes]
    assert sorted(compact.dictionary.to_pylist()) == sorted(set(column.to_pylist()))


def test_equal_values_share_one_entry_in_a_string_column() -> None:
    column = string_column(VALUES, np.array([3, 0]))
    assert column.dictionary.to_pylist() == ["x86_64", "aarch64", "", "ppc64le"]
    assert column.indices.type == pa.int32()
