# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A profile: one set of totals, the place of its parts, and its name for readers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from .._base.errors import SettingsError, printable
from .files import Names, names_of


@dataclass(frozen=True)
class Profile:
    """One distribution's totals and the names they are published under."""

    name: str
    """The name in settings, results and messages."""
    totals_db: Path
    totals_csv: Path
    prefix: str
    """The beginning of the names of published files, such as ``totals``."""
    title: str = ""
    """The name for readers; ``name`` where it is empty."""
    log_name: str = ""
    """The name of its log in the tree of combined logs."""
    raw_dir: Path | None = None
    """The folder of its raw days."""

    @property
    def label(self) -> str:
        """The name on pages and in charts."""
        return self.title or self.name

    @property
    def names(self) -> Names:
        """The names of its published files."""
        return names_of(self.prefix)

    @property
    def raw_days(self) -> Path:
        """The folder of its raw days. Raises SettingsError where the profile names none."""
        if self.raw_dir is None:
            raise SettingsError(
                f"profile {printable(self.name)}",
                expected="a folder of raw days",
                found="none",
                advice="Set its raw_dir.",
            )
        return self.raw_dir
