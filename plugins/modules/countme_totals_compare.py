#!/usr/bin/python

# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: countme_totals_compare
short_description: Compare two files of weekly totals row by row
version_added: 1.0.0
author: Fedora Infrastructure (@fedora-infra)
description:
  - Reads two SQLite files of totals and tells where they differ, week by week and row by row, with the likely cause of each difference.
  - One is that of the earlier system, C(mirrors-countme), or a copy from before a repair; the other was counted anew.
    Neither is written to.
  - The cause is told from how the earlier system worked. It counted a log once, in its turn, so a row that has grown is most likely that of a late log.
options:
  old_db:
    description: The totals to compare with.
    type: path
    required: true
  new_db:
    description: The totals that were counted anew.
    type: path
    required: true
  raw_dir:
    description:
      - The raw days of the new count. Where some of a week are missing, that is the likely cause of rows that have shrunk.
      - Weeks that begin before the oldest one are left out, because they would be compared by a part.
    type: path
  weeks:
    description:
      - Only these weeks, each a number, a name such as V(2021-W39) or the day of the Monday. By default the weeks of O(new_db).
    type: list
    elements: str
    default: []
  report:
    description:
      - A CSV file that gets all rows that differ, with the columns C(week), C(week_start), those of the totals, C(old_hits), C(new_hits) and C(likely_cause).
      - Values that a spreadsheet would take for a formula begin with an apostrophe.
    type: path
extends_documentation_fragment:
  - fedora_infra.dnf_counting.days.run
seealso:
  - module: fedora_infra.dnf_counting.countme_totals
"""

EXAMPLES = r"""
- name: See what the earlier system counted otherwise
  fedora_infra.dnf_counting.countme_totals_compare:
    old_db: /var/lib/countme-before/totals/fedora/totals.db
    new_db: /var/lib/countme-before/anew/fedora/totals.db
    report: /var/lib/countme-before/anew/fedora/differences.csv
"""

RETURN = r"""
units:
  description: What became of each week, and of the report.
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: The week, or the name of the report.
      type: str
      sample: 2021-W39
    status:
      description: V(equal) or V(differs) for a week; V(made), V(due) in check mode, or V(unchanged) for the report.
      type: str
      sample: differs
    reasons:
      description: The outcome as a sentence.
      type: list
      elements: str
      sample: ["214 of 1310 rows differ (late log counted: 214)"]
    old_rows:
      description: Rows of the week in O(old_db).
      type: int
      sample: 1302
    new_rows:
      description: Rows of the week in O(new_db).
      type: int
      sample: 1310
    old_hits:
      description: Hits with countme in O(old_db).
      type: int
      sample: 10011
    new_hits:
      description: Hits with countme in O(new_db).
      type: int
      sample: 11690
    causes:
      description: Number of rows that differ, by likely cause.
      type: dict
      sample: {"late log counted": 214}
differences:
  description: How many rows differ.
  returned: always
  type: int
  sample: 214
"""

from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._migrate.compare import (
    COMPARE,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._module.module import (
    counting_module,
    run_module,
)

OPTIONS = {
    "old_db": {"type": "path", "required": True},
    "new_db": {"type": "path", "required": True},
    "raw_dir": {"type": "path"},
    "weeks": {"type": "list", "elements": "str", "default": []},
    "report": {"type": "path"},
}


def main() -> None:
    run_module(counting_module(OPTIONS, libraries=("pyarrow",), with_days=False), COMPARE)


if __name__ == "__main__":
    main()
