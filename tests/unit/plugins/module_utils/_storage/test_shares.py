# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asking places for an answer, and work in a process of its own; see also tests/faults."""

from __future__ import annotations

import os
import select
import signal
from pathlib import Path

import pytest
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._base.errors import (
    OutputError,
    SourceError,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._storage import (
    shares as storage_shares,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._storage.shares import (
    check_answers,
    mount_of,
    run_in_child,
    silent_places,
)

MOUNTS = r"""rootfs / rootfs rw 0 0
tmpfs /mnt tmpfs rw 0 0
server:/export/the\040stats /mnt/the\040stats nfs4 rw,hard 0 0
other:/x /mnt/the\040stats-old nfs4 rw 0 0
"""


def never() -> bool:
    raise AssertionError("nobody has to be asked")


def test_what_is_not_there_or_not_to_be_read_answers_too(tmp_path: Path) -> None:
    places = [tmp_path, tmp_path / "none", Path("-x"), Path("/proc/1/root")]
    assert silent_places(places, patience_seconds=60) == []


def test_what_does_not_answer_is_an_error_with_its_mount(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.mkfifo(tmp_path / "held")
    # the process that asks holds the pipe open until it ends
    monkeypatch.setattr(storage_shares, "_PROBE", ("sh", "-c", 'exec sleep 600 3>"$0/held"'))
    held = os.open(tmp_path / "held", os.O_RDONLY | os.O_NONBLOCK)
    with pytest.raises(OutputError, match=r"within 3 seconds, found none from .* on /"):
        check_answers([tmp_path], patience_seconds=3)
    check_answers([])
    assert select.select([held], [], [], 300)[0] == [held]
    assert os.read(held, 1) == b""
    os.close(held)


@pytest.mark.parametrize(
    ("place", "point", "source"),
    [
        ("/mnt/the stats/combined-http", "/mnt/the stats", "server:/export/the stats"),
        ("/mnt/the stats-old", "/mnt/the stats-old", "other:/x"),
        ("/mnt/else", "/mnt", "tmpfs"),
        ("/srv", "/", "rootfs"),
    ],
)
def test_a_place_is_of_the_mount_that_is_nearest(
    tmp_path: Path, place: str, point: str, source: str
) -> None:
    (tmp_path / "mounts").write_text(MOUNTS)
    assert mount_of(Path(place), str(tmp_path / "mounts")) == (Path(point), source)


def test_work_is_done_apart_with_its_result_and_nothing_of_ours_open() -> None:
    assert run_in_child(os.getpid, patience_seconds=60, is_stuck=never) != os.getpid()
    large = "x" * (5 << 20)
    assert run_in_child(lambda: large, patience_seconds=60, is_stuck=never) == large
    with Path(os.devnull).open("rb") as ours:
        open_there = run_in_child(
            lambda: (
                {os.readlink(f"/proc/self/fd/{n}") for n in (0, 1, 2)}
                | {str(Path(f"/proc/self/fd/{ours.fileno()}").exists())}
            ),
            patience_seconds=60,
            is_stuck=never,
        )
    assert open_there == {os.devnull, "False"}


def test_a_process_that_comes_to_nothing_is_an_error() -> None:
    with pytest.raises(SourceError, match="found code -9"):
        run_in_child(
            lambda: os.kill(os.getpid(), signal.SIGKILL), patience_seconds=60, is_stuck=never
        )
    with pytest.raises(SourceError, match=r"(?s)found Traceback.*in never"):
        run_in_child(never, patience_seconds=60, is_stuck=never)
    with pytest.raises(SourceError, match="found code 3"):
        run_in_child(lambda: os._exit(3), patience_seconds=60, is_stuck=never)
