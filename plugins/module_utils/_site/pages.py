# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The site: each page from what is published and from the charts. Same inputs, same bytes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from .._base.errors import SettingsError
from .._charts.address_charts import AddressSource
from .._charts.draw import DrawnChart
from .._html.render import script_json
from .._publish.files import MACHINES_CSV
from .._publish.index import INDEX_NAME
from .._publish.machines import method_of
from .._publish.profile import Profile
from .._publish.record import ProfileRecord
from .dictionary import Place, chapters_of
from .downloads import groups_of, link, mirrors_files
from .interactive import definition_of
from .record import ChartNote
from .render import render
from .style import ICON, SCRIPT, STYLE
from .weeks import STATES, glance_of, weeks_of

#: Charts on the first page, where they are there.
_HIGHLIGHTS = 4
_NUMBER = re.compile(r"[+-]?[0-9][0-9,. ]*%?|", re.ASCII)


@dataclass(frozen=True)
class Site:
    """Where the pages are, and what they call things."""

    web_dir: Path
    title: str
    distribution: str
    addresses: tuple[AddressSource, ...] = ()
    """The CSV files of client addresses."""
    combined_dir: Path | None = None


def checked_site(site: Site, dest: Path) -> Site:
    """The site as given by an operator. Raises SettingsError where pages could not link a file."""
    mirrors = [
        (f"condensed_logs, {one.name}" if one.name else "mirrors_csv_dir", one.folder)
        for one in site.addresses
    ]
    for option, folder in (("dest", dest), *mirrors):
        if site.web_dir not in folder.parents:
            raise SettingsError(
                f"option {option}",
                expected=f"a folder below web_dir, {site.web_dir}",
                found=str(folder),
                advice="Correct one of the two: pages link the files.",
            )
    return site


@dataclass(frozen=True)
class Content:
    """What pages are made of."""

    site: Site
    dest: Path
    profiles: Sequence[Profile]
    """Those of which something is published."""
    records: Mapping[str, ProfileRecord]
    notes: Sequence[ChartNote]
    """All charts that readers can get, in their order, whether drawn just now or before."""
    drawn: Sequence[DrawnChart]
    min_hits: int = 0
    sections: Mapping[str, str] = field(default_factory=dict)
    """The headings of sections of charts, in their order."""

    @property
    def folder(self) -> str:
        """The published folder as it stands in a link."""
        return f"{link(self.dest, self.site.web_dir)}/"


Maker = Callable[[], bytes]


class _Section(NamedTuple):
    slug: str
    title: str
    charts: list[ChartNote]


def note_of(chart: DrawnChart) -> ChartNote:
    return ChartNote(chart.name, chart.title, chart.alt, chart.section, chart.width, chart.height)


def ordered_notes(notes: Sequence[ChartNote], sections: Iterable[str]) -> list[ChartNote]:
    """Return the charts in the order of their sections; within one as they come."""
    order = list(sections)
    known = [note for note in notes if note.section in order]
    return sorted(known, key=lambda note: order.index(note.section))


def makers_of(content: Content) -> dict[str, Maker]:
    """How to make each page and each file that pages need, by its path below the web root."""
    makers: dict[str, Maker] = {
        "assets/pages.css": STYLE.encode,
        "assets/pages.js": SCRIPT.encode,
        "assets/icon.svg": ICON.encode,
        "index.html": partial(_index, content),
        "charts.html": partial(_charts, content),
        "downloads.html": partial(_downloads, content),
        "dictionary.html": partial(_dictionary, content),
        "quality.html": partial(_quality, content),
    }
    for chart in content.drawn:
        makers[f"charts/{chart.name}.html"] = partial(_chart, content, chart)
    return makers


def _index(content: Content) -> bytes:
    site = content.site
    glances = [
        glance_of(
            one,
            content.dest,
            folder=content.folder,
            min_hits=content.min_hits,
        )
        for one in content.profiles
    ]
    return render(
        "index.html",
        here="index.html",
        site=site,
        glances=[one for one in glances if one],
        highlights=_highlights(content.notes),
        chart_count=len(content.notes),
    )


def _highlights(notes: Sequence[ChartNote]) -> list[ChartNote]:
    """The first charts, but one of whether the logs are there is among them."""
    figures = [note for note in notes if note.section != "coverage"][: _HIGHLIGHTS - 1]
    coverage = [note for note in notes if note.section == "coverage"]
    return [*figures, *coverage[:1]]


def _charts(content: Content) -> bytes:
    sections = []
    for slug, title in content.sections.items():
        charts = [note for note in content.notes if note.section == slug]
        if charts:
            sections.append(_Section(slug, title, charts))
    return render("charts.html", here="charts.html", site=content.site, sections=sections)


def _chart(content: Content, chart: DrawnChart) -> bytes:
    notes = list(content.notes)
    place = next(n for n, note in enumerate(notes) if note.name == chart.name)
    table = chart.table
    shown, in_all = len(table.rows), table.rows_in_all
    # the page has the title; in a narrow chart it would take the room of the figures
    spec = {name: value for name, value in chart.spec.items() if name != "title"}
    return render(
        "chart",
        here=f"charts/{chart.name}.html",
        site=content.site,
        chart=note_of(chart),
        description=chart.description,
        subtitle=_subtitle(chart.spec),
        header=table.header,
        rows=table.rows,
        numeric=_numeric_columns(table.rows),
        table_note=f"The newest {shown:,} of {in_all:,} rows." if shown < in_all else "",
        definition=script_json(definition_of(spec)),
        before=notes[place - 1] if place else None,
        after=notes[place + 1] if place + 1 < len(notes) else None,
    )


def _subtitle(spec: Mapping[str, Any]) -> str:
    """What the picture says below its title."""
    title = spec.get("title")
    said = title.get("subtitle") if isinstance(title, dict) else None
    lines = [said] if isinstance(said, str) else said or []
    return " ".join(lines).rstrip(".")


def _numeric_columns(rows: Sequence[Sequence[str]]) -> list[bool]:
    """Which columns hold nothing but numbers."""
    return [all(_NUMBER.fullmatch(cell) for cell in column) for column in zip(*rows, strict=True)]


def _downloads(content: Content) -> bytes:
    site = content.site
    groups = groups_of(
        content.profiles,
        content.records,
        dest=content.dest,
        addresses=site.addresses,
        web_dir=site.web_dir,
    )
    index = Place(INDEX_NAME, link(content.dest / INDEX_NAME, site.web_dir))
    return render("downloads.html", here="downloads.html", site=site, groups=groups, index=index)


def _dictionary(content: Content) -> bytes:
    site = content.site
    mirrors = [
        Place(path.name, link(path, site.web_dir))
        for one in site.addresses
        for path in mirrors_files(one)
    ]
    prefixes = [one.prefix for one in content.profiles]
    return render(
        "dictionary.html",
        here="dictionary.html",
        site=site,
        chapters=chapters_of(
            prefixes,
            folder=content.folder,
            mirrors=mirrors,
            bases=[one.base for one in content.profiles],
        ),
        states=STATES,
        methods=[
            method_of(one.base, machines_csv=one.name_of(MACHINES_CSV), min_hits=content.min_hits)
            for one in content.profiles[:1]
        ],
    )


def _quality(content: Content) -> bytes:
    site = content.site
    weeks = [weeks_of(one, content.dest, folder=content.folder) for one in content.profiles]
    return render("quality.html", here="quality.html", site=site, profiles=weeks, states=STATES)
