"""http_log_compress as a user runs it, and with what combines and reads the same logs."""

from __future__ import annotations

import lzma
import os
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.fedora_infra.dnf_counting.tests.support.modules import (
    run_module,
    statuses,
)

LOG = "mirrors.fedoraproject.org-access.log"
DAYS = ("2021-08-31", "2021-09-30", "2021-10-01")
LINE = b'h - - [27/Sep/2021:12:00:00 +0000] "GET /" 200 5 "-" "-"\n'


@pytest.fixture(name="hosts")
def _hosts(tmp_path: Path) -> Path:
    """A hosts tree whose three days are combined."""
    for day in DAYS:
        path = tmp_path / "hosts/proxy01" / day.replace("-", "/") / "http" / LOG
        path.parent.mkdir(parents=True)
        path.write_bytes(LINE * 1000)
    combine(tmp_path / "hosts")
    return tmp_path / "hosts"


def combine(hosts: Path) -> dict[str, Any]:
    return run_module("http_log_combine", src=hosts, dest=hosts.parent / "combined", dates=DAYS)


def compress(hosts: Path, **options: Any) -> dict[str, Any]:
    return run_module("http_log_compress", src=hosts.parent / "combined", level=1, **options)


def test_first_run_changes_second_does_not_and_combine_finds_nothing_to_do(hosts: Path) -> None:
    record = hosts.parent / "combined/2021/08/31/.combine.json"
    before = record.read_bytes()
    expected = {f"{day} {LOG}": "due" for day in DAYS[:2]}
    assert statuses(compress(hosts, check=True)) == expected
    assert (hosts.parent / "combined/2021/08/31" / LOG).exists()

    made = compress(hosts)
    assert made["changed"]
    assert made["summary"] == {"made": 2}
    packed = hosts.parent / "combined/2021/08/31" / f"{LOG}.xz"
    assert lzma.decompress(packed.read_bytes()) == LINE * 1000
    assert sorted(os.listdir(packed.parent)) == [".combine.json", f"{LOG}.xz"]
    assert record.read_bytes() == before

    assert not compress(hosts)["changed"]
    assert not combine(hosts)["changed"]


def test_before_and_keep_days_exclude_each_other(hosts: Path) -> None:
    assert compress(hosts, before="2021-09-01", form="zst")["summary"] == {"made": 1}
    result = compress(hosts, before="2021-09-01", keep_days=3, ok=False)
    assert "mutually exclusive" in result["msg"]


def test_a_log_that_fails_fails_the_module_after_the_others(hosts: Path) -> None:
    packed = hosts.parent / "combined/2021/08/31" / f"{LOG}.xz"
    packed.write_bytes(lzma.compress(b"other"))
    result = compress(hosts, ok=False)
    assert result["summary"] == {"failed": 1, "made": 1}
    assert str(packed) in result["units"][0]["reasons"][0]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        pytest.param({"before": "yesterday"}, "YYYY-MM-DD", id="no-day"),
        pytest.param({"form": "gz"}, "must be one of", id="no-such-form"),
        pytest.param({"workers": 0}, "option workers", id="no-workers"),
    ],
)
def test_what_cannot_work_fails_with_a_clear_message(
    hosts: Path, options: dict[str, Any], message: str
) -> None:
    assert message in compress(hosts, ok=False, **options)["msg"]
