# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Format text for a terminal: plain, wrapped, and in tables that fit its width."""

from __future__ import annotations

import textwrap
from collections.abc import Collection, Sequence
from itertools import zip_longest

_GAP = "  "
#: The smallest width to which a column shrinks.
_LEAST = 6


def plain(text: str) -> str:
    """Return foreign text in one line, without control characters for a terminal."""
    return "".join(sign if sign.isprintable() else "?" for sign in text)


def wrapped(text: str, width: int, *, first: str = "", rest: str = "") -> list[str]:
    """Wrap foreign text to lines of at most ``width``, indented by ``first`` and then ``rest``."""
    return textwrap.wrap(
        plain(text),
        width,
        initial_indent=first,
        subsequent_indent=rest,
        break_on_hyphens=False,
    ) or [first]


def table(
    header: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    width: int,
    whole: Collection[int] = (),
) -> list[str]:
    """Return the lines of a table. The header of a column of numbers begins with a blank.

    Cells that are too long for ``width`` continue in the next line of their column. Columns of
    numbers, and those whose places are in ``whole``, are never wrapped.
    """
    numbers = [title.startswith(" ") for title in header]
    stay = {column for column, is_number in enumerate(numbers) if is_number} | {*whole}
    grid = [[plain(cell.strip()) for cell in row] for row in (header, *rows)]
    widths = _fitted([max(map(len, column)) for column in zip(*grid, strict=True)], stay, width)
    lines = []
    for row in grid:
        cells = [wrapped(cell, at_most) for cell, at_most in zip(row, widths, strict=True)]
        for parts in zip_longest(*cells, fillvalue=""):
            aligned = [
                part.rjust(w) if is_number else part.ljust(w)
                for part, w, is_number in zip(parts, widths, numbers, strict=True)
            ]
            lines.append(_GAP.join(aligned).rstrip())
    return lines


def _fitted(widths: Sequence[int], stay: Collection[int], width: int) -> list[int]:
    """Fit column widths to ``width``, shrinking the widest columns first."""
    room = width - len(_GAP) * (len(widths) - 1)
    fitted: list[int] = []
    for most in range(max(*widths, _LEAST), _LEAST - 1, -1):
        fitted = [w if column in stay else min(w, most) for column, w in enumerate(widths)]
        if sum(fitted) <= room:
            break
    return [max(w, 1) for w in fitted]
