"""What AWX needs: the image's definition, the templates as code, and a run by its own runner."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.fedora_infra.dnf_counting.tests.support.log_host import LogHost

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
COLLECTION = "fedora_infra.dnf_counting"


def loaded(name: str) -> Any:
    return yaml.safe_load((ROOT / name).read_text(encoding="utf-8"))


def tool(*command: str | Path, cwd: Path) -> str:
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env={**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}", "NO_COLOR": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def test_the_image_is_described_as_ansible_builder_wants_it(tmp_path: Path) -> None:
    definition = ROOT / "execution-environment.yml"
    context = tmp_path / "context"
    tool(
        "ansible-builder",
        "create",
        "--file",
        definition,
        "--context",
        context,
        "--output-filename",
        "Containerfile",
        cwd=tmp_path,
    )
    assert "quay.io/centos/centos:stream10" in (context / "Containerfile").read_text()
    (wanted,) = yaml.safe_load((context / "_build" / "requirements.yml").read_text())["collections"]
    assert wanted["name"] == COLLECTION
    versions = (ROOT / "requirements-dev.txt").read_text()
    dependencies = loaded("execution-environment.yml")["dependencies"]
    assert dependencies["ansible_core"]["package_pip"] in versions
    assert dependencies["ansible_runner"]["package_pip"] in versions


def test_an_image_gets_the_way_to_the_log_host_and_no_counting_libraries(tmp_path: Path) -> None:
    collections = tmp_path / "ansible_collections" / "fedora_infra"
    collections.mkdir(parents=True)
    (collections / "dnf_counting").symlink_to(ROOT)
    found = yaml.safe_load(tool("ansible-builder", "introspect", tmp_path, cwd=tmp_path))
    assert not found["python"]
    system = "\n".join(found["system"])
    assert "openssh-clients" in system
    assert "duckdb" not in system


def test_every_playbook_has_a_template_and_is_named_in_the_guide() -> None:
    templates = loaded("docs/awx/job_templates.yml")
    assert len({template["name"] for template in templates}) == len(templates)
    playbooks = {path.name for path in (ROOT / "playbooks").glob("*.yml")}
    assert {template["playbook"] for template in templates} == playbooks
    guide = (ROOT / "docs" / "awx.md").read_text(encoding="utf-8")
    assert all(name.removesuffix(".yml") in guide for name in playbooks)
    scheduled = re.findall(
        r"unified_job_template: (.+)", (ROOT / "docs/awx/controller.yml").read_text()
    )
    assert {*scheduled} <= {template["name"] for template in templates}


#: By type of a question, those of the role's options it can answer.
ANSWERED_BY = {"integer": {"int"}, "multiplechoice": {"bool", "str"}, "text": {"str"}}


@pytest.mark.parametrize(
    "question",
    [
        question
        for template in loaded("docs/awx/job_templates.yml")
        for question in template.get("survey", {}).get("spec", [])
    ],
    ids=lambda question: question["variable"],
)
def test_a_question_of_a_survey_asks_for_a_variable_with_its_default(
    question: dict[str, Any],
) -> None:
    assert {"question_name", "question_description", "required", "default"} <= question.keys()
    name = question["variable"]
    if not name.startswith("web_data_analysis_"):
        # a variable of the playbook itself
        assert any(name in path.read_text() for path in (ROOT / "playbooks").glob("*.yml"))
        return
    specs = loaded("roles/web_data_analysis/meta/argument_specs.yml")["argument_specs"]
    option = specs["run"]["options"][name]
    assert option["type"] in ANSWERED_BY[question["type"]]
    assert yaml.safe_load(str(question["default"])) == option["default"]
    if question["type"] == "multiplechoice":
        assert question["default"] in question["choices"]
        assert question["choices"] == option.get("choices", ["false", "true"])


def events_of(artifacts: Path) -> list[dict[str, Any]]:
    events = [json.loads(path.read_text()) for path in (artifacts / "job_events").glob("*.json")]
    return sorted(events, key=lambda event: event["counter"])


def test_a_run_by_ansible_runner_leaves_artifacts_and_events(tmp_path: Path) -> None:
    """The sample's log host, set up, run and looked at as AWX does, by the library that it uses."""
    log_host = LogHost(tmp_path, days=9)
    log_host.make_logs(50)
    log_host.make_folders()
    inventory = log_host.write_inventory()
    private = tmp_path / "private"
    (private / "project").mkdir(parents=True)
    # as in the repository of a project
    (private / "project" / "daily.yml").write_text(
        f"---\n- import_playbook: {COLLECTION}.daily\n", encoding="utf-8"
    )
    runner = ("ansible-runner", "run", private, "--inventory", inventory)
    tool(*runner, "--playbook", "daily.yml", "--ident", "nightly", cwd=ROOT)

    artifacts = private / "artifacts" / "nightly"
    assert (artifacts / "rc").read_text() == "0"
    assert (artifacts / "status").read_text() == "successful"
    events = events_of(artifacts)
    assert [event["counter"] for event in events] == [*range(1, len(events) + 1)]
    assert {event["event"] for event in events} >= {"playbook_on_stats", "runner_on_ok"}
    results = {
        event["event_data"]["task_action"].rpartition(".")[2]: event["event_data"]["res"]
        for event in events
        if event["event"] == "runner_on_ok"
        and event["event_data"]["task_action"].startswith(COLLECTION)
    }
    stages = {"http_log_sync", "http_log_combine", "mirrorlist_condense", "stats_publish"}
    assert stages <= results.keys()
    for stage in stages:
        assert results[stage]["changed"] is True
    days = {unit["name"]: unit["status"] for unit in results["http_log_combine"]["units"]}
    assert "made" in days.values()
    assert "failed" not in days.values()
    (stats,) = (event for event in events if event["event"] == "playbook_on_stats")
    assert stats["event_data"]["failures"] == {}

    # a playbook of the collection itself needs no project
    shown = tool(*runner, "--playbook", f"{COLLECTION}.status", "--ident", "status", cwd=ROOT)
    status = events_of(private / "artifacts" / "status")
    (looked,) = (
        event["event_data"]["res"]
        for event in status
        if event["event"] == "runner_on_ok"
        and event["event_data"]["task_action"] == f"{COLLECTION}.dnf_counting_info"
    )
    # the table stands in the job's output, and the whole status in its events
    assert "\n".join(looked["lines"]) in shown
    assert looked["status"]["stages"]
    assert all(not event["event_data"].get("res", {}).get("changed") for event in status)
