# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Check the imports between the packages of the library, and draw the packages.

The paragraph in the ``__init__.py`` of a package names the packages that it may import.

.venv/bin/python tests/lint/arrows.py          check, and report each import that is not allowed
.venv/bin/python tests/lint/arrows.py --draw   write the drawing into docs/develop.md
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator, Mapping
from graphlib import TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).parents[2]
LIBRARY = ROOT / "plugins" / "module_utils"
DOCUMENT = ROOT / "docs" / "develop.md"
BEGIN, END = "<!-- packages: begin -->", "<!-- packages: end -->"

#: The sentence at the end of the paragraph in which a package names those that it may import.
SENTENCE = re.compile(r"^It may import (?P<named>.*?)\.$", re.MULTILINE | re.DOTALL)
#: The words for all packages with a declaration of a stage.
ALL_STAGES = "the packages of all stages"
DECLARATION = re.compile(r"^[A-Z_]+: Stage\[", re.MULTILINE)


def packages() -> list[str]:
    """Return the names of all packages of the library."""
    return sorted(p.name for p in LIBRARY.iterdir() if p.is_dir() and p.name != "__pycache__")


def stage_packages() -> set[str]:
    """Return the names of the packages that declare a stage."""
    files = LIBRARY.glob("_*/*.py")
    return {p.parent.name for p in files if DECLARATION.search(p.read_text(encoding="utf-8"))}


def allowed() -> dict[str, set[str]]:
    """Return every package with the packages that it may import, as its own paragraph names them.

    A package stands behind all that it may import. Raises CycleError if that is impossible.
    """
    named: dict[str, set[str]] = {}
    for package in packages():
        tree = ast.parse((LIBRARY / package / "__init__.py").read_text(encoding="utf-8"))
        found = SENTENCE.search(ast.get_docstring(tree) or "")
        text = found["named"] if found else ""
        named[package] = set(re.findall(r"``(_\w+)``", text))
        if ALL_STAGES in " ".join(text.split()):
            named[package] |= stage_packages()
    order = TopologicalSorter(named).static_order()
    return {package: named[package] for package in order}


def imported(path: Path) -> Iterator[str]:
    """Yield the other packages of the library that a file imports."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level >= 2:
            yield (node.module or "").partition(".")[0]


def arrows() -> dict[str, dict[str, list[str]]]:
    """Return, by package and imported package, the files with such an import."""
    found: dict[str, dict[str, list[str]]] = {name: {} for name in packages()}
    for path in sorted(LIBRARY.glob("_*/*.py")):
        for target in imported(path):
            found[path.parent.name].setdefault(target, []).append(path.name)
    return found


def complaints() -> list[str]:
    """Return a line for everything that the paragraphs of the packages do not allow."""
    found = [f"{p.name} lies in no package" for p in sorted(LIBRARY.glob("*.py"))]
    for package, targets in arrows().items():
        may_import = allowed()[package]
        for target, files in targets.items():
            if target not in may_import:
                found.append(f"{package} may not import {target}: {', '.join(sorted(set(files)))}")
        unused = sorted(may_import - {*targets})
        found += [f"{package} names {target}, but does not import it" for target in unused]
    return found


def layers(may_import: Mapping[str, set[str]]) -> list[list[str]]:
    """Return the packages in layers; a package imports from layers before its own only."""
    level: dict[str, int] = {}
    for package, targets in may_import.items():
        level[package] = 1 + max((level[target] for target in targets), default=0)
    return [[p for p in level if level[p] == n] for n in range(1, max(level.values()) + 1)]


def drawing() -> str:
    """Return the packages as a Mermaid drawing, with the arrows that the code really has.

    An arrow is left out where a longer way leads to the same package.
    """
    real = {package: {*targets} for package, targets in arrows().items()}
    reach: dict[str, set[str]] = {}
    for package in allowed():
        reach[package] = set().union(*({t} | reach[t] for t in real.get(package, ())))
    lines = ["```mermaid", "flowchart BT"]
    for number, layer in enumerate(layers(allowed()), 1):
        lines += [f"  subgraph layer{number}[ ]", f"    {' ~~~ '.join(layer)}", "  end"]
    for package, targets in real.items():
        longer = set().union(*(reach[target] for target in targets))
        lines += [f"  {package} --> {target}" for target in sorted(targets - longer)]
    return "\n".join([*lines, "```"])


def with_drawing(text: str) -> str:
    """Return the document with the present drawing between its two marks."""
    before, _mark, rest = text.partition(BEGIN)
    after = rest.partition(END)[2]
    return f"{before}{BEGIN}\n{drawing()}\n{END}{after}"


def main(arguments: list[str]) -> int:
    found = complaints()
    text = DOCUMENT.read_text(encoding="utf-8")
    if arguments == ["--draw"]:
        DOCUMENT.write_text(with_drawing(text), encoding="utf-8")
    elif not found and text != with_drawing(text):
        found.append("the drawing in docs/develop.md is old: run tests/lint/arrows.py --draw")
    print("\n".join(found), end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
