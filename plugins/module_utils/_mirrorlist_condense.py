# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Condense, first half: combined logs become condensed days, the distinct clients of each."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from pathlib import Path

from ._day_files import day_path
from ._errors import CountingError, OutputError, shown
from ._files import replacing
from ._log_blocks import LogBlocks
from ._log_days import LogPlan, changed_inputs, make_log_days, plan_log_days
from ._log_files import check_same_forms, open_log
from ._mirrorlist import RULES_VERSION
from ._mirrorlist_blocks import ClientReader
from ._mirrorlist_days import CondensedRecord, read_record, record_metadata
from ._mirrorlist_writer import CondensedDayWriter
from ._observer import NOBODY, Observer
from ._records import InputFile, Unit

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


def plan_condensed_days(settings: CondenseSettings, days: Sequence[date]) -> list[LogPlan]:
    """Compare the logs of the days with what condensed days were made from; reads records only."""

    def reasons(_day: date, output: Path, forms: Sequence[Path]) -> list[str]:
        try:
            record = read_record(output)
        except CountingError as error:
            return [str(error)]
        return _out_of_date(settings, output, record, forms)

    output = partial(day_path, settings.data_dir)
    return plan_log_days(settings, days, output=output, reasons=reasons, new="not condensed yet")


def _out_of_date(
    settings: CondenseSettings, output: Path, record: CondensedRecord, forms: Sequence[Path]
) -> list[str]:
    if record.log_name != settings.log_name:
        # the rows of one log must never take the place of another's
        raise OutputError(
            output,
            expected=f"the clients of {settings.log_name}",
            found=f"those of {shown(record.log_name)}",
            advice="Give each log a data_dir and a csv_dir of its own, or correct log_name.",
        )
    reasons = []
    if record.rules != RULES_VERSION:
        reasons.append(f"made by version {record.rules} of the rules, now {RULES_VERSION}")
    return reasons + changed_inputs(settings.src, forms, record)


def condense_days(
    plans: Sequence[LogPlan],
    settings: CondenseSettings,
    *,
    workers: int = 2,
    observer: Observer = NOBODY,
) -> list[Unit]:
    """Make those days that are due, one after the other; the units of all, in the same order."""
    make = partial(make_condensed_day, settings=settings, workers=workers, observer=observer)
    return make_log_days(plans, make, observer)


def make_condensed_day(
    plan: LogPlan,
    settings: CondenseSettings,
    *,
    workers: int = 2,
    observer: Observer = NOBODY,
) -> Unit:
    """Make one condensed day that is due. An error of the library becomes a failed unit.

    ``workers`` blocks are read at a time.
    """
    observer.started(plan.unit)
    started = time.monotonic()
    try:
        record = _make(plan, settings, workers, observer)
    except (CountingError, OSError) as error:
        return replace(plan.unit, status="failed", reasons=(str(error),))
    unknown = [(shown(repo), requests) for repo, requests in record.unknown_repos]
    figures = {
        "lines": record.lines,
        "requests": record.requests,
        "rows": record.rows,
        "rejects": dict(record.rejects),
        "unknown_requests": record.unknown_requests,
        "unknown_repos": [{"repo": repo, "requests": requests} for repo, requests in unknown],
        "bytes_read": record.source.size,
        "seconds": round(time.monotonic() - started, 3),
    }
    warnings = tuple(
        f"{requests} of {record.requests} requests are for {repo}, of no release known by that name"
        for repo, requests in unknown
        if requests >= _WORTH_KNOWING * record.requests
    )
    return replace(plan.unit, status="made", figures=figures, warnings=warnings)


def _make(
    plan: LogPlan, settings: CondenseSettings, workers: int, observer: Observer
) -> CondensedRecord:
    source, *other_forms = (InputFile.seen(path, settings.src) for path in plan.forms)
    check_same_forms(plan.forms)
    output = day_path(settings.data_dir, plan.day)
    on_read = partial(observer.advance, "bytes", unit=plan.unit.name)
    with (
        open_log(plan.forms[0], on_read=on_read) as opened,
        replacing(output, mode=settings.mode) as unfinished,
        CondensedDayWriter(unfinished) as writer,
    ):
        log = LogBlocks(opened)
        unknown = UnknownRepos()
        for found in log.found(ClientReader(plan.day).clients, workers):
            unknown.add(found.unknown)
            writer.add(found)
        statistics = writer.complete()
        record = CondensedRecord(
            day=str(plan.day),
            log_name=settings.log_name,
            rules=RULES_VERSION,
            source=source,
            lines=log.lines,
            requests=log.lines - sum(log.rejects.values()),
            rows=statistics.rows,
            rejects=dict(sorted(log.rejects.items())),
            dates=dict(sorted(statistics.dates.items())),
            unknown_requests=unknown.requests,
            unknown_repos=unknown.most_asked(),
            other_forms=tuple(other_forms),
        )
        writer.close(record_metadata(record))
    return record


class UnknownRepos:
    """Requests by repository of no known release, those asked for least forgotten in time."""

    def __init__(self, *, most: int = _COUNTED_REPOS) -> None:
        self.requests = 0
        self._most = most
        self._by_repo: Counter[str] = Counter()

    def add(self, found: Counter[str]) -> None:
        self.requests += found.total()
        self._by_repo.update(found)
        if len(self._by_repo) > self._most:
            self._by_repo = Counter(dict(self._by_repo.most_common(self._most // 2)))

    def most_asked(self) -> tuple[tuple[str, int], ...]:
        """Those asked for most, by requests and name."""
        ranked = sorted(self._by_repo.items(), key=lambda one: (-one[1], one[0]))
        return tuple(ranked[:_SHOWN_REPOS])
