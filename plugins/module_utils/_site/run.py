# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Show: the charts and pages around the published files, made again only where these changed.

All is made in a hidden folder first, then each file that differs takes its place by a rename. What
fails leaves its own old file in place, and all others alone.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from .._base.errors import CountingError, OutputError, SourceError, printable
from .._base.libs import vl_convert
from .._base.observer import NOBODY, Observer
from .._base.records import InputFile, Status, WorkUnit, differences
from .._charts.address_charts import FEDORA_CHARTS, AddressSource
from .._charts.chart import sections_of
from .._charts.draw import RULES, ChartSources, DrawnChart, add_ons_of, draw_charts
from .._publish.distribution import FEDORA_ADD_ONS, FEDORA_BASE
from .._publish.index import INDEX_NAME
from .._publish.profile import Profile
from .._publish.record import is_unchanged, read_records
from .._publish.swap import staging_folder, swap_in
from .._storage.files import write_error
from .downloads import mirrors_files
from .interactive import vega_bundle
from .pages import Content, Site, makers_of, note_of, ordered_notes
from .record import ChartNote, SiteRecord, read_site_record, write_site_record

#: To be raised when a change of the makers gives other pages for the same inputs.
MAKERS_VERSION = 2

VEGA = "assets/vega.js"
PAGES = ("charts.html", "dictionary.html", "downloads.html", "index.html", "quality.html")

#: Draws into a folder and tells of what failed, as :func:`~._charts.draw_charts` does.
Draw = Callable[..., Sequence[DrawnChart]]


@dataclass(frozen=True)
class Show:
    """What is to be shown, and how."""

    site: Site
    dest: Path
    """Where the files are published, below the web root."""
    profiles: tuple[Profile, ...]
    min_hits: int = 0
    allow_shrink: bool = False

    @property
    def settings(self) -> dict[str, Any]:
        """What pages depend on beside their inputs."""
        return {
            "makers": MAKERS_VERSION,
            "charts": RULES,
            "vl_convert": vl_convert.__version__,
            "title": self.site.title,
            "distribution": self.site.distribution,
            "min_hits": self.min_hits,
            "profiles": [[one.name, one.prefix, one.label] for one in self.profiles],
            **self._distribution_settings,
        }

    @property
    def _distribution_settings(self) -> dict[str, Any]:
        """Data of a distribution; records of pages with the usual data have none."""
        usual = (FEDORA_BASE, FEDORA_ADD_ONS)
        profiles = [
            [one.name, one.base.to_json(), [asdict(add_on) for add_on in one.add_ons]]
            for one in self.profiles
            if (one.base, one.add_ons) != usual
        ]
        several = len(self.site.addresses) > 1
        charts = [
            [one.name, one.label, one.charts.version]
            for one in self.site.addresses
            if several or one.charts != FEDORA_CHARTS
        ]
        return {
            **({"profile_data": profiles} if profiles else {}),
            **({"address_charts": charts} if charts else {}),
        }

    @property
    def sections(self) -> dict[str, str]:
        """The headings of sections of charts, in their order."""
        return sections_of(add_ons_of(self.profiles))


@dataclass(frozen=True)
class _Plan:
    status: Status
    units: tuple[WorkUnit, ...]
    record: SiteRecord
    inputs: tuple[InputFile, ...] = ()


def plan_site(show: Show, *, files_due: bool = False) -> list[WorkUnit]:
    """What is out of date, and why. Reads only. ``files_due``: published files are to change.

    Pictures that were never drawn are one unit, ``images``, as nobody knows yet which there are.
    """
    try:
        return list(_plan(show, files_due=files_due).units)
    except CountingError as error:
        return [WorkUnit("pages", "failed", (str(error),))]


def _plan(show: Show, *, files_due: bool = False) -> _Plan:
    web_dir = show.site.web_dir
    record = read_site_record(web_dir)
    if not files_due and not _published(show):
        waiting = (WorkUnit(name, "waiting", ("nothing is published yet",)) for name in PAGES)
        return _Plan("waiting", tuple(waiting), record)
    inputs = _inputs(show)
    reasons = ["published files change"] if files_due else []
    if record.files:
        reasons += _changes(show, record, inputs)
    else:
        reasons.append("never made")
    damaged = {n for n, one in record.files.items() if not is_unchanged(web_dir / n, one)}
    names = sorted({*PAGES, *(record.files or ["images"])})
    units = tuple(_unit(name, reasons, missing=name in damaged) for name in names)
    status: Status = "due" if reasons or damaged else "unchanged"
    return _Plan(status, units, record, inputs)


def _unit(name: str, reasons: Sequence[str], *, missing: bool) -> WorkUnit:
    why = (*reasons, *(["missing or altered"] if missing else []))
    return WorkUnit(name, "due" if why else "unchanged", why)


def _changes(show: Show, record: SiteRecord, inputs: Sequence[InputFile]) -> list[str]:
    if not record.inputs:
        return ["not all could be made the last time"]
    found = differences(record.inputs, inputs)
    _refuse_loss(show, found.gone)
    changes = list(found.reasons)
    if record.settings != show.settings:
        changes.append("other settings or a new version")
    return changes


def _refuse_loss(show: Show, gone: Sequence[str]) -> None:
    """Charts that readers have aren't dropped because a folder isn't mounted just now."""
    for source, names in _named_files(show):
        if names(source.csv.name) in gone and not show.allow_shrink:
            raise SourceError(
                source.csv,
                expected="the file that charts were drawn of before",
                found="none",
                advice="Put it back. Set allow_shrink to show pages without it; they stay as they are.",
            )


def _named_files(show: Show) -> Iterator[tuple[AddressSource, Callable[[str], str]]]:
    """Yield the sources of client addresses, and the names of their files in records."""
    for number, source in enumerate(show.site.addresses):
        yield source, f"{{}} of {source.name}".format if number else str


def _published(show: Show) -> list[Profile]:
    records = read_records(show.dest)
    names = {name for name, record in records.items() if record.files}
    return [one for one in show.profiles if one.name in names]


def _inputs(show: Show) -> tuple[InputFile, ...]:
    """What all pages and charts are made of, as it is now."""
    index = show.dest / INDEX_NAME
    found = [InputFile.seen(one, one.parent) for one in [index] if one.is_file()]
    for source, name_of in _named_files(show):
        for path in mirrors_files(source):
            seen = InputFile.seen(path, path.parent)
            found.append(replace(seen, path=name_of(seen.path)))
    for one in show.profiles:
        totals_db = one.totals_db
        if totals_db.is_file():
            seen = InputFile.seen(totals_db, totals_db.parent)
            found.append(replace(seen, path=f"{totals_db.name} of {one.name}"))
    return tuple(found)


def publish_site(
    show: Show,
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
        planned = _plan(show)
        if planned.status != "due":
            return list(planned.units)
        with staging_folder(show.site.web_dir) as stage:
            units = _Work(show, planned, stage, failed_profiles).carry_out(draw, now)
    except CountingError as error:
        units = [WorkUnit("pages", "failed", (str(error),))]
    except OSError as error:
        place = Path(error.filename or show.site.web_dir)
        units = [WorkUnit("pages", "failed", (str(write_error(place, error)),))]
    for unit in units:
        observer.ended(unit, kind="file")
    return units


class _Work:
    """Making all pages once."""

    def __init__(
        self, show: Show, planned: _Plan, stage: Path, failed_profiles: Sequence[str]
    ) -> None:
        self._show = show
        self._planned = planned
        self._stage = stage
        self._failed_profiles = failed_profiles
        self._failed: list[WorkUnit] = []

    def carry_out(self, draw: Draw, now: datetime) -> list[WorkUnit]:
        show, record = self._show, self._planned.record
        drawn = self._draw(draw)
        notes = self._notes(drawn)
        content = Content(
            site=show.site,
            dest=show.dest,
            profiles=_published(show),
            records=read_records(show.dest),
            notes=notes,
            drawn=drawn,
            min_hits=show.min_hits,
            sections=show.sections,
        )
        makers = makers_of(content)
        if not self._has_vega():
            makers[VEGA] = vega_bundle
        for name, make in makers.items():
            self._make(name, make)
        wanted = self._wanted(notes)
        swapped = swap_in(
            self._stage, show.site.web_dir, record.files, wanted, compressed=[], now=now
        )
        complete = not self._failed and not self._failed_profiles
        made = SiteRecord(
            settings=show.settings,
            inputs=self._planned.inputs if complete else (),
            charts=tuple(notes),
            files=swapped.files,
        )
        write_site_record(show.site.web_dir, made)
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
        """The charts of all that can be read; what fails is told."""
        show = self._show
        sources = ChartSources(
            profiles=self._without_failed(),
            addresses=show.site.addresses,
            combined_dir=show.site.combined_dir,
            min_hits=show.min_hits,
        )
        folder = self._stage / "images"
        folder.mkdir()

        def heard(unit: WorkUnit) -> None:
            if unit.status == "failed":
                self._failed.append(unit)

        try:
            return list(draw(sources, folder, notify=heard))
        # nothing that a drawing library may say keeps readers from the pages
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
            for one in self._show.profiles
        )

    def _notes(self, drawn: Sequence[DrawnChart]) -> list[ChartNote]:
        """All charts that readers can get: those drawn, and those that could not be this time."""
        found = {chart.name: note_of(chart) for chart in drawn}
        if self._keeps_old:
            record = self._planned.record
            old = {n.name: n for n in record.charts if f"images/{n.name}.png" in record.files}
            found = {**old, **found}  # in the old order
        return ordered_notes([*found.values()], self._show.sections)

    @property
    def _keeps_old(self) -> bool:
        return bool(self._failed or self._failed_profiles)

    def _has_vega(self) -> bool:
        record = self._planned.record
        same = record.settings.get("vl_convert") == vl_convert.__version__
        same = same and record.settings.get("makers") == MAKERS_VERSION
        return same and is_unchanged(self._show.site.web_dir / VEGA, record.files.get(VEGA))

    def _make(self, name: str, make: Callable[[], bytes]) -> None:
        target = self._stage / name
        try:
            content = make()
        # a text of a client that no maker was ready for costs its own page only
        except Exception as error:
            self._fail(name, error)
            return
        target.parent.mkdir(exist_ok=True)
        target.write_bytes(content)

    def _fail(self, name: str, error: Exception) -> None:
        if not isinstance(error, CountingError):
            last = traceback.extract_tb(error.__traceback__)[-1]
            error = OutputError(
                self._show.site.web_dir / name,
                expected="to make it",
                found=f"{printable(f'{type(error).__name__}: {error}')} in {last.name}",
                advice="This is a defect, please report it; what was there stays.",
            )
        self._failed.append(WorkUnit(name, "failed", (str(error),)))

    def _wanted(self, notes: Sequence[ChartNote]) -> list[str]:
        """Names of all files that are to be there: those made, and those that stay."""
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
        web_dir = self._show.site.web_dir
        kept = {name for name in {*of_charts, *failed, VEGA} & {*old} if (web_dir / name).is_file()}
        return sorted(staged | kept)
