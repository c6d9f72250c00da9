# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Third-party libraries, each imported when it is first used.

A module with nothing to do starts in a fraction of a second because it imports none of them. No
other file imports them, so that a missing one is reported in one way.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import traceback
from collections.abc import Collection
from typing import Any

from .errors import SettingsError, printable

# the linear algebra of numpy, which is not used here, would start threads that wait actively
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


class _Library:
    """A library that is imported at the first use of one of its names."""

    def __init__(self, module: str, distribution: str) -> None:
        self._module = module
        self._distribution = distribution

    def __getattr__(self, name: str) -> Any:
        """Return a name of the library. Raises SettingsError if the library cannot be imported."""
        try:
            value = getattr(importlib.import_module(self._module), name)
        except ImportError as error:
            raise SettingsError(
                f"library {self._distribution}",
                expected="to import it",
                found=printable(str(error)),
                advice="Run the playbook deploy, which installs the libraries.",
            ) from error
        # the next use finds the attribute and does not call this method
        setattr(self, name, value)
        return value


duckdb: Any = _Library("duckdb", "duckdb")
jinja2: Any = _Library("jinja2", "Jinja2")
np: Any = _Library("numpy", "numpy")
pa: Any = _Library("pyarrow", "pyarrow")
pa_csv: Any = _Library("pyarrow.csv", "pyarrow")
pc: Any = _Library("pyarrow.compute", "pyarrow")
pq: Any = _Library("pyarrow.parquet", "pyarrow")
vl_convert: Any = _Library("vl_convert", "vl-convert-python")
zstandard: Any = _Library("zstandard", "zstandard")

#: The module of each distribution. Distributions have the names of a package index.
_MODULES = {
    "duckdb": "duckdb",
    "Jinja2": "jinja2",
    "numpy": "numpy",
    "pyarrow": "pyarrow",
    "vl-convert-python": "vl_convert",
    "zstandard": "zstandard",
}
#: All distributions.
DISTRIBUTIONS = frozenset(_MODULES)


def not_installed(distributions: Collection[str]) -> list[str]:
    """Return the distributions that are not installed, sorted; import none."""
    return sorted(
        name for name in distributions if importlib.util.find_spec(_MODULES[name]) is None
    )


def missing(distributions: Collection[str]) -> dict[str, str]:
    """Import the distributions, and return those that fail, each with the traceback."""
    found = {}
    for name in distributions:
        try:
            importlib.import_module(_MODULES[name])
        except ImportError:
            found[name] = traceback.format_exc()
    return found
