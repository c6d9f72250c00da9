# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Condense, first half: combined logs become condensed days, the distinct clients of each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path

from .._base.errors import OutputError, printable
from .._base.observer import NOBODY, Observer
from .._base.records import WorkUnit
from .._daily.files import day_path
from .._daily.stage import (
    DayLog,
    LogPlan,
    WrittenDay,
    make_log_day,
    make_log_days,
    other_rules,
    plan_log_days,
)
from .condensed_days import CondensedRecord, read_record
from .fast_path import ClientReader
from .rules import RULES_VERSION
from .writer import CondensedDayWriter

#: Unknown repositories that are recorded for each day.
_SHOWN_REPOS = 20
#: Unknown repositories counted at a time; of more, those asked for least are forgotten.
_COUNTED_REPOS = 20_000
#: A repository that so large a share of the requests is for should be known.
_WORTH_KNOWING = 0.01


@dataclass(frozen=True)
class CondenseSettings:
    """Where combined logs come from, and where condensed days go."""

    src: Path
    """The combined tree."""
    log_name: str
    data_dir: Path
    mode: int = 0o640
    """Condensed days hold addresses: they are for the counting user and its group."""

    def output(self, day: date) -> Path:
        return day_path(self.data_dir, day)


def plan_condensed_days(settings: CondenseSettings, days: Sequence[date]) -> list[LogPlan]:
    """Compare the logs of the days with what condensed days were made from; reads records only."""
    return plan_log_days(
        settings,
        days,
        new="not condensed yet",
        read_record=read_record,
        out_of_date=partial(_out_of_date, settings),
    )


def _out_of_date(settings: CondenseSettings, day: date, record: CondensedRecord) -> list[str]:
    if record.log_name != settings.log_name:
        # the rows of one log must never take the place of another's
        raise OutputError(
            settings.output(day),
            expected=f"the clients of {settings.log_name}",
            found=f"those of {printable(record.log_name)}",
            advice="Give each log a data_dir and a csv_dir of its own, or correct log_name.",
        )
    return other_rules(record, RULES_VERSION)


def condense_days(
    plans: Sequence[LogPlan],
    settings: CondenseSettings,
    *,
    workers: int = 2,
    observer: Observer = NOBODY,
) -> list[WorkUnit]:
    """Make those days that are due, one after the other; the units of all, in the same order."""
    make = partial(make_condensed_day, settings=settings, workers=workers, observer=observer)
    return make_log_days(plans, make, observer)


def make_condensed_day(
    plan: LogPlan,
    settings: CondenseSettings,
    *,
    workers: int = 2,
    observer: Observer = NOBODY,
) -> WorkUnit:
    """Make one condensed day that is due. An error of the library becomes a failed unit.

    ``workers`` blocks are read at a time.
    """
    return make_log_day(plan, settings, partial(_write, workers), observer=observer)


def _write(workers: int, log: DayLog, unfinished: Path) -> WrittenDay:
    unknown = UnknownRepos()
    with CondensedDayWriter(unfinished) as writer:
        for found in log.blocks.found(ClientReader(log.day).clients, workers):
            unknown.add(found.unknown)
            writer.add(found)
        summary = writer.complete()
        record = CondensedRecord(
            **log.recorded(RULES_VERSION),
            requests=log.blocks.accepted,
            rows=summary.rows,
            dates=dict(sorted(summary.dates.items())),
            unknown_requests=unknown.requests,
            unknown_repos=unknown.most_asked(),
        )
        writer.close(record.metadata())
    return _told(record)


def _told(record: CondensedRecord) -> WrittenDay:
    """What the unit says of a condensed day, with a warning of each repository worth knowing."""
    unknown = [(printable(repo), requests) for repo, requests in record.unknown_repos]
    figures = {
        "requests": record.requests,
        "unknown_requests": record.unknown_requests,
        "unknown_repos": [{"repo": repo, "requests": requests} for repo, requests in unknown],
    }
    warnings = tuple(
        f"{requests} of {record.requests} requests are for {repo}, of no release known by that name"
        for repo, requests in unknown
        if requests >= _WORTH_KNOWING * record.requests
    )
    return WrittenDay(record, figures, warnings)


class UnknownRepos:
    """Requests by repository of no known release, those asked for least forgotten in time."""

    def __init__(self, *, most: int = _COUNTED_REPOS) -> None:
        self.requests = 0
        self._most = most
        self._by_repo: Counter[str] = Counter()

    def add(self, found: Counter[str]) -> None:
        """Count in the requests for such repositories in one more block."""
        self.requests += found.total()
        self._by_repo.update(found)
        if len(self._by_repo) > self._most:
            self._by_repo = Counter(dict(self._by_repo.most_common(self._most // 2)))

    def most_asked(self) -> tuple[tuple[str, int], ...]:
        """Those asked for most, by requests and name."""
        ranked = sorted(self._by_repo.items(), key=lambda one: (-one[1], one[0]))
        return tuple(ranked[:_SHOWN_REPOS])
