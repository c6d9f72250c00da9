"""The folders of one host: shadow, link back, what a killed run left."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._base.errors import (
    OutputError,
    SourceError,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._sync.rsync import (
    TransferLimits,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._sync.shadow_tree import (
    FetchedLogs,
    HostTree,
    fetched_so_far,
    logs_of_day,
    make_folders,
    make_shadow,
    move_into_place,
)

DAY = date(2026, 12, 31)
NEW_YEAR = date(2027, 1, 1)
NAME = "site-access.log.xz"
DATED = "site-access.log-20261231.xz"


@pytest.fixture
def tree(tmp_path: Path) -> HostTree:
    return HostTree(tmp_path, "proxy01")


def put_log(tree: HostTree, day: date = DAY, name: str = NAME, content: str = "old") -> Path:
    path = tree.day_path(day) / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    return path


def receive(tree: HostTree, name: str, content: str = "new") -> Path:
    """What rsync does with a file: never through the old inode."""
    tree.shadow.mkdir(parents=True, exist_ok=True)
    path = tree.shadow / name
    unfinished = tree.shadow / ".receiving"
    unfinished.write_text(content)
    unfinished.rename(path)
    return path


def everything(tree: HostTree) -> list[str]:
    files = (path for path in tree.dest.rglob("*") if path.is_symlink() or not path.is_dir())
    return sorted(str(path.relative_to(tree.dest)) for path in files)


def test_incident_same_inode_rename_leaves_nothing_behind(tree: HostTree) -> None:
    log = put_log(tree)
    inode = log.stat().st_ino
    for _run in range(3):
        known = make_shadow(tree, [DAY])
        assert known == {DATED: inode}
        assert (tree.shadow / DATED).stat().st_ino == inode
        # once with the memory of what was there, once without, as after a crash
        move_into_place(tree, FetchedLogs(), days=[DAY])
        assert everything(tree) == [f"proxy01/2026/12/31/http/{NAME}"]
    assert log.stat().st_ino == inode


def test_incident_new_year_days_go_to_their_folders(tree: HostTree) -> None:
    make_shadow(tree, [DAY, NEW_YEAR])
    receive(tree, DATED)
    receive(tree, "site-access.log-20270101")
    arrived = FetchedLogs()
    move_into_place(tree, arrived, days=[DAY, NEW_YEAR])
    assert everything(tree) == [
        f"proxy01/2026/12/31/http/{NAME}",
        "proxy01/2027/01/01/http/site-access.log",
    ]
    assert list(arrived.logs) == [DAY, NEW_YEAR]


def test_incident_source_rewritten_replaces_as_a_whole(tree: HostTree) -> None:
    log = put_log(tree)
    with log.open() as reader:
        arrived = FetchedLogs(known=make_shadow(tree, [DAY]))
        receive(tree, DATED)
        assert log.read_text() == "old"
        move_into_place(tree, arrived, days=[DAY])
        assert log.read_text() == "new"
        assert reader.read() == "old"
    assert [one.name for one in arrived.logs[DAY]] == [NAME]


def test_incident_partial_transfer_is_never_linked_back(tree: HostTree) -> None:
    make_shadow(tree, [DAY])
    receive(tree, f".{DATED}.a1B2c3", "half")
    arrived = FetchedLogs()
    move_into_place(tree, arrived, days=[DAY])
    assert everything(tree) == [f"proxy01/.sync/.partial/{DATED}"]
    assert arrived == FetchedLogs()
    # a shorter one doesn't replace it, and it goes when all is there
    receive(tree, f".{DATED}.d4E5f6", "h")
    move_into_place(tree, arrived, days=[DAY])
    assert (tree.shadow / ".partial" / DATED).read_text() == "half"
    move_into_place(tree, arrived, days=[DAY], keep_partial=False)
    assert everything(tree) == []


def test_what_a_killed_run_left_whole_is_taken_up(tree: HostTree) -> None:
    put_log(tree)
    make_shadow(tree, [DAY])
    receive(tree, DATED)
    arrived = FetchedLogs()
    move_into_place(tree, arrived)
    assert put_log(tree, content="").parent == tree.day_path(DAY)
    assert everything(tree) == [f"proxy01/2026/12/31/http/{NAME}"]
    assert arrived.logs[DAY][0].size == 3


def hostile(tree: HostTree) -> Iterator[str]:
    """Puts things into the shadow that no honest host sends; gives their names."""
    receive(tree, "site-access.log-20261130")  # a day nobody asked for
    yield "site-access.log-20261130"
    os.symlink("/etc/passwd", tree.shadow / DATED)
    yield DATED
    os.mkfifo(tree.shadow / "pipe-access.log-20261231")
    yield "pipe-access.log-20261231"
    (tree.shadow / "folder-access.log-20261231" / "x").mkdir(parents=True)
    yield "folder-access.log-20261231"
    receive(tree, "large-access.log-20261231", "x" * 101)
    yield "large-access.log-20261231"
    for name in ("-e sh.log-20261231", "a\nb.log-20261231", "passwd", "a.log-20261331"):
        receive(tree, name)
        yield name


def test_incident_hostile_source_is_refused(tree: HostTree) -> None:
    tree = HostTree(tree.dest, tree.host, TransferLimits(file_bytes=100))
    make_shadow(tree, [DAY])
    names = list(hostile(tree))
    receive(tree, "good-access.log-20261231")
    arrived = FetchedLogs()
    move_into_place(tree, arrived, days=[DAY])
    assert everything(tree) == ["proxy01/2026/12/31/http/good-access.log"]
    said = [reason for reasons in arrived.refused.values() for reason in reasons]
    assert len(said) == len(names)
    assert not any("\n" in reason for reason in said)


def test_incident_hostile_source_sends_too_much(tree: HostTree) -> None:
    known = make_shadow(tree, [DAY])
    few = HostTree(tree.dest, tree.host, TransferLimits(host_files=2))
    small = HostTree(tree.dest, tree.host, TransferLimits(host_bytes=10))
    receive(tree, "a.log-20261231", "12345")
    receive(tree, "b.log-20261231", "12345")
    assert fetched_so_far(few, known) == fetched_so_far(small, known) == (2, 10)
    receive(tree, "c.log-20261231", "1")
    for limited in (few, small):
        with pytest.raises(SourceError, match="more to come"):
            fetched_so_far(limited, known)


def test_what_was_here_before_does_not_count_as_sent(tree: HostTree) -> None:
    put_log(tree)
    known = make_shadow(tree, [DAY])
    assert fetched_so_far(tree, known) == (0, 0)


@pytest.mark.parametrize("part", ["proxy01", "proxy01/2026", "proxy01/2026/12/31/http"])
def test_symbolic_links_in_the_tree_are_not_followed(
    tree: HostTree, tmp_path: Path, part: str
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (tmp_path / part).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / part).symlink_to(elsewhere)
    with pytest.raises(OutputError, match="found a symbolic link"):
        make_shadow(tree, [DAY])
    receive(tree, DATED)
    with pytest.raises(OutputError, match="found a symbolic link"):
        move_into_place(tree, FetchedLogs(), days=[DAY])
    assert not (elsewhere / NAME).exists()
    assert not (elsewhere / "12").exists()
    assert not (elsewhere / "2026").exists()


def test_a_link_in_the_place_of_a_log_is_replaced_not_followed(
    tree: HostTree, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    outside.write_text("precious")
    log = put_log(tree)
    log.unlink()
    log.symlink_to(outside)
    assert logs_of_day(tree, DAY) == {}
    make_shadow(tree, [DAY])
    receive(tree, DATED)
    move_into_place(tree, FetchedLogs(), days=[DAY])
    assert not log.is_symlink()
    assert outside.read_text() == "precious"


@pytest.mark.parametrize(("file_mode", "folder_mode"), [(0o640, 0o750), (0o644, 0o755)])
def test_incident_bad_permissions_umask_077(
    tree: HostTree, file_mode: int, folder_mode: int
) -> None:
    tree = HostTree(tree.dest, tree.host, file_mode=file_mode)
    before = os.umask(0o077)
    try:
        make_shadow(tree, [DAY])
        receive(tree, DATED)
        move_into_place(tree, FetchedLogs(), days=[DAY])
    finally:
        os.umask(before)
    log = tree.day_path(DAY) / NAME
    assert log.stat().st_mode & 0o777 == file_mode
    assert {folder.stat().st_mode & 0o777 for folder in list(log.parents)[:5]} == {folder_mode}


def test_incident_bad_permissions_a_file_in_the_way(tree: HostTree) -> None:
    tree.folder.write_text("")
    with pytest.raises(OutputError, match="proxy01: expected a folder"):
        make_folders(tree.dest, tree.shadow, 0o640)


def test_only_logs_are_logs(tree: HostTree) -> None:
    put_log(tree)
    for name in ("notes.txt", ".hidden.log", "back-log.zip", "x.log.xz.old"):
        put_log(tree, name=name)
    (tree.day_path(DAY) / "sub.log").mkdir()
    assert list(logs_of_day(tree, DAY)) == [NAME]
    assert make_shadow(tree, [DAY]).keys() == {DATED}
