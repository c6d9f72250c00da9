# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The paths and names of logs, which are the same as in the earlier system.

* in the hosts' tree: ``HOSTS/HOST/YYYY/MM/DD/http/NAME[.xz]``, by rotation day
* on the host that rotated the log: ``NAME-YYYYMMDD[.xz]``, where NAME ends in ``log``
* combined logs: ``COMBINED/YYYY/MM/DD/NAME[.xz]``
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from pathlib import Path

from .._base.errors import SettingsError, printable, wrong_option

#: Endings of the variants of a log; ``""`` is the plain one, the others are compressed.
COMPRESSIONS = ("", ".xz", ".gz", ".zst", ".bz2")

# A DNS name in lower case. It is never an option, a path or anything special to a shell or rsync.
_HOST = re.compile(
    r"(?=.{1,253}\Z)[a-z0-9]([a-z0-9_-]{0,62})(\.[a-z0-9][a-z0-9_-]{0,62})*", re.ASCII
)
_LOG_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+@=,-]{0,200}", re.ASCII)
_ROTATED = re.compile(
    r"(?P<name>.*log)-(?P<day>[0-9]{8})(?P<ending>\.(?:xz|gz|zst|bz2))?", re.ASCII
)


def checked_host(name: str) -> str:
    """Return the name if it is a host name. Names become paths and arguments of rsync.

    Raises SettingsError.
    """
    if not _HOST.fullmatch(name):
        raise SettingsError(
            "host list",
            expected="a host name (lower-case letters, digits, '-', '_' and '.')",
            found=printable(name),
            advice="Correct or remove that entry.",
        )
    return name


def is_log_name(name: str) -> bool:
    """Return whether a file of this name may enter our trees.

    Paths, options, hidden files and control characters are excluded.
    """
    return _LOG_NAME.fullmatch(name) is not None


def checked_log_name(name: str) -> str:
    """Return the name of a log if it is a plain file name. Raises SettingsError."""
    if not is_log_name(name):
        raise wrong_option(
            "log_name",
            expected="a plain file name such as mirrors.fedoraproject.org-access.log",
            found=printable(name),
        )
    return name


def day_folder(root: Path, day: date) -> Path:
    """Return ``ROOT/YYYY/MM/DD``."""
    # strftime writes years before 1000 with fewer digits
    return root.joinpath(*day.isoformat().split("-"))


def host_day_folder(hosts_root: Path, host: str, day: date) -> Path:
    """Return the folder of the logs that a host rotated on a day. Their names have no date."""
    return day_folder(hosts_root / checked_host(host), day) / "http"


def split_compression(name: str) -> tuple[str, str]:
    """Return the name of the log and the ending of the compression, for the name of a file."""
    for ending in COMPRESSIONS[1:]:
        if name.endswith(ending):
            return name.removesuffix(ending), ending
    return name, ""


def compact_day(day: date) -> str:
    """Return ``YYYYMMDD``, as the name of a rotated log has it."""
    return day.isoformat().replace("-", "")


def dated_name(name: str, day: date) -> str:
    """Return the name of a log such as ``mirrors-access.log.xz`` on the host that rotated it.

    Raises ValueError for a name that no rotated log has, because its stem does not end in ``log``.
    """
    stem, ending = split_compression(name)
    if not stem.endswith("log"):
        raise ValueError(f"{name!r} is not the name of a log")
    return f"{stem}-{compact_day(day)}{ending}"


def undated_name(name: str) -> tuple[str, date] | None:
    """Return the name without the date and the rotation day; None if it is no rotated log."""
    match = _ROTATED.fullmatch(name)
    if not match or not is_log_name(name):
        return None
    try:
        day = date(int(match["day"][:4]), int(match["day"][4:6]), int(match["day"][6:]))
    except ValueError:
        return None
    return match["name"] + (match["ending"] or ""), day


def variants_of_log(folder: Path, log_name: str) -> list[Path]:
    """Return the files in a folder that are this log: plain or compressed, as in COMPRESSIONS."""
    candidates = (folder / f"{log_name}{ending}" for ending in COMPRESSIONS)
    return [path for path in candidates if path.is_symlink() or path.exists()]


def checked_hosts(names: Iterable[str]) -> list[str]:
    """Return the host names of an option, each once and sorted. Raises SettingsError."""
    return sorted({checked_host(name) for name in names})
