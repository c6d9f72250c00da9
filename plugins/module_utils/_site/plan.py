# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plan which pages and charts are due, from the record of what they were made of.

It loads neither charts nor templates, because most runs have none to make.
"""

from __future__ import annotations

import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from .._base.errors import CountingError, SourceError
from .._base.libs import vl_convert
from .._base.records import InputFile, Status, WorkUnit, differences
from .._charts.address_charts import FEDORA_CHARTS, AddressSource
from .._charts.chart import CHARTS_VERSION
from .._publish.distribution import FEDORA_ADD_ONS, FEDORA_BASE
from .._publish.index import INDEX_NAME
from .._publish.profile import Profile
from .._publish.record import is_unchanged, read_records
from .record import SiteRecord, read_site_record
from .settings import SiteSettings

#: Raise it when a change of the makers gives other pages for the same inputs.
MAKERS_VERSION = 2

#: The files of client addresses. Other files in their folder belong to somebody else.
_MIRRORS_GLOB = "mirror*.csv*"

#: The library of the interactive charts.
VEGA = "assets/vega.js"
PAGES = ("charts.html", "dictionary.html", "downloads.html", "index.html", "quality.html")


@dataclass(frozen=True)
class SitePlan:
    """All files of the site, with the record of what they were made of and the present inputs."""

    status: Status
    units: tuple[WorkUnit, ...]
    record: SiteRecord
    inputs: tuple[InputFile, ...] = ()


def plan_site(site: SiteSettings, *, files_due: bool = False) -> list[WorkUnit]:
    """Return all files of the site with the reasons why they are due. Reads only.

    ``files_due`` is true if published files are to change. Pictures that were never drawn are one
    unit, ``images``, because their names are not known before they are drawn.
    """
    try:
        return list(site_plan(site, files_due=files_due).units)
    except CountingError as error:
        return [WorkUnit("pages", "failed", (str(error),))]


def site_plan(site: SiteSettings, *, files_due: bool = False) -> SitePlan:
    """Return the plan. Raises CountingError if it cannot be made."""
    web_dir = site.web_dir
    record = read_site_record(web_dir)
    if not files_due and not published_profiles(site):
        waiting = (WorkUnit(name, "waiting", ("nothing is published yet",)) for name in PAGES)
        return SitePlan("waiting", tuple(waiting), record)
    inputs = _inputs(site)
    reasons = ["published files change"] if files_due else []
    if record.files:
        reasons += _changes(site, record, inputs)
    else:
        reasons.append("never made")
    damaged = {n for n, one in record.files.items() if not is_unchanged(web_dir / n, one)}
    names = sorted({*PAGES, *(record.files or ["images"])})
    units = tuple(_unit(name, reasons, damaged=name in damaged) for name in names)
    status: Status = "due" if reasons or damaged else "unchanged"
    return SitePlan(status, units, record, inputs)


def _unit(name: str, reasons: Sequence[str], *, damaged: bool) -> WorkUnit:
    why = (*reasons, *(["missing or altered"] if damaged else []))
    return WorkUnit(name, "due" if why else "unchanged", why)


def _changes(site: SiteSettings, record: SiteRecord, inputs: Sequence[InputFile]) -> list[str]:
    if not record.inputs:
        return ["not all could be made the last time"]
    found = differences(record.inputs, inputs)
    _refuse_loss(site, found.gone)
    changes = list(found.reasons)
    if record.settings != recorded_settings(site):
        changes.append("other settings or a new version")
    return changes


def recorded_settings(site: SiteSettings) -> dict[str, Any]:
    """Return what the pages depend on beside their inputs, as the record has it."""
    return {
        "makers": MAKERS_VERSION,
        "charts": CHARTS_VERSION,
        "vl_convert": vl_convert.__version__,
        "title": site.title,
        "distribution": site.distribution,
        "min_hits": site.min_hits,
        "profiles": [[one.name, one.prefix, one.label] for one in site.profiles],
        **_distribution_settings(site),
    }


def _distribution_settings(site: SiteSettings) -> dict[str, Any]:
    """Return the data of other distributions than Fedora; records of Fedora's pages have none."""
    usual = (FEDORA_BASE, FEDORA_ADD_ONS)
    profiles = [
        [one.name, one.base.to_json(), [asdict(add_on) for add_on in one.add_ons]]
        for one in site.profiles
        if (one.base, one.add_ons) != usual
    ]
    several = len(site.addresses) > 1
    charts = [
        [one.name, one.label, one.charts.version]
        for one in site.addresses
        if several or one.charts != FEDORA_CHARTS
    ]
    return {
        **({"profile_data": profiles} if profiles else {}),
        **({"address_charts": charts} if charts else {}),
    }


def _refuse_loss(site: SiteSettings, gone: Sequence[str]) -> None:
    """Raise SourceError if the source of charts that readers have is gone.

    Its folder may just not be mounted.
    """
    for source, name_of in _named_files(site):
        if name_of(source.csv.name) in gone and not site.allow_shrink:
            raise SourceError(
                source.csv,
                expected="the file that charts were drawn of before",
                found="none",
                advice="Put it back. Set allow_shrink to make pages without it; they stay as they "
                "are.",
            )


def _named_files(site: SiteSettings) -> Iterator[tuple[AddressSource, Callable[[str], str]]]:
    """Yield the sources of client addresses, and the names of their files in records."""
    for number, source in enumerate(site.addresses):
        yield source, f"{{}} of {source.name}".format if number else str


def published_profiles(site: SiteSettings) -> list[Profile]:
    """Return the profiles of which files are published."""
    records = read_records(site.dest)
    names = {name for name, record in records.items() if record.files}
    return [one for one in site.profiles if one.name in names]


def _inputs(site: SiteSettings) -> tuple[InputFile, ...]:
    """Return the present inputs of all pages and charts."""
    index = site.dest / INDEX_NAME
    found = [InputFile.seen(one, one.parent) for one in [index] if one.is_file()]
    for source, name_of in _named_files(site):
        for path in mirrors_files(source):
            seen = InputFile.seen(path, path.parent)
            found.append(replace(seen, path=name_of(seen.path)))
    for one in site.profiles:
        totals_db = one.totals_db
        if totals_db.is_file():
            seen = InputFile.seen(totals_db, totals_db.parent)
            found.append(replace(seen, path=f"{totals_db.name} of {one.name}"))
    return tuple(found)


def mirrors_files(source: AddressSource) -> list[Path]:
    """Return the files of client addresses; links belong to somebody else."""
    if not source.folder.is_dir():
        return []
    return sorted(
        path for path in source.folder.glob(_MIRRORS_GLOB) if stat.S_ISREG(path.lstat().st_mode)
    )
