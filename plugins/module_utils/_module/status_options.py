# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of dnf_counting_info, and the settings they make."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .._base.errors import SettingsError
from .._base.libs import missing
from .._combine.plan import CombineSettings
from .._condense.days import CondensedDays
from .._logs.hosts_tree import groups_from
from .._logs.paths import checked_log_name
from .._publish.plan import FileSettings
from .._publish.profile import Profile
from .._status.problem import Bounds, Thresholds
from .._status.settings import StatusSettings
from .._status.text import NARROWEST
from .log_options import GROUP_OPTIONS, SHARE_OPTIONS


def _bounds_option(warning: float, critical: float) -> dict[str, Any]:
    return {"type": "list", "elements": "float", "default": [warning, critical]}


OPTIONS: dict[str, dict[str, Any]] = {
    "hosts": {"type": "list", "elements": "raw", "default": []},
    "hosts_dir": {"type": "path", "required": True},
    "combined_dir": {"type": "path", "required": True},
    **SHARE_OPTIONS,
    **GROUP_OPTIONS,
    "profiles": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "name": {"type": "str", "required": True},
            "log_name": {"type": "str", "required": True},
            "raw_dir": {"type": "path", "required": True},
            "totals_db": {"type": "path", "required": True},
            "totals_csv": {"type": "path", "required": True},
            "prefix": {"type": "str", "required": True},
        },
    },
    "condense_log": {"type": "str"},
    "condense_dir": {"type": "path"},
    "hash_hosts": {"type": "bool", "default": False},
    "revise_weeks": {"type": "int", "default": 4, "bounds": (0, 10_000)},
    "totals_settle_days": {"type": "int", "default": 7, "bounds": (0, 10_000)},
    "publish_dir": {"type": "path"},
    "min_hits": {"type": "int", "default": 0, "bounds": (0, None)},
    "allow_shrink": {"type": "bool", "default": False},
    "history_db": {"type": "path"},
    "messaging_spool": {"type": "path"},
    "timer": {"type": "str"},
    "cron_file": {"type": "path"},
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
    return Path(option) if option else None


def thresholds_from(options: dict[str, Any]) -> Thresholds:
    """The thresholds that are given, and the defaults of the others. Raises SettingsError."""
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


def settings_from(options: dict[str, Any], hosts: list[str]) -> StatusSettings:
    """The library's settings from the module's options. Raises SettingsError."""
    publish_dir = path_of(options["publish_dir"])
    condensed, condense_dir = options["condense_log"], path_of(options["condense_dir"])
    profiles = [
        Profile(
            name=one["name"],
            log_name=checked_log_name(one["log_name"]),
            raw_dir=Path(one["raw_dir"]),
            totals_db=Path(one["totals_db"]),
            totals_csv=Path(one["totals_csv"]),
            prefix=one["prefix"],
        )
        for one in options["profiles"]
    ]
    return StatusSettings(
        combine=CombineSettings(
            src=Path(options["hosts_dir"]),
            dest=Path(options["combined_dir"]),
            groups=groups_from(options["groups"]),
            expected_hosts=tuple(hosts),
            settle_days=options["settle_days"],
            require_mount=path_of(options["require_mount"]),
        ),
        profiles=tuple(profiles),
        publish=FileSettings(publish_dir, options["allow_shrink"], options["min_hits"])
        if publish_dir
        else None,
        condense=CondensedDays(
            Path(options["combined_dir"]), checked_log_name(condensed), condense_dir
        )
        if condensed and condense_dir
        else None,
        hash_hosts=options["hash_hosts"],
        revise_weeks=options["revise_weeks"],
        totals_settle_days=options["totals_settle_days"],
        history_db=path_of(options["history_db"]),
        messaging_spool=path_of(options["messaging_spool"]),
        timer=options["timer"] or "",
        cron_file=path_of(options["cron_file"]),
        written=tuple(
            Path(options[name]) for name in ("status_dir", "metrics_file") if options[name]
        ),
        thresholds=thresholds_from(options["thresholds"]),
        missing_libraries=tuple(sorted(missing({"duckdb", "numpy", "pyarrow"}))),
    )
