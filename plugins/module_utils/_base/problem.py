# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A problem of the pipeline: its severity, its place, since when it exists, and the next step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

from .errors import CountingError

Severity: TypeAlias = Literal["critical", "warning", "unknown"]
CRITICAL: Final = "critical"
WARNING: Final = "warning"
UNKNOWN: Final = "unknown"
"""The severity of a problem that prevents a judgement."""
OK: Final = "ok"
"""The state of the pipeline without any problem."""
#: All severities, the worst first.
SEVERITIES: tuple[Severity, ...] = (CRITICAL, WARNING, UNKNOWN)


@dataclass(frozen=True)
class Problem:
    """One problem of the pipeline."""

    severity: Severity
    stage: str
    """The place: a stage, or ``clock``, ``disk``, ``history``, ``messages``, ``runs``,
    ``schedule`` or ``settings``."""
    what: str
    since: str
    """A day or time, ISO 8601; empty if it is not known."""
    next_step: str

    def to_json(self) -> dict[str, Any]:
        """Return the problem as it stands in the status."""
        return {
            "severity": self.severity,
            "stage": self.stage,
            "what": self.what,
            "since": self.since,
            "next_step": self.next_step,
        }


def problem_of(severity: Severity, stage: str, error: CountingError) -> Problem:
    """Return an error of the library as a problem."""
    what = f"{error.place}: expected {error.expected}, found {error.found}"
    return Problem(severity, stage, what, "", error.advice)
