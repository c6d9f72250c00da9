# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The libraries that may be missing on a host, imported in one place.

The rest of the library says ``from ._libs import duckdb`` and the like, which loads that library
only; a module first asks :func:`missing` and tells the operator what to install.
"""

from __future__ import annotations

import importlib
import os
import traceback
from collections.abc import Collection
from typing import Any

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


def __getattr__(name: str) -> Any:
    """Return the library of that name, or None if it cannot be imported (see :func:`missing`)."""
    if name not in _LIBRARIES:
        raise AttributeError(name)
    module, _distribution = _LIBRARIES[name]
    try:
        library = importlib.import_module(module)
    except ImportError:
        library = None
    globals()[name] = library
    return library


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
