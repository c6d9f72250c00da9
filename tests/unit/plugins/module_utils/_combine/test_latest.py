"""The links to the newest combined day: right, relative, and never gone for a moment."""

from __future__ import annotations

import os
import threading
from datetime import date
from pathlib import Path

import pytest
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._base.errors import (
    OutputError,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._combine.latest import (
    plan_latest,
    swap_latest,
)


def add_log(combined: Path, day: str, name: str) -> Path:
    path = combined / day / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{day} {name}")
    return path


def follow(combined: Path, *unfinished: date) -> str:
    """Carry out the plan; the status it had."""
    latest = combined / "latest"
    planned = plan_latest(latest, combined, due={}, unfinished=unfinished)
    if planned.unit.status == "due":
        swap_latest(latest, planned.links, version=planned.version)
    return planned.unit.status


def content(combined: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in (combined / "latest").iterdir()}


def test_links_follow_the_newest_day(tmp_path: Path) -> None:
    add_log(tmp_path, "2021/09/27", "a-access.log")
    add_log(tmp_path, "2021/09/28", "a-access.log")
    add_log(tmp_path, "2021/09/28", "b-access.log.xz")
    assert [follow(tmp_path), follow(tmp_path)] == ["due", "unchanged"]
    assert content(tmp_path) == {
        "a-access.log": "2021/09/28 a-access.log",
        "b-access.log.xz": "2021/09/28 b-access.log.xz",
    }
    add_log(tmp_path, "2021/10/01", "a-access.log")
    assert follow(tmp_path) == "due"
    assert content(tmp_path) == {"a-access.log": "2021/10/01 a-access.log"}


def test_links_are_relative_so_that_the_tree_can_move(tmp_path: Path) -> None:
    add_log(tmp_path / "one", "2021/09/28", "a-access.log")
    follow(tmp_path / "one")
    (tmp_path / "one").rename(tmp_path / "two")
    assert content(tmp_path / "two") == {"a-access.log": "2021/09/28 a-access.log"}


def test_a_day_that_is_not_finished_does_not_count(tmp_path: Path) -> None:
    add_log(tmp_path, "2021/09/27", "a-access.log")
    add_log(tmp_path, "2021/09/28", "a-access.log")
    follow(tmp_path, date(2021, 9, 28))
    assert content(tmp_path) == {"a-access.log": "2021/09/27 a-access.log"}


def test_logs_that_are_due_are_linked_to_beforehand(tmp_path: Path) -> None:
    add_log(tmp_path, "2021/09/28", "a-access.log.xz")
    planned = plan_latest(
        tmp_path / "latest",
        tmp_path,
        due={date(2021, 9, 28): ["a-access.log", "b-access.log"]},
        unfinished=(),
    )
    assert sorted(planned.links) == ["a-access.log", "b-access.log"]


def test_without_any_day_there_are_no_links(tmp_path: Path) -> None:
    (tmp_path / "2021/13/40").mkdir(parents=True)
    assert follow(tmp_path) == "missing"
    assert not (tmp_path / "latest").exists()


def test_old_folders_of_links_are_removed_but_for_the_one_before(tmp_path: Path) -> None:
    (tmp_path / ".latest.notes").write_text("somebody's")
    for day in ("2021/09/26", "2021/09/27", "2021/09/28"):
        add_log(tmp_path, day, "a-access.log")
        follow(tmp_path)
    assert sorted(name for name in os.listdir(tmp_path) if name.startswith(".")) == [
        ".latest.2021-09-27",
        ".latest.2021-09-28",
        ".latest.notes",
    ]


@pytest.mark.parametrize("was_killed", [False, True])
def test_a_folder_of_links_of_an_earlier_system_is_taken_over(
    tmp_path: Path, was_killed: bool
) -> None:
    if was_killed:
        (tmp_path / ".latest.taken-over").mkdir()
        (tmp_path / ".latest.taken-over/old-access.log").symlink_to("old-access.log")
    add_log(tmp_path, "2021/09/28", "a-access.log")
    (tmp_path / "latest").mkdir()
    (tmp_path / "latest/old-access.log").symlink_to("../2021/09/01/old-access.log")
    assert follow(tmp_path) == "due"
    assert content(tmp_path) == {"a-access.log": "2021/09/28 a-access.log"}
    assert sorted(os.listdir(tmp_path)) == [".latest.2021-09-28", "2021", "latest"]


def test_a_folder_with_files_of_somebody_is_left_alone(tmp_path: Path) -> None:
    add_log(tmp_path, "2021/09/28", "a-access.log")
    (tmp_path / "latest").mkdir()
    (tmp_path / "latest/mine").write_text("precious")
    with pytest.raises(OutputError, match="Move it away"):
        follow(tmp_path)
    assert (tmp_path / "latest/mine").read_text() == "precious"


def test_incident_public_copy_torn_a_reader_always_sees_one_whole_set_of_links(
    tmp_path: Path,
) -> None:
    latest = tmp_path / "latest"
    names = [f"{number}-access.log" for number in range(20)]
    paths = [add_log(tmp_path, "2021/09/28", name) for name in names]
    seen: set[int] = set()
    done = threading.Event()
    one_read = threading.Event()

    def read() -> None:
        while not done.is_set():
            seen.add(len(os.listdir(latest)))
            one_read.set()

    links = {path.name: os.path.relpath(path, latest) for path in paths}
    swap_latest(latest, links, version="0")
    reader = threading.Thread(target=read)
    reader.start()
    for number in range(100):
        swap_latest(latest, links, version=str(number % 3))
        # the folder of one swap ago is kept; no reader is as slow as two nightly runs
        one_read.clear()
        assert one_read.wait(60)
    done.set()
    reader.join()
    assert seen == {20}


@pytest.mark.parametrize("place", ["2021", "latest"])
def test_a_place_that_can_not_be_read_fails_the_links_alone(tmp_path: Path, place: str) -> None:
    if place == "latest":
        add_log(tmp_path, "2021/09/28", "a-access.log")
    (tmp_path / place).symlink_to(place)
    planned = plan_latest(tmp_path / "latest", tmp_path, due={}, unfinished=())
    assert planned.unit.status == "failed"
    assert f"{tmp_path}/{place}: expected to read" in planned.unit.reasons[0]
