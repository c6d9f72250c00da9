"""The release behind the name of a repository."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._base.errors import (
    SettingsError,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._base.fedora import (
    REPOSITORIES,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._condense.repositories import (
    FEDORA_REPOSITORIES,
    Repositories,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._condense.rules import (
    RULES_VERSION,
    UNKNOWN_REPO,
)

ALMALINUX: dict[str, Any] = {
    "names": [{"name": r"(?:baseos|appstream|extras)([89]|[1-9][0-9])", "release": "almalinux{}"}],
    "cut_from": ["debug"],
    "replace": [{"words": ["alma"]}],
}


@pytest.mark.parametrize(
    ("repo", "release"),
    [
        ("fedora-33", "f33"),
        ("updates-released-debug-f34", "f34"),
        ("fedora-50", "f50"),
        ("fedora-99", "f99"),
        ("fedora-100", "unknown_repo"),
        ("fedora-2", "unknown_repo"),
        ("33", "f33"),
        ("core-6", "f06"),
        ("fedora-core-6", "unknown_repo"),
        ("FEDORA-33", "f33"),
        ("f9.90", "f10"),
        ("9.90.1", "f10"),
        ("8.89", "unknown_repo"),
        ("rawhide", "rawhide"),
        ("fedora-rawhide", "rawhide"),
        ("rawhide-modular", "rawhide_modular"),
        ("fedora-modular-33", "modular_f33"),
        ("updates-released-modular-f50", "modular_f50"),
        ("fedora-modular-26", "unknown_repo"),
        ("epel-8", "epel8"),
        ("epel-8.20", "epel8"),
        ("epel-8.21", "unknown_repo"),
        ("epel-11", "epel11"),
        ("epel-z-10.1", "epel10"),
        ("epel-testing-debug-z-10", "epel10"),
        ("epel-3", "unknown_repo"),
        ("epel-modular-8", "epel8"),
        ("epel-modular-9", "unknown_repo"),
        ("epel-next-9", "epel_next9"),
        ("playground-epel8", "playground_epel8"),
        ("fedora-cisco-openh264-33", "cisco_33"),
        ("fedora-cisco-openh264-rawhide", "cisco_rawhide"),
        ("epel-cisco-openh264-9", "unknown_repo"),
        ("rhel-10", "rhel10"),
        ("epel-7workstation-optional", "epel7"),
        ("", "unknown_repo"),
        ("%66edora-33", "unknown_repo"),
    ],
)
def test_releases_are_known_by_rule(repo: str, release: str) -> None:
    assert FEDORA_REPOSITORIES.release_of(repo) == release


def test_another_distribution_needs_no_code() -> None:
    rules = Repositories.from_option(ALMALINUX)
    assert rules.release_of("BaseOS-9-debuginfo") == "almalinux9"
    assert rules.release_of("alma-extras-10") == "almalinux10"
    assert rules.release_of("fedora-33") == UNKNOWN_REPO


def test_the_version_of_rules_is_that_of_the_first_release_for_the_usual_data_only() -> None:
    assert FEDORA_REPOSITORIES.version == RULES_VERSION == 2
    again = Repositories.from_option({**REPOSITORIES, "replace": [*REPOSITORIES["replace"]]})
    assert again.version == RULES_VERSION
    other = Repositories.from_option({**REPOSITORIES, "names": REPOSITORIES["names"][1:]})
    versions = {other.version, Repositories.from_option(ALMALINUX).version}
    assert len(versions) == 2
    assert RULES_VERSION not in versions


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ({"name": "f(3", "release": "f3"}, "expected a regular expression, found 'f\\(3'"),
        ({"name": "f([0-9])", "release": "f{}{}"}, "at most 1 places"),
        ({"name": "f([0-9])", "release": "f{number}"}, "at most 1 places"),
        ({"name": "f([0-9])", "release": "f,{}"}, "a name of a-z, 0-9"),
    ],
)
def test_a_wrong_rule_is_named(name: dict[str, str], message: str) -> None:
    good = {"name": "a", "release": "a"}
    with pytest.raises(SettingsError, match=rf"option repositories.names, number 2: .*{message}"):
        Repositories.from_option({"names": [good, name]})
