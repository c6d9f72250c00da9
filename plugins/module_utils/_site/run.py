# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make the charts and pages that are due.

All files are made in a hidden folder first. Then each file that differs takes its place by a
rename. A chart or page that fails leaves its own old file and all other files as they are.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TypeAlias

from .._base.errors import CountingError, OutputError, printable
from .._base.libs import vl_convert
from .._base.observer import NOBODY, Observer
from .._base.records import WorkUnit
from .._charts.draw import ChartSources, DrawnChart, draw_charts
from .._publish.profile import Profile
from .._publish.record import is_unchanged, read_records
from .._publish.swap import staging_folder, swap_in
from .._storage.files import write_error
from .interactive import vega_bundle
from .pages import PageInputs, makers_of, note_of, ordered_notes
from .plan import (
    MAKERS_VERSION,
    VEGA,
    SitePlan,
    published_profiles,
    recorded_settings,
    site_plan,
)
from .record import ChartNote, SiteRecord, write_site_record
from .settings import SiteSettings

#: Draws charts into a folder, as :func:`~._charts.draw.draw_charts` does.
Draw: TypeAlias = Callable[..., Sequence[DrawnChart]]


def publish_site(
    site: SiteSettings,
    *,
    now: datetime,
    failed_profiles: Sequence[str] = (),
    draw: Draw = draw_charts,
    observer: Observer = NOBODY,
) -> list[WorkUnit]:
    """Make the pages and charts that are out of date, and return all units as they are now.

    A chart or page that fails is a failed unit, and nothing is raised. Charts of
    ``failed_profiles`` stay as they are. Only the writer of the web root may call this.
    """
    try:
        planned = site_plan(site)
        if planned.status != "due":
            return list(planned.units)
        with staging_folder(site.web_dir) as stage:
            units = _SiteWork(site, planned, stage, failed_profiles).make(draw, now)
    except CountingError as error:
        units = [WorkUnit("pages", "failed", (str(error),))]
    except OSError as error:
        place = Path(error.filename or site.web_dir)
        units = [WorkUnit("pages", "failed", (str(write_error(place, error)),))]
    for unit in units:
        observer.ended(unit, kind="file")
    return units


class _SiteWork:
    """The making of all charts and pages in one run."""

    def __init__(
        self, site: SiteSettings, planned: SitePlan, stage: Path, failed_profiles: Sequence[str]
    ) -> None:
        self._site = site
        self._planned = planned
        self._stage = stage
        self._failed_profiles = failed_profiles
        self._failed: list[WorkUnit] = []

    def make(self, draw: Draw, now: datetime) -> list[WorkUnit]:
        """Make all files and swap in those that differ; return all units as they are now."""
        site, record = self._site, self._planned.record
        drawn = self._draw(draw)
        notes = self._notes(drawn)
        inputs = PageInputs(
            site=site,
            profiles=published_profiles(site),
            records=read_records(site.dest),
            notes=notes,
            drawn=drawn,
        )
        makers = makers_of(inputs)
        if not self._has_vega():
            makers[VEGA] = vega_bundle
        for name, make in makers.items():
            self._make(name, make)
        wanted = self._wanted(notes)
        swapped = swap_in(self._stage, site.web_dir, record.files, wanted, compressed=[], now=now)
        complete = not self._failed and not self._failed_profiles
        made = SiteRecord(
            settings=recorded_settings(site),
            inputs=self._planned.inputs if complete else (),
            charts=tuple(notes),
            files=swapped.files,
        )
        write_site_record(site.web_dir, made)
        reasons = {unit.name: unit.reasons for unit in self._planned.units}
        units = [
            WorkUnit(name, "made", reasons.get(name, ("new",)), {"bytes": one.size})
            if name in swapped.made
            else WorkUnit(name, "unchanged", (), {"bytes": one.size})
            for name, one in sorted(swapped.files.items())
        ]
        gone = [WorkUnit(name, "made", ("removed: no longer shown",)) for name in swapped.removed]
        return [*units, *gone, *self._failed]

    def _draw(self, draw: Draw) -> list[DrawnChart]:
        """Draw the charts of all sources that can be read, and keep the failures."""
        site = self._site
        sources = ChartSources(
            profiles=self._without_failed(),
            addresses=site.addresses,
            combined_dir=site.combined_dir,
            min_hits=site.min_hits,
        )
        folder = self._stage / "images"
        folder.mkdir()

        def keep_failure(unit: WorkUnit) -> None:
            if unit.status == "failed":
                self._failed.append(unit)

        try:
            return list(draw(sources, folder, notify=keep_failure))
        # readers get the pages whatever error the drawing library raises
        except Exception as error:
            self._fail("charts", error)
            return []

    def _without_failed(self) -> tuple[Profile, ...]:
        """Return the profiles, those that failed without anything to draw.

        Each keeps its place because the names of charts depend on it.
        """
        nothing = self._stage / "not-published"
        return tuple(
            replace(one, totals_db=nothing, log_name="", raw_dir=None)
            if one.name in self._failed_profiles
            else one
            for one in self._site.profiles
        )

    def _notes(self, drawn: Sequence[DrawnChart]) -> list[ChartNote]:
        """Return all charts that readers can get: new ones, and old ones that were not drawn now."""
        found = {chart.name: note_of(chart) for chart in drawn}
        if self._keeps_old:
            record = self._planned.record
            old = {n.name: n for n in record.charts if f"images/{n.name}.png" in record.files}
            found = {**old, **found}  # in the old order
        return ordered_notes([*found.values()], self._site.sections)

    @property
    def _keeps_old(self) -> bool:
        return bool(self._failed or self._failed_profiles)

    def _has_vega(self) -> bool:
        record = self._planned.record
        same = record.settings.get("vl_convert") == vl_convert.__version__
        same = same and record.settings.get("makers") == MAKERS_VERSION
        return same and is_unchanged(self._site.web_dir / VEGA, record.files.get(VEGA))

    def _make(self, name: str, make: Callable[[], bytes]) -> None:
        target = self._stage / name
        try:
            content = make()
        # an unexpected text of a client costs its own page only
        except Exception as error:
            self._fail(name, error)
            return
        target.parent.mkdir(exist_ok=True)
        target.write_bytes(content)

    def _fail(self, name: str, error: Exception) -> None:
        if not isinstance(error, CountingError):
            last = traceback.extract_tb(error.__traceback__)[-1]
            error = OutputError(
                self._site.web_dir / name,
                expected="to make it",
                found=f"{printable(f'{type(error).__name__}: {error}')} in {last.name}",
                advice="This is a defect, please report it; what was there stays.",
            )
        self._failed.append(WorkUnit(name, "failed", (str(error),)))

    def _wanted(self, notes: Sequence[ChartNote]) -> list[str]:
        """Return the names of all files of the site: new ones, and old ones that stay."""
        stage = self._stage
        staged = {str(p.relative_to(stage)) for p in stage.rglob("*") if p.is_file()}
        failed = {unit.name for unit in self._failed}
        of_charts = {
            name
            for one in notes
            for name in (
                f"charts/{one.name}.html",
                f"images/{one.name}.png",
                f"images/{one.name}.svg",
            )
        }
        old = self._planned.record.files
        web_dir = self._site.web_dir
        kept = {name for name in {*of_charts, *failed, VEGA} & {*old} if (web_dir / name).is_file()}
        return sorted(staged | kept)
