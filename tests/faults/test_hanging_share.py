# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A share whose server is gone: a process that reads it waits in the kernel, where no signal helps.

All modules that meet the share are started at once, since each of them only waits for it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._storage.shares import (
    run_in_child,
    silent_places,
)
from ansible_collections.fedora_infra.dnf_counting.tests.support.counting_host import (
    DAYS,
    FIRST,
    LAST,
    CountingHost,
)
from ansible_collections.fedora_infra.dnf_counting.tests.support.hanging_share import (
    hanging_share,
    why_none,
)
from ansible_collections.fedora_infra.dnf_counting.tests.support.modules import (
    StartedModule,
    start_module,
)
from ansible_collections.fedora_infra.dnf_counting.tests.support.recorded_options import (
    options_of,
    record,
    record_runs,
)

pytestmark = [
    pytest.mark.root,
    pytest.mark.skipif(bool(why_none()), reason=why_none()),
    pytest.mark.xdist_group("hanging share"),
]
#: Long enough for a busy machine, where a share that answers at all answers at once.
PATIENCE = 10

#: Options of stages that name places on the share, and the name that the status has for these.
ON_THE_SHARE: dict[str, tuple[dict[str, dict[str, str]], str]] = {
    "hosts": ({"sync": {"dest": "hosts"}, "combine": {"src": "hosts"}}, "hosts"),
    "published": ({"publish": {"dest": "html"}}, "published"),
    "spool": (
        {"publish": {"messaging_config": "bus.toml", "messaging_spool": "spool.db"}},
        "messages",
    ),
}
STAGES: dict[str, dict[str, Any]] = {
    "http_log_combine": {"src": "{root}/hosts", "dest": "{share}/combined-http"},
    "countme_raw": {"src": "{share}/combined", "raw_dir": "{root}/raw", "log_name": "a.log"},
    "http_log_compress": {"src": "{share}/combined-http"},
    "http_log_sync": {"hosts": ["p1"], "dest": "{share}/hosts"},
}


@dataclass(frozen=True)
class Started:
    """Modules at work on a share that hangs, and a folder for what they write elsewhere."""

    root: Path
    share: Path
    modules: dict[tuple[str, object], StartedModule]


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Started]:
    counted = CountingHost(tmp_path_factory.mktemp("log-host"))
    counted.sync()
    counted.run()
    root = tmp_path_factory.mktemp("others")
    share = root / "share"
    with hanging_share(share):
        modules: dict[tuple[str, object], StartedModule] = {}
        modules["info", "combined"] = start_info(
            record_runs(
                counted,
                root / "combined.db",
                combine={"dest": str(share / "combined-http"), "require_mount": str(share)},
                raw={"src": str(share / "combined-http")},
            ),
            status_dir=root / "status",
        )
        for name, (changes, _reported) in ON_THE_SHARE.items():
            of_stages = {
                stage: {option: str(share / place) for option, place in places.items()}
                for stage, places in changes.items()
            }
            history_db = record_runs(counted, root / f"{name}.db", **of_stages)
            modules["info", name] = start_info(history_db)
        modules["info", "status"] = start_info(
            record_runs(counted, root / "status.db"), status_dir=share / "status"
        )
        modules["info", "history"] = start_info(share / "history.db")
        moved = CountingHost.__new__(CountingHost)
        object.__setattr__(moved, "root", share)
        everything = record_runs(moved, root / "everything.db")
        condensed = {"src": str(share / "combined"), "log_name": "x-access.log"}
        folders = {"data_dir": str(share / "condensed"), "csv_dir": str(share / "mirrors")}
        record(everything, "condense", options_of("mirrorlist_condense", **condensed, **folders))
        modules["info", "everything"] = start_info(everything)
        for module, given in STAGES.items():
            options = {
                name: value.format(root=root, share=share) if isinstance(value, str) else value
                for name, value in given.items()
            }
            for check in (False, True):
                progress = root / f"{module}-{check}.jsonl"
                modules[module, check] = start_module(
                    module, check=check, progress_file=progress, **options
                )
        yield Started(root, share, modules)


def start_info(history_db: Path, **options: Any) -> StartedModule:
    given: dict[str, Any] = {
        "history_db": history_db,
        "since": str(FIRST),
        "until": str(LAST),
        "log_host": "log01",
        "patience_seconds": PATIENCE,
    }
    return start_module("dnf_counting_info", **{**given, **options})


def silences(result: dict[str, Any]) -> list[dict[str, str]]:
    return [one for one in result["problems"] if "does not answer" in one["what"]]


def test_incident_nfs_stale_the_status_tells_of_the_share_and_of_all_else(started: Started) -> None:
    result = started.modules["info", "combined"].result()
    assert result["state"] == "critical"
    (problem,) = silences(result)
    assert problem["what"].startswith(f"server:/gone on {started.share} does not answer")
    assert problem["what"].endswith("nothing is known of combined")
    assert problem["since"] == result["status"]["generated_at"]
    assert "umount --lazy" in problem["next_step"]
    stages = {(one["stage"], one["kind"]): one["counts"] for one in result["status"]["stages"]}
    assert stages["combine", "day"] == {"unreadable": len(DAYS)}
    assert stages["sync", "day"] == {"present": len(DAYS)}
    assert stages["raw", "day"] == {"present": len(DAYS)}
    assert stages["totals", "week"]["present"] >= 2
    trees = {tree["name"]: tree["problem"] for tree in result["status"]["trees"]}
    assert trees == {**dict.fromkeys(trees, ""), "combined": "the share does not answer"}
    # monitors are told, too
    kept = json.loads((started.root / "status" / "status.json").read_text())
    assert kept["problems"] == result["problems"]


@pytest.mark.parametrize("name", [*ON_THE_SHARE, "status"])
def test_incident_nfs_stale_whatever_lies_on_the_share(started: Started, name: str) -> None:
    result = started.modules["info", name].result()
    (problem,) = silences(result)
    unknown = ON_THE_SHARE[name][1] if name in ON_THE_SHARE else "status files"
    assert problem["what"].endswith(f"nothing is known of {unknown}")
    assert result["files"] == []
    counts = {one["stage"]: one["counts"] for one in result["status"]["stages"]}
    assert counts["raw"] == {"present": len(DAYS)}
    # nothing is claimed of what is not known
    assert not [one for one in result["problems"] if "missing" in one["what"]]


def test_incident_nfs_stale_the_run_history_lies_on_the_share(started: Started) -> None:
    """The settings of the stages are there, so nothing else can be judged."""
    result = started.modules["info", "history"].result()
    (problem,) = silences(result)
    assert problem["what"].endswith("nothing is known of run history")
    assert result["status"]["stages"] == []


def test_incident_nfs_stale_everything_lies_on_the_share(started: Started) -> None:
    result = started.modules["info", "everything"].result()
    assert [one["severity"] for one in silences(result)] == ["critical"]
    assert not [one for one in result["problems"] if "no run yet" in one["what"]]


@pytest.mark.parametrize("module", STAGES)
@pytest.mark.parametrize("check", [False, True], ids=["run", "check"])
def test_incident_nfs_stale_a_stage_fails_instead_of_holding_up_the_others(
    started: Started, module: str, check: bool
) -> None:
    result = started.modules[module, check].result(ok=False)
    assert f"server:/gone on {started.share}" in result["msg"]
    if not check:
        progress = (started.root / f"{module}-{check}.jsonl").read_text()
        assert json.loads(progress.splitlines()[-1])["result"] == "failed"


def test_reading_is_given_up_once_the_share_goes_in_the_middle(tmp_path: Path) -> None:
    folder = tmp_path / "share"
    folder.mkdir()
    assert silent_places([folder], patience_seconds=PATIENCE) == []
    with hanging_share(folder):
        stuck = run_in_child(
            lambda: [*folder.iterdir()],
            patience_seconds=1,
            is_stuck=lambda: silent_places([folder], patience_seconds=1) == [folder],
        )
    assert stuck is None
    # slow is not stuck
    slow = run_in_child(lambda: time.sleep(3) or "done", patience_seconds=1, is_stuck=lambda: False)
    assert slow == "done"
