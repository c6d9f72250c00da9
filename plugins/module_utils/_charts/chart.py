# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The common part of all kinds of charts.

A new kind of chart is a class with these methods, and a place in :func:`~.draw.all_charts`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

from .._publish.distribution import AddOn

Spec: TypeAlias = dict[str, Any]
"""A chart in Vega-Lite."""

#: Raise it when the same figures give other pictures, so that they are drawn again.
CHARTS_VERSION = 2

#: The width of all pictures in pixels.
WIDTH = 800

#: A table has this many of the newest rows.
MOST_ROWS = 60


def sections_of(add_ons: Iterable[AddOn]) -> dict[str, str]:
    """Return the sections that charts are listed under, in this order, and their headings."""
    return {
        "machines": "Machines",
        **{one.name: one.title for one in add_ons},
        "addresses": "Client addresses",
        "coverage": "Coverage",
    }


class ChartTable(NamedTuple):
    """The figures of a chart as text, the newest row first."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    rows_in_all: int
    """The number of all rows; ``rows`` has only the newest."""


@dataclass(frozen=True)
class Chart(ABC):
    """One definition for the pictures and the interactive form of a chart."""

    name: str
    """The name of its files; only a-z, 0-9 and dashes."""
    section: str
    """A key of :func:`sections_of`."""
    title: str
    """The title without the time that the chart shows."""
    description: str
    """Advice for reading it, in a sentence or a few."""

    @property
    @abstractmethod
    def span(self) -> str:
        """The time that it shows, and what its values are."""

    @property
    @abstractmethod
    def height(self) -> int:
        """The height of its picture in pixels."""

    @abstractmethod
    def spec(self, *, interactive: bool) -> Spec:
        """Return the chart in Vega-Lite, without a theme (see :func:`~.style.chart_theme`)."""

    @abstractmethod
    def alt_text(self) -> str:
        """Describe the chart in two sentences, for readers who do not see it."""

    @abstractmethod
    def table(self) -> ChartTable:
        """Return the newest figures."""

    @property
    def full_title(self) -> str:
        """The title with the time that it shows."""
        return f"{self.title}, {self.span}"


def format_number(value: float | None) -> str:
    """Format a figure for a table or a sentence, as an empty text if it is not known."""
    return "" if value is None else f"{value:,.0f}"
