"""The sample logs: the same for the same day, in the form of rotated logs."""

from __future__ import annotations

import lzma
import re
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[3] / "sample" / "logs.py"
UNTIL = date(2026, 3, 2)


def make(root: Path, *options: str) -> str:
    command = [sys.executable, str(SCRIPT), str(root), "--systems", "200", *options]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def contents(root: Path, pattern: str = "*") -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in root.glob(f"*/*/{pattern}")}


@pytest.fixture(scope="module")
def week(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("week")
    make(root, "--until", str(UNTIL), "--days", "7")
    return root


def test_a_day_alone_is_made_the_same_as_among_others(week: Path, tmp_path: Path) -> None:
    make(tmp_path, "--until", str(UNTIL), "--days", "1")
    assert contents(tmp_path)
    assert contents(tmp_path) == contents(week, "*-20260302.xz")


def test_a_rerun_makes_only_what_is_missing(week: Path) -> None:
    before = contents(week)
    assert make(week, "--until", str(UNTIL), "--days", "7") == "the logs of all days are there\n"
    (week / "proxy02" / "httpd" / "mirrors.centos.org-access.log-20260227.xz").unlink()
    assert make(week, "--until", str(UNTIL), "--days", "7") == "made the logs of 1 days\n"
    assert contents(week) == before


def test_every_host_has_access_and_error_logs_of_every_day(week: Path) -> None:
    days = [UNTIL - timedelta(days=back) for back in range(7)]
    for host, site in [("proxy04", "mirrors.centos.org"), ("dl01", "dl.fedoraproject.org")]:
        for day in days:
            for kind in ("access", "error"):
                name = f"{site}-{kind}.log-{day:%Y%m%d}.xz"
                assert (week / host / "httpd" / name).is_file()


def test_a_file_holds_the_requests_of_the_day_before_with_steps_back(week: Path) -> None:
    text = b"".join(
        lzma.decompress(path.read_bytes())
        for path in sorted(week.glob("proxy0*/httpd/mirrors.fedora*-access.log-20260302.xz"))
    )
    times = re.findall(rb"\[(\d\d/Mar/2026:\d\d:\d\d):\d\d \+0000\]", text)
    assert times
    assert sum(time.startswith(b"01/Mar") for time in times) > 0.95 * len(times)
    assert times != sorted(times)
    assert b"&countme=" in text
    assert b"\x00" in text
