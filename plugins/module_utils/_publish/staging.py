# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make all files of one profile from one state of its totals, in a folder that readers do not see."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from .._storage.copying import copy_file
from .._totals.csv_reader import CsvWeek, weeks_of_csv
from .csv_weeks import digest_of, figures_of, public_week, refuse_other_state
from .files import FILES, TOTALS_CSV, TOTALS_DB, PublishedFile, StagedTotals
from .makers import WeekWriter, at_least, weeks_as_csv
from .profile import Profile
from .public_text import refuse_private_text
from .record import PublishedWeek
from .totals_reader import Totals, WeekFigures, write_totals_db


class Staged(NamedTuple):
    """The state of the totals that the files were made from, and the published state of each week."""

    totals: Totals
    weeks: dict[int, PublishedWeek]


def stage_profile(
    profile: Profile,
    stage: Path,
    *,
    min_hits: int,
    check: Callable[[Totals], None],
    keep: Callable[[int, PublishedWeek], bool],
) -> Staged:
    """Make the files of a profile below ``stage``, except the ``.gz``.

    ``check`` raises an error if this state must not be published. ``keep`` returns true if the
    published file of a week can stay. Raises CountingError; the files are then of no use.
    """
    totals_db = stage / profile.name_of(TOTALS_DB)
    totals = write_totals_db(profile.totals_db, totals_db)
    check(totals)
    copy_file(profile.totals_csv, stage / profile.name_of(TOTALS_CSV))
    weeks = _stage_weeks(profile, stage, totals, min_hits=min_hits, keep=keep)
    source = StagedTotals(totals_db, totals, profile.prefix, min_hits, profile.base)
    for file in FILES:
        if file.make:
            file.make(source, stage / profile.name_of(file))
    _refuse_private(stage, profile)
    return Staged(totals, weeks)


class _WeeklyFile(NamedTuple):
    """A file that is written week by week."""

    write: WeekWriter
    weeks: frozenset[int]


def _stage_weeks(
    profile: Profile,
    stage: Path,
    totals: Totals,
    *,
    min_hits: int,
    keep: Callable[[int, PublishedWeek], bool],
) -> dict[int, PublishedWeek]:
    """Check the copy of totals.csv in one pass, and write the files that are made week by week.

    Return what is published of each week.
    """
    found: dict[int, WeekFigures] = {}
    published: dict[int, PublishedWeek] = {}
    with ExitStack() as opened:
        weekly = [
            _WeeklyFile(
                opened.enter_context(file.make_weekly(stage / profile.name_of(file))),
                _weeks_of(file, totals),
            )
            for file in FILES
            if file.make_weekly
        ]
        for whole in weeks_of_csv(stage / profile.name_of(TOTALS_CSV)):
            week = public_week(whole)
            found[week.week] = figures_of(whole)
            quality = totals.quality.get(week.week)
            now = PublishedWeek(*found[week.week], quality and quality.revision, digest_of(week))
            published[week.week] = now
            public_rows = at_least(week, min_hits)
            for file in weekly:
                if week.week in file.weeks:
                    file.write(public_rows)
            if not keep(week.week, now):
                _stage_week(stage / profile.week_file(week.week), public_rows)
    refuse_other_state(profile.totals_csv, found, totals.figures, profile.totals_db)
    return published


def _weeks_of(file: PublishedFile, totals: Totals) -> frozenset[int]:
    newest_first = sorted(totals.figures, reverse=True)
    return frozenset(newest_first[: file.newest_weeks])


def _stage_week(target: Path, week: CsvWeek) -> None:
    target.parent.mkdir(exist_ok=True)
    with weeks_as_csv(target) as write:
        write(week)


def _refuse_private(stage: Path, profile: Profile) -> None:
    """Raise OutputError if a file holds an address. Files of the old names are not checked."""
    for path in sorted(stage.rglob("*")):
        is_text = path.suffix in (".csv", ".json", ".txt")
        if is_text and path.name != profile.name_of(TOTALS_CSV):
            refuse_private_text(path)
