"""Classes of coverage."""

from __future__ import annotations

import pytest
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._charts.coverage import (
    ALL,
    FEW,
    MOST,
    NEARLY_ALL,
    NONE,
    NOT_RECORDED,
    coverage_of,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._totals.host_days import (
    HostDays,
)


@pytest.mark.parametrize(
    ("expected", "received", "coverage"),
    [
        (10, 10, ALL),
        (10, 11, ALL),
        (0, 0, ALL),
        (100, 95, NEARLY_ALL),
        (100, 94, MOST),
        (10, 5, MOST),
        (10, 4, FEW),
        (10, 0, NONE),
        (None, None, NOT_RECORDED),
        (10, None, NOT_RECORDED),
    ],
)
def test_coverage_has_classes(expected: int | None, received: int | None, coverage: str) -> None:
    assert coverage_of(HostDays(expected, received)) == coverage
