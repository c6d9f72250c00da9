# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The definitions of a distribution's charts of client addresses, parsed from an option."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from .._base.errors import printable, wrong_option
from .._base.fedora import ADDRESS_CHARTS
from .._base.option_values import pattern_from, rules_version
from .._condense.tables import ALL_NAME
from .figures import DOTS, LINES, STACK

#: Raise it when the same data gives other charts.
_RULES = 1

ALL = "all"
LATEST = "latest"
NEWEST_YEAR = "newest_year"
REVERSED = "reversed"

ADDRESSES = "addresses"
"""The section of charts that name none."""

_NAME = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_OPTION = "address_charts"


@dataclass(frozen=True)
class SeriesGroup:
    """Columns of the CSV file that a chart shows together, with their labels."""

    columns: Mapping[str, str]
    """Labels by name of column, in the order of the series."""
    releases: re.Pattern[str] | None = None
    """A pattern for columns of releases. Its first group is the number of the release.

    These columns come before the others.
    """
    label: str = "{}"
    """The label of a release, with ``{}`` for the number."""


@dataclass(frozen=True)
class AddressChart:
    """The definition of one chart."""

    name: str
    title: str
    group: str
    kind: str
    """STACK, LINES or DOTS."""
    show: str
    """ALL series, the LATEST releases, the NEWEST_YEAR, or all REVERSED, the newest at the bottom."""
    most: int
    """The most series; all others are added up. 0 for no limit."""
    section: str


@dataclass(frozen=True)
class AddressCharts:
    """The charts of one condensed log."""

    groups: Mapping[str, SeriesGroup]
    charts: tuple[AddressChart, ...]

    @classmethod
    def from_option(cls, option: Mapping[str, Any] | None) -> AddressCharts:
        """Return the charts that an option gives, or Fedora's without one.

        Raises SettingsError naming the part of the option that is wrong.
        """
        option = ADDRESS_CHARTS if option is None else option
        groups = {one["name"]: _group(one) for one in option["groups"]}
        charts = tuple(_charts(option, groups))
        if len({chart.name for chart in charts}) < len(charts):
            raise wrong_option(
                f"{_OPTION}.charts", expected="different names", found="one name twice"
            )
        return cls(groups, charts)

    def within(self, sections: Collection[str]) -> AddressCharts:
        """Return the charts; those of other sections are moved to the section of addresses."""
        charts = tuple(
            one if one.section in sections else replace(one, section=ADDRESSES)
            for one in self.charts
        )
        return replace(self, charts=charts)

    @property
    def version(self) -> int:
        """The version of the data, by which pages know that charts have to be drawn again."""
        return rules_version(_RULES, self, FEDORA_CHARTS)


def _group(one: Mapping[str, Any]) -> SeriesGroup:
    place = f"{_OPTION}.groups, {printable(one['name'])}"
    releases = one.get("releases")
    label = one.get("label") or "{}"
    pattern = pattern_from(place, releases) if releases else None
    if pattern is not None and pattern.groups < 1:
        raise wrong_option(
            place, expected="an expression with a group", found=printable(str(releases))
        )
    try:
        label.format(1)
    except (IndexError, KeyError, ValueError) as error:
        raise wrong_option(place, expected="a label with {}", found=printable(label)) from error
    return SeriesGroup(dict(one.get("columns") or {}), pattern, label)


def _charts(option: Mapping[str, Any], groups: Mapping[str, SeriesGroup]) -> Iterator[AddressChart]:
    for one in option["charts"]:
        place = f"{_OPTION}.charts, {printable(one['name'])}"
        if not _NAME.fullmatch(one["name"]):
            raise wrong_option(
                place, expected="a name of a-z, 0-9 and single dashes", found=printable(one["name"])
            )
        if one["group"] not in groups:
            raise wrong_option(
                place,
                expected=f"one of the groups {', '.join(groups)}",
                found=printable(one["group"]),
            )
        kind, show = one.get("kind") or STACK, one.get("show") or ALL
        for value, known in ((kind, (STACK, LINES, DOTS)), (show, _SHOWN)):
            if value not in known:
                raise wrong_option(
                    place, expected=f"one of {', '.join(known)}", found=printable(value)
                )
        yield AddressChart(
            one["name"],
            one["title"],
            one["group"],
            kind,
            show,
            one.get("most") or 0,
            one.get("section") or ADDRESSES,
        )


_SHOWN = (ALL, LATEST, NEWEST_YEAR, REVERSED)

FEDORA_CHARTS = AddressCharts.from_option(None)


@dataclass(frozen=True)
class AddressSource:
    """The CSV files of client addresses of one condensed log, and their charts."""

    name: str
    folder: Path
    """The folder of the CSV files."""
    title: str = ""
    """The name for readers; ``name`` if it is empty."""
    charts: AddressCharts = FEDORA_CHARTS

    @property
    def label(self) -> str:
        """The name in charts and on pages."""
        return self.title or self.name or "mirrors"

    @property
    def csv(self) -> Path:
        """The CSV file of all years, from which charts are drawn."""
        return self.folder / ALL_NAME
