# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options and notes that the modules share."""

from __future__ import annotations


class ModuleDocFragment:
    """The options for the days of a module and for the run that it belongs to."""

    DOCUMENTATION = r"""
options:
  dates:
    description:
      - The rotation days to check, each written as C(YYYY-MM-DD).
      - Not together with O(since), O(until) or O(days).
    type: list
    elements: str
  since:
    description:
      - The first rotation day to check, written as C(YYYY-MM-DD).
      - Not together with O(days).
    type: str
  until:
    description:
      - The last rotation day to check, written as C(YYYY-MM-DD). By default yesterday, in UTC.
    type: str
  days:
    description:
      - The number of days to check, counted back from O(until).
    type: int
notes:
  - A rotation day is the day on which a log was rotated, in UTC. The log of a rotation day holds mostly the requests of the day before.
"""

    RUN = r"""
options:
  run_id:
    description:
      - The same text for all modules of one run, such as a UUID. It is in messages, logs and the run history.
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
