# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The data of a distribution by which its machines are counted, parsed from options."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from .._base.errors import printable, wrong_option
from .._base.fedora import ADD_ONS, BASE_REPOSITORIES
from .._base.option_values import name_from, slug_from

#: Stands for a number at the end of a repository's name.
NUMBER = "NN"


@dataclass(frozen=True)
class BaseRepositories:
    """The repositories that every system of a distribution has, one for each release."""

    column: str
    """The column of machines.csv with the hits of these repositories."""
    repositories: tuple[str, ...]
    """Repository tags; ``NN`` at the end stands for a number."""
    absent_in: str = ""
    """The systems without such a repository, in words."""

    @classmethod
    def from_option(cls, option: Mapping[str, Any] | None) -> BaseRepositories:
        """Return the repositories that an option gives, or Fedora's without one.

        Raises SettingsError naming the part of the option that is wrong.
        """
        option = BASE_REPOSITORIES if option is None else option
        repositories = tuple(option["repositories"])
        for tag in repositories:
            name_from("base_repositories.repositories", tag.removesuffix(NUMBER))
        return cls(
            slug_from("base_repositories.column", option["column"]),
            repositories,
            option.get("absent_in") or "",
        )

    def to_json(self) -> dict[str, Any]:
        """Return the repositories as JSON values."""
        return {**asdict(self), "repositories": list(self.repositories)}

    @property
    def condition(self) -> str:
        """The SQL condition for ``repo_tag``. Names have no character with a meaning in SQL."""
        parts = []
        for tag in self.repositories:
            name = tag.removesuffix(NUMBER)
            parts.append(
                f"repo_tag = '{tag}'"
                if name == tag
                else f"(repo_tag GLOB '{name}[0-9]*' AND repo_tag NOT GLOB '{name}*[^0-9]*')"
            )
        return " OR ".join(parts) or "FALSE"

    @property
    def words(self) -> str:
        """The repositories in a sentence."""
        return " and ".join(self.repositories)


@dataclass(frozen=True)
class AddOn:
    """Repositories for several distributions, whose users have a chart of their own."""

    name: str
    """The section of its charts, and the beginning of their names."""
    title: str
    repositories: str
    """A GLOB pattern for repository tags."""

    @classmethod
    def from_options(cls, options: Sequence[Mapping[str, Any]] | None) -> tuple[AddOn, ...]:
        """Return the add-ons that an option gives, or EPEL without one.

        Raises SettingsError naming the part of the option that is wrong.
        """
        found = tuple(
            cls(slug_from("add_ons.name", one["name"]), one["title"], one["repositories"])
            for one in (ADD_ONS if options is None else options)
        )
        names = [one.name for one in found]
        for name in names:
            if names.count(name) > 1 or name in _RESERVED:
                raise wrong_option(
                    "add_ons.name",
                    expected=f"different names, and none of {', '.join(_RESERVED)}",
                    found=printable(name),
                )
        return found


#: Sections of charts that every site has.
_RESERVED = ("machines", "addresses", "coverage")

FEDORA_BASE = BaseRepositories.from_option(None)
FEDORA_ADD_ONS = AddOn.from_options(None)
