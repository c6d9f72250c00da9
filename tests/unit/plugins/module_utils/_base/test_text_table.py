# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tables that keep their columns, whatever is in them and however narrow the terminal is."""

from __future__ import annotations

from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._base.text_table import (
    plain,
    table,
    wrapped,
)
from hypothesis import given
from hypothesis import strategies as st

TEXT = st.text(max_size=80)


def test_tables_align_texts_left_and_numbers_right() -> None:
    assert table(["NAME", " N"], [["a", "1"], ["long", "100"]], width=40) == [
        "NAME    N",
        "a       1",
        "long  100",
    ]


def test_the_widest_cells_go_on_in_their_column() -> None:
    rows = [["hosts", "/var/log/hosts", "it is not to be read here", "12,345"]]
    assert table(["TREE", "PLACE", "WHY", " N"], rows, width=38) == [
        "TREE   PLACE       WHY              N",
        "hosts  /var/log/h  it is not   12,345",
        "       osts        to be read",
        "                   here",
    ]


def test_numbers_and_what_has_to_stay_whole_stay_whole() -> None:
    lines = table(["A", "B", " N"], [["x" * 50, "#" * 28, "1" * 12]], width=60, whole=[1])
    assert lines[1] == f"{'x' * 16}  {'#' * 28}  {'1' * 12}"


@given(st.lists(st.tuples(TEXT, TEXT, TEXT), min_size=1, max_size=5))
def test_whatever_is_in_it_a_table_has_its_width_and_its_columns(rows: list[tuple[str]]) -> None:
    lines = table(["ONE", "TWO", "THREE"], rows, width=40)
    assert max(map(len, lines)) <= 40
    assert all(line.isprintable() for line in lines)


def test_foreign_text_steers_no_terminal() -> None:
    assert plain("a\x1b[2J\n\t\u202eb\x9b") == "a?[2J???b?"
    assert wrapped("", 20) == [""]
    assert wrapped("one\ntwo", 20, first="- ") == ["- one?two"]
