"""The data of a distribution by which machines are counted."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._base.errors import (
    SettingsError,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._publish.distribution import (
    FEDORA_ADD_ONS,
    FEDORA_BASE,
    AddOn,
    BaseRepositories,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._publish.machines import (
    machines_of_week,
    method_of,
)
from ansible_collections.fedora_infra.dnf_counting.tests.support.totals_files import (
    Row,
    write_totals,
)

WEEK = 2699


def test_machines_are_counted_by_the_base_repositories_of_a_distribution(tmp_path: Path) -> None:
    base = BaseRepositories.from_option(
        {"column": "machines_baseos", "repositories": ["baseos", "baseos-NN"]}
    )
    tags = ["baseos", "baseos-9", "baseos-9x", "fedora-34", "xbaseos"]
    rows = [Row(WEEK, 10**n, repo_tag=tag) for n, tag in enumerate(tags)]
    with closing(sqlite3.connect(write_totals(tmp_path, rows).db)) as connection:
        (ours,) = machines_of_week(connection, WEEK, base)
        (fedora,) = machines_of_week(connection, WEEK)
    assert (ours.machines, ours.machines_by_base) == (10_000, 11)
    assert fedora.machines_by_base == 1000
    method = method_of(base, machines_csv="machines.csv", min_hits=0)
    assert "\nmachines_baseos\n    The hits of the repo tags baseos and baseos-NN (NN is" in method
    assert "Fedora" not in method


def test_the_method_of_fedora_is_explained_as_before() -> None:
    method = method_of(FEDORA_BASE, machines_csv="machines.csv", min_hits=0)
    assert (
        """
machines_fedora_nn
    The hits of the repo tags fedora-NN (NN is digits) only. It is 0 where a system has no such
    repository, as EPEL users and Fedora Rawhide.

What"""
        in method
    )


@pytest.mark.parametrize(
    "option",
    [
        {"column": "hits; --", "repositories": []},
        {"column": "hits", "repositories": ["a' OR 1"]},
        {"column": "hits", "repositories": ["a*"]},
    ],
)
def test_names_that_mean_something_in_sql_are_refused(option: dict[str, object]) -> None:
    with pytest.raises(SettingsError, match=r"option base_repositories\."):
        BaseRepositories.from_option(option)


@pytest.mark.parametrize("name", ["EPEL", "machines", "coverage", "a-b", ""])
def test_names_of_add_ons_have_to_be_new_sections(name: str) -> None:
    with pytest.raises(SettingsError, match=r"option add_ons\.name"):
        AddOn.from_options([{"name": name, "title": "A", "repositories": "*"}])
    twice = [{"name": "a", "title": "A", "repositories": "*"}] * 2
    with pytest.raises(SettingsError, match=r"option add_ons\.name: expected different names"):
        AddOn.from_options(twice)
    assert [one.name for one in FEDORA_ADD_ONS] == ["epel"]
