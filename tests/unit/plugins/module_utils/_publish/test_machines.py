"""Machines per week, by both declared methods."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from random import Random

import pytest
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._publish.machines import (
    Machines,
    Release,
    machines_by_release,
    machines_of_week,
    tabulate_machines,
)
from ansible_collections.fedora_infra.dnf_counting.tests.support.totals_files import (
    Row,
    write_totals,
)

WEEK = 2699


def machines(folder: Path, rows: list[Row]) -> list[tuple[int, int]]:
    with closing(sqlite3.connect(write_totals(folder, rows).db)) as connection:
        return [(m.machines, m.machines_by_base) for m in machines_of_week(connection, WEEK)]


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        pytest.param([], [], id="nothing"),
        pytest.param([Row(WEEK, 5, sys_age=a) for a in (1, 2, 3, 4)], [(20, 20)], id="ages-add-up"),
        pytest.param(
            [Row(WEEK, 5), Row(WEEK, 3, repo_arch="i386")], [(8, 8)], id="repo-arches-add-up"
        ),
        pytest.param(
            [Row(WEEK, 5), Row(WEEK, 7, repo_tag="updates-released-f34")],
            [(7, 5)],
            id="repo-tags-do-not",
        ),
        pytest.param(
            [Row(WEEK, 5), Row(WEEK, 6, sys_age=2, repo_tag="x"), Row(WEEK, 2, sys_age=2)],
            [(7, 7)],
            id="the-maximum-is-of-sums-not-a-sum-of-maxima",
        ),
        pytest.param(
            [Row(WEEK, 5), Row(WEEK, 3, repo_tag="fedora-33")], [(5, 8)], id="two-releases-repos"
        ),
        pytest.param(
            [Row(WEEK, 5, sys_age=-1), Row(WEEK, 5, sys_age=0)],
            [],
            id="ages-below-1-are-not-machines",
        ),
        pytest.param(
            [
                Row(WEEK, 1, repo_tag=tag)
                for tag in ("fedora-", "fedora-34x", "fedora-x34", "xfedora-34")
            ],
            [(1, 0)],
            id="fedora-nn-is-digits-only",
        ),
        pytest.param(
            [Row(WEEK, 5), Row(WEEK, 3, os_variant="workstation"), Row(WEEK, 2, os_arch="aarch64")],
            [(2, 2), (5, 5), (3, 3)],
            id="each-kind-of-system-by-itself",
        ),
        pytest.param([Row(WEEK - 1, 5), Row(WEEK + 1, 5)], [], id="other-weeks"),
    ],
)
def test_machines(tmp_path: Path, rows: list[Row], expected: list[tuple[int, int]]) -> None:
    assert machines(tmp_path, rows) == expected


def test_by_release_most_first() -> None:
    found = [
        Machines("A", "1", "x", "x86_64", 5, 0),
        Machines("B", "1", "", "x86_64", 7, 7),
        Machines("A", "1", "y", "x86_64", 4, 0),
        Machines("A", "0", "", "x86_64", 7, 0),
    ]
    assert machines_by_release(found) == [
        Release("A", "1", 9),
        Release("A", "0", 7),
        Release("B", "1", 7),
    ]


def test_the_table_of_all_weeks_says_the_same_as_each_week(tmp_path: Path) -> None:
    random = Random(7)
    rows = [
        Row(
            WEEK + random.randrange(3),
            random.randrange(1, 50),
            os_version=random.choice("12"),
            os_arch=random.choice("xy"),
            sys_age=random.choice((-1, 0, 1, 2, 3, 4, 5)),
            repo_tag=random.choice("abc"),
            repo_arch=random.choice("xy"),
        )
        for _unused in range(300)
    ]
    with closing(sqlite3.connect(write_totals(tmp_path, rows).db)) as connection:
        tabulate_machines(connection, {"machines": "*", "only_a": "a"}, least=1)
        columns = "os_name, os_version, os_variant, os_arch, machines"
        for week in range(WEEK, WEEK + 3):
            query = f"SELECT {columns} FROM machines WHERE week = ? ORDER BY 1, 2, 3, 4"
            tabulated = connection.execute(query, (week,)).fetchall()
            assert tabulated == [one[:5] for one in machines_of_week(connection, week)]
        most = "SELECT max(machines - age_1 - age_2 - age_3 - age_4) FROM machines"
        assert connection.execute(most).fetchone()[0] > 0, "ages beyond 4 count as machines"
        of_a = "SELECT sum(machines) FROM only_a"
        hits = sum(row.hits for row in rows if row.repo_tag == "a" and row.sys_age >= 1)
        assert connection.execute(of_a).fetchone() == (hits,)
