# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The list of all stages. Add a new stage to this list."""

from __future__ import annotations

from typing import Any

from .._base.stage import Stage
from .._combine.stage import COMBINE
from .._compress.stage import COMPRESS
from .._condense.stage import CONDENSE
from .._hits.stage import RAW
from .._migrate.raw_import import RAW_IMPORT
from .._site.stage import PUBLISH
from .._sync.stage import SYNC
from .._totals.stage import DELETE, TOTALS
from .._totals.trim import TRIM

#: The stages of a nightly run, in the order of the run.
STAGES: tuple[Stage[Any, Any], ...] = (
    SYNC,
    COMBINE,
    CONDENSE,
    RAW,
    TOTALS,
    TRIM,
    COMPRESS,
    PUBLISH,
)

#: All stages, including the stages that an operator runs by hand.
ALL_STAGES = (*STAGES, RAW_IMPORT, DELETE)
