"""The columns in which clients count."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._base.errors import (
    SettingsError,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._base.fedora import (
    COLUMNS,
    RELEASES,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._condense.columns import (
    FEDORA_COLUMNS,
    Columns,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._condense.rules import (
    Target,
)

ALMALINUX: dict[str, Any] = {
    "columns": {
        "first": ["almalinux8", "almalinux9", "all", "other", "x86_64", "other_arch"],
        "added": ["almalinux[0-9]{2}"],
        "unknown_release": "other",
        "unknown_architecture": "other_arch",
        "architectures": {"x86_64": "x86_64"},
    },
    "releases": [{"release": "(almalinux[0-9]+)", "family": "almalinux", "columns": ["{}", "all"]}],
    "newest_releases": [],
}


@pytest.mark.parametrize(
    ("release", "arch", "columns"),
    [
        ("f33", "x86_64", ("f33", "fedora", "x86_64")),
        ("f29", "x86_64", ("f29", "fedora", "x86_64", "x86_64_f")),
        ("f50", "aarch64", ("f50", "fedora", "arm64")),
        ("modular_f28", "i386", ("modular_f28", "modular", "x86_32", "x86_32_f")),
        ("modular_f50", "arm", ("modular_f50", "modular", "arm")),
        ("rawhide", "ppc64le", ("rawhide", "fedora", "ppc64le", "ppc_f")),
        (
            "rawhide_modular",
            "ppc",
            ("modular_rawhide", "rawhide", "modular", "fedora", "ppc", "ppc_f"),
        ),
        ("cisco_rawhide", "s390", ("rawhide", "fedora", "s390")),
        ("cisco_33", "x86_64", ("unk_rel", "x86_64")),
        ("epel8", "ppc64", ("epel8", "epel", "ppc64", "ppc_e")),
        ("epel11", "x86_64", ("epel11", "epel", "x86_64", "x86_64_e")),
        ("playground_epel8", "mips64", ("epel8", "epel", "mips")),
        ("epel_next8", "x86_64", ("unk_rel", "x86_64", "x86_64_e")),
        ("rhel8", "i386", ("rhel", "epel", "x86_32", "x86_32_e")),
        ("rhel8", "ppc64", ("rhel", "epel", "ppc64")),
        ("unknown_repo", "unknown_arch", ("unk_rel", "unk_arc")),
        ("unknown_repo", "sparc64", ("unk_rel", "sparc")),
        ("unknown_repo", "alpha", ("unk_rel", "alpha")),
    ],
)
def test_a_client_counts_where_it_always_did(
    release: str, arch: str, columns: tuple[str, ...]
) -> None:
    assert FEDORA_COLUMNS.columns_of(Target(release, arch)) == columns


@pytest.mark.parametrize(
    ("release", "family"),
    [
        ("f08", ("fedora", "8")),
        ("rawhide", ("fedora", "rawhide")),
        ("modular_f33", ("fedora-modular", "33")),
        ("rawhide_modular", ("fedora-modular", "rawhide")),
        ("epel10", ("epel", "10")),
        ("epel_next9", ("epel-next", "9")),
        ("playground_epel8", ("epel-playground", "8")),
        ("rhel7", ("rhel", "7")),
        ("cisco_33", ("fedora-cisco-openh264", "33")),
        ("unknown_repo", ("unknown", "")),
    ],
)
def test_people_are_told_family_and_release(release: str, family: tuple[str, str]) -> None:
    assert FEDORA_COLUMNS.family_of(release) == family


@pytest.mark.parametrize(
    ("day", "known", "to_come"),
    [
        (date(2021, 9, 27), ["f50", "f55", "epel11", "epel19"], ["f56", "modular_f99", "epel20"]),
        (date(2026, 11, 23), ["f65", "rhel20"], ["f66", "cisco_66", "epel_next21"]),
        (date(2007, 5, 1), ["f27", "epel14"], ["f28", "epel15", "rhel99"]),
    ],
)
def test_releases_far_ahead_are_not_of_their_day(
    day: date, known: list[str], to_come: list[str]
) -> None:
    found = FEDORA_COLUMNS.releases_to_come(day)
    assert set(found) >= set(to_come)
    assert set(found).isdisjoint(known)


def test_the_first_client_does_not_count_as_it_never_did() -> None:
    clients = {Target("f33", "x86_64"): 2, Target("epel8", "arm"): 1}
    counts = FEDORA_COLUMNS.counts_by_column(clients, Target("f33", "x86_64"))
    assert counts == {"f33": 1, "fedora": 1, "x86_64": 1, "epel8": 1, "epel": 1, "arm": 1}


def test_new_columns_come_in_a_fixed_order() -> None:
    counted = ["modular_f40", "epel11", "f50", "epel10", "f40", "fedora"]
    assert FEDORA_COLUMNS.new_columns(counted, FEDORA_COLUMNS.first) == [
        "f40",
        "f50",
        "modular_f40",
        "epel10",
        "epel11",
    ]


def test_another_distribution_needs_no_code() -> None:
    columns = Columns.from_options(**ALMALINUX)
    assert columns.columns_of(Target("almalinux10", "x86_64")) == ("almalinux10", "all", "x86_64")
    assert columns.columns_of(Target("f33", "s390")) == ("other", "other_arch")
    assert columns.family_of("almalinux9") == ("almalinux", "almalinux9")
    assert columns.new_columns(["almalinux10", "all"], columns.first) == ["almalinux10"]
    assert columns.family_columns == {"all", "other"}
    assert columns.releases_to_come(date(2026, 11, 28)) == []


def test_rows_are_made_again_for_other_data_only() -> None:
    assert FEDORA_COLUMNS.version == 1
    assert Columns.from_options(COLUMNS, RELEASES).version == 1
    assert Columns.from_options(COLUMNS, RELEASES[1:]).version != 1


@pytest.mark.parametrize(
    ("part", "message"),
    [
        ({"columns": {**COLUMNS, "first": ["f33", "f33"]}}, "columns.first: expected different"),
        ({"columns": {**COLUMNS, "first": ["f33,f34"]}}, "columns.first: expected a name"),
        ({"columns": {**COLUMNS, "added": ["f("]}}, "columns.added: expected a regular"),
        ({"columns": {**COLUMNS, "unknown_release": "odd"}}, "columns.unknown_release: .*odd"),
        (
            {"releases": [{"release": "a", "family": "a", "columns": []}]},
            "releases, number 1: .*none",
        ),
        (
            {"releases": [{"release": "a", "family": "a", "columns": ["odd"]}]},
            "releases: expected names in columns.first or columns.added, found odd",
        ),
    ],
)
def test_wrong_data_is_named(part: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError, match=f"option {message}"):
        Columns.from_options(**part)


def test_a_column_that_the_files_could_not_have_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"option releases: .* found 'g33'"):
        FEDORA_COLUMNS.new_columns(["g33"], FEDORA_COLUMNS.first)
