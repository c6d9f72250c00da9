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
from ._host_hash import WeekKeys
from ._log_files import check_same_forms, open_log
from ._log_paths import day_folder, forms_of_log
from ._log_reading import Reading, in_parallel, is_known, unreadable, without_address
from ._observer import NOBODY, Observer
from ._raw_days import RawRecord, raw_day_path, read_record, record_metadata
from ._raw_writer import HitStatistics, RawDayWriter
from ._records import InputFile, Unit

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


def make_raw_day(
    plan: RawPlan,
    settings: RawSettings,
    *,
    executor: Executor | None = None,
    workers: int = 2,
    observer: Observer = NOBODY,
) -> Unit:
    """Make one raw day that is due. An error of the library becomes a failed unit.

    ``executor`` runs the reading of blocks, ``workers`` of them at a time (threads by default).
    """
    started = time.monotonic()
    try:
        if executor is None:
            with ThreadPoolExecutor(workers) as threads:
                record, samples = _make(plan, settings, threads, workers, observer)
        else:
            record, samples = _make(plan, settings, executor, workers, observer)
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


def make_raw_days(
    plans: Sequence[RawPlan], settings: RawSettings, *, workers: int, observer: Observer = NOBODY
) -> list[Unit]:
    """Make those days that are due, one after the other; the units of all, in the same order."""
    due = [plan for plan in plans if plan.unit.status == "due"]
    observer.expect("bytes", sum(_bytes_to_read(plan) for plan in due))
    units = []
    for plan in plans:
        unit = plan.unit
        if unit.status == "due":
            observer.started(unit)
            unit = make_raw_day(plan, settings, workers=workers, observer=observer)
        observer.ended(unit)
        units.append(unit)
    return units


def _bytes_to_read(plan: RawPlan) -> int:
    try:
        return plan.forms[0].stat(follow_symlinks=False).st_size
    except OSError:  # its unit will tell
        return 0


def _make(
    plan: RawPlan,
    settings: RawSettings,
    executor: Executor,
    workers: int,
    observer: Observer,
) -> tuple[RawRecord, list[tuple[str, str]]]:
    source, *other_forms = (InputFile.seen(path, settings.src) for path in plan.forms)
    expected, present = _hosts(settings, plan.day)
    check_same_forms(plan.forms)
    read = Reading()
    samples: list[tuple[str, str]] = []
    reader = BlockReader()
    output = raw_day_path(settings.raw_dir, plan.day)
    record: list[RawRecord] = []

    def metadata(statistics: HitStatistics) -> dict[bytes, bytes]:
        record.append(
            RawRecord(
                day=str(plan.day),
                log_name=settings.log_name,
                rules=RULES_VERSION,
                source=source,
                lines=read.lines,
                hits=read.lines - sum(read.rejects.values()),
                rows=statistics.rows,
                rejects=dict(sorted(read.rejects.items())),
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
        )
        return record_metadata(record[0])

    on_read = partial(observer.advance, "bytes", unit=plan.unit.name)
    with (
        open_log(plan.forms[0], on_read=on_read) as log,
        replacing(output, mode=settings.mode) as unfinished,
    ):
        keys = WeekKeys(settings.raw_dir) if settings.hash_hosts else None
        hash_hosts = partial(keys.hash_hosts, plan.day) if keys else None
        writer = RawDayWriter(unfinished, hash_hosts=hash_hosts)
        try:
            for hits in in_parallel(read.blocks(log), reader.hits, executor, workers):
                read.count(hits.lines, hits.rejects)
                samples += hits.samples[: _SAMPLES - len(samples)]
                writer.add(hits)
            writer.close(metadata)
        except BaseException:
            writer.discard()
            raise
    return record[0], samples
