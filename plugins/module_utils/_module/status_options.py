# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of dnf_counting_info, and the settings for them."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

from .._base.errors import CountingError, SettingsError
from .._base.problem import CRITICAL, Problem, problem_of
from .._status.settings import StatusSettings, configured_stages, spool_of
from .._status.text import NARROWEST
from .._status.thresholds import Bounds, Thresholds
from .._storage.shares import silent_places
from .._watch.history import StageSettings, read_settings


def _bounds_option(warning: float, critical: float) -> dict[str, Any]:
    return {"type": "list", "elements": "float", "default": [warning, critical]}


OPTIONS: dict[str, dict[str, Any]] = {
    "history_db": {"type": "path", "required": True},
    "timer": {"type": "str"},
    "thresholds": {
        "type": "dict",
        "default": {},
        "options": {
            "combined_age_days": _bounds_option(1, 2),
            "raw_age_days": _bounds_option(1, 2),
            "totals_age_days": _bounds_option(7, 8),
            "host_missing_days": _bounds_option(1, 7),
            "hosts_missing_percent": _bounds_option(25, 50),
            "disk_free_percent": _bounds_option(10, 5),
            "run_time_factor": _bounds_option(3, 10),
            "unsent_messages": _bounds_option(1, 1000),
            "judged_days": {"type": "int", "default": 14},
        },
    },
    "status_dir": {"type": "path"},
    "metrics_file": {"type": "path"},
    "log_host": {"type": "str"},
    "patience_seconds": {"type": "int", "default": 30, "bounds": (1, 3600)},
    # for the action plugin
    "show": {"type": "bool", "default": False},
    "width": {"type": "int", "bounds": (NARROWEST, 10_000)},
}


def path_of(option: str | None) -> Path | None:
    """Return the path in an option; None if the option is empty."""
    return Path(option) if option else None


def _thresholds_from(options: dict[str, Any]) -> Thresholds:
    """Return the given thresholds, with defaults for the others. Raises SettingsError."""
    found: dict[str, Any] = {}
    for name, value in options.items():
        if value is None:
            continue
        if isinstance(value, list) and len(value) != 2:
            raise SettingsError(
                f"option thresholds, {name}",
                expected="two numbers, for a warning and for a critical problem",
                found=f"{len(value)}",
                advice="Correct the option.",
            )
        found[name] = Bounds(*value) if isinstance(value, list) else value
    return Thresholds(**found)


def settings_from(options: dict[str, Any], now: datetime) -> tuple[StatusSettings, list[Problem]]:
    """Return the settings of the status, and the problems with the settings of the stages.

    The stages have the settings of their last runs, from the run history. Raises SettingsError for
    a wrong option.
    """
    history_db = Path(options["history_db"])
    recorded: list[StageSettings] = []
    problems: list[Problem] = []
    # a run history that does not answer is reported with the other silent places
    if not silent_places([history_db], patience_seconds=options["patience_seconds"]):
        try:
            recorded = read_settings(history_db)
        except CountingError as error:
            problems.append(problem_of(CRITICAL, "history", error))
    stages, refused = configured_stages(recorded, now)
    settings = StatusSettings(
        stages=tuple(stages),
        history_db=history_db,
        messaging_spool=spool_of(recorded),
        timer=options["timer"] or "",
        written=tuple(
            Path(options[name]) for name in ("status_dir", "metrics_file") if options[name]
        ),
        thresholds=_thresholds_from(options["thresholds"]),
    )
    return settings, [*problems, *refused]
