# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make each page from the published files and the charts. The same inputs give the same bytes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple, TypeAlias

from .._charts.draw import DrawnChart
from .._html.render import script_json
from .._publish.files import MACHINES_CSV
from .._publish.index import INDEX_NAME
from .._publish.machines import method_of
from .._publish.profile import Profile
from .._publish.record import ProfileRecord
from .dictionary import Place, chapters_of
from .downloads import groups_of, link
from .interactive import definition_of
from .plan import mirrors_files
from .record import ChartNote
from .render import render
from .settings import SiteSettings
from .style import ICON, SCRIPT, STYLE
from .weeks import STATES, glance_of, weeks_of

#: The number of charts on the first page.
_HIGHLIGHTS = 4
_NUMBER = re.compile(r"[+-]?[0-9][0-9,. ]*%?|", re.ASCII)


@dataclass(frozen=True)
class PageInputs:
    """The inputs of the pages."""

    site: SiteSettings
    profiles: Sequence[Profile]
    """The profiles of which files are published."""
    records: Mapping[str, ProfileRecord]
    notes: Sequence[ChartNote]
    """All charts that readers can get, in their order, new ones and old ones."""
    drawn: Sequence[DrawnChart]
    """The charts that were drawn in this run."""

    @property
    def folder(self) -> str:
        """The folder of the published files, as in a link."""
        return f"{link(self.site.dest, self.site.web_dir)}/"


Maker: TypeAlias = Callable[[], bytes]


class _Section(NamedTuple):
    """A section of the list of charts."""

    slug: str
    title: str
    charts: list[ChartNote]


def note_of(chart: DrawnChart) -> ChartNote:
    """Return the part of a chart that other pages need."""
    return ChartNote(chart.name, chart.title, chart.alt, chart.section, chart.width, chart.height)


def ordered_notes(notes: Sequence[ChartNote], sections: Iterable[str]) -> list[ChartNote]:
    """Return the charts in the order of their sections; within one as they come."""
    order = list(sections)
    known = [note for note in notes if note.section in order]
    return sorted(known, key=lambda note: order.index(note.section))


def makers_of(inputs: PageInputs) -> dict[str, Maker]:
    """Return the makers of all pages and of the files that they need, by path below the web root."""
    makers: dict[str, Maker] = {
        "assets/pages.css": STYLE.encode,
        "assets/pages.js": SCRIPT.encode,
        "assets/icon.svg": ICON.encode,
        "index.html": partial(_index, inputs),
        "charts.html": partial(_charts, inputs),
        "downloads.html": partial(_downloads, inputs),
        "dictionary.html": partial(_dictionary, inputs),
        "quality.html": partial(_quality, inputs),
    }
    for chart in inputs.drawn:
        makers[f"charts/{chart.name}.html"] = partial(_chart, inputs, chart)
    return makers


def _index(inputs: PageInputs) -> bytes:
    site = inputs.site
    glances = [
        glance_of(one, site.dest, folder=inputs.folder, min_hits=site.min_hits)
        for one in inputs.profiles
    ]
    return render(
        "index.html",
        here="index.html",
        site=site,
        glances=[one for one in glances if one],
        highlights=_highlights(inputs.notes),
        chart_count=len(inputs.notes),
    )


def _highlights(notes: Sequence[ChartNote]) -> list[ChartNote]:
    """Return the first charts, and one chart of coverage."""
    figures = [note for note in notes if note.section != "coverage"][: _HIGHLIGHTS - 1]
    coverage = [note for note in notes if note.section == "coverage"]
    return [*figures, *coverage[:1]]


def _charts(inputs: PageInputs) -> bytes:
    sections = []
    for slug, title in inputs.site.sections.items():
        charts = [note for note in inputs.notes if note.section == slug]
        if charts:
            sections.append(_Section(slug, title, charts))
    return render("charts.html", here="charts.html", site=inputs.site, sections=sections)


def _chart(inputs: PageInputs, chart: DrawnChart) -> bytes:
    notes = list(inputs.notes)
    place = next(n for n, note in enumerate(notes) if note.name == chart.name)
    table = chart.table
    listed, in_all = len(table.rows), table.rows_in_all
    # the page has the title; in a narrow chart it would take room from the figures
    spec = {name: value for name, value in chart.spec.items() if name != "title"}
    return render(
        "chart",
        here=f"charts/{chart.name}.html",
        site=inputs.site,
        chart=note_of(chart),
        description=chart.description,
        subtitle=_subtitle(chart.spec),
        header=table.header,
        rows=table.rows,
        numeric=_numeric_columns(table.rows),
        table_note=f"The newest {listed:,} of {in_all:,} rows." if listed < in_all else "",
        definition=script_json(definition_of(spec)),
        before=notes[place - 1] if place else None,
        after=notes[place + 1] if place + 1 < len(notes) else None,
    )


def _subtitle(spec: Mapping[str, Any]) -> str:
    """Return the text below the title of a picture."""
    title = spec.get("title")
    subtitle = title.get("subtitle") if isinstance(title, dict) else None
    lines = [subtitle] if isinstance(subtitle, str) else subtitle or []
    return " ".join(lines).rstrip(".")


def _numeric_columns(rows: Sequence[Sequence[str]]) -> list[bool]:
    """Return for each column true if it holds only numbers."""
    return [all(_NUMBER.fullmatch(cell) for cell in column) for column in zip(*rows, strict=True)]


def _downloads(inputs: PageInputs) -> bytes:
    site = inputs.site
    groups = groups_of(
        inputs.profiles,
        inputs.records,
        dest=site.dest,
        addresses=site.addresses,
        web_dir=site.web_dir,
    )
    index = Place(INDEX_NAME, link(site.dest / INDEX_NAME, site.web_dir))
    return render("downloads.html", here="downloads.html", site=site, groups=groups, index=index)


def _dictionary(inputs: PageInputs) -> bytes:
    site = inputs.site
    mirrors = [
        Place(path.name, link(path, site.web_dir))
        for one in site.addresses
        for path in mirrors_files(one)
    ]
    prefixes = [one.prefix for one in inputs.profiles]
    return render(
        "dictionary.html",
        here="dictionary.html",
        site=site,
        chapters=chapters_of(
            prefixes,
            folder=inputs.folder,
            mirrors=mirrors,
            bases=[one.base for one in inputs.profiles],
        ),
        states=STATES,
        methods=[
            method_of(one.base, machines_csv=one.name_of(MACHINES_CSV), min_hits=site.min_hits)
            for one in inputs.profiles[:1]
        ],
    )


def _quality(inputs: PageInputs) -> bytes:
    site = inputs.site
    weeks = [weeks_of(one, site.dest, folder=inputs.folder) for one in inputs.profiles]
    return render("quality.html", here="quality.html", site=site, profiles=weeks, states=STATES)
