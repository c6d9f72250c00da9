# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run the module, and show its status in the terminal."""

from __future__ import annotations

from typing import Any

from ansible.module_utils.parsing.convert_bool import boolean
from ansible.plugins.action.normal import ActionModule as NormalAction
from ansible_collections.fedora_infra.dnf_counting.plugins.plugin_utils.screen import (
    columns,
    is_for_people,
    show_status,
)


class ActionModule(NormalAction):
    """Passes the width of the terminal to the module, and shows its lines if ``show`` is set."""

    def run(self, tmp: None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Run the module, and show the lines of its result."""
        task = self._task
        is_shown = boolean(task.args.get("show", False), strict=False) and is_for_people()
        if is_shown and task.args.get("width") is None:
            task.args = {**task.args, "width": columns()}
        result: dict[str, Any] = super().run(tmp, task_vars)
        if is_shown and not task.no_log and isinstance(result.get("lines"), list):
            show_status(result["lines"])
        return result
