# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Count, first half: combined logs become raw days, one Parquet file a rotation day and log."""

from __future__ import annotations

import contextlib
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
from ._host_hash import WeekKeys
from ._log_blocks import LogBlocks
from ._log_files import check_same_forms, open_log
from ._log_paths import day_folder, forms_of_log
from ._log_reading import bytes_to_read, is_known, unreadable, without_address
from ._observer import NOBODY, Observer
from ._raw_days import RawRecord, raw_day_path, read_record, record_metadata
from ._raw_writer import HashHosts, RawDayWriter
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


@dataclass(frozen=True)
class RawPlan:
    """What is to be done about one day."""

    unit: Unit
    day: date
    forms: tuple[Path, ...] = ()
    """The log, plain or compressed; more than one where it lies there in several forms."""


def plan_raw_days(settings: RawSettings, days: Sequence[date]) -> list[RawPlan]:
    """Compare the logs of the days with what raw days were made from; reads records only."""
    plans = []
    for day in days:
        try:
            plans.append(_plan_day(settings, day))
        except OSError as error:
            plans.append(RawPlan(Unit(str(day), "failed", (str(unreadable(error)),)), day))
    return plans


def _plan_day(settings: RawSettings, day: date) -> RawPlan:
    folder = day_folder(settings.src, day)
    forms = tuple(forms_of_log(folder, settings.log_name))
    if not forms:
        reason = f"no {settings.log_name} in {folder}, plain or compressed"
        return RawPlan(Unit(str(day), "missing", (reason,)), day)
    output = raw_day_path(settings.raw_dir, day)
    if not output.exists():
        return RawPlan(Unit(str(day), "due", ("not counted yet",)), day, forms)
    try:
        reasons = _out_of_date(settings, day, read_record(output), forms)
    except (CountingError, OSError) as error:
        reasons = [str(error)]
    return RawPlan(Unit(str(day), "due" if reasons else "unchanged", tuple(reasons)), day, forms)


def _out_of_date(
    settings: RawSettings, day: date, record: RawRecord, forms: Sequence[Path]
) -> list[str]:
    reasons = []
    if record.log_name != settings.log_name:
        reasons.append(f"made from {shown(record.log_name)}, not from {settings.log_name}")
    if record.hashed != settings.hash_hosts:
        reasons.append(f"addresses are {'' if record.hashed else 'not '}hashed in it")
    if record.rules != RULES_VERSION:
        reasons.append(f"made by version {record.rules} of the rules, now {RULES_VERSION}")
    if (record.hosts_expected, record.hosts_present) != _hosts(settings, day):
        reasons.append("the record of its hosts has changed")
    seen = [InputFile.seen(path, settings.src) for path in forms]
    recorded = (record.source, *record.other_forms)
    reasons += [f"changed input {one.path}" for one in seen if not is_known(one, recorded)]
    return reasons


def _hosts(
    settings: RawSettings, day: date
) -> tuple[tuple[str, ...] | None, tuple[str, ...] | None]:
    """Hosts expected and present in the combined log; None where they are not recorded."""
    log = read_combined_day(settings.src, day).logs.get(settings.log_name)
    if log is None:
        return None, None
    return log.hosts_expected or None, log.hosts_present


def make_raw_days(
    plans: Sequence[RawPlan],
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
    due = [plan for plan in plans if plan.unit.status == "due"]
    observer.expect("bytes", sum(bytes_to_read(plan.forms) for plan in due))
    with contextlib.ExitStack() as stack:
        if executor is None:
            at_once = max(1, min(_DAYS_AT_ONCE, workers, len(due)))
            executor = stack.enter_context(ThreadPoolExecutor(at_once))
            # what the reader has learned helps the other days, too
            make = partial(
                make_raw_day, settings=settings, workers=max(1, workers // at_once),
                reader=BlockReader(), observer=observer,
            )  # fmt: skip
        else:
            make = partial(make_raw_day, settings=settings, workers=workers)
        made = executor.map(make, due)
        units = []
        for plan in plans:
            unit = next(made) if plan.unit.status == "due" else plan.unit
            observer.ended(unit)
            units.append(unit)
    return units


def make_raw_day(
    plan: RawPlan,
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
    plan: RawPlan, settings: RawSettings, log: LogBlocks, reader: BlockReader, workers: int
) -> tuple[RawRecord, list[tuple[str, str]]]:
    source, *other_forms = (InputFile.seen(path, settings.src) for path in plan.forms)
    expected, present = _hosts(settings, plan.day)
    check_same_forms(plan.forms)
    output = raw_day_path(settings.raw_dir, plan.day)
    with (
        replacing(output, mode=settings.mode) as unfinished,
        RawDayWriter(unfinished, hash_hosts=_hash_hosts(plan, settings)) as writer,
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
            rows=statistics.rows,
            rejects=dict(sorted(log.rejects.items())),
            weeks=dict(sorted(statistics.weeks.items())),
            first=statistics.first,
            last=statistics.last,
            last_countme=statistics.last_countme,
            last_unique=statistics.last_unique,
            hosts_expected=expected,
            hosts_present=present,
            hashed=settings.hash_hosts,
            other_forms=tuple(other_forms),
        )
        writer.close(record_metadata(record))
    return record, samples


def _hash_hosts(plan: RawPlan, settings: RawSettings) -> HashHosts | None:
    if not settings.hash_hosts:
        return None
    return partial(WeekKeys(settings.raw_dir).hash_hosts, plan.day)
