# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options and notes that the modules share."""

from __future__ import annotations


class ModuleDocFragment:
    """The days a module looks at, and the run it belongs to."""

    DOCUMENTATION = r"""
options:
  dates:
    description:
      - The rotation days to look at, each written as C(YYYY-MM-DD).
      - Not together with O(since), O(until) or O(days).
    type: list
    elements: str
  since:
    description:
      - The first day to look at, written as C(YYYY-MM-DD).
      - Not together with O(days).
    type: str
  until:
    description:
      - The last day to look at, written as C(YYYY-MM-DD); by default yesterday, in UTC.
    type: str
  days:
    description:
      - How many days to look at, counted back from O(until).
    type: int
notes:
  - A day is the day on which the logs were rotated, in UTC. The file of a day holds mostly the requests of the day before.
"""

    RUN = r"""
options:
  run_id:
    description:
      - Ties together what the modules of one run say; any text, such as a UUID.
    type: str
    default: ""
attributes:
  check_mode:
    description: Can run in C(check_mode) and return changed status prediction without modifying target.
    support: full
  diff_mode:
    description: Will return details on what has changed (or possibly needs changing in C(check_mode)), when in diff mode.
    support: full
"""
