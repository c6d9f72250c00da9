# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Records become JSON and are read back by their types."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Annotated, Any, NamedTuple

import pytest
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._base.json_records import (
    INLINE,
    from_json,
    to_json,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._base.records import (
    InputFile,
)


class Size(NamedTuple):
    rows: int
    note: str | None


@dataclass(frozen=True)
class Input:
    file: Annotated[InputFile, INLINE]
    host: str


@dataclass(frozen=True)
class Record:
    since: date
    inputs: tuple[Input, ...] = ()
    sizes: Mapping[int, Size] = field(default_factory=dict)
    span: tuple[int, float] = (0, 0.0)
    seconds: float | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    whole: bool = False


RECORD = Record(
    since=date(2021, 9, 28),
    inputs=(Input(InputFile("a/b.log", 12, 1_000_000_007), "proxy01"),),
    sizes={2699: Size(3, None), -1: Size(0, "none")},
    span=(1, 2.5),
    seconds=0.5,
    settings={"hosts": ["a", "b"], "least": 2},
    whole=True,
)
JSON = {
    "since": "2021-09-28",
    "inputs": [{"path": "a/b.log", "size": 12, "mtime_ns": 1_000_000_007, "host": "proxy01"}],
    "sizes": {"2699": [3, None], "-1": [0, "none"]},
    "span": [1, 2.5],
    "seconds": 0.5,
    "settings": {"hosts": ["a", "b"], "least": 2},
    "whole": True,
}


def test_a_record_is_read_back_from_its_json() -> None:
    assert to_json(RECORD) == JSON
    assert from_json(Record, json.loads(json.dumps(JSON))) == RECORD


def test_keys_of_a_later_version_are_ignored() -> None:
    assert from_json(Record, {**JSON, "later": 1}) == RECORD


@pytest.mark.parametrize("name", JSON)
def test_each_field_is_needed(name: str) -> None:
    with pytest.raises(KeyError):
        from_json(Record, {key: value for key, value in JSON.items() if key != name})


@pytest.mark.parametrize(
    "other",
    [
        {"since": "yesterday"},
        {"since": None},
        {"inputs": {}},
        {"inputs": [{"path": "a"}]},
        {"inputs": [None]},
        {"sizes": {"2699": [3]}},
        {"sizes": {"W39": [3, None]}},
        {"sizes": {"2699": ["3", None]}},
        {"span": [1, 2, 3]},
        {"span": [True, 2.5]},
        {"seconds": "0.5"},
        {"whole": 1},
        {"settings": []},
    ],
)
def test_values_of_other_types_are_refused(other: dict[str, Any]) -> None:
    with pytest.raises((KeyError, TypeError, ValueError)):
        from_json(Record, {**JSON, **other})


@pytest.mark.parametrize("value", [None, [], "record", 7])
def test_values_that_are_no_object_are_refused(value: Any) -> None:
    with pytest.raises(TypeError):
        from_json(Record, value)
