# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options that several modules share, for the logs of hosts and combined logs."""

from __future__ import annotations

from typing import Any

GROUP_OPTIONS: dict[str, dict[str, Any]] = {
    "groups": {
        "type": "list",
        "elements": "dict",
        "options": {
            "name": {"type": "str", "required": True},
            "hosts": {"type": "str", "required": True},
            "logs": {"type": "str", "required": True},
        },
    },
    "settle_days": {"type": "int", "default": 2, "bounds": (0, 10_000)},
}
SHARE_OPTIONS: dict[str, dict[str, Any]] = {"require_mount": {"type": "path"}}
