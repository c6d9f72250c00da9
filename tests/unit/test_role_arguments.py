"""The role's defaults and its argument specification say the same."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROLE = Path(__file__).parents[2] / "roles" / "web_data_analysis"


def loaded(name: str) -> Any:
    return yaml.safe_load((ROLE / name).read_text(encoding="utf-8"))


@pytest.mark.parametrize("system", ["RedHat", "Debian", "default"])
def test_no_program_is_installed_but_the_one_that_runs(system: str) -> None:
    assert loaded(f"vars/{system}.yml")["web_data_analysis_packages"] == ["rsync"]


@pytest.mark.parametrize("entry_point", ["main", "run"])
def test_every_default_is_specified_with_the_same_value(entry_point: str) -> None:
    options = loaded("meta/argument_specs.yml")["argument_specs"][entry_point]["options"]
    assert {name: option["default"] for name, option in options.items()} == loaded(
        "defaults/main.yml"
    )


def test_every_default_is_in_the_readme_with_the_same_value() -> None:
    text = (ROLE / "README.md").read_text(encoding="utf-8")
    (shown,) = re.findall(r"```yaml\n(# The log hosts:.*?)```", text, re.DOTALL)
    assert yaml.safe_load(shown) == loaded("defaults/main.yml")
