"""What the playbook for repairs refuses. What it repairs is in the molecule scenario backfill."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.fedora_infra.dnf_counting.tests.support.log_host import LogHost


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({}, "found no backfill_since"),
        ({"backfill_since": "last week"}, "found last week"),
        ({"backfill_since": "2026-11-02", "backfill_profiles": "fedroa"}, "found fedroa"),
        ({"backfill_since": "2026-11-02", "backfill_stages": "cuont"}, "cuont"),
    ],
    ids=str,
)
def test_what_cannot_be_meant_is_refused(given: dict[str, Any], told: str, tmp_path: Path) -> None:
    no_files = {"web_data_analysis_before_run": [], "web_data_analysis_after_run": []}
    refused = LogHost(tmp_path, days=1).play("backfill", **given, **no_files)
    assert refused.code != 0
    assert told in refused.output.replace("\n", " "), refused.output
    assert refused.changed == []
    assert not (tmp_path / "run").exists()
