"""Record options in a run history, as the runs of stages do."""

from __future__ import annotations

import importlib
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._module.module import (
    DAY_OPTIONS,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._watch.history import (
    StepEnd,
    StepStart,
    begin_step,
    end_step,
)
from ansible_collections.fedora_infra.dnf_counting.tests.support.counting_host import (
    HOSTS,
    LOG,
    NOW,
    CountingHost,
)

_MODULES = "ansible_collections.fedora_infra.dnf_counting.plugins.modules"
_BYTES = {"max_file_size": 1 << 34, "max_host_size": 1 << 38}


def options_of(module: str, **given: Any) -> dict[str, Any]:
    """Return all options of a module: those that are given, and the defaults of the others."""
    known = importlib.import_module(f"{_MODULES}.{module}").OPTIONS
    defaults = {name: option.get("default") for name, option in known.items()}
    days = dict.fromkeys(name for name in DAY_OPTIONS if name != "run_id")
    return {**days, **defaults, **{n: v for n, v in _BYTES.items() if n in known}, **given}


def options_of_stages(log_host: CountingHost) -> dict[tuple[str, str], dict[str, Any]]:
    """Return the options of the nightly run of a log host, by stage and subject."""
    root, profile = log_host.root, log_host.profile
    combined = str(root / "combined")
    groups = [{"name": "proxies", "hosts": "proxy*", "logs": "*access.log"}]
    raw_dir, db, csv = map(str, (profile.raw_days, profile.totals_db, profile.totals_csv))
    published = {
        "name": profile.name,
        "totals_db": db,
        "totals_csv": csv,
        "prefix": profile.prefix,
        **dict.fromkeys(("title", "log_name", "raw_dir")),
    }
    return {
        ("sync", ""): options_of("http_log_sync", hosts=[*HOSTS], dest=str(root / "hosts")),
        ("combine", ""): options_of(
            "http_log_combine",
            src=str(root / "hosts"),
            dest=combined,
            groups=groups,
            expected_hosts=[*HOSTS],
        ),
        ("raw", profile.name): options_of(
            "countme_raw", src=combined, log_name=LOG, raw_dir=raw_dir
        ),
        ("totals", profile.name): options_of(
            "countme_totals", raw_dir=raw_dir, totals_db=db, totals_csv=csv
        ),
        ("publish", ""): options_of("stats_publish", dest=str(root / "html"), profiles=[published]),
    }


def record(
    history_db: Path, stage: str, options: dict[str, Any], *, subject: str = "", at: datetime = NOW
) -> None:
    """Record that a stage ran with these options, and changed nothing."""
    start = StepStart("r1", stage, subject, "log01", at)
    number = begin_step(history_db, start, settings=options)
    end_step(history_db, number, StepEnd(at, 1.0, "unchanged"))


def record_runs(log_host: CountingHost, history_db: Path, **changes: dict[str, Any]) -> Path:
    """Record the runs of all stages; ``changes`` are other options, by the name of the stage."""
    for number, ((stage, subject), options) in enumerate(options_of_stages(log_host).items()):
        changed = {**options, **changes.get(stage, {})}
        record(history_db, stage, changed, subject=subject, at=NOW + timedelta(seconds=number))
    return history_db
