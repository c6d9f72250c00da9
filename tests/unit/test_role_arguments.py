"""The role's defaults and its argument specification say the same."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.plugins.test.core import version_compare
from jinja2.nativetypes import NativeEnvironment

ROLE = Path(__file__).parents[2] / "roles" / "web_data_analysis"


def loaded(name: str) -> Any:
    return yaml.safe_load((ROLE / name).read_text(encoding="utf-8"))


@pytest.mark.parametrize("system", ["RedHat", "Debian", "default"])
def test_no_program_is_installed_but_the_one_that_runs(system: str) -> None:
    assert loaded(f"vars/{system}.yml")["web_data_analysis_packages"] == ["rsync"]


@pytest.mark.parametrize(
    ("distribution", "release", "python"),
    [
        ("Fedora", "41", "python3"),
        ("CentOS", "9", "python3.11"),
        ("CentOS", "10", "python3"),
        ("AlmaLinux", "9", "python3.11"),
        ("RedHat", "10", "python3"),
    ],
)
def test_a_python_that_is_new_enough_is_installed(
    distribution: str, release: str, python: str
) -> None:
    """Enterprise Linux 9 has Python 3.9 as python3."""
    environment = NativeEnvironment()
    environment.tests["version"] = version_compare
    names = loaded("vars/RedHat.yml")
    facts = {"distribution": distribution, "distribution_major_version": release}
    old = environment.from_string(names["web_data_analysis_old_python"]).render(ansible_facts=facts)
    given = {"web_data_analysis_old_python": old}
    packages = environment.from_string(names["web_data_analysis_venv_packages"]).render(given)
    assert packages == [python]
    program = environment.from_string(names["web_data_analysis_python"]).render(given)
    assert program == f"/usr/bin/{python}"


@pytest.mark.parametrize("entry_point", ["main", "run", "status", "migrate"])
def test_every_default_is_specified_with_the_same_value(entry_point: str) -> None:
    options = loaded("meta/argument_specs.yml")["argument_specs"][entry_point]["options"]
    # a specification can't give a number as a template; its description says how it comes about
    templates = {
        name: value
        for name, value in loaded("defaults/main.yml").items()
        if options[name]["type"] == "int" and isinstance(value, str)
    }
    assert [*templates] == ["web_data_analysis_count_days"]
    specified = {name: option.get("default") for name, option in options.items()}
    assert specified | templates == loaded("defaults/main.yml")


def test_every_default_is_in_the_readme_with_the_same_value() -> None:
    text = (ROLE / "README.md").read_text(encoding="utf-8")
    (shown,) = re.findall(r"```yaml\n(# The hosts to fetch logs from:.*?)```", text, re.DOTALL)
    assert yaml.safe_load(shown) == loaded("defaults/main.yml")


def options_of(tasks: Any, module: str) -> dict[str, Any]:
    """The options of the first task that runs a module, in blocks too."""
    for task in tasks:
        found = task.get(f"fedora_infra.dnf_counting.{module}") or options_of(
            task.get("block", []), module
        )
        if found:
            return dict(found)
    return {}


@pytest.mark.parametrize(
    ("stage", "module", "option", "variable"),
    [
        ("sync", "http_log_sync", "connect_timeout", "connect_timeout"),
        ("sync", "http_log_sync", "stall_timeout", "stall_timeout"),
        ("sync", "http_log_sync", "host_timeout", "host_timeout"),
        ("count", "countme_totals", "memory_mib", "totals_memory_mib"),
        ("count", "countme_totals", "settle_days", "totals_settle_days"),
        ("compress", "http_log_compress", "form", "compress_form"),
        ("compress", "http_log_compress", "workers", "compress_workers"),
        ("compress", "http_log_compress", "nice", "compress_nice"),
        ("publish", "stats_publish", "min_hits", "min_hits"),
        ("publish", "stats_publish", "site_title", "site_title"),
        ("publish", "stats_publish", "distribution", "distribution"),
    ],
)
def test_a_variable_reaches_its_module(stage: str, module: str, option: str, variable: str) -> None:
    given = options_of(loaded(f"tasks/{stage}.yml"), module)
    assert given[option] == f"{{{{ web_data_analysis_{variable} }}}}"
    assert f"web_data_analysis_{variable}" in loaded("defaults/main.yml")


def test_the_history_of_a_profile_is_optional() -> None:
    options = loaded("meta/argument_specs.yml")["argument_specs"]["run"]["options"]
    history = options["web_data_analysis_profiles"]["options"]["history_csv"]
    assert not history.get("required")
    given = options_of(loaded("tasks/count.yml"), "countme_totals")
    assert given["history_csv"] == (
        "{{ web_data_analysis_profile.history_csv | default(omit, true) }}"
    )
