# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The settings of the site."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from .._base.errors import SettingsError
from .._charts.address_charts import AddressSource
from .._charts.chart import sections_of
from .._publish.profile import Profile, add_ons_of


@dataclass(frozen=True)
class SiteSettings:
    """The place of the pages, their sources and their titles."""

    web_dir: Path
    """The web root."""
    title: str
    distribution: str
    """The name of what is counted."""
    dest: Path
    """The folder of the published files, below the web root."""
    profiles: tuple[Profile, ...]
    addresses: tuple[AddressSource, ...] = ()
    """The CSV files of client addresses, below the web root."""
    combined_dir: Path | None = None
    """The tree of combined logs, for the calendar of days."""
    min_hits: int = 0
    """Kinds of systems with fewer machines in a week are left out of charts and sums."""
    allow_shrink: bool = False
    """True to make pages without a source that they had before."""

    @property
    def sections(self) -> dict[str, str]:
        """The headings of the sections of charts, in their order."""
        return sections_of(add_ons_of(self.profiles))


def checked_site(site: SiteSettings) -> SiteSettings:
    """Return the settings. Raises SettingsError if pages could not link a file."""
    mirrors = [
        (f"condensed_logs, {one.name}" if one.name else "mirrors_csv_dir", one.folder)
        for one in site.addresses
    ]
    for option, folder in (("dest", site.dest), *mirrors):
        if site.web_dir not in folder.parents:
            raise SettingsError(
                f"option {option}",
                expected=f"a folder below web_dir, {site.web_dir}",
                found=str(folder),
                advice="Correct one of the two: pages link the files.",
            )
    return site
