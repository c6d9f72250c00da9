# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From where on something is a problem."""

from __future__ import annotations


class ModuleDocFragment:
    """The thresholds of the status."""

    DOCUMENTATION = r"""
options:
  thresholds:
    description:
      - From where on something is a problem. Each is a list of two numbers, that for a warning and that for a critical problem; V(0) to V(100) for a share.
      - Ages are in days and may have a fraction.
    type: dict
    default: {}
    suboptions:
      combined_age_days:
        description: Since the newest combined day ended. At the end of a nightly run that is some hours.
        type: list
        elements: float
        default: [1, 2]
      raw_age_days:
        description: The same of raw days.
        type: list
        elements: float
        default: [1, 2]
      totals_age_days:
        description: Since the newest counted week could be counted, which is two days after it ended.
        type: list
        elements: float
        default: [7, 8]
      host_missing_days:
        description: Days of one host that did not come.
        type: list
        elements: float
        default: [1, 7]
      hosts_missing_percent:
        description: Share of the hosts whose logs of the newest day should be there and are not.
        type: list
        elements: float
        default: [25, 50]
      disk_free_percent:
        description: Share of a file system that is free; less is worse.
        type: list
        elements: float
        default: [10, 5]
      run_time_factor:
        description: How many times longer than usual the last run of a step took, if that was at least a minute more.
        type: list
        elements: float
        default: [3, 10]
      unsent_messages:
        description: Messages that wait for the bus.
        type: list
        elements: float
        default: [1, 1000]
      judged_days:
        description:
          - Days and weeks that ended longer ago are shown, and what they lack is no problem any more, as it will hardly come.
        type: int
        default: 14
"""
