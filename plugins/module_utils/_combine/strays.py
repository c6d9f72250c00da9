# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Find hosts about which the host list, the patterns of the groups and the hosts' tree differ."""

from __future__ import annotations

from dataclasses import dataclass

from .._logs.hosts_tree import HostsTree
from .plan import CombineSettings


@dataclass(frozen=True)
class StrayHosts:
    """Names of hosts and groups about which list, patterns and tree differ; sorted."""

    unexpected: tuple[str, ...] = ()
    """Hosts of a group that have a folder and are not expected; none if no host is expected."""
    unmatched: tuple[str, ...] = ()
    """Hosts that have a folder and are in no group."""
    without_group: tuple[str, ...] = ()
    """Expected hosts that are in no group."""
    empty_groups: tuple[str, ...] = ()
    """Groups whose pattern matches no folder."""


def stray_hosts(settings: CombineSettings, tree: HostsTree) -> StrayHosts:
    """Compare the host list, the groups and the hosts' tree."""
    here, expected = set(tree.hosts), set(settings.expected_hosts)
    grouped = {h for h in here | expected if any(g.has_host(h) for g in settings.groups)}
    return StrayHosts(
        unexpected=tuple(sorted(here & grouped - expected)) if expected else (),
        unmatched=tuple(sorted(here - grouped)),
        without_group=tuple(sorted(expected - grouped)),
        empty_groups=tuple(g.name for g in settings.groups if not any(map(g.has_host, here))),
    )
