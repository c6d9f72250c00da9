"""Charts of machines, from the totals."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._base.days_and_weeks import (
    week_start,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._charts.figures import (
    MOST_SERIES,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._charts.machines import (
    marks_of,
    weekly_charts,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._charts.time_chart import (
    TimeChart,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._publish.distribution import (
    AddOn,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._publish.totals_reader import (
    read_quality,
)
from ansible_collections.fedora_infra.dnf_counting.tests.support.totals_files import (
    Row,
    write_totals,
)

WEEK = 2699


def charts(folder: Path, *rows: Row, **options: Any) -> dict[str, TimeChart]:
    with closing(sqlite3.connect(write_totals(folder, rows).db)) as connection:
        found = weekly_charts(connection, read_quality(connection), **options)
    return {chart.name: chart for chart in found}


def series(chart: TimeChart) -> dict[str, tuple[float | None, ...]]:
    return {one.label: one.values for one in chart.figures.series}


def test_machines_are_split_in_each_way(tmp_path: Path) -> None:
    drawn = charts(
        tmp_path,
        Row(WEEK, 50, repo_tag="fedora-34"),
        Row(WEEK, 40, repo_tag="updates-released-f34"),
        Row(WEEK, 20, os_version="33", os_variant="", os_arch="aarch64"),
        Row(WEEK + 1, 60),
        Row(WEEK + 1, 999, sys_age=-1),
    )
    assert {name: series(chart) for name, chart in drawn.items()} == {
        "machines-by-release": {"Fedora Linux 33": (20, 0), "Fedora Linux 34": (50, 60)},
        "machines-by-variant": {"server": (50, 60), "(no variant)": (20, 0)},
        "machines-by-architecture": {"x86_64": (50, 60), "aarch64": (20, 0)},
        "machines-by-age": {"first week": (70, 60)},
    }
    assert drawn["machines-by-age"].figures.starts == (week_start(WEEK), week_start(WEEK + 1))


def test_ages_are_those_of_the_repository_that_counts_and_add_up_to_the_machines(
    tmp_path: Path,
) -> None:
    drawn = charts(
        tmp_path,
        *(Row(WEEK, hits, sys_age=age) for age, hits in ((1, 4), (2, 3), (3, 2), (4, 1), (7, 5))),
        Row(WEEK, 14, sys_age=1, repo_tag="smaller"),
    )
    assert series(drawn["machines-by-age"]) == {
        "more than 24 weeks": (1,),
        "up to 24 weeks": (2,),
        "up to 4 weeks": (3,),
        "first week": (4,),
        "unknown": (5,),
    }


def test_epel_is_counted_by_its_own_repositories(tmp_path: Path) -> None:
    drawn = charts(
        tmp_path,
        Row(WEEK, 90, os_name="Rocky Linux", repo_tag="other"),
        Row(WEEK, 30, os_name="Rocky Linux", repo_tag="epel-8"),
        Row(WEEK, 20, os_name="Rocky Linux", repo_tag="epel-modular-8"),
        Row(WEEK, 9, os_name="AlmaLinux", repo_tag="testing-epel8"),
    )
    assert series(drawn["epel-by-distribution"]) == {"Rocky Linux": (30,), "AlmaLinux": (9,)}


def test_a_week_that_is_not_in_the_totals_is_a_gap(tmp_path: Path) -> None:
    drawn = charts(tmp_path, Row(WEEK, 5), Row(WEEK + 2, 7))
    assert series(drawn["machines-by-age"]) == {"first week": (5, None, 7)}


def test_small_systems_are_left_out_where_that_is_wanted(tmp_path: Path) -> None:
    drawn = charts(tmp_path, Row(WEEK, 5), Row(WEEK, 4, os_version="33"), least=5)
    assert series(drawn["machines-by-release"]) == {"Fedora Linux 34": (5,)}


def test_totals_without_machines_give_no_charts(tmp_path: Path) -> None:
    assert charts(tmp_path) == {}
    assert charts(tmp_path, Row(WEEK, 5, sys_age=-1)) == {}


def test_weeks_to_take_with_care_are_marked(tmp_path: Path) -> None:
    status = {WEEK: "complete", WEEK + 1: "partial", WEEK + 2: "unknown", WEEK + 3: "provisional"}
    totals = write_totals(tmp_path, [Row(week, 5) for week in status], status=status).db
    with closing(sqlite3.connect(totals)) as connection:
        connection.execute(
            "UPDATE weeks SET suspect = 1, suspect_reason = 'far' WHERE weeknum = ?", (WEEK + 1,)
        )
        quality = read_quality(connection)
        chart = weekly_charts(connection, quality)[0]
    assert chart.figures.marks == {
        week_start(WEEK + 1): "partial and suspect",
        week_start(WEEK + 3): "provisional",
    }
    assert marks_of({}) == {}


def test_incident_hostile_request_names_become_short_text_and_one_sum(tmp_path: Path) -> None:
    hostile = [
        Row(WEEK, 1, os_name=f"<script>{n}</script>", os_version="=cmd()") for n in range(10_000)
    ]
    named = Row(WEEK, 5000, os_name='"];\x1b\u202e' + "A" * 9999, os_version="::1")
    drawn = charts(tmp_path, Row(WEEK, 9000), named, *hostile)
    released = series(drawn["machines-by-release"])
    assert released == {
        '"];\\x1b\\u202e' + "A" * 14 + "…": (5000,),
        "Fedora Linux 34": (9000,),
        "10,000 others": (10_000,),
    }
    assert all(len(chart.figures.series) <= MOST_SERIES + 1 for chart in drawn.values())


def test_names_of_profiles_end_the_names_and_titles(tmp_path: Path) -> None:
    with closing(sqlite3.connect(write_totals(tmp_path, [Row(WEEK, 5)]).db)) as connection:
        chart = weekly_charts(connection, {}, suffix="-centos", of_profile=", centos")[0]
    assert chart.name == "machines-by-release-centos"
    assert chart.title == "Machines per week by release, centos"
    assert chart.figures.starts == (date(2021, 9, 27),)


def test_add_ons_are_data(tmp_path: Path) -> None:
    add_ons = AddOn.from_options(
        [{"name": "rpmfusion", "title": "RPM Fusion", "repositories": "rpmfusion-*"}]
    )
    rows = [Row(WEEK, 5, repo_tag="rpmfusion-free"), Row(WEEK, 9, repo_tag="epel-9")]
    drawn = charts(tmp_path, *rows, add_ons=add_ons)
    chart = drawn["rpmfusion-by-distribution"]
    assert series(chart) == {"Fedora Linux": (5,)}
    assert chart.section == "rpmfusion"
    assert chart.title == "Machines with RPM Fusion per week by distribution"
    assert "epel-by-distribution" not in drawn
