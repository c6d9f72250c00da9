# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Charts over time: the definition, the text and the table of figures."""

from __future__ import annotations

from dataclasses import dataclass

from .._base.days_and_weeks import week_name, week_of_day
from .chart import MOST_ROWS, Chart, ChartTable, Spec, format_number
from .figures import DOTS, LINES, STACK, WEEK_DAYS, Figures, format_step, totals_of
from .vega_frame import HEIGHT, has_bars, ordered_legend
from .vega_time import time_spec

#: The alternative text names this many of the largest series.
_SERIES_NAMED = 3
_KINDS = {LINES: "Lines", DOTS: "Dots"}


@dataclass(frozen=True)
class TimeChart(Chart):
    """A chart of counts over time."""

    counted: str
    """The counted things in the plural: ``machines``, ``client addresses``."""
    kind: str
    """STACK, LINES or DOTS."""
    figures: Figures
    measure: str = ""
    """The meaning of a value that is no plain count, such as ``weekly means``."""

    @property
    def step(self) -> str:
        """The word for a step: ``week`` or ``day``."""
        return "week" if self.figures.step_days == WEEK_DAYS else "day"

    @property
    def span(self) -> str:
        span = f"{self.figures.starts[0]} to {self.figures.end}"
        return f"{self.measure}, {span}" if self.measure else span

    @property
    def height(self) -> int:
        return HEIGHT

    def spec(self, *, interactive: bool) -> Spec:
        return time_spec(self, interactive=interactive)

    def alt_text(self) -> str:
        first = f"{self._form()}: {self.full_title}."
        series = self.figures.series
        newest = max(n for n, value in enumerate(series[0].values) if value is not None)
        largest = sorted(series, key=lambda one: -(one.values[newest] or 0))
        named = [
            f"{one.label} {format_number(one.values[newest])}"
            for one in largest
            if one.values[newest]
        ]
        if not named:
            return f"{first} {self._short_step(newest)}: none."
        more = len(named) - _SERIES_NAMED
        listed = ", ".join(named[:_SERIES_NAMED]) + (f" and {more} more" if more > 0 else "")
        total = f"{format_number(totals_of(series, newest))} in all; "
        return f"{first} {self._short_step(newest)}: {total if self.kind == STACK else ''}{listed}."

    def _form(self) -> str:
        return _KINDS.get(self.kind, "Stacked bars" if has_bars(self) else "Stacked areas")

    def _short_step(self, step: int) -> str:
        start = self.figures.starts[step]
        return f"In {week_name(week_of_day(start))}" if self.step == "week" else f"On {start}"

    def table(self) -> ChartTable:
        figures = self.figures
        series = ordered_legend(self)
        marked = bool(figures.marks)
        header = (self.step, *(one.label for one in series), *(["care"] if marked else []))
        rows = [
            (
                format_step(start, figures.step_days),
                # the cell of an unknown value is empty
                *(format_number(one.values[n]) for one in series),
                *([figures.marks.get(start, "")] if marked else []),
            )
            for n, start in enumerate(figures.starts)
        ]
        return ChartTable(header, tuple(rows[: -MOST_ROWS - 1 : -1]), len(rows))
