"""Condensing for another distribution than Fedora: its releases and columns are data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._base import fedora
from ansible_collections.fedora_infra.dnf_counting.plugins.modules import mirrorlist_condense
from ansible_collections.fedora_infra.dnf_counting.tests.support.condensing import Place, line

FEDORA = {
    "repositories": fedora.REPOSITORIES,
    "releases": fedora.RELEASES,
    "columns": fedora.COLUMNS,
    "newest_releases": fedora.NEWEST_RELEASES,
}


@pytest.fixture
def place(tmp_path: Path) -> Place:
    place = Place(tmp_path)
    requests = [("1", "baseos-9"), ("2", "AppStream-9-debuginfo"), ("3", "fedora-33")]
    requests += [("4", "baseos-10"), ("5", "baseos-9")]
    place.write(
        "2031-09-28", "".join(line(f"192.0.2.{n}", "2031-09-27", repo) for n, repo in requests)
    )
    return place


@pytest.fixture
def almalinux() -> dict[str, Any]:
    """The options of the documented example."""
    example = yaml.safe_load(mirrorlist_condense.EXAMPLES)[-1]
    options = example["fedora_infra.dnf_counting.mirrorlist_condense"]
    return {name: options[name] for name in FEDORA}


def statuses(result: dict[str, Any]) -> list[str]:
    return [unit["status"] for unit in result["units"]]


def test_another_distribution_is_counted_by_its_data(
    place: Place, almalinux: dict[str, Any]
) -> None:
    made = place.run("2031-09-28", **almalinux)
    # the first client of a date does not count in this file
    counted = {"almalinux9": 2, "almalinux10": 1, "almalinux": 3, "unknown": 1, "x86_64": 4}
    assert place.rows() == {"2031-09-27": counted}
    assert place.daily("almalinux") == {"2031-09-27 9": 3, "2031-09-27 10": 1}
    assert made["units"][-1]["new_columns"] == ["09-almalinux10"]
    assert statuses(place.run("2031-09-28", **almalinux)) == ["unchanged", "unchanged"]


def test_the_usual_data_given_as_options_remakes_nothing(place: Place) -> None:
    place.run("2031-09-28")
    again = place.run("2031-09-28", **FEDORA)
    assert statuses(again) == ["unchanged", "unchanged"]


def test_other_rules_for_repositories_condense_the_days_again(place: Place) -> None:
    place.run("2031-09-28")
    names = [{"name": "baseos(9)", "release": "f50"}, *fedora.REPOSITORIES["names"]]
    options = {"repositories": {**fedora.REPOSITORIES, "names": names}}
    assert statuses(place.run("2031-09-28", **options)) == ["made", "made"]
    assert place.daily("fedora") == {"2031-09-27 33": 1, "2031-09-27 50": 2}
    assert statuses(place.run("2031-09-28", **options)) == ["unchanged", "unchanged"]


def test_other_rules_for_releases_make_the_rows_again_and_no_day(place: Place) -> None:
    place.run("2031-09-28")
    releases = [{"release": "f(33)", "family": "old", "columns": ["{release}", "fedora"]}]
    again = place.run("2031-09-28", releases=[*releases, *fedora.RELEASES])
    assert statuses(again) == ["unchanged", "made"]
    assert place.daily("old") == {"2031-09-27 33": 1}


def test_incident_csv_overwritten_files_with_other_columns_are_left_alone(
    place: Place, almalinux: dict[str, Any]
) -> None:
    place.run("2031-09-28")
    before = place.content()
    failed = place.run("2031-09-28", ok=False, **almalinux)
    assert "expected columns in their old order" in failed["units"][-1]["reasons"][-1]
    assert place.content() == before


def test_a_wrong_rule_is_an_error_that_names_the_option(place: Place) -> None:
    wrong = {"names": [{"name": "f(", "release": "f"}]}
    failed = place.run("2031-09-28", ok=False, repositories=wrong)
    assert failed["msg"].startswith("option repositories.names, number 1: expected a regular")
