#!/usr/bin/python
# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: countme_totals
short_description: Count the weeks from raw days
version_added: 1.0.0
description:
  - Counts each week that is over, from the raw days that M(fedora_infra.dnf_counting.countme_raw) makes. It counts the countme hits by
    system, age and repository, and the unique addresses of each day.
  - Writes an SQLite file and a CSV file with the tables of C(mirrors-countme). The table C(weeks) of the SQLite file has the quality of
    each week.
  - A week is counted when its raw days are there, however old it is, and counted again when they change.
    The result does not depend on the order in which logs come.
  - Weeks that an earlier system counted, and weeks whose raw days were trimmed, are left as they are.
  - If a week cannot be counted, the other weeks are still counted, and the module fails at its end.
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
      - The folder of the raw days of one log.
    type: path
    required: true
  totals_db:
    description:
      - The SQLite file of the totals. It is created if it is missing. A file of an earlier system is continued.
      - Its table C(countme_totals) has the columns C(hits), C(weeknum), C(os_name), C(os_version), C(os_variant), C(os_arch), C(sys_age),
        C(repo_tag) and C(repo_arch). Rows with a C(sys_age) of V(-1) are unique addresses, and all other rows are countme hits.
    type: path
    required: true
  totals_csv:
    description:
      - The CSV file with the same rows. Without this option, no CSV file is written.
      - Weeks are in ascending order. Within a week, countme hits come before unique addresses, and rows with more hits come first. Rows with
        equal hits are ordered by name, version, variant, architecture, age, repository and its architecture.
      - If only the newest weeks changed, only the end of the file is written.
    type: path
  history_csv:
    description:
      - A CSV file of totals from an earlier system. If O(totals_db) has no rows, the rows of this file are imported first.
      - In check mode, the plan of the weeks does not include these rows.
      - Not together with O(state=absent).
    type: path
  state:
    description:
      - With V(present), weeks are counted.
      - With V(absent), O(weeks) are removed from O(totals_db) and O(totals_csv). As long as the raw days of a removed week are there,
        the next run with V(present) counts it again.
    type: str
    choices: [present, absent]
    default: present
  weeks:
    description:
      - Count only these weeks, however old they are.
      - Each is a number such as V(2699), a name such as V(2021-W39) or the date of the Monday such as V(2021-09-27).
      - A week whose raw days are incomplete is an error, because it would be counted from a part of its hits.
      - Required with O(state=absent).
    type: list
    elements: str
  revise_weeks:
    description:
      - The number of newest weeks, V(0) to V(10000), that are counted again if their raw days changed.
      - Older weeks have the status V(outdated) until they are named in O(weeks).
    type: int
    default: 4
  first_week:
    description:
      - The first week whose hits with countme are counted, written as the weeks in O(weeks). By default V(2020-W07), in which DNF
        sent countme first. Unique addresses are counted from their first hit on.
    type: str
  settle_days:
    description:
      - The days after its own day in which a log may still come, V(0) to V(10000).
      - A week with a missing log is V(provisional) until then, and V(partial) afterwards.
    type: int
    default: 7
  suspect_percent:
    description:
      - A week is suspect if its countme hits differ by more than this percentage from the median of the O(suspect_trailing_weeks) weeks before it.
      - Usual weeks differ by 1 to 5 %, and the weeks of Christmas by 10 to 15 %.
    type: float
    default: 25.0
  suspect_trailing_weeks:
    description:
      - The number of weeks before a week, V(1) to V(1000), that its countme hits are compared with. At least three of them must be there.
      - With eight, up to three bad weeks in a row don't count as usual, and a lasting change is usual after five.
    type: int
    default: 8
  polluter_percent:
    description:
      - A week is also suspect if a single address sent more than this percentage of its countme hits, and at least 10000.
    type: float
    default: 5.0
  lock_timeout:
    description:
      - The seconds to wait while another program locks the SQLite file, V(0) to V(86400).
    type: float
    default: 60.0
  memory_mib:
    description:
      - The most memory for counting in MiB, V(64) or more. Data beyond this limit goes to a temporary, private folder next to O(totals_db).
    type: int
    default: 768
  workers:
    description:
      - The number of threads, V(0) to V(1000). V(0) means one per processor.
    type: int
    default: 0
"""

EXAMPLES = r"""
- name: Count all weeks that are due
  fedora_infra.dnf_counting.countme_totals:
    raw_dir: /var/lib/countme/raw
    totals_db: /var/lib/countme/totals.db
    totals_csv: /var/lib/countme/totals.csv

- name: Count two old weeks again after their raw days were made again
  fedora_infra.dnf_counting.countme_totals:
    raw_dir: /var/lib/countme/raw
    totals_db: /var/lib/countme/totals.db
    totals_csv: /var/lib/countme/totals.csv
    weeks: [2021-W38, 2021-W39]

- name: Make a database from the totals in a CSV file, and continue it
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
  description: The result for each week that has raw days or is in O(weeks), and for the CSV file.
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
        - V(made) if it was counted, removed or written, and V(due) in check mode. V(unchanged) if it is not out of date.
        - V(waiting) for a week that is not over. V(skipped) for a week before the first week that is counted. V(gone) for a week whose raw
          days were trimmed, so that it stays as it is. V(outdated) for a week that changed but is older than O(revise_weeks).
          V(blocked) for a week with a damaged raw day. V(failed) if it could not be counted.
        - V(missing), with the name of O(raw_dir), if this folder is missing in check mode or before the first count. Otherwise a missing
          folder is an error.
      type: str
    reasons:
      description: The reasons for the status.
      type: list
      elements: str
    week:
      description: The number of the week.
      type: int
      sample: 2699
    week_status:
      description:
        - The quality of the week. V(complete) if all raw days of the week and all expected host-days are there, V(provisional) if a raw day
          may still come, V(partial) otherwise.
      type: str
    expected_host_days:
      description: Host-days that should be there; null if the combined logs have no record of them.
      type: int
    received_host_days:
      description: Host-days that are there.
      type: int
    hits:
      description: The sum of its countme hits.
      type: int
    rows:
      description: Its rows in the totals.
      type: int
    malformed:
      description: Lines that would be hits except for a value that cannot be read.
      type: int
    revision:
      description: V(1) after the first count, and one more for each count with another result.
      type: int
    computed_at:
      description: The time of the count, ISO 8601, UTC.
      type: str
    suspect:
      description: True if its countme hits are out of the ordinary.
      type: bool
    suspect_reason:
      description: The reason why it is suspect.
      type: str
    seconds:
      description: Duration of the count in seconds.
      type: float
    restored_rows:
      description: Rows that were imported from O(history_csv).
      type: int
    copied_bytes:
      description: Bytes of the CSV file that were kept.
      type: int
    written_bytes:
      description: Bytes of the CSV file that were written.
      type: int
summary:
  description: Number of units by status.
  returned: always
  type: dict
  sample: {made: 2, unchanged: 3, waiting: 1}
newest_complete_week:
  description: The newest week whose quality is V(complete).
  returned: always
  type: str
  sample: 2021-W39
hits:
  description: Countme hits in the weeks that this run counted.
  returned: always
  type: int
rows:
  description: Rows of the totals in the weeks that this run counted.
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
    "first_week": {"type": "str"},
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
        with_days=False,
        watched=True,
        required_if=[("state", "absent", ["weeks"])],
    )
    run_module(module, TOTALS if module.params["state"] == "present" else DELETE)


if __name__ == "__main__":
    main()
