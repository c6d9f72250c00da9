# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The release behind a repository, found in the repository's name by rules that are data.

A rule knows releases that do not exist yet, so the next one counts from its first day.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .._base.fedora import REPOSITORIES
from .._base.option_values import pattern_from, rules_version, template_from
from .rules import RULES_VERSION, UNKNOWN_REPO

_OPTION = "repositories"


@dataclass(frozen=True)
class Repositories:
    """The rules for names of repositories; the first name that fits gives the release."""

    replaced: tuple[tuple[str, str], ...]
    """Words and what replaces them, in order."""
    cut_from: re.Pattern[str] | None
    """The rest of the name from the first match on is dropped."""
    names: tuple[tuple[re.Pattern[str], str], ...]
    """Patterns of whole plain names, and templates of releases."""

    @classmethod
    def from_option(cls, option: Mapping[str, Any] | None) -> Repositories:
        """Return the rules that an option gives, or Fedora's without one.

        Raises SettingsError naming the part of the option that is wrong.
        """
        option = REPOSITORIES if option is None else option
        names = []
        for number, one in enumerate(option["names"], 1):
            place = f"{_OPTION}.names, number {number}"
            pattern = pattern_from(place, one["name"])
            names.append((pattern, template_from(place, one["release"], pattern)))
        words = [re.escape(word) for word in option.get("cut_from") or ()]
        return cls(
            tuple(
                (word, one.get("by") or "")
                for one in option.get("replace") or ()
                for word in one["words"]
            ),
            re.compile(f"(?:{'|'.join(words)}).*", re.DOTALL) if words else None,
            tuple(names),
        )

    @property
    def version(self) -> int:
        """The version of the rules of condensed days, which depends on these rules."""
        return rules_version(RULES_VERSION, self, FEDORA_REPOSITORIES)

    def plain_name(self, repo: str) -> str:
        """Return the name of a repository without the words that do not tell its release."""
        name = repo.lower()
        for word, by in self.replaced:
            name = name.replace(word, by)
        if self.cut_from:
            name = self.cut_from.sub("", name)
        return name.replace("-", "").strip()

    def release_of(self, repo: str) -> str:
        """Return the release behind the name of a repository; UNKNOWN_REPO for any other name."""
        name = self.plain_name(repo)
        for pattern, release in self.names:
            match = pattern.fullmatch(name)
            if match:
                return release.format(*match.groups())
        return UNKNOWN_REPO


FEDORA_REPOSITORIES = Repositories.from_option(REPOSITORIES)
