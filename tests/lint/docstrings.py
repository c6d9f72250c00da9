# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Check that docstrings of the library say what a thing does or is, in a plain sentence.

.venv/bin/python tests/lint/docstrings.py [PACKAGE...]

ruff's D401 finds most first words of functions that are no verbs in the imperative. This finds
those of clauses, which it takes for verbs or does not know, in all docstrings. Packages for which
pyproject.toml ignores D401 are left out, unless they are named.
"""

from __future__ import annotations

import ast
import sys
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LIBRARY = ROOT / "plugins" / "module_utils"
#: First words of docstrings that are clauses and not sentences.
CLAUSES = {
    *("What", "How", "Whether", "Those", "So", "Which", "Who", "Whoever", "Whose", "Why"),
    *("Where", "When", "Since", "Likewise", "Of", "By", "As", "That", "Raises"),
}


def complaints(path: Path) -> Iterator[str]:
    """Yield a line for each docstring of a file that begins with a clause."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            text = ast.get_docstring(node) or ""
            if text and text.split()[0].strip(",;:.") in CLAUSES:
                place = f"{path.relative_to(LIBRARY)}:{getattr(node, 'lineno', 1)}"
                yield f"{place}: begins with a clause: {text.splitlines()[0]}"


def ignored() -> set[str]:
    """Return the packages whose docstrings are not checked."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    ignores = settings["tool"]["ruff"]["lint"]["per-file-ignores"]
    return {
        Path(pattern).parts[2]
        for pattern, rules in ignores.items()
        if pattern.startswith("plugins/module_utils/_") and "D401" in rules
    }


def main(packages: Sequence[str]) -> int:
    """Print what is found in some packages, or in all of them; return 1 if there is anything."""
    left_out = set() if packages else ignored()
    found = []
    for path in sorted(LIBRARY.rglob("*.py")):
        package = path.relative_to(LIBRARY).parts[0]
        if package not in left_out and (not packages or package in packages):
            found += complaints(path)
    print("\n".join(found), end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
