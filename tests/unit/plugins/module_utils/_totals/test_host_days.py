"""Host-days day by day."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._logs.combined_tree import (
    CombinedDay,
    CombinedLog,
    write_combined_day,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._logs.paths import (
    day_folder,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._totals.host_days import (
    HostDays,
    host_days_of_combined,
    host_days_of_raw,
)

DAY = date(2021, 9, 28)
LOG = "mirrors-access.log"


def combine(tree: Path, day: date, *, expected: int = 2, present: int | None = None) -> None:
    folder = day_folder(tree, day)
    folder.mkdir(parents=True)
    (folder / LOG).touch()
    if present is not None:
        hosts = tuple(f"proxy{n:02}" for n in range(expected))
        log = CombinedLog((), hosts, hosts[:present], (), 0, 0, 0, None, None)
        write_combined_day(tree, CombinedDay(day, {LOG: log}))


def test_incident_missing_day_source_shows_on_the_day_whose_requests_are_missing(
    tmp_path: Path,
) -> None:
    combine(tmp_path, DAY, present=2)
    combine(tmp_path, DAY + timedelta(days=1), present=1)
    combine(tmp_path, DAY + timedelta(days=3), present=2, expected=3)
    assert host_days_of_combined(tmp_path, LOG) == {
        date(2021, 9, 27): HostDays(2, 2),
        date(2021, 9, 28): HostDays(2, 1),
        date(2021, 9, 29): HostDays(2, 0),
        date(2021, 9, 30): HostDays(3, 2),
    }


def test_days_that_another_system_combined_are_not_recorded(tmp_path: Path) -> None:
    combine(tmp_path, DAY)
    assert host_days_of_combined(tmp_path, LOG) == {date(2021, 9, 27): HostDays(None, None)}


def test_only_the_newest_year_is_looked_at(tmp_path: Path) -> None:
    for days in (0, 300, 800):
        combine(tmp_path, DAY - timedelta(days=days), present=2)
    found = host_days_of_combined(tmp_path, LOG)
    assert min(found) == DAY - timedelta(days=301)
    assert len(found) == 301


def test_where_nothing_is_there_is_nothing_to_show(tmp_path: Path) -> None:
    assert host_days_of_combined(tmp_path / "absent", LOG) == {}
    assert host_days_of_raw(tmp_path) == {}
