# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules that find the release of a repository in its name. The rules are data.

A rule matches future releases as well, so a new release counts from its first day.
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
    """The rules for names of repositories. The first pattern that matches gives the release."""

    replaced: tuple[tuple[str, str], ...]
    """Pairs of a word and its replacement, in order."""
    cut_from: re.Pattern[str] | None
    """The pattern from whose first match on the rest of the name is removed."""
    names: tuple[tuple[re.Pattern[str], str], ...]
    """Pairs of a pattern for a whole plain name and a template for the release."""

    @classmethod
    def from_option(cls, option: Mapping[str, Any] | None) -> Repositories:
        """Return the rules from the option, or Fedora's rules if the option is None.

        Raises SettingsError, which names the wrong part, if the option is wrong.
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
        """Return the name of a repository without the words that do not identify its release."""
        name = repo.lower()
        for word, by in self.replaced:
            name = name.replace(word, by)
        if self.cut_from:
            name = self.cut_from.sub("", name)
        return name.replace("-", "").strip()

    def release_of(self, repo: str) -> str:
        """Return the release for the name of a repository, or UNKNOWN_REPO if no rule matches."""
        name = self.plain_name(repo)
        for pattern, release in self.names:
            match = pattern.fullmatch(name)
            if match:
                return release.format(*match.groups())
        return UNKNOWN_REPO


FEDORA_REPOSITORIES = Repositories.from_option(REPOSITORIES)
