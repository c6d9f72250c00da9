"""What is due, waiting, blocked or unchanged, and why."""

from __future__ import annotations

import errno
import lzma
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._base.errors import (
    SettingsError,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._combine.stage import (
    COMBINE,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._logs.hosts_tree import (
    HostGroup,
)
from ansible_collections.fedora_infra.dnf_counting.tests.support.combining import (
    DAY,
    LOG,
    NOW,
    UNIT,
    Trees,
    line,
)
from ansible_collections.fedora_infra.dnf_counting.tests.support.observers import Noted
from ansible_collections.fedora_infra.dnf_counting.tests.support.stages import outcome_of


@pytest.fixture
def trees(tmp_path: Path) -> Trees:
    return Trees(tmp_path)


def test_groups_combine_their_logs_and_no_others(trees: Trees) -> None:
    trees.put("proxy1", line(1), name="fedoraproject.org-access.log")
    trees.put("proxy1", line(1), name="fedoraproject.org-error.log")
    trees.put("proxy1", line(1), name="odd name-access.log")
    trees.put("proxy1", line(1), name="access.log-20210928.xz")
    trees.put("dl1", line(2), name="dl.fedoraproject.org-access.log")
    trees.put("dl1", line(2), name="other-access.log")
    trees.put("people1", line(3), name="fedorapeople.org-access.log")
    trees.put("noc1", line(3), name="noc-access.log")
    names = [unit.name.split(" ")[1] for unit in trees.run(latest=None).units]
    assert names == [
        "dl.fedoraproject.org-access.log",
        "fedorapeople.org-access.log",
        "fedoraproject.org-access.log",
    ]


def test_a_log_is_announced_as_one_of_the_group_that_has_it(trees: Trees) -> None:
    trees.put("proxy1", line(1), name="fedoraproject.org-access.log")
    trees.put("dl1", line(2), name="dl.fedoraproject.org-access.log")
    trees.put("people1", line(3), name="fedorapeople.org-access.log")
    noted = Noted()
    settings = replace(trees.settings, latest=None, days=(DAY,))
    outcome_of(COMBINE, settings, now=NOW, observer=noted)
    kinds = {name.split(" ")[1]: kind for event, kind, name in noted.events if event == "start"}
    # the pattern of the proxies' logs fits those of the others, too
    assert kinds == {
        "fedoraproject.org-access.log": "proxy",
        "dl.fedoraproject.org-access.log": "download",
        "fedorapeople.org-access.log": "people",
    }


def test_incident_late_logs_a_new_input_makes_the_day_again(trees: Trees) -> None:
    trees.put("proxy1", line(1))
    trees.run()
    late = trees.put("proxy2", line(0))
    unit = trees.unit()
    assert unit.status == "made"
    assert unit.reasons == (f"new input {late.relative_to(trees.settings.src)}",)
    assert trees.combined() == line(0) + line(1)


def test_incident_source_rewritten_a_changed_input_makes_the_day_again(trees: Trees) -> None:
    trees.put("proxy1", line(1))
    trees.run()
    trees.put("proxy1", line(1) + line(2))
    assert trees.unit().status == "made"
    assert trees.combined() == line(1) + line(2)


def test_inputs_that_are_pruned_make_nothing_out_of_date(trees: Trees) -> None:
    path = trees.put("proxy1", line(1))
    trees.put("proxy2", line(2))
    trees.run()
    path.unlink()
    assert trees.unit().status == "unchanged"
    assert trees.combined() == line(1) + line(2)


def test_a_day_is_not_made_again_from_what_is_left_of_it(trees: Trees) -> None:
    path = trees.put("proxy1", line(1))
    trees.put("proxy2", line(2))
    trees.run()
    path.unlink()
    trees.put("proxy3", line(3))
    run = trees.run()
    assert run.units[0].status == "blocked"
    assert "proxy1" in run.units[0].reasons[-1]
    assert any("proxy1" in warning for warning in run.warnings)
    assert trees.combined() == line(1) + line(2)


def test_a_host_that_is_there_in_another_form_is_there(trees: Trees) -> None:
    path = trees.put("proxy1", line(1))
    trees.run()
    path.unlink()
    trees.put("proxy1", lzma.compress(line(1)), name=f"{LOG}.xz")
    trees.put("proxy2", line(2))
    assert trees.unit().status == "made"
    assert trees.combined() == line(1) + line(2)


def test_a_young_day_waits_for_the_expected_hosts(trees: Trees) -> None:
    young = date(2021, 9, 29)
    hosts = ("proxy1", "proxy2")
    trees.put("proxy1", line(1), day=young)
    waiting = trees.run(young, expected_hosts=hosts).units
    assert [unit.status for unit in waiting] == ["waiting", "missing"]
    assert waiting[0].reasons == ("waiting for proxy2",)
    assert not trees.settings.dest.exists()
    trees.put("proxy2", line(2), day=young)
    assert trees.run(young, expected_hosts=hosts).units[0].status == "made"


def test_incident_missing_day_source_a_settled_day_is_combined_with_what_is_there(
    trees: Trees,
) -> None:
    trees.put("proxy1", line(1))
    unit = trees.unit(expected_hosts=("proxy1", "proxy2"))
    assert unit.status == "made"
    assert unit.figures["hosts_missing"] == ["proxy2"]
    assert trees.record()["hosts_expected"] == ["proxy1", "proxy2"]
    assert trees.record()["hosts_present"] == ["proxy1"]


def test_a_host_has_delivered_once_it_has_any_log_of_its_group(trees: Trees) -> None:
    young = date(2021, 9, 29)
    trees.put("proxy1", line(1), day=young)
    trees.put("proxy2", line(2), day=young, name="rare-access.log")
    units = trees.run(young, expected_hosts=("proxy1", "proxy2")).units
    assert [unit.status for unit in units] == ["made", "made", "made"]


def test_incident_empty_glob_a_day_without_logs_is_named_and_makes_nothing(trees: Trees) -> None:
    run = trees.run()
    assert [(unit.name, unit.status) for unit in run.units] == [
        (str(DAY), "missing"),
        ("latest", "missing"),
    ]
    assert not trees.settings.dest.exists()


def test_a_log_compressed_later_is_unchanged(trees: Trees) -> None:
    trees.put("proxy1", line(1))
    trees.run()
    path = trees.settings.dest / "2021/09/28" / LOG
    path.with_name(f"{LOG}.xz").write_bytes(lzma.compress(path.read_bytes()))
    path.unlink()
    assert trees.unit().status == "unchanged"
    assert trees.unit("latest").status == "unchanged"
    assert os.listdir(trees.settings.latest or "") == [f"{LOG}.xz"]


@pytest.mark.parametrize("damage", ["removed", "cut"])
def test_a_combined_log_that_is_gone_or_cut_is_made_again(trees: Trees, damage: str) -> None:
    trees.put("proxy1", line(1))
    trees.run()
    path = trees.settings.dest / "2021/09/28" / LOG
    path.unlink()
    if damage == "cut":
        path.write_bytes(line(1)[:-5])
    assert trees.unit().status == "made"
    assert trees.combined() == line(1)


@pytest.mark.parametrize("content", ["", "{", "[]", '{"format": 1}', '{"format":1,"logs":[1]}'])
def test_a_record_that_says_nothing_fails_its_day_alone(trees: Trees, content: str) -> None:
    trees.put("proxy1", line(1))
    other = date(2021, 9, 27)
    trees.put("proxy1", line(1), day=other)
    trees.run()
    (trees.settings.dest / "2021/09/28/.combine.json").write_text(content)
    run = trees.run(other, DAY)
    assert [unit.status for unit in run.units[:2]] == ["made", "failed"]
    assert run.failure.startswith(f"1 of the days could not be combined ({DAY})")
    assert "Remove it" in run.units[1].reasons[0]


def test_a_record_of_a_newer_version_is_left_alone(trees: Trees) -> None:
    trees.put("proxy1", line(1))
    trees.run()
    record = trees.settings.dest / "2021/09/28/.combine.json"
    record.write_text('{"format": 2}')
    assert "update" in trees.unit(str(DAY)).reasons[0]
    assert record.read_text() == '{"format": 2}'


@pytest.mark.parametrize(
    "options",
    [
        pytest.param({"groups": ()}, id="no-group"),
        pytest.param(
            {"groups": (HostGroup("a", "*", "*"), HostGroup("a", "b*", "*"))}, id="same-name"
        ),
    ],
)
def test_impossible_settings_are_refused(trees: Trees, options: dict[str, Any]) -> None:
    with pytest.raises(SettingsError):
        trees.run(**options)


@pytest.mark.parametrize("option", ["dest", "latest"])
@pytest.mark.parametrize("way", ["hosts/combined", "hosts", "other/../hosts/combined", "link/here"])
def test_incident_hostile_config_nothing_is_made_in_the_hosts_tree(
    trees: Trees, option: str, way: str
) -> None:
    root = trees.settings.src.parent
    (root / "link").symlink_to(trees.settings.src)
    with pytest.raises(SettingsError, match=f"option {option}: expected .* outside"):
        trees.run(**{option: root / way})


@pytest.mark.parametrize("latest", ["/", "latest", ".."])
def test_incident_hostile_config_links_without_a_place_are_refused(
    trees: Trees, latest: str
) -> None:
    with pytest.raises(SettingsError, match="option latest: expected the absolute path"):
        trees.run(latest=Path(latest))


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_incident_bad_permissions_an_unreadable_folder_fails_its_day(trees: Trees) -> None:
    trees.put("proxy1", line(1)).parent.chmod(0)
    assert trees.unit(str(DAY)).status == "failed"


def test_incident_clock_jump_a_day_to_come_waits_or_is_missing(trees: Trees) -> None:
    future = date(2031, 1, 1)
    run = trees.run(future, expected_hosts=("proxy1",))
    assert run.units[0].status == "waiting"


def test_a_combined_log_that_is_compressed_while_it_is_looked_at_is_unchanged(
    trees: Trees, monkeypatch: pytest.MonkeyPatch
) -> None:
    trees.put("proxy01", line(1))
    trees.run()
    compressed_in_the_middle = iter([FileNotFoundError(errno.ENOENT, "gone")])
    fail_stat(monkeypatch, compressed_in_the_middle, before=compress_combined)
    assert trees.unit().status == "unchanged"


def test_a_combined_log_that_can_not_be_looked_at_fails_alone(
    trees: Trees, monkeypatch: pytest.MonkeyPatch
) -> None:
    trees.put("proxy01", line(1))
    other = trees.put("proxy01", line(1), name="other-access.log").name
    trees.run()
    fail_stat(monkeypatch, iter([OSError(errno.EIO, "bad")]))
    units = {unit.name: unit for unit in trees.run().units}
    assert units[UNIT].status == "failed"
    assert "expected to read" in units[UNIT].reasons[0]
    assert units[f"{DAY} {other}"].status == "unchanged"


def compress_combined(path: Path) -> None:
    path.with_name(path.name + ".xz").write_bytes(lzma.compress(path.read_bytes()))
    path.unlink()


def fail_stat(
    monkeypatch: pytest.MonkeyPatch,
    errors: Iterator[OSError | None],
    *,
    before: Callable[[Path], None] = lambda path: None,
) -> None:
    """Let ``stat`` of the plain combined log itself fail with one error after the other."""
    found = Path.stat

    def stat(path: Path, *, follow_symlinks: bool = True) -> os.stat_result:
        if path.name == LOG and "combined" in path.parts and not follow_symlinks:
            error = next(errors, None)
            if error:
                before(path)
                raise error
        return found(path, follow_symlinks=follow_symlinks)

    monkeypatch.setattr(Path, "stat", stat)
    # the listing uses it, which calls stat before Python 3.14
    monkeypatch.setattr(Path, "is_symlink", os.path.islink)
