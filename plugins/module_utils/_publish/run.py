# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Publish the files that are due, each as a whole, and only those whose content changed.

All files of a profile are made in a hidden folder first and checked; then each takes its place by
a rename. So a reader gets the old file or the new one, and a failure leaves everything as it was.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from .._base.errors import CountingError
from .._base.observer import NOBODY, Observer
from .._base.records import WorkUnit
from .._storage.files import write_error
from .index import write_index
from .plan import (
    FileSettings,
    FilesPlan,
    ProfilePlan,
    failed_profile,
    recorded_settings,
    refuse_worse_totals,
)
from .profile import Profile
from .record import ProfileRecord, PublishedWeek, is_unchanged, read_records, write_records
from .staging import Staged, stage_profile
from .swap import Swapped, staging_folder, swap_in
from .totals_reader import Totals


def publish_files(
    planned: FilesPlan, settings: FileSettings, *, now: datetime, observer: Observer = NOBODY
) -> FilesPlan:
    """Publish the files that are due; a profile that fails leaves the others alone.

    ``now`` becomes the time of the files that are replaced. Only the writer of the folder may call
    this.
    """
    if planned.index.status != "due":
        return planned
    records = read_records(settings.dest)
    done = []
    todo = [unit for unit in planned.units if unit.status == "due"]
    observer.expect("files", len(todo))
    for profile in planned.profiles:
        one = _published_profile(profile, settings, now, observer)
        if one.status == "made":
            records = _with_record(records, one)
        done.append(one)
    index = planned.index
    if any(record.files for record in records.values()):
        index = write_index(settings.dest, records)
        write_records(settings.dest, records)
    index = replace(index, status="blocked") if index.status == "due" else index
    observer.ended(index, kind="file")
    observer.advance("files", unit=index.name)
    return FilesPlan(tuple(done), index)


def _published_profile(
    planned: ProfilePlan, settings: FileSettings, now: datetime, observer: Observer
) -> ProfilePlan:
    """Publish a profile if it is due, and report it as a whole and then file by file."""
    if planned.status != "due":
        return planned
    name = planned.profile.name
    observer.started(WorkUnit(name, "due", planned.reasons), kind="profile")
    began = time.monotonic()
    one = _make_profile(planned, settings, now)
    made = [unit for unit in one.units if unit.status == "made"]
    figures = {
        "files": len(made),
        "bytes": sum(unit.figures.get("bytes", 0) for unit in made),
        "seconds": round(time.monotonic() - began, 3),
    }
    observer.ended(WorkUnit(name, one.status, one.reasons, figures), kind="profile")
    for unit in one.units:
        observer.ended(unit, kind="file")
    observer.advance("files", sum(unit.status == "due" for unit in planned.units), unit=name)
    return one


def _with_record(
    records: Mapping[str, ProfileRecord], made: ProfilePlan
) -> dict[str, ProfileRecord]:
    """Return the records with that of a profile, without one that it had under another name."""
    prefix = made.profile.prefix
    others = {k: v for k, v in records.items() if v.settings.get("prefix") != prefix}
    return {**others, made.profile.name: made.record}


def _make_profile(planned: ProfilePlan, settings: FileSettings, now: datetime) -> ProfilePlan:
    """Make and swap in the files of a profile; if that fails, they stay as they were."""
    profile, record = planned.profile, planned.record
    same_settings = record.settings == recorded_settings(profile, settings)

    def keep(week: int, found: PublishedWeek) -> bool:
        name = profile.week_file(week)
        before = record.weeks.get(week)
        return (
            same_settings
            and before is not None
            and before.digest == found.digest
            and is_unchanged(settings.dest / name, record.files.get(name))
        )

    def check(totals: Totals) -> None:
        refuse_worse_totals(profile, record, settings, totals)

    try:
        with staging_folder(settings.dest) as stage:
            staged = stage_profile(
                profile, stage, min_hits=settings.min_hits, check=check, keep=keep
            )
            swapped = swap_in(
                stage,
                settings.dest,
                record.files,
                _wanted(profile, staged),
                compressed=profile.compressed_names,
                now=now,
            )
    except CountingError as error:
        return failed_profile(planned, error)
    except OSError as error:
        place = Path(error.filename or settings.dest)
        return failed_profile(planned, write_error(place, error))
    made = ProfileRecord(
        settings=recorded_settings(profile, settings),
        inputs=planned.inputs,
        weeks=staged.weeks,
        files=swapped.files,
    )
    return replace(planned, status="made", units=_units(planned, swapped), record=made)


def _wanted(profile: Profile, staged: Staged) -> list[str]:
    weeks = [profile.week_file(week) for week in staged.weeks]
    return [*profile.file_names, *weeks]


def _units(planned: ProfilePlan, swapped: Swapped) -> tuple[WorkUnit, ...]:
    reasons = {unit.name: unit.reasons for unit in planned.units}
    units = [
        WorkUnit(name, "made", reasons.get(name, ()), {"bytes": swapped.files[name].size})
        if name in swapped.made
        else WorkUnit(name, "unchanged", (), {"bytes": swapped.files[name].size})
        for name in sorted(swapped.files)
    ]
    gone = [
        WorkUnit(name, "made", ("removed: no longer in the totals",)) for name in swapped.removed
    ]
    return (*units, *gone)
