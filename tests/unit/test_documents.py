"""The documents: links lead somewhere, examples are well formed, and the playbooks are there."""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted(
    [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "roles").rglob("*.md")]
)
GLOSSARY = ROOT / "docs" / "glossary.md"
BLOCK = re.compile(
    r"^(?P<indent> *)```(?P<kind>\w*)\n(?P<text>.*?)^ *```$", re.MULTILINE | re.DOTALL
)
LINK = re.compile(r"(?<!`)\[[^\]]*\]\(([^)\s]+)\)")


def text_of(document: Path) -> str:
    return document.read_text(encoding="utf-8")


def anchors_of(document: Path) -> set[str]:
    """The anchors of a document's headings, as code hosts make them."""
    prose = BLOCK.sub("", text_of(document))
    headings = re.findall(r"^#+ +(.+?) *$", prose, re.MULTILINE)
    return {
        re.sub(r"[^\w\- ]", "", re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()).replace(
            " ", "-"
        )
        for heading in headings
    }


def blocks_of(kind: str) -> list[tuple[str, str]]:
    """Name and text of each example of a kind, without the indentation of a list it stands in."""
    found = []
    for document in DOCUMENTS:
        for number, block in enumerate(BLOCK.finditer(text_of(document)), 1):
            if block["kind"] == kind:
                shift = len(block["indent"])
                lines = [line[shift:] for line in block["text"].splitlines()]
                found.append((f"{document.relative_to(ROOT)}-{number}", "\n".join(lines)))
    return found


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_and_anchor_leads_somewhere(document: Path) -> None:
    prose = BLOCK.sub("", text_of(document))
    for link in LINK.findall(prose):
        if link.startswith("https://"):
            continue
        name, _hash, anchor = link.partition("#")
        target = (document.parent / name) if name else document
        assert target.exists(), link
        if anchor:
            assert anchor in anchors_of(target), link


def test_every_guide_can_be_found_from_the_readme() -> None:
    reached, left = set(), {ROOT / "README.md"}
    while left:
        document = left.pop()
        reached.add(document)
        links = {link.partition("#")[0] for link in LINK.findall(text_of(document))}
        aims = {(document.parent / link).resolve() for link in links if link.endswith(".md")}
        left |= {aim for aim in aims if aim.exists()} - reached
    assert set((ROOT / "docs").glob("*.md")) <= reached


def terms_of_the_glossary() -> list[str]:
    found = re.findall(r"^\| ([^|]+) \|", text_of(GLOSSARY), re.MULTILINE)
    return [term for term in found if term != "term"]


def test_the_glossary_is_sorted_and_has_each_term_once() -> None:
    terms = terms_of_the_glossary()
    assert len(terms) > 30
    assert terms == sorted(set(terms), key=str.lower)


@pytest.mark.parametrize("term", terms_of_the_glossary())
def test_a_term_of_the_glossary_is_used_in_another_document(term: str) -> None:
    others = " ".join(text_of(document) for document in DOCUMENTS if document != GLOSSARY)
    assert re.search(rf"\b{re.escape(term)}s?\b", " ".join(others.split()), re.IGNORECASE)


@pytest.mark.parametrize(("name", "example"), blocks_of("yaml"))
def test_an_example_in_yaml_is_valid(name: str, example: str) -> None:
    assert yaml.safe_load(example), name


@pytest.mark.parametrize(("name", "example"), blocks_of("python"))
def test_an_example_in_python_is_valid(name: str, example: str) -> None:
    assert ast.parse(example), name


@pytest.mark.parametrize(("name", "example"), [*blocks_of("sh"), *blocks_of("console")])
def test_an_example_of_commands_is_valid_and_names_what_there_is(name: str, example: str) -> None:
    commands = "\n".join(
        line.removeprefix("$ ")
        for line in example.splitlines()
        if not line.startswith("COUNTING ")  # what the check command said
    )
    checked = subprocess.run(
        ["sh", "-n"], input=commands, capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, (name, checked.stderr)
    for used in re.findall(r"(?:-m|module) fedora_infra\.dnf_counting\.(\w+)", commands):
        assert (ROOT / "plugins" / "modules" / f"{used}.py").exists(), used
    for used in re.findall(r"ansible-playbook [^|;&]*?fedora_infra\.dnf_counting\.(\w+)", commands):
        assert (ROOT / "playbooks" / f"{used}.yml").exists(), used
    for used in re.findall(r"^make (\w+)", commands, re.MULTILINE):
        assert f"\n{used}:" in (ROOT / "Makefile").read_text()


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_variable_that_is_told_of_is_one_of_the_roles(document: Path) -> None:
    specs = yaml.safe_load(text_of(ROOT / "roles/web_data_analysis/meta/argument_specs.yml"))
    known = {
        name for entry in specs["argument_specs"].values() for name in entry.get("options", {})
    }
    told = set(re.findall(r"web_data_analysis_[a-z_]+[a-z]", text_of(document)))
    assert told <= known
