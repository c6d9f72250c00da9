# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is put on the screen, by what the terminal is and what Ansible shows by itself."""

from __future__ import annotations

import pytest
from ansible import constants as C  # noqa: N812
from ansible.plugins.loader import callback_loader
from ansible_collections.fedora_infra.dnf_counting.plugins.plugin_utils import screen


@pytest.mark.parametrize(("terminal", "columns"), [(0, 100), (40, 60), (80, 80), (250, 250)])
def test_tables_are_as_wide_as_the_terminal(
    monkeypatch: pytest.MonkeyPatch, terminal: int, columns: int
) -> None:
    monkeypatch.setattr(screen, "_COLUMNS", terminal)
    assert screen.columns() == columns


def test_a_line_of_progress_takes_one_line_of_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    line = "  [log01]  31 %  combine 2026-10-31 mirrors.fedoraproject.org-access.log"
    monkeypatch.setattr(screen, "_COLUMNS", 40)
    assert screen.fitted(line) == "  [log01]  31 %  combine 2026-10-31 mir…"
    assert screen.fitted(line[:40]) == line[:40]
    # in a log there is room
    monkeypatch.setattr(screen, "_COLUMNS", 0)
    assert screen.fitted(line) == line


@pytest.mark.parametrize(
    ("callback", "skipped", "late"),
    [
        ("default", "false", True),
        ("ansible.builtin.default", "false", True),
        ("default", "true", False),
        ("community.general.unknown", "false", False),
    ],
)
def test_headings_come_late_where_skipped_tasks_are_not_shown(
    monkeypatch: pytest.MonkeyPatch, callback: str, skipped: str, late: bool
) -> None:
    callback_loader.get("default", class_only=True)
    monkeypatch.setattr(C, "DEFAULT_STDOUT_CALLBACK", callback)
    monkeypatch.setenv("ANSIBLE_DISPLAY_SKIPPED_HOSTS", skipped)
    assert screen.headings_come_late() is late


@pytest.mark.parametrize(
    ("callback", "people"),
    [("default", True), ("oneline", True), ("ansible.posix.json", False), ("jsonl", False)],
)
def test_what_programs_read_is_left_alone(
    monkeypatch: pytest.MonkeyPatch, callback: str, people: bool
) -> None:
    monkeypatch.setattr(C, "DEFAULT_STDOUT_CALLBACK", callback)
    assert screen.is_for_people() is people
