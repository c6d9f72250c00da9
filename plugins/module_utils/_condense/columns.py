# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The columns of mirrorsdata-*.csv: which client counts in which.

People read these files by column number, some for over ten years, so the first 85 are as they ever
were, odd as some are: ``x86_32_f``, ``x86_64_f`` and ``ppc_f`` have no Fedora above 29 in them, and
modular repositories are no part of ``fedora``. A release without a column gets one at the end.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date

#: The name of the first column, which holds the date.
DATE_COLUMN = "1970-01-01"
_FEDORAS = tuple(f"f{number:02}" for number in range(3, 30))

#: Columns 2 to 85, without their numbers.
FIRST_COLUMNS = (
    *("epel4", "epel5", "epel6", "epel7"),
    *_FEDORAS,
    *("rawhide", "unk_rel", "epel", "fedora"),
    *("alpha", "arm", "arm64", "ia64", "mips", "ppc", "s390", "sparc", "tilegx"),
    *("x86_32", "x86_64", "x86_32_e", "x86_32_f", "x86_64_e", "x86_64_f", "ppc_e", "ppc_f"),
    *("unk_arc", "centos", "rhel", "ppc64", "ppc64le"),
    *("modular", "modular_rawhide"),
    *("modular_f27", "modular_f28", "modular_f29", "modular_f30"),
    *("f30", "f31", "f32", "f33"),
    *("modular_f31", "modular_f32", "modular_f33"),
    *("epel8", "epel9"),
    *("f34", "f35", "f36", "f37", "f38", "f39"),
    *("modular_f34", "modular_f35", "modular_f36", "modular_f37", "modular_f38", "modular_f39"),
)

_EPEL = re.compile(r"(?:playground_)?(epel[0-9]+)")
_MODULAR = re.compile(r"modular_f[0-9]+")
_FEDORA = re.compile(r"f[0-9]+")
#: What the columns ending in _f call Fedora, beside rawhide.
_OLD_FEDORA = re.compile(r"f[0-2]")
#: What a column added later may be called, in the order in which they are added together.
_ADDED = (re.compile(r"f[0-9]{2}"), re.compile(r"modular_f[0-9]{2}"), re.compile(r"epel[0-9]{2}"))

#: Architectures that count in one column whatever the release.
_ARCH_COLUMNS = {
    "arm": "arm",
    "aarch64": "arm64",
    "ia64": "ia64",
    "mips": "mips",
    "mips64": "mips",
    "s390": "s390",
    "sparc": "sparc",
    "sparc64": "sparc",
    "tilegx": "tilegx",
    "alpha": "alpha",
}
#: Those that are counted by family too: their column, and the start of the family's.
_BY_FAMILY = {
    "i386": ("x86_32", "x86_32"),
    "x86_64": ("x86_64", "x86_64"),
    "ppc": ("ppc", "ppc"),
    "ppc64": ("ppc64", "ppc"),
    "ppc64le": ("ppc64le", "ppc"),
}


def columns_of(release: str, arch: str) -> tuple[str, ...]:
    """The columns in which a client with that release and architecture counts."""
    return (*_columns_of_release(release), *_columns_of_arch(arch, release))


def _columns_of_release(release: str) -> tuple[str, ...]:
    epel = _EPEL.fullmatch(release)
    if epel:
        return epel[1], "epel"
    if _MODULAR.fullmatch(release):
        return release, "modular"
    if _FEDORA.fullmatch(release):
        return release, "fedora"
    if release == "rawhide_modular":
        return "modular_rawhide", "rawhide", "modular", "fedora"
    if "rawhide" in release:
        return "rawhide", "fedora"
    if release.startswith("rhel"):
        return "rhel", "epel"
    return ("unk_rel",)


def _columns_of_arch(arch: str, release: str) -> tuple[str, ...]:
    if arch in _ARCH_COLUMNS:
        return (_ARCH_COLUMNS[arch],)
    if arch not in _BY_FAMILY:
        return ("unk_arc",)
    column, start = _BY_FAMILY[arch]
    if "epel" in release or (start != "ppc" and release.startswith("rhel")):
        return column, f"{start}_e"
    if "rawhide" in release or _OLD_FEDORA.search(release):
        return column, f"{start}_f"
    return (column,)


def counts_by_column(
    clients: Mapping[tuple[str, str], int], first: tuple[str, str]
) -> dict[str, int]:
    """Clients of one date by (release, arch), counted by column.

    ``first`` is what the first client of that date asks for, in the order of its text. It does not
    count, as it never did, so that rows of all years compare.
    """
    counts: dict[str, int] = {}
    for (release, arch), number in clients.items():
        for column in columns_of(release, arch):
            counts[column] = counts.get(column, 0) + number - ((release, arch) == first)
    return counts


def is_added_column(name: str) -> bool:
    """Whether a column behind the first 85 is one that we added, or may add."""
    return name not in FIRST_COLUMNS and any(one.fullmatch(name) for one in _ADDED)


def new_columns(counted: Iterable[str], known: Iterable[str]) -> list[str]:
    """Columns that have no place yet, in the order in which they get one."""

    def place(name: str) -> tuple[int, str]:
        return [bool(one.fullmatch(name)) for one in _ADDED].index(True), name

    return sorted(set(counted) - set(known), key=place)


# Anybody can ask for a release that nobody will see for decades, and get a column for it that never
# goes. So many releases one may be ahead, counted on as they came until now: two Fedora a year, one
# RHEL and its EPEL in three. That is ten years for Fedora and thirty for EPEL.
_AHEAD = {"fedora": 20, "epel": 10}
_STARTS = (
    *((start, "fedora") for start in ("f", "modular_f", "cisco_")),
    *((start, "epel") for start in ("epel", "epel_next", "playground_epel", "rhel")),
)


def releases_to_come(day: date) -> list[str]:
    """Releases that no system can have on a day; whoever asks for one is after something else."""
    newest = {
        "fedora": 39 + 2 * (day.year - 2023) + _AHEAD["fedora"],
        "epel": 9 + (day.year - 2021) // 3 + _AHEAD["epel"],
    }
    return [
        f"{start}{number}"
        for start, family in _STARTS
        for number in range(max(newest[family] + 1, 10), 100)
    ]


#: The family of repositories behind a release, for people, and where the release stands in it.
_FAMILIES = (
    (re.compile(r"f([0-9]+)"), "fedora"),
    (re.compile(r"(rawhide)"), "fedora"),
    (re.compile(r"modular_f([0-9]+)"), "fedora-modular"),
    (re.compile(r"(rawhide)_modular"), "fedora-modular"),
    (re.compile(r"epel([0-9]+)"), "epel"),
    (re.compile(r"epel_next([0-9]+)"), "epel-next"),
    (re.compile(r"playground_epel([0-9]+)"), "epel-playground"),
    (re.compile(r"rhel([0-9]+)"), "rhel"),
    (re.compile(r"cisco_([0-9]+|rawhide)"), "fedora-cisco-openh264"),
)


def family_of(release: str) -> tuple[str, str]:
    """The family and the release in it, as mirrors-daily.csv names them."""
    for pattern, family in _FAMILIES:
        match = pattern.fullmatch(release)
        if match:
            return family, match[1].lstrip("0")
    return "unknown", ""
