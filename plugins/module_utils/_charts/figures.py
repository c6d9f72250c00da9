# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The figures of a chart and their labels, before anything is drawn.

Time goes in equal steps, weeks or days. A step without known values is a gap in the picture. A
series without a value in a step in which others have one is 0 there.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import NamedTuple, TypeAlias

from .._base.days_and_weeks import week_name, week_of_day, week_start
from .._publish.public_text import public_text, visible_text

WEEK_DAYS = 7

#: More series can't be distinguished in one picture; the smallest are added up.
MOST_SERIES = 12
#: The same for charts that should show all series of a kind.
MOST_SERIES_OF_ALL = 20

#: Series that never reach this share of the largest one are noise from odd clients.
NOISE_SHARE = 0.001

#: One row with a date in a wrong century must not make a chart of a million steps.
MOST_STEPS = 4000

#: For the choice of the largest series, values before the recent past count for a part only.
RECENT_DAYS = 365
PAST_DIVISOR = 4

_OTHERS = re.compile(r"[0-9,]+ others?", re.ASCII)

_LONGEST_LABEL = 28
#: The drawing library may cut a label within such a character, and then draws nothing.
_WIDE_CHARACTER = re.compile("[\U00010000-\U0010ffff]")
_LONGEST_READ = 4 * _LONGEST_LABEL

STACK = "stack"
LINES = "lines"
DOTS = "dots"

#: Values by the first day of their step.
ValuesByStart: TypeAlias = "Mapping[date, float]"


class Series(NamedTuple):
    """One line or layer, with a value for each step; None if it is not known."""

    label: str
    values: tuple[float | None, ...]


@dataclass(frozen=True)
class Figures:
    """The series of a chart over time."""

    starts: tuple[date, ...]
    """The first day of each step, ascending, all steps from the first known to the last."""
    step_days: int
    series: tuple[Series, ...]
    """The series, from the bottom of a stack upwards."""
    marks: Mapping[date, str] = field(default_factory=dict)
    """The reasons why steps need care, by their first days."""

    @property
    def end(self) -> date:
        """The last day of the last step."""
        return self.starts[-1] + timedelta(days=self.step_days - 1)


def series_label(text: str, *, version: str = "", empty: str = "(no name)") -> str:
    """Return a text of a client as a short public label of a series.

    A ``version`` may look like an address. Emoji and all other characters after the first 65,536
    become U+FFFD. A label such as ``3 others`` is quoted.
    """
    public = f"{public_text(text[:_LONGEST_READ])} {public_text(version, 'os_version')}"
    visible = visible_text(_WIDE_CHARACTER.sub("\ufffd", public.strip(" ")), _LONGEST_LABEL)
    return f"'{visible}'" if is_others(visible) else visible or empty


def natural_key(label: str) -> list[tuple[int, int, str]]:
    """Return a key that orders labels by their numbers: ``Fedora 9`` before ``Fedora 10``."""
    parts = re.split(r"([0-9]{1,9})", label, flags=re.ASCII)
    return [(0, int(p), "") if p.isdecimal() else (1, 0, p.casefold()) for p in parts if p]


def others_label(count: int) -> str:
    """Return the label of the sum of a number of series that are not shown by themselves."""
    return f"{count:,} other" if count == 1 else f"{count:,} others"


def is_others(label: str) -> bool:
    return _OTHERS.fullmatch(label) is not None


def distinct_labels(labels: Iterable[str]) -> list[str]:
    """Return the labels with numbers at equal ones, so that each names one series."""
    given: list[str] = []
    for label in labels:
        number, candidate = 1, label
        while candidate in given:
            number += 1
            candidate = f"{label} ({number})"
        given.append(candidate)
    return given


def largest(named: Mapping[str, ValuesByStart], keep: int) -> dict[str, ValuesByStart]:
    """Return the ``keep`` largest series, in the given order, and then the sum of the others.

    Values that are older than a year count for a part, so that a new release is among the largest.
    The others are the smaller series and those that are noise; no value is lost.
    """
    last = max((start for values in named.values() for start in values), default=date.min)
    recent = last.toordinal() - RECENT_DAYS
    peaks = {name: max(values.values(), default=0) for name, values in named.items()}
    weights = {
        name: max(
            (v if s.toordinal() > recent else v / PAST_DIVISOR for s, v in values.items()),
            default=0,
        )
        for name, values in named.items()
    }
    floor = max(peaks.values(), default=0) * NOISE_SHARE
    # of equal series the later one, which is the newer release, comes first
    ranked = sorted(
        (name for name in list(named)[::-1] if peaks[name] > floor), key=lambda n: -weights[n]
    )
    kept = set(ranked[:keep])
    rest: dict[date, float] = {}
    summed = 0
    for name, values in named.items():
        if name not in kept and peaks[name] > 0:
            summed += 1
            for start, value in values.items():
                rest[start] = rest.get(start, 0) + value
    found: dict[str, ValuesByStart] = {n: values for n, values in named.items() if n in kept}
    if summed:
        found[others_label(summed)] = rest
    return found


def figures_of(
    named: Mapping[str, ValuesByStart],
    *,
    known: Collection[date],
    step_days: int,
    marks: Mapping[date, str] | None = None,
) -> Figures | None:
    """Return the figures of named values, in the given order; None if all values are 0.

    ``known`` are the first days of the steps with known values. Steps before the first value of any
    series are left out, and steps that are more than MOST_STEPS before the last one.
    """
    used = [start for values in named.values() for start, value in values.items() if value]
    if not used:
        return None
    last = max(known)
    first = max(min(used), last - timedelta(days=step_days * (MOST_STEPS - 1)))
    starts = _steps(first, last, step_days)
    labels = distinct_labels(named)
    series = tuple(
        Series(label, tuple(values.get(start, 0) if start in known else None for start in starts))
        for label, values in zip(labels, named.values(), strict=True)
        if any(values.values())
    )
    marks_within = {start: why for start, why in (marks or {}).items() if starts[0] <= start}
    return Figures(starts, step_days, series, marks_within)


def _steps(first: date, last: date, step_days: int) -> tuple[date, ...]:
    count = (last - first).days // step_days + 1
    return tuple(first + timedelta(days=step_days * n) for n in range(count))


def weekly_means(
    named: Mapping[str, ValuesByStart], known: Collection[date]
) -> tuple[dict[str, ValuesByStart], set[date]]:
    """Return the mean of the known days of each week, and the weeks with a known day."""
    mondays = {day: week_start(week_of_day(day)) for day in known}
    days_known: dict[date, int] = {}
    for monday in mondays.values():
        days_known[monday] = days_known.get(monday, 0) + 1
    means: dict[str, ValuesByStart] = {}
    for name, values in named.items():
        sums: dict[date, float] = {}
        for day, value in values.items():
            sums[mondays[day]] = sums.get(mondays[day], 0) + value
        means[name] = {monday: round(total / days_known[monday]) for monday, total in sums.items()}
    return means, set(days_known)


def format_step(start: date, step_days: int) -> str:
    """Format a step as ``2021-W39 (2021-09-27 to 2021-10-03)`` or ``2021-09-27``."""
    if step_days != WEEK_DAYS:
        return str(start)
    return f"{week_name(week_of_day(start))} ({start} to {start + timedelta(days=6)})"


def totals_of(series: Sequence[Series], step: int) -> float | None:
    """Return the sum of all series in a step; None if it is not known."""
    values = [one.values[step] for one in series]
    return None if not values or values[0] is None else sum(value or 0 for value in values)
