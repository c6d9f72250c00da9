"""The role's defaults and its argument specification say the same."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.plugins.test.core import version_compare
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._base.fedora import FEDORA
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._pipeline.stages import (
    STAGES,
)
from jinja2.nativetypes import NativeEnvironment

ROLE = Path(__file__).parents[2] / "roles" / "web_data_analysis"


def loaded(name: str) -> Any:
    return yaml.safe_load((ROLE / name).read_text(encoding="utf-8"))


def data() -> dict[str, Any]:
    """The data of Fedora, which is too long to be repeated in the specification and the README."""
    name = "web_data_analysis_fedora"
    return {name: loaded("defaults/main.yml")[name]}


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
    assert specified | templates | data() == loaded("defaults/main.yml")


def test_every_default_is_in_the_readme_with_the_same_value() -> None:
    text = (ROLE / "README.md").read_text(encoding="utf-8")
    (shown,) = re.findall(r"```yaml\n(# The hosts to fetch logs from.*?)```", text, re.DOTALL)
    assert yaml.safe_load(shown) | data() == loaded("defaults/main.yml")
    assert all(f"`{name}`" in text for name in data())


def test_the_data_of_fedora_is_that_of_the_modules() -> None:
    (given,) = data().values()
    assert given == FEDORA
    # the order of columns is that of the series of a chart
    assert json.dumps(given) == json.dumps(FEDORA)


def options_of(tasks: Any, module: str) -> dict[str, Any]:
    """The options of the first task that runs a module, in blocks too."""
    for task in tasks:
        found = task.get(f"fedora_infra.dnf_counting.{module}") or options_of(
            task.get("block", []), module
        )
        if found:
            return dict(found)
    return {}


def tasks_in(tasks: Any) -> Iterator[dict[str, Any]]:
    for task in tasks or ():
        yield task
        for part in ("block", "rescue", "always"):
            yield from tasks_in(task.get(part))


#: Options that have another name than the variable, by task file, option and variable.
OTHER_NAMES = {
    ("sync", "dest", "hosts_dir"),
    ("combine", "src", "hosts_dir"),
    ("combine", "dest", "combined_dir"),
    ("condense", "src", "combined_dir"),
    ("count", "src", "combined_dir"),
    ("count", "messaging_topic", "topic"),
    ("compress", "src", "combined_dir"),
    ("compress", "keep_days", "plain_days"),
    ("publish", "dest", "publish_dir"),
    ("look", "show", "show_status"),
    ("migrate_profile", "src", "combined_dir"),
}


def test_every_variable_reaches_the_option_of_its_name() -> None:
    crossed, reached = set(), set()
    for path in (ROLE / "tasks").glob("*.yml"):
        for task in tasks_in(loaded(f"tasks/{path.name}")):
            for module, options in task.items():
                if not module.startswith("fedora_infra.") or not isinstance(options, dict):
                    continue
                for option, value in options.items():
                    found = re.match(r"\{\{ web_data_analysis_(\w+) (\}\}|if |\| )", str(value))
                    if found:
                        reached.add(found[1])
                        named = (path.stem, option, found[1])
                        crossed |= set() if found[1].endswith(option) else {named}
    assert crossed == OTHER_NAMES
    assert len(reached) >= 50


def stage_tasks() -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield name and options of each task that runs a stage, in the order of a run."""
    for part in tasks_in(loaded("tasks/run.yml")):
        if "web_data_analysis_stages" in str(part.get("when", "")):
            included = part.get("ansible.builtin.import_tasks")
            name = included or part["ansible.builtin.include_tasks"]["file"]
            for task in tasks_in(loaded(f"tasks/{name}")):
                yield from (
                    (task["name"], options)
                    for module, options in task.items()
                    if module.startswith("fedora_infra.") and not module.endswith("stats_message")
                )


def test_the_tasks_of_a_run_are_the_stages_with_their_titles() -> None:
    of_profile = "{{ web_data_analysis_profile.name }}"
    assert [name for name, _options in stage_tasks()] == [
        stage.title + (f", {stage.name} {of_profile}" if "messaging_topic" in options else "")
        for stage, (_name, options) in zip(STAGES, stage_tasks(), strict=True)
    ]


def test_the_readme_lists_the_stages_with_their_titles() -> None:
    text = (ROLE / "README.md").read_text(encoding="utf-8")
    section = text.partition("## The stages of a run")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (\w+) \| ([^|]+) \| `\w+` \| `\w+` \|$", section, re.MULTILINE)
    assert rows == [(stage.name, stage.title[0].lower() + stage.title[1:]) for stage in STAGES]


def test_every_variable_is_used() -> None:
    users = [
        *(path for name in ("tasks", "templates") for path in (ROLE / name).iterdir()),
        *(ROLE.parents[1] / "playbooks").glob("*.yml"),
    ]
    used = [path.read_text(encoding="utf-8") for path in users]
    # some have no use but in the default of another
    used += map(str, loaded("defaults/main.yml").values())
    words = set(re.findall(r"\w+", "".join(used)))
    assert loaded("defaults/main.yml").keys() - words == set()


def test_the_history_of_a_profile_is_optional() -> None:
    options = loaded("meta/argument_specs.yml")["argument_specs"]["run"]["options"]
    history = options["web_data_analysis_profiles"]["options"]["history_csv"]
    assert not history.get("required")
    given = options_of(loaded("tasks/count.yml"), "countme_totals")
    assert given["history_csv"] == (
        "{{ web_data_analysis_profile.history_csv | default(omit, true) }}"
    )
