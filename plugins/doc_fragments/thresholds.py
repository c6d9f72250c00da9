# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The thresholds of problems."""

from __future__ import annotations


class ModuleDocFragment:
    """The option for the thresholds of the status."""

    DOCUMENTATION = r"""
options:
  thresholds:
    description:
      - The thresholds of problems. Each is a list of two numbers, the first for a warning and the second for a critical problem. A percentage is
        V(0) to V(100).
      - Ages are in days and may have a fraction.
    type: dict
    default: {}
    suboptions:
      combined_age_days:
        description: Days since the end of the newest combined day. At the end of a nightly run, this is a few hours.
        type: list
        elements: float
        default: [1, 2]
      raw_age_days:
        description: Days since the end of the newest raw day.
        type: list
        elements: float
        default: [1, 2]
      totals_age_days:
        description: Days since the first possible count of the newest counted week, which is two days after its end.
        type: list
        elements: float
        default: [7, 8]
      host_missing_days:
        description: Days of one host without a log.
        type: list
        elements: float
        default: [1, 7]
      hosts_missing_percent:
        description: Percentage of hosts whose newest day is missing.
        type: list
        elements: float
        default: [25, 50]
      disk_free_percent:
        description: Percentage of a file system that is free. Less is worse.
        type: list
        elements: float
        default: [10, 5]
      run_time_factor:
        description: Duration of the last run of a step divided by its usual duration, if the difference is at least a minute.
        type: list
        elements: float
        default: [3, 10]
      unsent_messages:
        description: Messages in the spool.
        type: list
        elements: float
        default: [1, 1000]
      judged_days:
        description:
          - After this number of days, a missing log of a day or week is shown but is no longer a problem, because it is unlikely to come.
        type: int
        default: 14
"""
