# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options with the data of a distribution, which are long and have no default here."""

from __future__ import annotations

from typing import Any

_NEEDED_TEXT = {"type": "str", "required": True}
_NEEDED_TEXTS = {"type": "list", "elements": "str", "required": True}
_NEEDED_NUMBER = {"type": "int", "required": True}

#: The options for counting clients of the mirror list.
CLIENT_OPTIONS: dict[str, dict[str, Any]] = {
    "repositories": {
        "type": "dict",
        "options": {
            "replace": {
                "type": "list",
                "elements": "dict",
                "options": {"words": _NEEDED_TEXTS, "by": {"type": "str", "default": ""}},
            },
            "cut_from": {"type": "list", "elements": "str"},
            "names": {
                "type": "list",
                "elements": "dict",
                "required": True,
                "options": {"name": _NEEDED_TEXT, "release": _NEEDED_TEXT},
            },
        },
    },
    "releases": {
        "type": "list",
        "elements": "dict",
        "options": {
            "release": _NEEDED_TEXT,
            "family": _NEEDED_TEXT,
            "columns": _NEEDED_TEXTS,
            "architectures": {"type": "dict"},
        },
    },
    "columns": {
        "type": "dict",
        "options": {
            "first": _NEEDED_TEXTS,
            "added": {"type": "list", "elements": "str"},
            "unknown_release": _NEEDED_TEXT,
            "unknown_architecture": _NEEDED_TEXT,
            "architectures": {"type": "dict"},
        },
    },
    "newest_releases": {
        "type": "list",
        "elements": "dict",
        "options": {
            "prefixes": _NEEDED_TEXTS,
            "number": _NEEDED_NUMBER,
            "year": _NEEDED_NUMBER,
            "releases": _NEEDED_NUMBER,
            "years": _NEEDED_NUMBER,
            "ahead": _NEEDED_NUMBER,
        },
    },
}

#: The options for counting the machines of a profile.
PROFILE_DATA_OPTIONS: dict[str, dict[str, Any]] = {
    "base_repositories": {
        "type": "dict",
        "options": {
            "column": _NEEDED_TEXT,
            "repositories": _NEEDED_TEXTS,
            "absent_in": {"type": "str"},
        },
    },
    "add_ons": {
        "type": "list",
        "elements": "dict",
        "options": {"name": _NEEDED_TEXT, "title": _NEEDED_TEXT, "repositories": _NEEDED_TEXT},
    },
}

#: The charts of the client addresses of a condensed log.
ADDRESS_CHARTS_OPTION: dict[str, Any] = {
    "type": "dict",
    "options": {
        "groups": {
            "type": "list",
            "elements": "dict",
            "required": True,
            "options": {
                "name": _NEEDED_TEXT,
                "releases": {"type": "str"},
                "label": {"type": "str"},
                "columns": {"type": "dict"},
            },
        },
        "charts": {
            "type": "list",
            "elements": "dict",
            "required": True,
            "options": {
                "name": _NEEDED_TEXT,
                "title": _NEEDED_TEXT,
                "group": _NEEDED_TEXT,
                "kind": {"type": "str", "choices": ["stack", "lines", "dots"], "default": "stack"},
                "show": {
                    "type": "str",
                    "choices": ["all", "latest", "newest_year", "reversed"],
                    "default": "all",
                },
                "most": {"type": "int", "default": 0, "bounds": (0, 100)},
                "section": {"type": "str", "default": "addresses"},
            },
        },
    },
}
