# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where logs lie and how they are called; the same places as in the deployments this replaces.

* a host's logs:  ``HOSTS/HOST/YYYY/MM/DD/http/NAME[.xz]``, the day being the rotation day
* rotated, on the host itself: ``NAME-YYYYMMDD[.xz]``, NAME ending in ``log``
* combined logs:  ``COMBINED/YYYY/MM/DD/NAME[.xz]``
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from pathlib import Path

from .._base.errors import SettingsError, printable, wrong_option

#: Endings of the compressed forms of a log; ``""`` is the plain one.
COMPRESSIONS = ("", ".xz", ".gz", ".zst", ".bz2")

# A host name as in DNS, case folded: never an option, a path or anything a shell or rsync reads.
_HOST = re.compile(
    r"(?=.{1,253}\Z)[a-z0-9]([a-z0-9_-]{0,62})(\.[a-z0-9][a-z0-9_-]{0,62})*", re.ASCII
)
_LOG_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+@=,-]{0,200}", re.ASCII)
_ROTATED = re.compile(
    r"(?P<name>.*log)-(?P<day>[0-9]{8})(?P<ending>\.(?:xz|gz|zst|bz2))?", re.ASCII
)


def checked_host(name: str) -> str:
    """The host name, if it is one. Raises SettingsError: names choose paths and rsync arguments."""
    if not _HOST.fullmatch(name):
        raise SettingsError(
            "host list",
            expected="a host name (lower-case letters, digits, '-', '_' and '.')",
            found=printable(name),
            advice="Correct or remove that entry.",
        )
    return name


def is_log_name(name: str) -> bool:
    """Whether a file name may enter our trees: no path, option, hidden or control characters."""
    return _LOG_NAME.fullmatch(name) is not None


def checked_log_name(name: str) -> str:
    """The log's name, if it is a plain file name. Raises SettingsError."""
    if not is_log_name(name):
        raise wrong_option(
            "log_name",
            expected="a plain file name such as mirrors.fedoraproject.org-access.log",
            found=printable(name),
        )
    return name


def day_folder(root: Path, day: date) -> Path:
    """``ROOT/YYYY/MM/DD``."""
    return root.joinpath(
        *day.isoformat().split("-")
    )  # strftime gives years before 1000 less digits


def host_day_folder(hosts_root: Path, host: str, day: date) -> Path:
    """The folder with the logs one host rotated on one day, their names without the date."""
    return day_folder(hosts_root / checked_host(host), day) / "http"


def split_compression(name: str) -> tuple[str, str]:
    """A file name as (log name, ending of its compression)."""
    for ending in COMPRESSIONS[1:]:
        if name.endswith(ending):
            return name.removesuffix(ending), ending
    return name, ""


def written_day(day: date) -> str:
    """``YYYYMMDD``, as it is written in the name of a rotated log."""
    return day.isoformat().replace("-", "")


def dated_name(name: str, day: date) -> str:
    """``mirrors-access.log.xz`` as it is called on the host that rotated it on ``day``.

    Raises ValueError for a name that no rotated log has (its stem doesn't end in ``log``).
    """
    stem, ending = split_compression(name)
    if not stem.endswith("log"):
        raise ValueError(f"{name!r} is not the name of a log")
    return f"{stem}-{written_day(day)}{ending}"


def undated_name(name: str) -> tuple[str, date] | None:
    """A rotated log's (name without the date, rotation day); None for any other name."""
    match = _ROTATED.fullmatch(name)
    if not match or not is_log_name(name):
        return None
    try:
        day = date(int(match["day"][:4]), int(match["day"][4:6]), int(match["day"][6:]))
    except ValueError:
        return None
    return match["name"] + (match["ending"] or ""), day


def forms_of_log(folder: Path, log_name: str) -> list[Path]:
    """The files there that are this log: plain first, then compressed in order of COMPRESSIONS."""
    candidates = (folder / f"{log_name}{ending}" for ending in COMPRESSIONS)
    return [path for path in candidates if path.is_symlink() or path.exists()]


def checked_hosts(names: Iterable[str]) -> list[str]:
    """Return a host list of an operator, each host once and sorted. Raises SettingsError."""
    return sorted({checked_host(name) for name in names})
