# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The data of Fedora and EPEL, which modules use if an option is left out. It contains no rules.

Each constant is the value of the option of the same name. The defaults of the role are equal.
"""

from __future__ import annotations

from typing import Any

REPOSITORIES: dict[str, Any] = {
    "replace": [
        {"words": ["core", "fedora", "extras", "legacy", "fc"], "by": "f"},
        {
            "words": [
                ".newkey", "install", "alpha", "beta", "client", "debug", "devel", "info",
                "optional", "preview", "released", "source", "testing", "updates",
            ],
            "by": "",
        },
        {"words": ["centosplus"], "by": "centos"},
    ],
    "cut_from": ["client", "cloud", "server", "workstation"],
    # numbers have at most two digits, so that a client cannot invent releases without limit
    "names": [
        {"name": "f?([3-9])", "release": "f0{}"},
        {"name": "f0([3-9])", "release": "f0{}"},
        {"name": "f?([1-9][0-9])", "release": "f{}"},
        {"name": "(?:fmodular|modularf)(2[7-9]|[3-9][0-9])", "release": "modular_f{}"},
        {"name": "f?rawhide", "release": "rawhide"},
        {"name": "rawhidemodular", "release": "rawhide_modular"},
        {"name": r"epel([4-9])(?:\.(?:[0-9]|1[0-9]|20))?", "release": "epel{}"},
        # from EPEL 10 on there are repositories of minor releases, called epel-z
        {"name": r"epelz?([1-9][0-9])(?:\.(?:0|[1-9][0-9]?))?", "release": "epel{}"},
        {"name": "epelmodular(8|[1-9][0-9])", "release": "epel{}"},
        {"name": "epelnext([89]|[1-9][0-9])", "release": "epel_next{}"},
        {"name": "playgroundepel([89]|[1-9][0-9])", "release": "playground_epel{}"},
        {"name": "rhel([4-9]|[1-9][0-9])", "release": "rhel{}"},
        {"name": "fciscoopenh264(3[2-9]|[4-9][0-9]|rawhide)", "release": "cisco_{}"},
        # test releases of old were numbered from the release before
        {"name": r"f?6\.(?:89|9[0-3])", "release": "f07"},
        {"name": r"f?7\.(?:89|9[0-3])", "release": "f08"},
        {"name": r"f?8\.9[0-3]", "release": "f09"},
        {"name": r"f?9\.(?:9[0-3]|90\.1)", "release": "f10"},
        {"name": r"f?10\.(?:89|9[0-3])", "release": "f11"},
        {"name": r"f?11\.(?:89|9[0-3])", "release": "f12"},
        {"name": r"f?12\.(?:89|9[0-3])", "release": "f13"},
    ],
}  # fmt: skip

_OLD_FEDORA = {
    "i386": "x86_32_f", "x86_64": "x86_64_f", "ppc": "ppc_f", "ppc64": "ppc_f", "ppc64le": "ppc_f",
}  # fmt: skip
_EPEL = {
    "i386": "x86_32_e", "x86_64": "x86_64_e", "ppc": "ppc_e", "ppc64": "ppc_e", "ppc64le": "ppc_e",
}  # fmt: skip
_RHEL = {"i386": "x86_32_e", "x86_64": "x86_64_e"}

RELEASES: list[dict[str, Any]] = [
    {
        "release": "f([0-2][0-9])",
        "family": "fedora",
        "columns": ["{release}", "fedora"],
        "architectures": _OLD_FEDORA,
    },
    {"release": "f([0-9]+)", "family": "fedora", "columns": ["{release}", "fedora"]},
    {
        "release": "(rawhide)",
        "family": "fedora",
        "columns": ["rawhide", "fedora"],
        "architectures": _OLD_FEDORA,
    },
    {
        "release": "modular_f([0-2][0-9])",
        "family": "fedora-modular",
        "columns": ["{release}", "modular"],
        "architectures": _OLD_FEDORA,
    },
    {
        "release": "modular_f([0-9]+)",
        "family": "fedora-modular",
        "columns": ["{release}", "modular"],
    },
    {
        "release": "(rawhide)_modular",
        "family": "fedora-modular",
        "columns": ["modular_rawhide", "rawhide", "modular", "fedora"],
        "architectures": _OLD_FEDORA,
    },
    {
        "release": "epel([0-9]+)",
        "family": "epel",
        "columns": ["{release}", "epel"],
        "architectures": _EPEL,
    },
    {
        "release": "epel_next([0-9]+)",
        "family": "epel-next",
        "columns": ["unk_rel"],
        "architectures": _EPEL,
    },
    {
        "release": "playground_epel([0-9]+)",
        "family": "epel-playground",
        "columns": ["epel{}", "epel"],
        "architectures": _EPEL,
    },
    {
        "release": "rhel([0-9]+)",
        "family": "rhel",
        "columns": ["rhel", "epel"],
        "architectures": _RHEL,
    },
    {
        "release": "cisco_(rawhide)",
        "family": "fedora-cisco-openh264",
        "columns": ["rawhide", "fedora"],
        "architectures": _OLD_FEDORA,
    },
    {
        "release": "cisco_([0-9]+)",
        "family": "fedora-cisco-openh264",
        "columns": ["unk_rel"],
    },
]

# Some people have read the CSV files by column number for over ten years. The 84 columns after the
# date therefore never change, although some are odd.
COLUMNS: dict[str, Any] = {
    "first": [
        "epel4", "epel5", "epel6", "epel7",
        "f03", "f04", "f05", "f06", "f07", "f08", "f09", "f10", "f11", "f12", "f13", "f14", "f15",
        "f16", "f17", "f18", "f19", "f20", "f21", "f22", "f23", "f24", "f25", "f26", "f27", "f28",
        "f29",
        "rawhide", "unk_rel", "epel", "fedora",
        "alpha", "arm", "arm64", "ia64", "mips", "ppc", "s390", "sparc", "tilegx",
        "x86_32", "x86_64", "x86_32_e", "x86_32_f", "x86_64_e", "x86_64_f", "ppc_e", "ppc_f",
        "unk_arc", "centos", "rhel", "ppc64", "ppc64le",
        "modular", "modular_rawhide",
        "modular_f27", "modular_f28", "modular_f29", "modular_f30",
        "f30", "f31", "f32", "f33",
        "modular_f31", "modular_f32", "modular_f33",
        "epel8", "epel9",
        "f34", "f35", "f36", "f37", "f38", "f39",
        "modular_f34", "modular_f35", "modular_f36", "modular_f37", "modular_f38", "modular_f39",
    ],
    "added": ["f[0-9]{2}", "modular_f[0-9]{2}", "epel[0-9]{2}"],
    "unknown_release": "unk_rel",
    "unknown_architecture": "unk_arc",
    "architectures": {
        "i386": "x86_32",
        "x86_64": "x86_64",
        "aarch64": "arm64",
        "arm": "arm",
        "ppc": "ppc",
        "ppc64": "ppc64",
        "ppc64le": "ppc64le",
        "s390": "s390",
        "sparc": "sparc",
        "sparc64": "sparc",
        "ia64": "ia64",
        "mips": "mips",
        "mips64": "mips",
        "alpha": "alpha",
        "tilegx": "tilegx",
    },
}  # fmt: skip

# two releases of Fedora a year, one of RHEL and its EPEL in three years; ten years of Fedora ahead,
# and thirty of EPEL
NEWEST_RELEASES: list[dict[str, Any]] = [
    {
        "prefixes": ["f", "modular_f", "cisco_"],
        "number": 39,
        "year": 2023,
        "releases": 2,
        "years": 1,
        "ahead": 20,
    },
    {
        "prefixes": ["epel", "epel_next", "playground_epel", "rhel"],
        "number": 9,
        "year": 2021,
        "releases": 1,
        "years": 3,
        "ahead": 10,
    },
]

_FAMILIES = {
    "fedora": "Fedora",
    "epel": "EPEL",
    "centos": "CentOS",
    "rhel": "RHEL",
    "modular": "Modular repositories",
    "unk_rel": "unknown",
}
# those that end in _f and _e are of some clients only
_SECOND_ARCHITECTURES = {
    "ppc": "ppc",
    "arm64": "aarch64",
    "arm": "arm (32 bit)",
    "s390": "s390x",
    "ppc64le": "ppc64le",
    "ppc64": "ppc64",
    "riscv64": "riscv64",
    "ia64": "ia64",
    "sparc": "sparc",
    "mips": "mips",
    "alpha": "alpha",
    "tilegx": "tilegx",
}
_PER_DAY = "Client addresses per day"

ADDRESS_CHARTS: dict[str, Any] = {
    "groups": [
        {"name": "families", "columns": _FAMILIES},
        {"name": "fedora-and-epel", "columns": {"epel": "EPEL", "fedora": "Fedora"}},
        {
            "name": "fedora",
            "releases": "f([0-9]+)",
            "label": "Fedora {}",
            "columns": {"rawhide": "Rawhide"},
        },
        {
            "name": "modular",
            "releases": "modular_f([0-9]+)",
            "label": "Fedora {} Modular",
            "columns": {"modular_rawhide": "Rawhide Modular"},
        },
        {"name": "epel", "releases": "epel([0-9]+)", "label": "EPEL {}"},
        {
            "name": "architectures",
            "columns": {"x86_64": "x86_64", "x86_32": "x86 (32 bit)", **_SECOND_ARCHITECTURES},
        },
        {"name": "second-architectures", "columns": _SECOND_ARCHITECTURES},
    ],
    "charts": [
        {
            "name": "fedora-epel-stacked",
            "title": f"{_PER_DAY}, Fedora and EPEL",
            "group": "fedora-and-epel",
        },
        {
            "name": "fedora-os-latest-stacked",
            "title": f"{_PER_DAY} by Fedora release, latest",
            "group": "fedora",
            "show": "latest",
        },
        {
            "name": "fedora-os-latest",
            "title": f"{_PER_DAY} by Fedora release, latest, as lines",
            "group": "fedora",
            "show": "latest",
            "kind": "lines",
        },
        {
            "name": "fedora-select-stacked",
            "title": f"{_PER_DAY} by Fedora release, the largest",
            "group": "fedora",
            "most": 8,
        },
        {
            "name": "fedora-stacked",
            "title": f"{_PER_DAY} by Fedora release",
            "group": "fedora",
            "most": 20,
        },
        {
            "name": "fedora-rev-all-stacked",
            "title": f"{_PER_DAY} by Fedora release, newest at the bottom",
            "group": "fedora",
            "most": 20,
            "show": "reversed",
        },
        {
            "name": "fedora-os-all",
            "title": f"{_PER_DAY} by Fedora release, as lines",
            "group": "fedora",
            "most": 20,
            "kind": "lines",
        },
        {
            "name": "fedora-os-modular",
            "title": f"{_PER_DAY} by modular Fedora release",
            "group": "modular",
            "most": 12,
            "kind": "lines",
        },
        {
            "name": "epel-stacked",
            "title": f"{_PER_DAY} by EPEL release",
            "group": "epel",
            "most": 12,
            "section": "epel",
        },
        {
            "name": "epel-stacked-short",
            "title": f"{_PER_DAY} by EPEL release, newest year",
            "group": "epel",
            "most": 12,
            "show": "newest_year",
            "section": "epel",
        },
        {
            "name": "epel-all",
            "title": f"{_PER_DAY} by EPEL release, as lines",
            "group": "epel",
            "most": 12,
            "kind": "lines",
            "section": "epel",
        },
        {
            "name": "epel-all-short",
            "title": f"{_PER_DAY} by EPEL release, newest year, as lines",
            "group": "epel",
            "most": 12,
            "show": "newest_year",
            "kind": "lines",
            "section": "epel",
        },
        {
            "name": "fedora-hardware-full",
            "title": f"{_PER_DAY} by architecture",
            "group": "architectures",
            "most": 12,
            "kind": "lines",
        },
        {
            "name": "fedora-hardware-2nd",
            "title": f"{_PER_DAY} by architecture, without x86",
            "group": "second-architectures",
            "most": 12,
            "kind": "lines",
        },
        {
            "name": "mirrors-all-points",
            "title": f"{_PER_DAY}, each day a dot",
            "group": "families",
            "kind": "dots",
        },
    ],
}

# the week in which DNF sent countme first, when Fedora 32 branched
FIRST_WEEK = "2020-02-10"

BASE_REPOSITORIES: dict[str, Any] = {
    "column": "machines_fedora_nn",
    "repositories": ["fedora-NN"],
    "absent_in": "EPEL users and Fedora Rawhide",
}

ADD_ONS: list[dict[str, Any]] = [{"name": "epel", "title": "EPEL", "repositories": "*epel*"}]

#: All constants by the name of the option, as the role has them in ``web_data_analysis_fedora``.
FEDORA: dict[str, Any] = {
    "repositories": REPOSITORIES,
    "releases": RELEASES,
    "columns": COLUMNS,
    "newest_releases": NEWEST_RELEASES,
    "address_charts": ADDRESS_CHARTS,
    "first_week": FIRST_WEEK,
    "base_repositories": BASE_REPOSITORIES,
    "add_ons": ADD_ONS,
}
