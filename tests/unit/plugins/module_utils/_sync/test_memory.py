"""What earlier syncs tell the next one."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._sync.memory import (
    MEMORY_NAME,
    HostMemory,
    load_memory,
    save_memory,
)

SINCE = date(2026, 11, 1)


def test_memory_round_trips(tmp_path: Path) -> None:
    memory = {
        "new": HostMemory(SINCE),
        "old": HostMemory(SINCE, 1.5, date(2026, 11, 2), (SINCE, date(2026, 11, 2))),
    }
    save_memory(tmp_path, memory)
    assert load_memory(tmp_path) == memory


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "{}", '{"hosts": []}', '{"hosts": {"a": 1}}', '{"hosts": {"a": {}}}']
)
def test_memory_that_makes_no_sense_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / MEMORY_NAME).write_text(text)
    assert load_memory(tmp_path) == {}


def test_durations_follow_slowly_and_days_add_up() -> None:
    first = HostMemory(SINCE).after(seconds=10, with_logs=[], whole=[])
    assert (first.seconds, first.last_log, first.whole) == (10, None, ())
    days = [date(2026, 11, 3), date(2026, 11, 4)]
    second = first.after(seconds=20, with_logs=days, whole=days[:1])
    assert (second.seconds, second.last_log, second.whole) == (15, days[1], (days[0],))
    third = second.after(seconds=15, with_logs=days[:1], whole=days)
    assert (third.last_log, third.whole) == (days[1], tuple(days))
