# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All files of one profile, made from one state of its totals and checked, in a folder aside."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from .._totals.database import COUNTME_ROWS, UNIQUE_ROWS
from .csv_weeks import CsvWeek, digest_of, public_week, refuse_other_state, weeks_of_csv
from .files import (
    Names,
    at_least,
    copy_file,
    week_file,
    weeks_as_csv,
    weeks_as_parquet,
    write_machines_csv,
    write_machines_readme,
    write_quality_csv,
    write_quality_json,
)
from .machines import Machines, machines_of_week
from .profile import Profile
from .public_text import refuse_private_text
from .record import PublishedWeek
from .totals_reader import Totals, WeekFigures, reading, write_totals_db

#: A year of weeks, for readers that don't need the history.
RECENT_WEEKS = 52


class Staged(NamedTuple):
    """What was made of a profile; week files that are published already are not made again."""

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
    """Make the files of a profile below ``stage``, but for the ``.gz``.

    ``check`` raises where this state must not be published; ``keep`` says whether the file of a
    week is as it must be already. Raises CountingError; what is in ``stage`` is then of no use.
    """
    names = profile.names
    totals_db = stage / names.totals_db
    totals = write_totals_db(profile.totals_db, totals_db)
    check(totals)
    copy_file(profile.totals_csv, stage / names.totals_csv)
    weeks = _stage_weeks(profile, stage, totals, min_hits=min_hits, keep=keep)
    write_totals_db(totals_db, stage / names.unique_db, rows=UNIQUE_ROWS)
    write_totals_db(totals_db, stage / names.countme_db, rows=COUNTME_ROWS)
    write_machines_csv(stage / names.machines_csv, _machines(totals_db, totals), min_hits=min_hits)
    write_machines_readme(
        stage / names.machines_readme, machines_csv=names.machines_csv, min_hits=min_hits
    )
    quality = list(totals.quality.values())
    write_quality_csv(stage / names.quality_csv, quality)
    write_quality_json(stage / names.quality_json, quality)
    _refuse_private(stage, names)
    return Staged(totals, weeks)


def _stage_weeks(
    profile: Profile,
    stage: Path,
    totals: Totals,
    *,
    min_hits: int,
    keep: Callable[[int, PublishedWeek], bool],
) -> dict[int, PublishedWeek]:
    """One pass over the copy of totals.csv: what it holds is checked, and split by weeks."""
    names = profile.names
    recent = sorted(totals.figures)[-RECENT_WEEKS:]
    found: dict[int, WeekFigures] = {}
    published: dict[int, PublishedWeek] = {}
    with (
        weeks_as_parquet(stage / names.parquet) as to_parquet,
        weeks_as_csv(stage / names.recent_csv) as to_recent,
    ):
        for whole in weeks_of_csv(stage / names.totals_csv):
            week = public_week(whole)
            found[week.week] = whole.figures
            quality = totals.quality.get(week.week)
            now = PublishedWeek(*whole.figures, quality and quality.revision, digest_of(week))
            published[week.week] = now
            shown_rows = at_least(week, min_hits)
            to_parquet(shown_rows)
            if week.week in recent:
                to_recent(shown_rows)
            if not keep(week.week, now):
                _stage_week(stage / week_file(profile.prefix, week.week), shown_rows)
    refuse_other_state(profile.totals_csv, found, totals.figures, profile.totals_db)
    return published


def _stage_week(target: Path, week: CsvWeek) -> None:
    target.parent.mkdir(exist_ok=True)
    with weeks_as_csv(target) as write:
        write(week)


def _machines(totals_db: Path, totals: Totals) -> Iterator[tuple[int, list[Machines]]]:
    with reading(totals_db) as connection:
        for week in totals.figures:
            yield week, machines_of_week(connection, week)


def _refuse_private(stage: Path, names: Names) -> None:
    """The last look at what is new, whatever the makers did; the old files are as ever."""
    old = {names.totals_csv}
    for path in sorted(stage.rglob("*")):
        if path.suffix in (".csv", ".json", ".txt") and path.name not in old:
            refuse_private_text(path)
