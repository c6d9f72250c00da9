# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The columns of mirrorsdata-*.csv, and the columns in which each client counts.

All rules are data. People read these files by column number, so a column never moves. A release
without a column gets a new column at the end.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from .._base.errors import printable, wrong_option
from .._base.fedora import COLUMNS, NEWEST_RELEASES, RELEASES
from .._base.option_values import name_from, pattern_from, rules_version, template_from
from .rules import Target

#: The version of the code that makes rows. Increase it when a change of the code changes a row, so
#: that the next run makes all rows again.
_ROW_RULES = 1

#: Releases have numbers of two digits from this one to :data:`_LAST_NUMBER`.
_FIRST_NUMBER, _LAST_NUMBER = 10, 99


@dataclass(frozen=True)
class ReleaseRule:
    """The rule for the columns of the clients of some releases."""

    release: re.Pattern[str]
    family: str
    """The family of repositories in mirrors-daily.csv.

    The first group of ``release`` is the release in the family.
    """
    columns: tuple[str, ...]
    """Templates of columns. The last one is the column of the whole family."""
    architectures: Mapping[str, str]
    """An additional column for each architecture."""


@dataclass(frozen=True)
class ReleaseLimit:
    """The newest release that a client can have in a year.

    Anyone can request a release of the distant future. Without the limit, that release would get a
    column, and a column is never removed.
    """

    prefixes: tuple[str, ...]
    number: int
    """The newest release in ``year``."""
    year: int
    releases: int
    """The number of new releases in ``years``."""
    years: int
    ahead: int
    """The number of releases beyond the newest one that count."""

    def to_come(self, year: int) -> Iterator[str]:
        """Yield the releases that no client can have in a year."""
        newest = self.number + self.releases * (year - self.year) // self.years + self.ahead
        for prefix in self.prefixes:
            for number in range(max(newest + 1, _FIRST_NUMBER), _LAST_NUMBER + 1):
                yield f"{prefix}{number}"


@dataclass(frozen=True)
class Columns:
    """The rules for columns. The first release rule that matches applies."""

    first: tuple[str, ...]
    """The columns that every file has after the date, without their numbers."""
    added: tuple[re.Pattern[str], ...]
    """Patterns of the names of later columns, in the order in which new columns are added."""
    unknown_release: str
    unknown_architecture: str
    architectures: Mapping[str, str]
    """The column of each architecture for all releases."""
    releases: tuple[ReleaseRule, ...]
    limits: tuple[ReleaseLimit, ...]

    @classmethod
    def from_options(
        cls,
        columns: Mapping[str, Any] | None = None,
        releases: Sequence[Mapping[str, Any]] | None = None,
        newest_releases: Sequence[Mapping[str, Any]] | None = None,
    ) -> Columns:
        """Return the rules from the options.

        Fedora's rules replace an option that is None. Raises SettingsError, which names the wrong
        part, if an option is wrong.
        """
        columns = COLUMNS if columns is None else columns
        found = cls(
            first=tuple(name_from("columns.first", name) for name in columns["first"]),
            added=tuple(pattern_from("columns.added", one) for one in columns.get("added") or ()),
            unknown_release=columns["unknown_release"],
            unknown_architecture=columns["unknown_architecture"],
            architectures=dict(columns.get("architectures") or {}),
            releases=tuple(_release_rules(RELEASES if releases is None else releases)),
            limits=tuple(
                _limit(number, one)
                for number, one in enumerate(
                    NEWEST_RELEASES if newest_releases is None else newest_releases, 1
                )
            ),
        )
        found.check()
        return found

    def check(self) -> None:
        """Raise SettingsError if a column is not allowed in the files."""
        if len(set(self.first)) < len(self.first):
            raise wrong_option("columns.first", expected="different names", found="one name twice")
        fixed = {
            "columns.unknown_release": [self.unknown_release],
            "columns.unknown_architecture": [self.unknown_architecture],
            "columns.architectures": [*self.architectures.values()],
            "releases": [
                name
                for rule in self.releases
                for name in (*rule.columns, *rule.architectures.values())
                if "{" not in name
            ],
        }
        for option, names in fixed.items():
            for name in names:
                if name not in self.first and not self.may_add(name):
                    raise wrong_option(
                        option, expected="names in columns.first or columns.added", found=name
                    )

    @property
    def version(self) -> int:
        """The version of the rules that make the rows."""
        return rules_version(_ROW_RULES, self, FEDORA_COLUMNS)

    @property
    def family_columns(self) -> frozenset[str]:
        """The columns whose sum is the number of clients of a row. A few clients count twice."""
        return frozenset({rule.columns[-1] for rule in self.releases} | {self.unknown_release})

    def columns_of(self, target: Target) -> tuple[str, ...]:
        """Return the columns in which a client counts."""
        rule, match = self._rule_of(target.release)
        own = self.architectures.get(target.arch, self.unknown_architecture)
        if rule is None or match is None:
            return self.unknown_release, own
        by_release = [name.format(*match.groups(), release=target.release) for name in rule.columns]
        further = rule.architectures.get(target.arch)
        return (*by_release, own, *([further] if further else []))

    def family_of(self, release: str) -> tuple[str, str]:
        """Return the family and the release in the family, as mirrors-daily.csv names them."""
        rule, match = self._rule_of(release)
        if rule is None or match is None:
            return "unknown", ""
        return rule.family, match[1].lstrip("0") if match.re.groups else ""

    def _rule_of(self, release: str) -> tuple[ReleaseRule | None, re.Match[str] | None]:
        for rule in self.releases:
            match = rule.release.fullmatch(release)
            if match:
                return rule, match
        return None, None

    def counts_by_column(self, clients: Mapping[Target, int], first: Target) -> dict[str, int]:
        """Count the clients of one date by column.

        ``first`` is the target of the first client of the date, in the order of the text of the
        clients. That client has never counted. It does not count now, so that the rows of all
        years remain comparable.
        """
        counts: dict[str, int] = {}
        for target, number in clients.items():
            for column in self.columns_of(target):
                counts[column] = counts.get(column, 0) + number - (target == first)
        return counts

    def may_add(self, name: str) -> bool:
        """Return True if a column after the first columns may have the name."""
        return name not in self.first and any(one.fullmatch(name) for one in self.added)

    def new_columns(self, counted: Iterable[str], known: Iterable[str]) -> list[str]:
        """Return the columns that have no place yet, in the order of their future places.

        Raises SettingsError if a column is not allowed in the files.
        """

        def place(name: str) -> tuple[int, str]:
            return [bool(one.fullmatch(name)) for one in self.added].index(True), name

        new = set(counted) - set(known)
        for name in new:
            if not self.may_add(name):
                raise wrong_option(
                    "releases",
                    expected="columns in columns.first or columns.added",
                    found=printable(name),
                )
        return sorted(new, key=place)

    def releases_to_come(self, day: date) -> list[str]:
        """Return the releases that no client can have on a day."""
        return [release for limit in self.limits for release in limit.to_come(day.year)]


def _release_rules(option: Sequence[Mapping[str, Any]]) -> Iterator[ReleaseRule]:
    for number, one in enumerate(option, 1):
        place = f"releases, number {number}"
        pattern = pattern_from(place, one["release"])
        if not one["columns"]:
            raise wrong_option(place, expected="at least one column", found="none")
        yield ReleaseRule(
            pattern,
            name_from(place, one["family"]),
            tuple(template_from(place, name, pattern) for name in one["columns"]),
            dict(one.get("architectures") or {}),
        )


def _limit(number: int, one: Mapping[str, Any]) -> ReleaseLimit:
    if one["years"] < 1:
        raise wrong_option(
            f"newest_releases, number {number}", expected="years of 1 or more", found=one["years"]
        )
    values = {name: one[name] for name in ("number", "year", "releases", "years", "ahead")}
    return ReleaseLimit(tuple(one["prefixes"]), **values)


FEDORA_COLUMNS = Columns.from_options()
