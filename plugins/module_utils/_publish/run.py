# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Publish: put the totals where their readers look, each file whole, and only those that changed.

All files of a profile are made in a hidden folder first and checked; then each takes its place by
a rename. So a reader gets the old file or the new one, and a failure leaves all as it was.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from .._base.errors import CountingError, SettingsError, SourceError, printable
from .._base.observer import NOBODY, Observer
from .._base.records import InputFile, Status, WorkUnit, differences
from .._storage.files import make_folder, write_error
from .csv_weeks import csv_figures
from .files import TOTALS_CSV, TOTALS_DB
from .makers import inputs_now
from .profile import Profile
from .record import ProfileRecord, PublishedWeek, left_alone, read_records, write_records
from .staging import Staged, stage_profile
from .swap import INDEX_NAME, Swapped, plan_index, staging_folder, swap_in, write_index
from .totals_reader import (
    Totals,
    WeekFigures,
    read_figures,
    read_totals,
    reading,
    refuse_shrinkage,
)

#: To be raised when a change of the makers gives other bytes for the same inputs.
MAKERS_VERSION = 2

_PREFIX = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}", re.ASCII)


@dataclass(frozen=True)
class Settings:
    """How to publish. ``min_hits`` is for the new files only, the old ones hold all rows."""

    dest: Path
    allow_shrink: bool = False
    min_hits: int = 0


@dataclass(frozen=True)
class ProfilePlan:
    """What is to become of a profile's files: ``due``, ``unchanged``, ``waiting`` or ``failed``."""

    profile: Profile
    status: Status
    units: tuple[WorkUnit, ...]
    record: ProfileRecord = field(default_factory=ProfileRecord)
    inputs: tuple[InputFile, ...] = ()
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True)
class PublishedFiles:
    """All published files, planned or made."""

    profiles: tuple[ProfilePlan, ...]
    index: WorkUnit

    @property
    def units(self) -> list[WorkUnit]:
        return [*(unit for one in self.profiles for unit in one.units), self.index]

    @property
    def failure(self) -> str:
        """Why the run as a whole has failed: any profile that did; empty where none."""
        failed = [one for one in self.profiles if one.status == "failed"]
        return "; ".join(
            f"profile {one.profile.name}: {reason}" for one in failed for reason in one.reasons
        )

    @property
    def paths(self) -> list[str]:
        """What is published, relative to the folder; the folder of single weeks stands for them."""
        names = {name.split("/")[0] for one in self.profiles for name in one.record.files}
        return sorted([*names, self.index.name]) if names else []


def checked_profiles(profiles: Sequence[Profile]) -> list[Profile]:
    """Profiles as given by an operator. Raises SettingsError where two would share a file."""
    owners: dict[str, str] = {INDEX_NAME: "the index"}
    for profile in profiles:
        place = f"option profiles, {printable(profile.name)}"
        if not _PREFIX.fullmatch(profile.prefix):
            raise SettingsError(
                place,
                expected="a prefix of lower-case letters, digits, dots and dashes",
                found=printable(profile.prefix),
                advice="Correct it.",
            )
        for name in (*profile.file_names, profile.week_folder, f"profile {profile.name}"):
            if name in owners:
                raise SettingsError(
                    place,
                    expected="a name and prefix of its own",
                    found=f"that {printable(name)} belongs to {owners[name]} already",
                    advice="Give each profile another name and prefix.",
                )
            owners[name] = printable(profile.name)
    return list(profiles)


def plan(profiles: Sequence[Profile], settings: Settings) -> PublishedFiles:
    """What is out of date, and why. Reads only."""
    records = read_records(settings.dest)
    plans = tuple(
        _plan_profile(profile, records.get(profile.name, ProfileRecord()), settings)
        for profile in checked_profiles(profiles)
    )
    due = any(one.status == "due" for one in plans)
    return PublishedFiles(plans, plan_index(settings.dest, records, due=due))


def _plan_profile(profile: Profile, record: ProfileRecord, settings: Settings) -> ProfilePlan:
    published = any((settings.dest / name).exists() for name in profile.file_names)
    if not published and not profile.totals_db.exists() and not profile.totals_csv.exists():
        reasons = (f"no totals yet at {profile.totals_db}",)
        units = tuple(WorkUnit(name, "waiting", reasons) for name in profile.file_names)
        return ProfilePlan(profile, "waiting", units, record)
    try:
        return _plan_present(profile, record, settings)
    except CountingError as error:
        return failed_profile(ProfilePlan(profile, "failed", (), record), error)


def _plan_present(profile: Profile, record: ProfileRecord, settings: Settings) -> ProfilePlan:
    try:
        inputs = inputs_now(profile.totals_db, profile.totals_csv)
    except OSError as error:
        raise SourceError(
            error.filename or profile.totals_db,
            expected=f"the totals of profile {profile.name}",
            found=(error.strerror or "an error").lower(),
            advice="Have countme_totals write them; what is published stays as it is.",
        ) from error
    changes = list(differences(record.inputs, inputs).reasons)
    if record.settings != _recorded_settings(profile, settings):
        changes.append("other settings or a new version" if record.files else "never published")
    names = {*profile.file_names, *record.files}
    damaged = [n for n in names if not left_alone(settings.dest / n, record.files.get(n))]
    base = ProfilePlan(profile, "unchanged", (), record, inputs)
    if not changes and not damaged:
        units = tuple(WorkUnit(name, "unchanged") for name in sorted(names))
        return replace(base, units=units)
    with reading(profile.totals_db) as connection:
        totals = read_totals(connection)
    _refuse_shrinkage(profile, record, settings, totals)
    return replace(
        base,
        status="due",
        units=tuple(_plan_units(base, totals, settings, changes, set(damaged))),
        reasons=tuple(changes),
    )


def _plan_units(
    base: ProfilePlan, totals: Totals, settings: Settings, changes: list[str], damaged: set[str]
) -> list[WorkUnit]:
    """All of a profile's files; that of a week is due only where the week changed."""
    same = base.record.settings == _recorded_settings(base.profile, settings)
    due: dict[str, tuple[str, ...]] = {
        name: (*changes, *(["missing or altered"] if name in damaged else []))
        for name in base.profile.file_names
    }
    for week, figures in totals.figures.items():
        name = base.profile.week_file(week)
        before = base.record.weeks.get(week)
        revision = totals.quality[week].revision
        if before is None:
            due[name] = ("a new week",)
        elif (before.figures, before.revision) != (figures, revision):
            due[name] = ("a revised week",)
        elif name in damaged:
            due[name] = ("missing or altered",)
        else:
            due[name] = () if same else tuple(changes)
    due |= {name: ("no longer in the totals",) for name in base.record.files if name not in due}
    return [WorkUnit(n, "due" if why else "unchanged", why) for n, why in sorted(due.items())]


def failed_profile(made: ProfilePlan, error: CountingError) -> ProfilePlan:
    """The profile as failed; its files are left as they are."""
    name = f"profile {made.profile.name}"
    units = (
        WorkUnit(name, "failed", (str(error),)),
        *(WorkUnit(one, "blocked", (f"{name} failed",)) for one in made.profile.file_names),
    )
    return replace(made, status="failed", units=units, reasons=(str(error),))


def _recorded_settings(profile: Profile, settings: Settings) -> dict[str, Any]:
    return {
        "prefix": profile.prefix,
        "min_hits": settings.min_hits,
        "makers": MAKERS_VERSION,
    }


def _refuse_shrinkage(
    profile: Profile, record: ProfileRecord, settings: Settings, totals: Totals
) -> None:
    if settings.allow_shrink:
        return
    refuse_shrinkage(
        _published_figures(profile, record, settings.dest),
        totals.figures,
        published_path=settings.dest / profile.name_of(TOTALS_DB),
        new_path=profile.totals_db,
    )


def _published_figures(
    profile: Profile, record: ProfileRecord, dest: Path
) -> Mapping[int, WeekFigures]:
    """What readers can get now, from the database or else the CSV; nothing where both are damaged.

    The files count, not the record: another system may have put them there.
    """
    name = profile.name_of(TOTALS_DB)
    if left_alone(dest / name, record.files.get(name)):
        return {week: one.figures for week, one in record.weeks.items()}
    try:
        with reading(dest / name) as connection:
            return read_figures(connection)
    except CountingError:
        pass
    try:
        return csv_figures(dest / profile.name_of(TOTALS_CSV))
    except SourceError:
        return {}


def publish(
    planned: PublishedFiles, settings: Settings, *, now: datetime, observer: Observer = NOBODY
) -> PublishedFiles:
    """Publish what is due; a profile that fails leaves the others alone.

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
        one = _observed(profile, settings, now, observer)
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
    return PublishedFiles(tuple(done), index)


def _observed(
    planned: ProfilePlan, settings: Settings, now: datetime, observer: Observer
) -> ProfilePlan:
    """What becomes of a profile; told as a whole, and then file by file."""
    if planned.status != "due":
        return planned
    name = planned.profile.name
    observer.started(WorkUnit(name, "due", planned.reasons), kind="profile")
    began = time.monotonic()
    one = _carry_out(planned, settings, now)
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


def make_dest(dest: Path) -> None:
    """Make the folder of the published files if it is not there. Raises OutputError."""
    try:
        if not dest.exists():
            make_folder(dest)
            dest.chmod(0o755)  # for readers, whatever the umask
    except OSError as error:
        raise write_error(dest, error) from error


def _with_record(
    records: Mapping[str, ProfileRecord], made: ProfilePlan
) -> dict[str, ProfileRecord]:
    """The records with that of a profile; where it got another name, its old one goes."""
    prefix = made.profile.prefix
    others = {k: v for k, v in records.items() if v.settings.get("prefix") != prefix}
    return {**others, made.profile.name: made.record}


def _carry_out(planned: ProfilePlan, settings: Settings, now: datetime) -> ProfilePlan:
    """A due profile's files, published or left as they were."""
    profile, record = planned.profile, planned.record
    same_settings = record.settings == _recorded_settings(profile, settings)

    def keep(week: int, found: PublishedWeek) -> bool:
        name = profile.week_file(week)
        before = record.weeks.get(week)
        return (
            same_settings
            and before is not None
            and before.digest == found.digest
            and left_alone(settings.dest / name, record.files.get(name))
        )

    def check(totals: Totals) -> None:
        _refuse_shrinkage(profile, record, settings, totals)

    try:
        with staging_folder(settings.dest) as stage:
            staged = stage_profile(
                profile, stage, min_hits=settings.min_hits, check=check, keep=keep
            )
            wanted = _wanted(profile, staged)
            swapped = swap_in(
                stage,
                settings.dest,
                record.files,
                wanted,
                compressed=profile.compressed_names,
                now=now,
            )
    except CountingError as error:
        return failed_profile(planned, error)
    except OSError as error:
        place = Path(error.filename or settings.dest)
        return failed_profile(planned, write_error(place, error))
    made = ProfileRecord(
        settings=_recorded_settings(profile, settings),
        inputs=planned.inputs,
        weeks=staged.weeks,
        files=swapped.files,
    )
    return replace(_published(planned, swapped), record=made)


def _wanted(profile: Profile, staged: Staged) -> list[str]:
    weeks = [profile.week_file(week) for week in staged.weeks]
    return [*profile.file_names, *weeks]


def _published(planned: ProfilePlan, swapped: Swapped) -> ProfilePlan:
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
    return replace(planned, status="made", units=(*units, *gone))
