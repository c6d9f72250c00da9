# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Count, first half: combined logs become raw days, one Parquet file a rotation day and log."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from pathlib import Path

from ._combine_records import read_combined_day
from ._countme import RULES_VERSION
from ._errors import CountingError, shown
from ._files import replacing
from ._hit_blocks import BlockReader
from ._host_hash import host_hasher
from ._log_blocks import LogBlocks
from ._log_days import LogPlan, changed_inputs, make_log_days, plan_log_days, without_address
from ._log_files import check_same_forms, open_log
from ._observer import NOBODY, Observer
from ._raw_days import FROM_LOG, RawRecord, raw_day_path, read_record, record_metadata
from ._raw_writer import RawDayWriter
from ._records import InputFile, Unit

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


def plan_raw_days(settings: RawSettings, days: Sequence[date]) -> list[LogPlan]:
    """Compare the logs of the days with what raw days were made from; reads records only."""

    def reasons(day: date, output: Path, forms: Sequence[Path]) -> list[str]:
        try:
            return _out_of_date(settings, day, read_record(output), forms)
        except (CountingError, OSError) as error:
            return [str(error)]

    output = partial(raw_day_path, settings.raw_dir)
    return plan_log_days(settings, days, output=output, reasons=reasons, new="not counted yet")


def _out_of_date(
    settings: RawSettings, day: date, record: RawRecord, forms: Sequence[Path]
) -> list[str]:
    reasons = []
    if record.origin != FROM_LOG:
        reasons.append("imported from the raw hits of an earlier system, and now there is its log")
    if record.log_name != settings.log_name:
        reasons.append(f"made from {shown(record.log_name)}, not from {settings.log_name}")
    if record.hashed != settings.hash_hosts:
        reasons.append(f"addresses are {'' if record.hashed else 'not '}hashed in it")
    if record.rules != RULES_VERSION:
        reasons.append(f"made by version {record.rules} of the rules, now {RULES_VERSION}")
    if (record.hosts_expected, record.hosts_present) != _hosts(settings, day):
        reasons.append("the record of its hosts has changed")
    return reasons + changed_inputs(settings.src, forms, record)


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
) -> list[Unit]:
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
) -> Unit:
    """Make one raw day that is due. An error of the library becomes a failed unit.

    ``workers`` blocks are read at a time, by ``reader`` where one is shared.
    """
    observer.started(plan.unit)
    started = time.monotonic()
    on_read = partial(observer.advance, "bytes", unit=plan.unit.name)
    try:
        with open_log(plan.forms[0], on_read=on_read) as log:
            record, samples = _make(
                plan, settings, LogBlocks(log), reader or BlockReader(), workers
            )
    except (CountingError, OSError) as error:
        return replace(plan.unit, status="failed", reasons=(str(error),))
    figures = {
        "lines": record.lines,
        "hits": record.hits,
        "rows": record.rows,
        "rejects": dict(record.rejects),
        "samples": [
            {"reason": reason, "line": shown(without_address(line))} for reason, line in samples
        ],
        "bytes_read": record.source.size,
        "seconds": round(time.monotonic() - started, 3),
    }
    return replace(plan.unit, status="made", figures=figures)


def _make(
    plan: LogPlan, settings: RawSettings, log: LogBlocks, reader: BlockReader, workers: int
) -> tuple[RawRecord, list[tuple[str, str]]]:
    source, *other_forms = (InputFile.seen(path, settings.src) for path in plan.forms)
    expected, present = _hosts(settings, plan.day)
    check_same_forms(plan.forms)
    output = raw_day_path(settings.raw_dir, plan.day)
    hash_hosts = host_hasher(settings.raw_dir, plan.day, wanted=settings.hash_hosts)
    with (
        replacing(output, mode=settings.mode) as unfinished,
        RawDayWriter(unfinished, hash_hosts=hash_hosts) as writer,
    ):
        samples: list[tuple[str, str]] = []
        for hits in log.found(reader.hits, workers):
            samples += hits.samples[: _SAMPLES - len(samples)]
            writer.add(hits)
        statistics = writer.complete()
        record = RawRecord(
            day=str(plan.day),
            log_name=settings.log_name,
            rules=RULES_VERSION,
            source=source,
            lines=log.lines,
            hits=log.lines - sum(log.rejects.values()),
            rejects=dict(sorted(log.rejects.items())),
            **statistics.recorded(),
            hosts_expected=expected,
            hosts_present=present,
            hashed=settings.hash_hosts,
            other_forms=tuple(other_forms),
        )
        writer.close(record_metadata(record))
    return record, samples
