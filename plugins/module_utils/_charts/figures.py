# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a chart shows: its figures and its words, before anything is drawn.

Time goes in equal steps, weeks or days. Nothing is made up: a step that nothing is known of has no
value, and is a gap in the picture; a series that is absent where others are known is 0 there.
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

#: More series than this can't be told apart in one picture; the smallest are added up.
MOST_SERIES = 12
#: For charts that are to show all of a kind.
MOST_SERIES_OF_ALL = 20

#: Series that never reach this share of the largest one are noise of odd clients.
NOISE_SHARE = 0.001

#: One row of a wrong century must not make a chart of a million steps.
MOST_STEPS = 4000

#: The recent past. What is longer ago counts for a part where the largest series are chosen.
RECENT_DAYS = 365
PAST_DIVISOR = 4

_OTHERS = re.compile(r"[0-9,]+ others?", re.ASCII)

_LONGEST_LABEL = 28
#: The drawing library cuts labels by halves of these, and draws nothing where one is left over.
_WIDE_CHARACTER = re.compile("[\U00010000-\U0010ffff]")
_LONGEST_READ = 4 * _LONGEST_LABEL

STACK = "stack"
LINES = "lines"
DOTS = "dots"

#: Values by the first day of their step.
ValuesByStart: TypeAlias = "Mapping[date, float]"


class Series(NamedTuple):
    """One line or layer; a value for each step, None where nothing is known."""

    label: str
    values: tuple[float | None, ...]


@dataclass(frozen=True)
class Figures:
    """What is drawn over time."""

    starts: tuple[date, ...]
    """The first day of each step, ascending, all steps from the first known to the last."""
    step_days: int
    series: tuple[Series, ...]
    """The bottom of a stack first."""
    marks: Mapping[date, str] = field(default_factory=dict)
    """Why a step is to be taken with care, by its first day."""

    @property
    def end(self) -> date:
        """The last day of the last step."""
        return self.starts[-1] + timedelta(days=self.step_days - 1)


def series_label(text: str, *, version: str = "", empty: str = "(no name)") -> str:
    """A text of a client as the name of a series: public, visible, short.

    A ``version`` may look like an address. Emoji and what else has no place among the first 65,536
    characters are shown as U+FFFD; who calls itself ``3 others`` is quoted.
    """
    shown = f"{public_text(text[:_LONGEST_READ])} {public_text(version, 'os_version')}"
    visible = visible_text(_WIDE_CHARACTER.sub("\ufffd", shown.strip(" ")), _LONGEST_LABEL)
    return f"'{visible}'" if is_others(visible) else visible or empty


def natural_key(label: str) -> list[tuple[int, int, str]]:
    """Orders labels with their numbers as numbers: ``Fedora 9`` before ``Fedora 10``."""
    parts = re.split(r"([0-9]{1,9})", label, flags=re.ASCII)
    return [(0, int(p), "") if p.isdecimal() else (1, 0, p.casefold()) for p in parts if p]


def others_label(count: int) -> str:
    """The label of the sum of so many series that are not shown by themselves."""
    return f"{count:,} other" if count == 1 else f"{count:,} others"


def is_others(label: str) -> bool:
    return _OTHERS.fullmatch(label) is not None


def distinct_labels(labels: Iterable[str]) -> list[str]:
    """The labels, those that came out alike numbered, so that each names one series."""
    given: list[str] = []
    for label in labels:
        number, candidate = 1, label
        while candidate in given:
            number += 1
            candidate = f"{label} ({number})"
        given.append(candidate)
    return given


def largest(named: Mapping[str, ValuesByStart], keep: int) -> dict[str, ValuesByStart]:
    """The ``keep`` series that reach highest, in the given order, and the sum of the rest, last.

    What was reached longer than a year ago counts for a part, so that a new release finds its
    place. The rest are those beyond ``keep`` and those that are noise; nothing is lost.
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
    # of equals the later, which is the newer release
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
    shown: dict[str, ValuesByStart] = {n: values for n, values in named.items() if n in kept}
    if summed:
        shown[others_label(summed)] = rest
    return shown


def figures_of(
    named: Mapping[str, ValuesByStart],
    *,
    known: Collection[date],
    step_days: int,
    marks: Mapping[date, str] | None = None,
) -> Figures | None:
    """Figures from named values, in the given order; None where there is nothing to show.

    ``known`` are the starts of the steps something is known of. Steps before the first value of
    any series are left out, and those more than MOST_STEPS before the last.
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
    shown_marks = {start: why for start, why in (marks or {}).items() if starts[0] <= start}
    return Figures(starts, step_days, series, shown_marks)


def _steps(first: date, last: date, step_days: int) -> tuple[date, ...]:
    count = (last - first).days // step_days + 1
    return tuple(first + timedelta(days=step_days * n) for n in range(count))


def weekly_means(
    named: Mapping[str, ValuesByStart], known: Collection[date]
) -> tuple[dict[str, ValuesByStart], set[date]]:
    """Daily values as the mean of the known days of each week; the weeks something is known of."""
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


def spell_step(start: date, step_days: int) -> str:
    """A step as people write it: ``2021-W39 (2021-09-27 to 2021-10-03)`` or ``2021-09-27``."""
    if step_days != WEEK_DAYS:
        return str(start)
    return f"{week_name(week_of_day(start))} ({start} to {start + timedelta(days=6)})"


def totals_of(series: Sequence[Series], step: int) -> float | None:
    """The sum of all series at a step; None where nothing is known."""
    values = [one.values[step] for one in series]
    return None if not values or values[0] is None else sum(value or 0 for value in values)
