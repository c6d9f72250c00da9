# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plan which published files are due, from the records of what they were made of."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from .._base.errors import CountingError, SettingsError, SourceError, printable
from .._base.records import InputFile, Status, WorkUnit, differences
from .csv_weeks import csv_figures
from .distribution import FEDORA_BASE
from .files import INDEX, TOTALS_CSV, TOTALS_DB
from .index import plan_index
from .profile import Profile
from .record import ProfileRecord, is_unchanged, read_records
from .totals_reader import (
    Totals,
    WeekFigures,
    read_figures,
    read_totals,
    reading,
    refuse_shrinkage,
)

#: Raise it when a change of the makers gives other bytes for the same inputs.
MAKERS_VERSION = 2

_PREFIX = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}", re.ASCII)


@dataclass(frozen=True)
class FileSettings:
    """The settings of the published files."""

    dest: Path
    """The folder of the published files."""
    allow_shrink: bool = False
    """True to replace published totals by totals that hold less."""
    min_hits: int = 0
    """The new files leave out rows with fewer hits. Files of the old names hold all rows."""


@dataclass(frozen=True)
class ProfilePlan:
    """The files of a profile, planned or published."""

    profile: Profile
    status: Status
    units: tuple[WorkUnit, ...]
    record: ProfileRecord = field(default_factory=ProfileRecord)
    inputs: tuple[InputFile, ...] = ()
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True)
class FilesPlan:
    """All published files, planned or published."""

    profiles: tuple[ProfilePlan, ...]
    index: WorkUnit

    @property
    def units(self) -> list[WorkUnit]:
        """The units of all profiles, and of the index."""
        return [*(unit for one in self.profiles for unit in one.units), self.index]

    @property
    def failure(self) -> str:
        """The failures of all profiles that failed; empty where none did."""
        failed = [one for one in self.profiles if one.status == "failed"]
        return "; ".join(
            f"profile {one.profile.name}: {reason}" for one in failed for reason in one.reasons
        )

    @property
    def paths(self) -> list[str]:
        """The published files, relative to their folder, with a folder for all of its files."""
        names = {name.split("/")[0] for one in self.profiles for name in one.record.files}
        return sorted([*names, self.index.name]) if names else []


def _checked_profiles(profiles: Sequence[Profile]) -> list[Profile]:
    """Return the profiles. Raises SettingsError if two would share a file."""
    owners: dict[str, str] = {INDEX.pattern: "the index"}
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


def plan_files(profiles: Sequence[Profile], settings: FileSettings) -> FilesPlan:
    """Return all files with the reasons why they are due. Reads only."""
    records = read_records(settings.dest)
    plans = tuple(
        _plan_profile(profile, records.get(profile.name, ProfileRecord()), settings)
        for profile in _checked_profiles(profiles)
    )
    due = any(one.status == "due" for one in plans)
    return FilesPlan(plans, plan_index(settings.dest, records, due=due))


def _plan_profile(profile: Profile, record: ProfileRecord, settings: FileSettings) -> ProfilePlan:
    published = any((settings.dest / name).exists() for name in profile.file_names)
    if not published and not profile.totals_db.exists() and not profile.totals_csv.exists():
        reasons = (f"no totals yet at {profile.totals_db}",)
        units = tuple(WorkUnit(name, "waiting", reasons) for name in profile.file_names)
        return ProfilePlan(profile, "waiting", units, record)
    try:
        return _plan_present(profile, record, settings)
    except CountingError as error:
        return failed_profile(ProfilePlan(profile, "failed", (), record), error)


def _plan_present(profile: Profile, record: ProfileRecord, settings: FileSettings) -> ProfilePlan:
    try:
        inputs = _inputs_now(profile)
    except OSError as error:
        raise SourceError(
            error.filename or profile.totals_db,
            expected=f"the totals of profile {profile.name}",
            found=(error.strerror or "an error").lower(),
            advice="Have countme_totals write them; what is published stays as it is.",
        ) from error
    changes = list(differences(record.inputs, inputs).reasons)
    if record.settings != recorded_settings(profile, settings):
        changes.append("other settings or a new version" if record.files else "never published")
    names = {*profile.file_names, *record.files}
    damaged = [n for n in names if not is_unchanged(settings.dest / n, record.files.get(n))]
    base = ProfilePlan(profile, "unchanged", (), record, inputs)
    if not changes and not damaged:
        units = tuple(WorkUnit(name, "unchanged") for name in sorted(names))
        return replace(base, units=units)
    with reading(profile.totals_db) as connection:
        totals = read_totals(connection)
    refuse_worse_totals(profile, record, settings, totals)
    return replace(
        base,
        status="due",
        units=tuple(_plan_units(base, totals, settings, changes, set(damaged))),
        reasons=tuple(changes),
    )


def _inputs_now(profile: Profile) -> tuple[InputFile, ...]:
    """Return the present inputs of a profile's files.

    With write-ahead logging the newest rows are in a file of their own.
    """
    totals_db = profile.totals_db
    log = totals_db.with_name(f"{totals_db.name}-wal")
    return tuple(
        InputFile.seen(path, path.parent)
        for path in (totals_db, log, profile.totals_csv)
        if path != log or (log.is_file() and log.stat().st_size)
    )


def _plan_units(
    base: ProfilePlan, totals: Totals, settings: FileSettings, changes: list[str], damaged: set[str]
) -> list[WorkUnit]:
    """Return all files of a profile; the file of a week is due only if the week changed."""
    same = base.record.settings == recorded_settings(base.profile, settings)
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


def failed_profile(planned: ProfilePlan, error: CountingError) -> ProfilePlan:
    """Return the profile as failed; its files stay as they are."""
    name = f"profile {planned.profile.name}"
    units = (
        WorkUnit(name, "failed", (str(error),)),
        *(WorkUnit(one, "blocked", (f"{name} failed",)) for one in planned.profile.file_names),
    )
    return replace(planned, status="failed", units=units, reasons=(str(error),))


def recorded_settings(profile: Profile, settings: FileSettings) -> dict[str, Any]:
    """Return the settings that the files of a profile depend on, as the record has them."""
    usual = profile.base == FEDORA_BASE
    return {
        "prefix": profile.prefix,
        "min_hits": settings.min_hits,
        "makers": MAKERS_VERSION,
        # records of files with the usual repositories name none
        **({} if usual else {"base": profile.base.to_json()}),
    }


def refuse_worse_totals(
    profile: Profile, record: ProfileRecord, settings: FileSettings, totals: Totals
) -> None:
    """Raise OutputError if the totals hold less than what is published."""
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
    """Return the published weeks, from the database or else the CSV; none if both are damaged.

    The files count, not the record: another system may have put them there.
    """
    name = profile.name_of(TOTALS_DB)
    if is_unchanged(dest / name, record.files.get(name)):
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
