# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run a module and show its progress; ``meta/runtime.yml`` names the modules."""

from __future__ import annotations

from ansible_collections.fedora_infra.dnf_counting.plugins.plugin_utils.watched_action import (
    WatchedAction as ActionModule,
)

__all__ = ["ActionModule"]
