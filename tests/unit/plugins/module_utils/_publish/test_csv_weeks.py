"""Weeks of totals.csv as they are published."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._publish.csv_weeks import (
    csv_figures,
    digest_of,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._totals import csv_reader
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._totals.csv_reader import (
    weeks_of_csv,
)
from ansible_collections.fedora_infra.dnf_counting.tests.support.totals_files import Row, write_csv

WEEK = 2699


def test_figures_and_digests_do_not_depend_on_the_blocks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "totals.csv"
    write_csv(path, [Row(week, n) for week in range(WEEK, WEEK + 5) for n in range(1, 60)])
    whole = [digest_of(week) for week in weeks_of_csv(path)]
    assert csv_figures(path) == dict.fromkeys(range(WEEK, WEEK + 5), (59, sum(range(60))))
    monkeypatch.setattr(csv_reader, "_BLOCK_BYTES", (500,))
    assert [digest_of(week) for week in weeks_of_csv(path)] == whole
