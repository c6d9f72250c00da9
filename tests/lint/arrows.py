# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Check which package of the library imports which, and draw the packages.

.venv/bin/python tests/lint/arrows.py          check, and name each arrow that is not allowed
.venv/bin/python tests/lint/arrows.py --draw   write the drawing into docs/develop.md
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).parents[2]
LIBRARY = ROOT / "plugins" / "module_utils"
DOCUMENT = ROOT / "docs" / "develop.md"
BEGIN, END = "<!-- packages: begin -->", "<!-- packages: end -->"

#: Every package with the packages that it may import. A package stands below all that it may
#: import, so no cycle can be written down here.
ALLOWED: dict[str, tuple[str, ...]] = {
    "_base": (),
    "_storage": ("_base",),
    "_logs": ("_base", "_storage"),
    "_watch": ("_base", "_storage"),
    "_sync": ("_base", "_storage", "_logs"),
    "_combine": ("_base", "_storage", "_logs"),
    "_compress": ("_base", "_storage", "_logs"),
    "_daily": ("_base", "_storage", "_logs"),
    "_hits": ("_base", "_storage", "_logs", "_daily"),
    "_condense": ("_base", "_storage", "_logs", "_daily"),
    "_totals": ("_base", "_storage", "_logs", "_hits"),
    "_publish": ("_base", "_storage", "_totals"),
    "_html": ("_base",),
    "_charts": ("_base", "_storage", "_totals", "_condense", "_publish", "_html"),
    "_site": ("_base", "_storage", "_publish", "_html", "_charts"),
    "_migrate": ("_base", "_storage", "_logs", "_hits", "_totals", "_publish"),
    "_pipeline": (
        "_base", "_sync", "_combine", "_compress", "_hits", "_condense", "_totals", "_site",
        "_migrate",
    ),
    "_status": (
        "_base", "_storage", "_logs", "_watch", "_sync", "_combine", "_totals", "_html", "_pipeline",
    ),
    "_module": ("_base", "_storage", "_watch", "_status"),
}  # fmt: skip


def packages() -> list[str]:
    """Return the names of all packages of the library."""
    return sorted(p.name for p in LIBRARY.iterdir() if p.is_dir() and p.name != "__pycache__")


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
    """Return a line for everything that the table does not allow."""
    told = [f"{p.name} lies in no package" for p in sorted(LIBRARY.glob("*.py"))]
    for package, targets in arrows().items():
        if package not in ALLOWED:
            told.append(f"{package} is not in the table of tests/lint/arrows.py")
            continue
        for target, files in targets.items():
            if target not in ALLOWED[package]:
                told.append(f"{package} may not import {target}: {', '.join(sorted(set(files)))}")
    seen: set[str] = set()
    for package, targets in ALLOWED.items():
        told += [f"{package} stands above {t} in the table" for t in targets if t not in seen]
        seen.add(package)
    return told


def layers(allowed: Mapping[str, tuple[str, ...]]) -> list[list[str]]:
    """Return the packages in layers; a package imports from layers before its own only."""
    level: dict[str, int] = {}
    for package, targets in allowed.items():
        level[package] = 1 + max((level[target] for target in targets), default=0)
    return [[p for p in level if level[p] == n] for n in range(1, max(level.values()) + 1)]


def drawing() -> str:
    """Return the packages as a Mermaid drawing, with the arrows that the code really has.

    An arrow is left out where a longer way leads to the same package.
    """
    real = {package: {*targets} for package, targets in arrows().items()}
    reach: dict[str, set[str]] = {}
    for package in ALLOWED:
        reach[package] = set().union(*({t} | reach[t] for t in real.get(package, ())))
    lines = ["```mermaid", "flowchart BT"]
    for number, layer in enumerate(layers(ALLOWED), 1):
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
    told = complaints()
    text = DOCUMENT.read_text(encoding="utf-8")
    if arguments == ["--draw"]:
        DOCUMENT.write_text(with_drawing(text), encoding="utf-8")
    elif not told and text != with_drawing(text):
        told.append("the drawing in docs/develop.md is old: run tests/lint/arrows.py --draw")
    print("\n".join(told), end="\n" if told else "")
    return 1 if told else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
