"""Names and places of logs: there and back, for all days there are."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._logs.paths import (
    COMPRESSIONS,
    dated_name,
    day_folder,
    undated_name,
)


@pytest.mark.parametrize("day", [date.min, date(999, 12, 31), date(2024, 2, 29), date.max])
@pytest.mark.parametrize("ending", COMPRESSIONS)
def test_a_rotated_name_tells_the_name_and_the_day(day: date, ending: str) -> None:
    name = f"a-access.log{ending}"
    assert undated_name(dated_name(name, day)) == (name, day)


def test_years_have_four_digits_in_folders() -> None:
    assert day_folder(Path("/logs"), date(1, 2, 3)) == Path("/logs/0001/02/03")


@pytest.mark.parametrize("ending", [".zip", ".1", ".XZ", ".xz.gz", ".", ".log"])
def test_a_form_that_could_not_be_read_is_no_rotated_log(ending: str) -> None:
    """It would be fetched at each run again, as nothing here would be known as its like."""
    assert undated_name(f"a-access.log-20261120{ending}") is None
