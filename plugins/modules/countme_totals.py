#!/usr/bin/python
# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: countme_totals
short_description: Count the hits of each week from raw days
version_added: 1.0.0
description:
  - Counts, for each week that is over, the hits that carry countme by system, age and repository, and the distinct addresses of
    each day, from the raw days that M(fedora_infra.dnf_counting.countme_raw) makes.
  - Writes the SQLite file and the CSV file that readers know, and into the table C(weeks) of the SQLite file how good each week is.
  - A week is counted once its raw days are there, whatever its age, and counted again when they change.
    The result does not depend on the order in which logs arrive.
  - Weeks that an earlier system counted, and weeks whose raw days were trimmed, are left as they are.
  - The module fails where a week could not be counted; the others are counted all the same.
author: Fedora Infrastructure (@fedora-infra)
extends_documentation_fragment:
  - fedora_infra.dnf_counting.days.run
  - fedora_infra.dnf_counting.watch
requirements:
  - python >= 3.11
  - duckdb
  - pyarrow
  - numpy
options:
  raw_dir:
    description:
      - The folder of the raw days, all of one log.
    type: path
    required: true
  totals_db:
    description:
      - The SQLite file. It is created where it is absent; one of an earlier system is continued.
      - Its table C(countme_totals) has the columns C(hits), C(weeknum), C(os_name), C(os_version), C(os_variant), C(os_arch), C(sys_age),
        C(repo_tag) and C(repo_arch). Rows with a C(sys_age) of V(-1) are another statistic than the others, that of distinct addresses.
    type: path
    required: true
  totals_csv:
    description:
      - The CSV file, of the same rows, if one is wanted.
      - Weeks ascend. Within a week, rows of hits with countme come before those of distinct addresses; those with most hits come first,
        and equal ones are ordered by name, version, variant, architecture, age, repository and its architecture.
      - Only its tail is written anew where only the newest weeks changed.
    type: path
  history_csv:
    description:
      - A CSV file of totals, kept or published by an earlier system. Where O(totals_db) has no totals yet, these rows are taken over first.
      - In check mode the weeks are planned as if these rows were not there.
      - Not together with O(state=absent).
    type: path
  state:
    description:
      - With V(present), weeks are counted.
      - With V(absent), O(weeks) are removed from O(totals_db) and O(totals_csv). As long as its raw days are there, a week that was removed is counted again
        by the next run with V(present).
    type: str
    choices: [present, absent]
    default: present
  weeks:
    description:
      - Only these weeks, which are counted again whatever their age.
      - Each is a number such as V(2699), a name such as V(2021-W39) or the day of the Monday such as V(2021-09-27).
      - It is an error to name a week whose raw days are not all there, because it would be counted from a part of them.
      - Required with O(state=absent).
    type: list
    elements: str
  revise_weeks:
    description:
      - So many of the newest weeks, V(0) to V(10000), are counted again by themselves when their raw days changed.
      - Older ones are reported with the status V(outdated) until they are named in O(weeks).
    type: int
    default: 4
  settle_days:
    description:
      - For so many days, V(0) to V(10000), after its own day the log of a day may still arrive.
        A week that lacks one is V(provisional) until then, and V(partial) later.
    type: int
    default: 7
  suspect_percent:
    description:
      - A week is marked as suspect when its hits with countme differ by more than this from the median of O(suspect_trailing_weeks) weeks before it.
      - Ordinary weeks differ by 1 to 5 %, Christmas takes 10 to 15 %.
    type: float
    default: 25.0
  suspect_trailing_weeks:
    description:
      - How many weeks before a week, V(1) to V(1000), tell what is usual. At least three have to be there.
      - With eight, up to three bad weeks in a row don't count as usual, and a lasting change is usual after five.
    type: int
    default: 8
  polluter_percent:
    description:
      - A week is marked as suspect, too, when a single address sent more than this share of its hits with countme, and at least 10000.
    type: float
    default: 5.0
  lock_timeout:
    description:
      - How many seconds to wait for a program that holds the SQLite file, V(0) to V(86400).
    type: float
    default: 60.0
  memory_mib:
    description:
      - How much memory counting may use, in MiB, V(64) or more. What does not fit is kept in a private folder beside O(totals_db) meanwhile.
    type: int
    default: 768
  workers:
    description:
      - How many threads count, V(0) to V(1000); V(0) for one per processor.
    type: int
    default: 0
"""

EXAMPLES = r"""
- name: Count all weeks that are due
  fedora_infra.dnf_counting.countme_totals:
    raw_dir: /var/lib/countme/raw
    totals_db: /var/lib/countme/totals.db
    totals_csv: /var/lib/countme/totals.csv

- name: Count two old weeks again after their raw days were brought back
  fedora_infra.dnf_counting.countme_totals:
    raw_dir: /var/lib/countme/raw
    totals_db: /var/lib/countme/totals.db
    totals_csv: /var/lib/countme/totals.csv
    weeks: [2021-W38, 2021-W39]

- name: Make a database of totals that are kept as CSV only, and go on from there
  fedora_infra.dnf_counting.countme_totals:
    raw_dir: /var/lib/countme/raw
    totals_db: /var/lib/countme/totals.db
    history_csv: /var/lib/countme/old-totals.csv

- name: Remove a week
  fedora_infra.dnf_counting.countme_totals:
    raw_dir: /var/lib/countme/raw
    totals_db: /var/lib/countme/totals.db
    totals_csv: /var/lib/countme/totals.csv
    weeks: [2021-09-27]
    state: absent
"""

RETURN = r"""
units:
  description: What became of each week that the raw days touch or that was named, and of the CSV file.
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: The name of the week, or of the CSV file.
      type: str
      sample: 2021-W39
    status:
      description:
        - V(made) where it was counted, removed or written, V(due) where it would be (check mode), V(unchanged) where nothing was to be done,
          V(waiting) for a week that is not over, V(skipped) for one before the first week that is counted,
          V(gone) for one whose raw days were trimmed, so that it stays as it is, V(outdated) for one that changed but is older than O(revise_weeks),
          V(blocked) for one of which a raw day is damaged, V(failed) where it could not be counted.
        - V(missing), with the name of O(raw_dir), where that folder is not there in check mode or while nothing was counted yet.
          It is an error where O(weeks) are named, and where O(totals_db) is there outside check mode.
      type: str
    reasons:
      description: Why it is so.
      type: list
      elements: str
    week:
      description: The number of the week.
      type: int
      sample: 2699
    week_status:
      description:
        - V(complete) where all raw days of the week and all expected host-days are there, V(provisional) where a raw day may still come,
          V(partial) otherwise.
      type: str
    expected_host_days:
      description: Logs of one host for one day that should be there; null where the combined logs don't tell.
      type: int
    received_host_days:
      description: Those that are there.
      type: int
    hits:
      description: The sum of its hits with countme.
      type: int
    rows:
      description: Its rows in the totals.
      type: int
    malformed:
      description: Lines that would be hits but for a value that can't be read.
      type: int
    revision:
      description: V(1) after the first count; grows with each that had another result.
      type: int
    computed_at:
      description: When it was counted, by ISO 8601, in UTC.
      type: str
    suspect:
      description: Whether its hits are out of the ordinary.
      type: bool
    suspect_reason:
      description: Why.
      type: str
    seconds:
      description: How long counting took.
      type: float
    restored_rows:
      description: Rows taken over from O(history_csv).
      type: int
    copied_bytes:
      description: Of the CSV file, what was taken over from before.
      type: int
    written_bytes:
      description: Of the CSV file, what was written anew.
      type: int
summary:
  description: How many units have each status.
  returned: always
  type: dict
  sample: {made: 2, unchanged: 3, waiting: 1}
newest_complete_week:
  description: The newest week whose status is V(complete).
  returned: always
  type: str
  sample: 2021-W39
hits:
  description: Hits with countme in the weeks counted by this run.
  returned: always
  type: int
rows:
  description: Rows of the totals of the weeks counted by this run.
  returned: always
  type: int
"""

from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._module.module import (
    counting_module,
    run_module,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._totals.stage import (
    DELETE,
    TOTALS,
)

OPTIONS = {
    "raw_dir": {"type": "path", "required": True},
    "totals_db": {"type": "path", "required": True},
    "totals_csv": {"type": "path"},
    "history_csv": {"type": "path"},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "weeks": {"type": "list", "elements": "str"},
    "revise_weeks": {"type": "int", "default": 4, "bounds": (0, 10_000)},
    "settle_days": {"type": "int", "default": 7, "bounds": (0, 10_000)},
    "suspect_percent": {"type": "float", "default": 25.0, "bounds": (0, None)},
    "suspect_trailing_weeks": {"type": "int", "default": 8, "bounds": (1, 1000)},
    "polluter_percent": {"type": "float", "default": 5.0, "bounds": (0, None)},
    "lock_timeout": {"type": "float", "default": 60.0, "bounds": (0, 86_400)},
    "memory_mib": {"type": "int", "default": 768, "bounds": (64, None)},
    "workers": {"type": "int", "default": 0, "bounds": (0, 1000)},
}


def main() -> None:
    module = counting_module(
        OPTIONS,
        libraries=("duckdb", "numpy", "pyarrow"),
        with_days=False,
        watched=True,
        required_if=[("state", "absent", ["weeks"])],
    )
    run_module(module, TOTALS if module.params["state"] == "present" else DELETE)


if __name__ == "__main__":
    main()
