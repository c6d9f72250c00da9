# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The libraries that may be missing on a host, imported in one place.

The rest of the library says ``from ._libs import duckdb`` and the like; a module first looks at
:data:`MISSING` and tells the operator what to install.
"""

from __future__ import annotations

import importlib
import os
import traceback
from typing import Any

MISSING: dict[str, str] = {}
"""Distribution name of each library that can't be imported, with the traceback."""


def _library(module: str, distribution: str) -> Any:
    """The module, or None where it can't be imported (then it is in MISSING)."""
    try:
        return importlib.import_module(module)
    except ImportError:
        MISSING[distribution] = traceback.format_exc()
        return None


# numpy's linear algebra, which is not used here, would start threads that wait busily
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
duckdb = _library("duckdb", "duckdb")
jinja2 = _library("jinja2", "Jinja2")
np = _library("numpy", "numpy")
pa = _library("pyarrow", "pyarrow")
pa_csv = _library("pyarrow.csv", "pyarrow")
pc = _library("pyarrow.compute", "pyarrow")
pq = _library("pyarrow.parquet", "pyarrow")
vl_convert = _library("vl_convert", "vl-convert-python")
zstandard = _library("zstandard", "zstandard")
