# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A profile: one set of totals, the place of its parts, and its name for readers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from .._base.errors import SettingsError, printable
from .distribution import FEDORA_ADD_ONS, FEDORA_BASE, AddOn, BaseRepositories
from .files import PublishedFile, compressed_of, names_of, week_file, week_folder


@dataclass(frozen=True)
class Profile:
    """The totals of one distribution, and the names of its published files."""

    name: str
    """The name in settings, results and messages."""
    totals_db: Path
    totals_csv: Path
    prefix: str
    """The beginning of the names of published files, such as ``totals``."""
    title: str = ""
    """The name for readers; ``name`` if it is empty."""
    log_name: str = ""
    """The name of its log in the tree of combined logs."""
    raw_dir: Path | None = None
    """The folder of its raw days."""
    base: BaseRepositories = FEDORA_BASE
    add_ons: tuple[AddOn, ...] = FEDORA_ADD_ONS

    @property
    def label(self) -> str:
        """The name on pages and in charts."""
        return self.title or self.name

    def name_of(self, file: PublishedFile) -> str:
        """Return the name of one of its published files, relative to the published folder."""
        return file.name_of(self.prefix)

    @property
    def file_names(self) -> list[str]:
        """The names of its published files except those of single weeks, sorted."""
        return names_of(self.prefix)

    @property
    def compressed_names(self) -> list[str]:
        """The names of its published files that have a ``.gz`` beside them."""
        return compressed_of(self.prefix)

    @property
    def week_folder(self) -> str:
        """The folder of the files of single weeks, relative to the published folder."""
        return week_folder(self.prefix)

    def week_file(self, week: int) -> str:
        """Return the name of the file of a week, relative to the published folder."""
        return week_file(self.prefix, week)

    @property
    def raw_days(self) -> Path:
        """The folder of its raw days. Raises SettingsError if the profile names none."""
        if self.raw_dir is None:
            raise SettingsError(
                f"profile {printable(self.name)}",
                expected="a folder of raw days",
                found="none",
                advice="Set its raw_dir.",
            )
        return self.raw_dir


def add_ons_of(profiles: Iterable[Profile]) -> list[AddOn]:
    """Return the add-ons of all profiles, each name once."""
    return [*{one.name: one for profile in profiles for one in profile.add_ons}.values()]
