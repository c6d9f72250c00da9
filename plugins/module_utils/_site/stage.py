# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The stage ``publish``: the files first, which nothing after them can spoil, then the pages."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from .._base.coverage import (
    BLOCKED,
    LATE,
    OUT_OF_DATE,
    PRESENT,
    UNREADABLE,
    WAITING,
    Coverage,
    CoverageContext,
    CoverageState,
    StageCoverage,
    StageTree,
    State,
)
from .._base.days_and_weeks import week_end
from .._base.errors import printable, wrong_option
from .._base.records import Status, WorkUnit
from .._base.stage import Outcome, Stage, StageRun, Topics, UnitTopics
from .._charts.address_charts import AddressCharts, AddressSource
from .._charts.chart import sections_of
from .._publish.distribution import AddOn, BaseRepositories
from .._publish.git_history import History, history_of, keep_history, plan_history
from .._publish.newest_week import newest_weeks
from .._publish.plan import FileSettings, FilesPlan, ProfilePlan, plan_files
from .._publish.profile import Profile, add_ons_of
from .._publish.swap import make_dest
from .._storage.files import make_folder, writer_lock
from .plan import PAGES, plan_site
from .settings import SiteSettings, checked_site


@dataclass(frozen=True)
class PublishSettings:
    """The profiles to publish, and where their files, pages and history go."""

    profiles: tuple[Profile, ...]
    files: FileSettings
    site: SiteSettings | None = None
    """None without pages."""
    history: History | None = None
    """None without a Git history."""

    @property
    def week_folders(self) -> list[str]:
        """The folders of the files of single weeks, below the folder of all files."""
        return [profile.week_folder for profile in self.profiles]


@dataclass(frozen=True)
class PublishPlan:
    """All that readers see, planned or published."""

    files: FilesPlan
    history: Sequence[WorkUnit] = ()
    site: Sequence[WorkUnit] = ()

    @property
    def units(self) -> list[WorkUnit]:
        """The units of the files, of the Git history, and of the pages and charts."""
        return [*self.files.units, *self.history, *self.site]


def settings_from(options: Mapping[str, Any], _now: datetime) -> PublishSettings:
    """Return the settings for the options of stats_publish. Raises SettingsError."""
    profiles = tuple(
        Profile(
            name=one["name"],
            totals_db=Path(one["totals_db"]),
            totals_csv=Path(one["totals_csv"]),
            prefix=one["prefix"],
            title=one["title"] or "",
            log_name=one["log_name"] or "",
            raw_dir=_path_from(one["raw_dir"]),
            base=BaseRepositories.from_option(one.get("base_repositories")),
            add_ons=AddOn.from_options(one.get("add_ons")),
        )
        for one in options["profiles"]
    )
    files = FileSettings(
        Path(options["dest"]), allow_shrink=options["allow_shrink"], min_hits=options["min_hits"]
    )
    site = _site_from(options, profiles, files)
    root = site.web_dir if site else files.dest
    history = history_of(options["git_history"], options["git_identity"], web_root=root)
    return PublishSettings(profiles, files, site, history)


def _site_from(
    options: Mapping[str, Any], profiles: tuple[Profile, ...], files: FileSettings
) -> SiteSettings | None:
    if not options["web_dir"]:
        return None
    site = SiteSettings(
        web_dir=Path(options["web_dir"]),
        title=options["site_title"],
        distribution=options["distribution"],
        dest=files.dest,
        profiles=profiles,
        addresses=_addresses_from(options, profiles),
        combined_dir=_path_from(options["combined_dir"]),
        min_hits=files.min_hits,
        allow_shrink=files.allow_shrink,
    )
    return checked_site(site)


def _addresses_from(
    options: Mapping[str, Any], profiles: Sequence[Profile]
) -> tuple[AddressSource, ...]:
    """Return the CSV files of client addresses. Raises SettingsError for a wrong chart."""
    logs = options.get("condensed_logs") or []
    if options["mirrors_csv_dir"]:
        logs = [{"name": "", "csv_dir": options["mirrors_csv_dir"]}, *logs]
    sections = sections_of(add_ons_of(profiles))
    return tuple(
        AddressSource(
            one["name"],
            Path(one["csv_dir"]),
            one.get("title") or "",
            _charts_from(one.get("address_charts"), sections),
        )
        for one in logs
    )


def _charts_from(option: Mapping[str, Any] | None, sections: Collection[str]) -> AddressCharts:
    charts = AddressCharts.from_option(option)
    for chart in charts.charts:
        if option is not None and chart.section not in sections:
            raise wrong_option(
                f"address_charts.charts, {chart.name}",
                expected=f"one of the sections {', '.join(sections)}",
                found=printable(chart.section),
            )
    return charts


def _path_from(text: str | None) -> Path | None:
    return Path(text) if text else None


def plan_publish(settings: PublishSettings, _run: StageRun) -> PublishPlan:
    """Compare totals, published files, history and pages with their records. Reads only."""
    files = plan_files(settings.profiles, settings.files)
    due = {unit.name for unit in files.units if unit.status == "due"}
    history, site = [], []
    if settings.history:
        folders = settings.week_folders
        weeks_due = any(name.split("/")[0] in folders for name in due)
        history = [
            plan_history(settings.history, settings.files.dest, folders, weeks_due=weeks_due)
        ]
    if settings.site:
        site = plan_site(settings.site, files_due=bool(due))
    return PublishPlan(files, history, site)


def make_published(settings: PublishSettings, planned: PublishPlan, run: StageRun) -> PublishPlan:
    """Publish what is out of date; what fails leaves everything else alone."""
    # charts and templates are loaded by a run that makes some
    from .._publish.run import publish_files
    from .run import publish_site

    files = publish_files(planned.files, settings.files, now=run.now, observer=run.observer)
    done = replace(planned, files=files)
    if settings.history:
        folders = settings.week_folders
        unit = keep_history(settings.history, settings.files.dest, folders, now=run.now)
        run.observer.ended(unit, kind="history")
        done = replace(done, history=[unit])
    if settings.site:
        failed = [one.profile.name for one in files.profiles if one.status == "failed"]
        site = publish_site(
            settings.site, now=run.now, failed_profiles=failed, observer=run.observer
        )
        done = replace(done, site=site)
    return done


def publish_outcome(settings: PublishSettings, planned: PublishPlan) -> Outcome:
    """Return the outcome; the stage fails if a profile, the history, a chart or a page failed."""
    later = [*planned.history, *planned.site]
    failed = [
        f"{unit.name}: {'; '.join(unit.reasons)}" for unit in later if unit.status == "failed"
    ]
    web_dir = settings.site.web_dir if settings.site else None
    pages = [page for name in PAGES if web_dir and (page := web_dir / name).is_file()]
    index = web_dir and web_dir / "index.html"
    return Outcome(
        planned.units,
        "; ".join(filter(None, [planned.files.failure, *failed])),
        facts={
            "newest_week": newest_weeks(settings.profiles),
            "published": [
                *(str(settings.files.dest / name) for name in planned.files.paths),
                *map(str, pages),
            ],
            "index_page": str(index) if index and index.is_file() else "",
        },
    )


@contextmanager
def _lock(settings: PublishSettings, run: StageRun) -> Iterator[None]:
    make_dest(settings.files.dest)
    with writer_lock(settings.files.dest, run_id=run.run_id):
        if settings.site is None:
            yield
            return
        make_folder(settings.site.web_dir)
        with writer_lock(settings.site.web_dir, run_id=run.run_id):
            yield


def _trees(settings: PublishSettings) -> list[StageTree]:
    return [StageTree("published", settings.files.dest)]


def _places(settings: PublishSettings) -> list[Path | None]:
    totals = [place for one in settings.profiles for place in (one.totals_db, one.totals_csv)]
    return [settings.files.dest, *totals]


def cover_publish(settings: PublishSettings, context: CoverageContext) -> list[StageCoverage]:
    """Return the coverage of each profile's files; nothing if a place is unreadable."""
    if context.why_unreadable(*_places(settings)):
        return []
    return [_covered(profile) for profile in plan_files(settings.profiles, settings.files).profiles]


def _covered(planned: ProfilePlan) -> StageCoverage:
    states: Mapping[Status, State] = {
        "unchanged": PRESENT,
        "waiting": WAITING,
        "due": OUT_OF_DATE if planned.record.files else LATE,
        "failed": BLOCKED,
    }
    covered = CoverageState(states.get(planned.status, UNREADABLE), planned.reasons)
    name, weeks = planned.profile.name, planned.record.weeks
    newest = week_end(max(weeks)) if weeks else None
    return StageCoverage("profile", {name: covered}, newest, profile=name)


PUBLISH: Stage[PublishSettings, PublishPlan] = Stage(
    name="publish",
    title="Publish the totals, charts and pages",
    reads=("totals", "mirrors", "combined"),
    writes=("published",),
    topics=Topics("publish", units={"profile": UnitTopics("profile", ("profile",))}),
    settings_from=settings_from,
    plan=plan_publish,
    lock=_lock,
    make=make_published,
    coverage=Coverage(_trees, _places, cover_publish, libraries=("numpy", "pyarrow")),
    libraries=("numpy", "pyarrow"),
    outcome=publish_outcome,
)
