# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A share whose server is gone: whoever looks at it waits in the kernel, where no signal helps."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._storage.shares import (
    done_apart,
    silent_places,
)
from ansible_collections.fedora_infra.dnf_counting.tests.support.counting_host import (
    DAYS,
    FIRST,
    HOSTS,
    LAST,
    CountingHost,
)
from ansible_collections.fedora_infra.dnf_counting.tests.support.hanging_share import (
    hanging_share,
    why_none,
)
from ansible_collections.fedora_infra.dnf_counting.tests.support.modules import run_module

pytestmark = [
    pytest.mark.root,
    pytest.mark.skipif(bool(why_none()), reason=why_none()),
]
#: Long enough for a busy machine, where all that answers answers at once.
PATIENCE = 10


@pytest.fixture
def share(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "share"
    with hanging_share(folder):
        yield folder


@pytest.fixture(scope="module")
def counted(tmp_path_factory: pytest.TempPathFactory) -> CountingHost:
    made = CountingHost(tmp_path_factory.mktemp("log-host"))
    made.sync()
    return made.run()


def info(log_host: CountingHost, **options: Any) -> dict[str, Any]:
    profile = {name: str(value) for name, value in vars(log_host.profile).items()}
    given: dict[str, Any] = {
        "hosts": [*HOSTS],
        "hosts_dir": log_host.root / "hosts",
        "combined_dir": log_host.root / "combined",
        "groups": [{"name": "proxies", "hosts": "proxy*", "logs": "*access.log"}],
        "profiles": [profile],
        "publish_dir": log_host.root / "html",
        "since": str(FIRST),
        "until": str(LAST),
        "log_host": "log01",
        "patience_seconds": PATIENCE,
    }
    return run_module("dnf_counting_info", **{**given, **options})


def silences(result: dict[str, Any]) -> list[dict[str, str]]:
    return [one for one in result["problems"] if "does not answer" in one["what"]]


def test_who_looks_at_it_is_not_even_ended_by_a_kill(share: Path) -> None:
    looking = subprocess.Popen(["stat", share], stdout=subprocess.DEVNULL)
    time.sleep(0.5)
    looking.kill()
    with pytest.raises(subprocess.TimeoutExpired):
        looking.wait(1)


def test_incident_nfs_stale_the_status_tells_of_the_share_and_of_all_else(
    counted: CountingHost, share: Path, tmp_path: Path
) -> None:
    result = info(
        counted,
        combined_dir=share / "combined-http",
        require_mount=share,
        status_dir=tmp_path / "status",
    )
    assert result["state"] == "critical"
    (problem,) = silences(result)
    assert problem["what"].startswith(f"server:/gone on {share} does not answer")
    assert problem["what"].endswith("nothing is known of combined")
    assert problem["since"] == result["status"]["generated_at"]
    assert "umount --lazy" in problem["next_step"]
    stages = {(one["stage"], one["kind"]): one["counts"] for one in result["status"]["stages"]}
    assert stages["combine", "day"] == {"unreadable": len(DAYS)}
    assert stages["sync", "day"] == {"present": len(DAYS)}
    assert stages["count_raw", "day"] == {"present": len(DAYS)}
    assert stages["count_totals", "week"]["present"] >= 2
    trees = {tree["name"]: tree["problem"] for tree in result["status"]["trees"]}
    assert trees == {**dict.fromkeys(trees, ""), "combined": "the share does not answer"}
    # monitors are told, too
    kept = json.loads((tmp_path / "status" / "status.json").read_text())
    assert kept["problems"] == result["problems"]


@pytest.mark.parametrize(
    ("options", "names"),
    [
        ({"hosts_dir": "hosts"}, "hosts"),
        ({"publish_dir": "html"}, "published"),
        ({"history_db": "history.db", "messaging_spool": "spool.db"}, "run history, messages"),
        ({"status_dir": "status"}, "status files"),
    ],
    ids=["hosts", "published", "files", "status"],
)
def test_incident_nfs_stale_whatever_lies_on_the_share(
    counted: CountingHost, share: Path, options: dict[str, str], names: str
) -> None:
    result = info(counted, **{name: share / place for name, place in options.items()})
    (problem,) = silences(result)
    assert problem["what"].endswith(f"nothing is known of {names}")
    assert result["files"] == []
    counts = {one["stage"]: one["counts"] for one in result["status"]["stages"]}
    assert counts["count_raw"] == {"present": len(DAYS)}
    # of what is not known nothing is claimed
    assert not [one for one in result["problems"] if "missing" in one["what"]]


def test_incident_nfs_stale_everything_lies_on_the_share(
    counted: CountingHost, share: Path
) -> None:
    moved = CountingHost.__new__(CountingHost)
    object.__setattr__(moved, "root", share)
    result = info(moved, condense_log="x-access.log", condense_dir=share / "condensed")
    assert [one["severity"] for one in silences(result)] == ["critical"]
    assert not [one for one in result["problems"] if "no run yet" in one["what"]]


@pytest.mark.parametrize(
    ("module", "options"),
    [
        ("http_log_combine", {"src": "{root}/hosts", "dest": "{share}/combined-http"}),
        ("countme_raw", {"src": "{share}/combined", "raw_dir": "{root}/raw", "log_name": "a.log"}),
        ("http_log_compress", {"src": "{share}/combined-http"}),
        ("http_log_sync", {"hosts": ["p1"], "dest": "{share}/hosts"}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
@pytest.mark.parametrize("check", [False, True], ids=["run", "check"])
def test_incident_nfs_stale_a_stage_fails_instead_of_holding_up_the_others(
    tmp_path: Path, share: Path, module: str, options: dict[str, Any], check: bool
) -> None:
    history = tmp_path / "progress.jsonl"
    given = {
        name: value.format(root=tmp_path, share=share) if isinstance(value, str) else value
        for name, value in options.items()
    }
    result = run_module(module, ok=False, check=check, progress_file=history, **given)
    assert f"server:/gone on {share}" in result["msg"]
    if not check:
        assert json.loads(history.read_text().splitlines()[-1])["result"] == "failed"


def test_reading_is_given_up_once_the_share_goes_in_the_middle(tmp_path: Path) -> None:
    folder = tmp_path / "share"
    folder.mkdir()
    assert silent_places([folder], patience_seconds=PATIENCE) == []
    with hanging_share(folder):
        stuck = done_apart(
            lambda: [*folder.iterdir()],
            patience_seconds=1,
            is_stuck=lambda: silent_places([folder], patience_seconds=1) == [folder],
        )
    assert stuck is None
    # slow is not stuck
    slow = done_apart(lambda: time.sleep(3) or "done", patience_seconds=1, is_stuck=lambda: False)
    assert slow == "done"
