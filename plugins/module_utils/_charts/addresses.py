# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make charts of client addresses per day from mirrorsdata-all.csv.

Columns are found by the names in the header (``68-f33``), so a new release needs no change here. An
address that requests two releases counts in each.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import zip_longest
from pathlib import Path

from .._base.errors import SourceError, printable
from .._condense.rules import calendar_day
from .._condense.tables import MirrorsTable, read_mirrors_table
from .._storage.files import open_regular
from .address_charts import (
    FEDORA_CHARTS,
    LATEST,
    NEWEST_YEAR,
    REVERSED,
    AddressChart,
    AddressCharts,
    SeriesGroup,
)
from .figures import (
    DOTS,
    NOISE_SHARE,
    RECENT_DAYS,
    WEEK_DAYS,
    ValuesByStart,
    figures_of,
    is_others,
    largest,
    weekly_means,
)
from .time_chart import TimeChart

#: More days are shown as weekly means: days can't be distinguished at 800 pixels, and the swing
#: between working days and weekends hides everything else.
_MOST_DAYS_SHOWN = 370
#: The number of the newest releases that are "the latest".
_LATEST_RELEASES = 6
#: More dots would be one grey cloud, and megabytes of SVG.
_MOST_DOTS = 6000

_ADDRESSES = "client addresses"
_MEANING = (
    "Distinct addresses that requested a mirror list on a day. "
    "Many machines can share an address, and one machine can have several."
)


@dataclass(frozen=True)
class DailyClients:
    """The days of the CSV file, and the values of each column that is not empty."""

    days: tuple[date, ...]
    columns: Mapping[str, Mapping[date, int]]


def read_daily_clients(path: Path) -> DailyClients:
    """Return the days of the CSV file. A row that is older than a column is 0 there.

    Raises CountingError for a file of another kind.
    """
    open_regular(path).close()
    table = read_mirrors_table(path, MirrorsTable())
    found: dict[date, list[int]] = {}
    for written, rows in table.rows.items():
        # a row of zeros is no day: the old file has one for the day after the Unix epoch, and some
        # for days such as 2021-10-1
        counted = [row for row in rows if any(cell.strip("0") for cell in row)]
        if counted:
            day, values = _day_of(path, written), map(int, (cell or "0" for cell in counted[-1]))
            # a day that is written with one digit has a row of its own
            found[day] = [sum(v) for v in zip_longest(found.get(day, ()), values, fillvalue=0)]
    days = tuple(sorted(found))
    columns: dict[str, dict[date, int]] = {}
    for place, name in enumerate(table.columns):
        values_by_day = {d: found[d][place] for d in days if len(found[d]) > place}
        if any(values_by_day.values()):
            columns[name] = values_by_day
    return DailyClients(days, columns)


def _day_of(path: Path, written: str) -> date:
    try:
        return calendar_day(written)
    except ValueError as error:
        raise SourceError(
            path,
            expected="rows of days of the calendar",
            found=printable(written),
            advice="Correct that row, or let the file be made again.",
        ) from error


def daily_charts(
    clients: DailyClients,
    charts: AddressCharts = FEDORA_CHARTS,
    *,
    suffix: str = "",
    of_log: str = "",
) -> list[TimeChart]:
    """Return every chart of client addresses that has figures.

    ``suffix`` ends the names of the charts, and ``of_log`` their titles if several logs are
    condensed.
    """
    if not clients.days:
        return []
    groups = {name: _series_of(clients, group) for name, group in charts.groups.items()}
    draw = _Drawer(clients.days)
    drawn = [
        draw.chart(
            replace(chart, name=chart.name + suffix, title=chart.title + of_log),
            _chosen(groups[chart.group], chart, newest=clients.days[-1]),
        )
        for chart in charts.charts
    ]
    return [chart for chart in drawn if chart is not None]


def _chosen(
    named: dict[str, ValuesByStart], chart: AddressChart, *, newest: date
) -> dict[str, ValuesByStart]:
    if chart.show == LATEST:
        return _latest(named)
    found = largest(named, chart.most) if chart.most else named
    if chart.show == NEWEST_YEAR:
        return _since(found, newest - timedelta(days=RECENT_DAYS - 1))
    return _reversed(found) if chart.show == REVERSED else found


@dataclass(frozen=True)
class _Drawer:
    days: tuple[date, ...]

    def chart(self, chart: AddressChart, named: Mapping[str, ValuesByStart]) -> TimeChart | None:
        used = [day for values in named.values() for day, value in values.items() if value]
        if not used:
            return None
        first = min(used)
        known = {day for day in self.days if first <= day}
        description, step_days, measure = _MEANING, 1, ""
        within = {n: {d: v for d, v in v.items() if d in known} for n, v in named.items()}
        shown_values: Mapping[str, ValuesByStart] = within
        if chart.kind == DOTS:
            step_days = -(-len(known) * len(named) // _MOST_DOTS)
            # a multiple of 7 would show the same day of each week
            step_days += step_days % WEEK_DAYS == 0
            known, shown_values = _thinned(known, within, step_days)
            if step_days > 1:
                description += f" One day in {step_days} is shown."
        elif len(known) > _MOST_DAYS_SHOWN:
            shown_values, known = weekly_means(within, known)
            description += " Each week is shown as the mean of its days."
            measure, step_days = "weekly means", WEEK_DAYS
        figures = figures_of(shown_values, known=known, step_days=step_days)
        if figures is None:
            return None
        return TimeChart(
            chart.name,
            chart.section,
            chart.title,
            description,
            _ADDRESSES,
            chart.kind,
            figures,
            measure,
        )


def _thinned(
    known: set[date], named: Mapping[str, ValuesByStart], step_days: int
) -> tuple[set[date], dict[str, ValuesByStart]]:
    first = min(known)
    kept = {day for day in known if (day - first).days % step_days == 0}
    return kept, {n: {d: v for d, v in values.items() if d in kept} for n, values in named.items()}


def _named(clients: DailyClients, labels: Mapping[str, str]) -> dict[str, ValuesByStart]:
    columns = clients.columns
    return {label: columns[name] for name, label in labels.items() if name in columns}


def _series_of(clients: DailyClients, group: SeriesGroup) -> dict[str, ValuesByStart]:
    """Return the series of a group: releases by their numbers, then the other columns."""
    named: dict[str, ValuesByStart] = {}
    if group.releases:
        numbers = {
            int(match[1]): name
            for name in clients.columns
            if (match := group.releases.fullmatch(name)) and match[1].isdecimal()
        }
        named = {group.label.format(n): clients.columns[numbers[n]] for n in sorted(numbers)}
    return {**named, **_named(clients, group.columns)}


def _latest(releases: Mapping[str, ValuesByStart]) -> dict[str, ValuesByStart]:
    """Return the newest few releases that are more than noise, and those without a number."""
    peaks = {label: max(values.values()) for label, values in releases.items()}
    floor = max(peaks.values(), default=0) * NOISE_SHARE
    real = [label for label in releases if peaks[label] > floor]
    numbered = [label for label in real if label[-1].isdecimal()]
    rolling = [label for label in real if label not in numbered]
    newest = numbered[-_LATEST_RELEASES:]
    first = _first_day(releases[label] for label in newest or rolling)
    return _since({label: releases[label] for label in (*newest, *rolling)}, first)


def _first_day(series: Iterable[ValuesByStart]) -> date:
    days = [day for values in series for day, value in values.items() if value]
    return min(days, default=date.max)


def _since(named: Mapping[str, ValuesByStart], first: date) -> dict[str, ValuesByStart]:
    return {n: {d: v for d, v in values.items() if d >= first} for n, values in named.items()}


def _reversed(named: Mapping[str, ValuesByStart]) -> dict[str, ValuesByStart]:
    """Return the series in the reverse order; the sum of the others stays on top."""
    backwards = list(named)[::-1]
    turned = sorted(backwards, key=is_others)
    return {label: named[label] for label in turned}
