"""A web root as stats_publish leaves it, from totals made by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._base.fedora import COLUMNS
from ansible_collections.fedora_infra.dnf_counting.tests.support.modules import run_module
from ansible_collections.fedora_infra.dnf_counting.tests.support.totals_files import (
    Files,
    Row,
    write_totals,
)

WEEK = 2699
"""2021-W39."""

#: What a client can send as the name of its system: it is counted, and shown as text.
HOSTILE_NAMES = (
    "<script>window.ran = 1</script>",
    '"><img src=x onerror="window.ran = 2">',
    "</script><script>window.ran = 3</script>",
    "{{ 7 * 7 }}{% raw %}",
    "datum.x); window.ran = 4; (",
)

#: Clients of some days, by column; there were none of the others.
MIRRORS = {
    "2021-10-01": {"epel4": 1, "epel5": 2, "f32": 300, "f33": 400},
    "2021-10-02": {"epel4": 1, "epel5": 2, "f32": 310, "f33": 420},
    "2021-10-03": {"epel4": 1, "epel5": 2, "f32": 290, "f33": 410},
}


def rows(*, hostile: bool = False, weeks: int = 4) -> list[Row]:
    """A few releases over some weeks; with ``hostile``, clients that try to break out of text."""
    found = []
    for week in range(WEEK - weeks + 1, WEEK + 1):
        for number, version in enumerate(("33", "34", "35")):
            tag = f"fedora-{version}"
            found += [
                Row(week, 900 * (number + 1) + week - WEEK, os_version=version, repo_tag=tag),
                Row(week, 300, os_version=version, repo_tag=tag, sys_age=4, os_arch="aarch64"),
                Row(week, 90, os_version=version, repo_tag=tag, sys_age=-1),
            ]
        found.append(Row(week, 500, "CentOS Stream", "9", "", repo_tag="epel-9", sys_age=3))
        if hostile:
            found += [
                Row(week, 700, name, "1", name, os_arch=name, repo_tag=name)
                for name in HOSTILE_NAMES
            ]
    return found


def statuses_of(weeks: int) -> dict[int, str]:
    """The newest week is provisional, the first one partial, where there are so many."""
    found = dict.fromkeys(range(WEEK - weeks + 1, WEEK + 1), "complete")
    if weeks > 2:
        found |= {WEEK: "provisional", WEEK - weeks + 1: "partial"}
    return found


def totals_of(root: Path, *, hostile: bool = False, weeks: int = 4) -> Files:
    return write_totals(root / "lib", rows(hostile=hostile, weeks=weeks), status=statuses_of(weeks))


def write_mirrors(root: Path) -> None:
    folder = root / "csv-reports" / "mirrors"
    folder.mkdir(parents=True, exist_ok=True)
    header = [f"{number:02}-{name}" for number, name in enumerate(COLUMNS["first"], 2)]
    lines = [["1970-01-01", *header]]
    for day, clients in MIRRORS.items():
        lines.append([day, *(str(clients.get(name, 0)) for name in COLUMNS["first"])])
    text = "".join(",".join(line) + "\n" for line in lines)
    (folder / "mirrorsdata-all.csv").write_text(text)


def options_of(root: Path, totals: Files, **options: Any) -> dict[str, Any]:
    """The options of stats_publish for a web root below ``root``."""
    web = root / "csv-reports"
    profile = {
        "name": "fedora",
        "title": "Fedora",
        "prefix": "totals",
        "totals_db": str(totals.db),
        "totals_csv": str(totals.csv),
    }
    given = {
        "dest": web / "countme",
        "profiles": [profile],
        "web_dir": web,
        "site_title": "Systems",
        "distribution": "Fedora",
        "mirrors_csv_dir": web / "mirrors",
    }
    return {**given, **options}


def publish(root: Path, totals: Files, **options: Any) -> dict[str, Any]:
    return run_module("stats_publish", **options_of(root, totals, **options))


def site_files(root: Path) -> dict[str, bytes]:
    """All files of the web root that readers can get, but the published ones."""
    web = root / "csv-reports"
    return {
        str(path.relative_to(web)): path.read_bytes()
        for path in sorted(web.rglob("*"))
        if path.is_file() and path.name[0] != "." and path.relative_to(web).parts[0] != "countme"
    }
