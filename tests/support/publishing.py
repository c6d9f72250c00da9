# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""stats_publish run on totals of three weeks, and what readers get of it."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

from ansible_collections.fedora_infra.dnf_counting.tests.support.modules import run_module
from ansible_collections.fedora_infra.dnf_counting.tests.support.totals_files import (
    Files,
    Row,
)

WEEK = 2699
"""2021-W39."""

ROWS = [
    Row(WEEK - 1, 500),
    Row(WEEK - 1, 90, sys_age=-1),
    Row(WEEK, 300, sys_age=1),
    Row(WEEK, 200, sys_age=4),
    Row(WEEK, 480, repo_tag="updates-released-f34"),
    Row(WEEK, 40, "CentOS Stream", "9", "", repo_tag="epel-9"),
    Row(WEEK, 60, sys_age=-1),
    Row(WEEK + 1, 7),
]
STATUS = {WEEK - 1: "complete", WEEK: "complete", WEEK + 1: "provisional"}


def profile(totals: Files, **changes: str) -> dict[str, str]:
    given = {"name": "fedora", "prefix": "totals"}
    return {**given, "totals_db": str(totals.db), "totals_csv": str(totals.csv), **changes}


def publish(totals: Files, **options: Any) -> dict[str, Any]:
    given = {"dest": web(totals), "profiles": [profile(totals)]}
    return run_module("stats_publish", **{**given, **options})


def web(totals: Files) -> Path:
    return totals.db.parents[1] / "web"


def published(totals: Files) -> dict[str, bytes]:
    """All files that readers can get, with their content."""
    return {
        str(path.relative_to(web(totals))): path.read_bytes()
        for path in sorted(web(totals).rglob("*"))
        if path.is_file() and not path.name.startswith(".")
    }


def cells(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(content.decode().splitlines()))
