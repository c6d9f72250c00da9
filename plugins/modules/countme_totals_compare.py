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
  - Reads two SQLite files of totals and reports their differences by week and row, with the likely cause of each difference.
  - One file is from the earlier system, C(mirrors-countme), or is a copy from before a repair. The other file was counted again.
    The module changes neither of them.
  - The likely cause is derived from the way the earlier system worked. It counted each log once, so a row that has grown is most likely from
    a late log.
options:
  old_db:
    description: The SQLite file of the earlier totals.
    type: path
    required: true
  new_db:
    description: The SQLite file of the totals that were counted again.
    type: path
    required: true
  raw_dir:
    description:
      - The folder of the raw days of the new count. If raw days of a week are missing, this is the likely cause of rows that have shrunk.
      - Weeks that begin before the oldest raw day are left out, because the new count has only a part of them.
    type: path
  weeks:
    description:
      - Compare only these weeks. Each is a number, a name such as V(2021-W39) or the date of the Monday. By default the weeks of O(new_db).
    type: list
    elements: str
    default: []
  report:
    description:
      - The CSV file to which all rows that differ are written. Its columns are C(week), C(week_start), the columns of the totals, C(old_hits),
        C(new_hits) and C(likely_cause).
      - Values that a spreadsheet would treat as a formula begin with an apostrophe.
    type: path
extends_documentation_fragment:
  - fedora_infra.dnf_counting.days.run
seealso:
  - module: fedora_infra.dnf_counting.countme_totals
"""

EXAMPLES = r"""
- name: Report the differences from the totals of the earlier system
  fedora_infra.dnf_counting.countme_totals_compare:
    old_db: /var/lib/countme-before/totals/fedora/totals.db
    new_db: /var/lib/countme-before/anew/fedora/totals.db
    report: /var/lib/countme-before/anew/fedora/differences.csv
"""

RETURN = r"""
units:
  description: The result for each week, and for the report.
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: The week, or the name of the report.
      type: str
      sample: 2021-W39
    status:
      description: V(equal) or V(differs) for a week. V(made), V(due) in check mode, or V(unchanged) for the report.
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
      description: Countme hits in O(old_db).
      type: int
      sample: 10011
    new_hits:
      description: Countme hits in O(new_db).
      type: int
      sample: 11690
    causes:
      description: Number of rows that differ, by likely cause.
      type: dict
      sample: {"late log counted": 214}
differences:
  description: Number of rows that differ.
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
    run_module(counting_module(OPTIONS, with_days=False), COMPARE)


if __name__ == "__main__":
    main()
