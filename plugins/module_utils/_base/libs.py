# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The libraries that may be missing on a host, imported in one place.

The rest of the library says ``from .._base.libs import duckdb`` and the like. A library is loaded
when it is first used, so a run without work starts without them. A module first checks
:func:`not_installed`, and names what to install.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import traceback
from collections.abc import Collection
from typing import Any

from .errors import SettingsError, printable

#: Names in here: the module, and the distribution that has it.
_LIBRARIES = {
    "duckdb": ("duckdb", "duckdb"),
    "jinja2": ("jinja2", "Jinja2"),
    "np": ("numpy", "numpy"),
    "pa": ("pyarrow", "pyarrow"),
    "pa_csv": ("pyarrow.csv", "pyarrow"),
    "pc": ("pyarrow.compute", "pyarrow"),
    "pq": ("pyarrow.parquet", "pyarrow"),
    "vl_convert": ("vl_convert", "vl-convert-python"),
    "zstandard": ("zstandard", "zstandard"),
}

#: All of them, as :func:`missing` names them.
DISTRIBUTIONS = frozenset(distribution for _module, distribution in _LIBRARIES.values())

# numpy's linear algebra, which is not used here, would start threads that wait busily
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


class _Library:
    """A library that is loaded when it is first used."""

    def __init__(self, module: str, distribution: str) -> None:
        self._module = module
        self._distribution = distribution

    def __getattr__(self, name: str) -> Any:
        try:
            value = getattr(importlib.import_module(self._module), name)
        except ImportError as error:
            raise SettingsError(
                f"library {self._distribution}",
                expected="to import it",
                found=printable(str(error)),
                advice="Install it again, for instance with the playbook deploy.",
            ) from error
        setattr(self, name, value)
        return value


def __getattr__(name: str) -> Any:
    """Return the library of that name, or None if it is not installed."""
    if name not in _LIBRARIES:
        raise AttributeError(name)
    module, distribution = _LIBRARIES[name]
    library = _Library(module, distribution) if _is_installed(module) else None
    globals()[name] = library
    return library


def _is_installed(module: str) -> bool:
    return importlib.util.find_spec(module.partition(".")[0]) is not None


def not_installed(distributions: Collection[str]) -> list[str]:
    """Return the distributions that are not there, without loading the others."""
    absent = {
        distribution for module, distribution in _LIBRARIES.values() if not _is_installed(module)
    }
    return sorted(absent.intersection(distributions))


def missing(distributions: Collection[str]) -> dict[str, str]:
    """Return the distributions that cannot be imported, each with the traceback."""
    found = {}
    for module, distribution in _LIBRARIES.values():
        if distribution in distributions:
            try:
                importlib.import_module(module)
            except ImportError:
                found[distribution] = traceback.format_exc()
    return found
