# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Count, first half: combined logs become raw days, one Parquet file a rotation day and log."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path

from .._base.errors import CountingError, printable
from .._base.observer import NOBODY, Observer
from .._base.records import WorkUnit
from .._daily.stage import (
    DayLog,
    LogPlan,
    WrittenDay,
    make_log_day,
    make_log_days,
    other_rules,
    plan_log_days,
    without_address,
)
from .._logs.combined_tree import read_combined_day
from .fast_path import BlockReader
from .host_hash import host_hasher
from .raw_days import FROM_LOG, RawRecord, raw_day_path, read_record
from .rules import RULES_VERSION
from .writer import RawDayWriter

#: So many days are made at once at most: two keep two processors busy, each takes some 250 MB.
_DAYS_AT_ONCE = 2
_SAMPLES = 5


@dataclass(frozen=True)
class RawSettings:
    """Where combined logs come from, and where raw days go."""

    src: Path
    """The combined tree."""
    log_name: str
    raw_dir: Path
    hash_hosts: bool = False
    mode: int = 0o640
    """Raw hits hold addresses: they are for the counting user and its group."""

    def output(self, day: date) -> Path:
        return raw_day_path(self.raw_dir, day)


def plan_raw_days(settings: RawSettings, days: Sequence[date]) -> list[LogPlan]:
    """Compare the logs of the days with what raw days were made from; reads records only."""
    return plan_log_days(
        settings,
        days,
        new="not counted yet",
        read_record=read_record,
        out_of_date=partial(_out_of_date, settings),
    )


def _out_of_date(settings: RawSettings, day: date, record: RawRecord) -> Iterator[str]:
    if record.origin != FROM_LOG:
        yield "imported from the raw hits of an earlier system, and now there is its log"
    if record.log_name != settings.log_name:
        yield f"made from {printable(record.log_name)}, not from {settings.log_name}"
    if record.hashed != settings.hash_hosts:
        yield f"addresses are {'' if record.hashed else 'not '}hashed in it"
    yield from other_rules(record, RULES_VERSION)
    try:
        if (record.hosts_expected, record.hosts_present) != _hosts(settings, day):
            yield "the record of its hosts has changed"
    except CountingError as error:
        yield str(error)


def _hosts(
    settings: RawSettings, day: date
) -> tuple[tuple[str, ...] | None, tuple[str, ...] | None]:
    """Hosts expected and present in the combined log; None where they are not recorded."""
    log = read_combined_day(settings.src, day).logs.get(settings.log_name)
    if log is None:
        return None, None
    return log.hosts_expected or None, log.hosts_present


def make_raw_days(
    plans: Sequence[LogPlan],
    settings: RawSettings,
    *,
    workers: int = 1,
    executor: Executor | None = None,
    observer: Observer = NOBODY,
) -> list[WorkUnit]:
    """Make the raw days that are due; the units of all plans, in their order.

    ``executor`` makes whole days, elsewhere if it likes; by default, threads of this process make
    a few at once: while the hits of one are written, another is read. ``workers`` is the number of
    processors to use for the days that are made at once.
    """
    at_once = max(1, min(_DAYS_AT_ONCE, workers, sum(plan.unit.status == "due" for plan in plans)))
    if executor is not None:
        make = partial(make_raw_day, settings=settings, workers=workers)
        return make_log_days(plans, make, observer, over=executor.map)
    # what the reader has learned helps the other days, too
    make = partial(
        make_raw_day,
        settings=settings,
        workers=max(1, workers // at_once),
        reader=BlockReader(),
        observer=observer,
    )
    with ThreadPoolExecutor(at_once) as threads:
        return make_log_days(plans, make, observer, over=threads.map)


def make_raw_day(
    plan: LogPlan,
    settings: RawSettings,
    *,
    workers: int = 1,
    reader: BlockReader | None = None,
    observer: Observer = NOBODY,
) -> WorkUnit:
    """Make one raw day that is due. An error of the library becomes a failed unit.

    ``workers`` blocks are read at a time, by ``reader`` where one is shared.
    """
    write = partial(_write, settings, reader or BlockReader(), workers)
    return make_log_day(plan, settings, write, observer=observer)


def _write(
    settings: RawSettings, reader: BlockReader, workers: int, log: DayLog, unfinished: Path
) -> WrittenDay:
    expected, present = _hosts(settings, log.day)
    hash_hosts = host_hasher(settings.raw_dir, log.day, wanted=settings.hash_hosts)
    samples: list[tuple[str, str]] = []
    with RawDayWriter(unfinished, hash_hosts=hash_hosts) as writer:
        for hits in log.blocks.found(reader.hits, workers):
            samples += hits.samples[: _SAMPLES - len(samples)]
            writer.add(hits)
        summary = writer.complete()
        record = RawRecord(
            **log.recorded(RULES_VERSION),
            hits=log.blocks.accepted,
            **summary.to_record(),
            hosts_expected=expected,
            hosts_present=present,
            hashed=settings.hash_hosts,
        )
        writer.close(record.metadata())
    shown_samples = [
        {"reason": reason, "line": printable(without_address(line))} for reason, line in samples
    ]
    return WrittenDay(record, {"hits": record.hits, "samples": shown_samples})
