"""The statistics agree with the table of totals and with the records of raw days."""

from __future__ import annotations

import json
from datetime import date

import duckdb
import numpy as np
import pytest
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._hits.raw_days import (
    RawRecord,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._hits.statistics import (
    COUNTME,
    STATISTICS,
    UNIQUE,
    Hits,
    row_condition,
)
from ansible_collections.fedora_infra.dnf_counting.tests.support.raw_day_files import (
    hit,
    record_of,
)

AGES = [-1, 0, 1, 4, -7, 9]


@pytest.mark.parametrize("hits", Hits)
def test_sql_and_numpy_choose_the_same_hits(hits: Hits) -> None:
    query = f"SELECT {hits.value} FROM (SELECT unnest(?) AS sys_age)"
    chosen = [row[0] for row in duckdb.execute(query, [AGES]).fetchall()]
    assert hits.mask(np.array(AGES)).tolist() == chosen


def test_each_row_of_the_totals_belongs_to_one_statistic() -> None:
    conditions = ", ".join(row_condition(one) for one in STATISTICS)
    query = f"SELECT {conditions} FROM (SELECT unnest(?) AS sys_age)"
    rows = duckdb.execute(query, [[str(age) for age in AGES]]).fetchall()
    assert all(sum(row) == 1 for row in rows)
    assert (row_condition(COUNTME), row_condition(UNIQUE)) == ("sys_age <> '-1'", "sys_age = '-1'")


def test_a_record_names_the_last_hit_of_each_statistic() -> None:
    record = record_of(date(2021, 9, 28), [hit(90), hit(80, sys_age=-1)])
    values = json.loads(json.dumps(record.to_json()))
    assert (values["last_countme"], values["last_unique"]) == (90, 80)
    assert RawRecord.from_json(values) == record


def test_a_record_from_before_a_statistic_began_has_no_hit_of_it() -> None:
    values = record_of(date(2021, 9, 28), [hit(90)]).to_json()
    del values["last_unique"]
    assert RawRecord.from_json(values).last_seen == {"countme": 90, "unique": None}
