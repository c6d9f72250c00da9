# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Calendars of host-days: the definition, the text and the table of figures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from .._base.days_and_weeks import format_days, week_name, week_of_day
from .._totals.host_days import HostDays
from .chart import MOST_ROWS, Chart, ChartTable, Spec, format_number
from .coverage import ALL, NOT_RECORDED, coverage_of
from .figures import WEEK_DAYS, format_step
from .vega_calendar import calendar_height, calendar_spec

#: The newest days or weeks that the alternative text names.
_GAPS_NAMED = 5


@dataclass(frozen=True)
class CalendarChart(Chart):
    """A calendar of host-days, ascending."""

    step_days: int
    """7 for weeks, by their Mondays, or 1 for days."""
    host_days: Mapping[date, HostDays]
    marks: Mapping[date, str]
    """The reasons why weeks need care, by their Mondays."""

    @property
    def weekly(self) -> bool:
        """True if a cell is a week."""
        return self.step_days == WEEK_DAYS

    @property
    def step(self) -> str:
        """The word for a cell: ``week`` or ``day``."""
        return "week" if self.weekly else "day"

    @property
    def span(self) -> str:
        last = max(self.host_days) + timedelta(days=self.step_days - 1)
        return f"{min(self.host_days)} to {last}"

    @property
    def height(self) -> int:
        return calendar_height(self)

    def spec(self, *, interactive: bool) -> Spec:
        return calendar_spec(self, interactive=interactive)

    def alt_text(self) -> str:
        gaps = self._gaps()
        unknown = sum(coverage_of(one) == NOT_RECORDED for one in self.host_days.values())
        addition = f"; {unknown:,} are not recorded" if unknown else ""
        return f"Calendar: {self.full_title}. {gaps[0].upper()}{gaps[1:]}{addition}."

    def _gaps(self) -> str:
        """Return the days or weeks that lack something, the newest few by name."""
        lacking = [
            d for d, one in self.host_days.items() if coverage_of(one) not in (ALL, NOT_RECORDED)
        ]
        if not lacking:
            return "nothing is missing"
        newest = lacking[-_GAPS_NAMED:]
        named = (
            ", ".join(week_name(week_of_day(day)) for day in newest)
            if self.weekly
            else format_days(newest)
        )
        more = len(lacking) - len(newest)
        return f"something is missing in {named}" + (f" and {more} before" if more else "")

    def table(self) -> ChartTable:
        marked = bool(self.marks)
        rows = [
            (
                format_step(day, self.step_days),
                format_number(one.received),
                format_number(one.expected),
                coverage_of(one),
                *([self.marks.get(day, "")] if marked else []),
            )
            for day, one in sorted(self.host_days.items(), reverse=True)
        ]
        care = ["care"] if marked else []
        header = (self.step, "received host-days", "expected host-days", "received", *care)
        return ChartTable(header, tuple(rows[:MOST_ROWS]), len(rows))
