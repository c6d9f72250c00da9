#!/usr/bin/python

# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: countme_raw_import
short_description: Import the raw hits of mirrors-countme
version_added: 1.0.0
author: Fedora Infrastructure (@fedora-infra)
description:
  - Reads the SQLite file C(raw.db) of C(mirrors-countme), the earlier system, and writes its hits as raw days, in the same
    format as M(fedora_infra.dnf_counting.countme_raw).
  - A raw day that was made from a log is left as it is. M(fedora_infra.dnf_counting.countme_raw) makes an imported raw day again when its
    log is there.
  - A day is left out if the database may have only a part of it, because it was trimmed or a log was not read yet.
  - The database has no log names and no rotation days, so the time of a hit determines its day. A log may contain a hit with the time of another
    day. Such a hit is lost if only the day of this time is made again from its log.
  - The database is not changed. No program should write to it at the same time.
  - Without O(dates), O(since), O(until) and O(days), the module checks all days of the database.
requirements:
  - python >= 3.11
  - pyarrow
  - numpy
  - duckdb
options:
  raw_db:
    description: The SQLite file, with the table C(countme_raw).
    type: path
    required: true
  log_name:
    description: The name of the log of these hits, as in M(fedora_infra.dnf_counting.countme_raw).
    type: str
    required: true
  raw_dir:
    description: The folder of the raw days of this log.
    type: path
    required: true
  hash_hosts:
    description: Write a keyed hash in place of each client's address; see M(fedora_infra.dnf_counting.countme_raw).
    type: bool
    default: false
  edge_days:
    description: Also import days of which the database may have only a part. Their weeks are then counted as if these days were complete.
    type: bool
    default: false
extends_documentation_fragment:
  - fedora_infra.dnf_counting.days
  - fedora_infra.dnf_counting.days.run
  - fedora_infra.dnf_counting.watch
seealso:
  - module: fedora_infra.dnf_counting.countme_raw
  - module: fedora_infra.dnf_counting.countme_totals
"""

EXAMPLES = r"""
- name: Import the hits of the earlier system
  fedora_infra.dnf_counting.countme_raw_import:
    raw_db: /var/lib/countme/raw.db
    log_name: mirrors.fedoraproject.org-access.log
    raw_dir: /var/lib/countme/raw
"""

RETURN = r"""
units:
  description: The result for each day.
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: The rotation day. Its hits are mostly from the day before.
      type: str
      sample: "2021-09-28"
    status:
      description:
        - V(made), or V(due) in check mode. V(unchanged) if the raw day was imported from this database before or made from its log.
          V(skipped) if the day may be incomplete. V(missing) if the database has no hits of it. V(blocked) if the raw day is damaged. V(failed).
      type: str
      sample: made
    reasons:
      description: The reasons for the status.
      type: list
      elements: str
      sample: [not imported yet]
    rows:
      description: Distinct hits.
      type: int
      sample: 899120
    rejects:
      description: Rows that are not hits, by reason.
      type: dict
      sample: {}
    seconds:
      description: Duration in seconds.
      type: float
      sample: 4.1
summary:
  description: Number of days by status.
  returned: always
  type: dict
  sample: {"made": 18, "skipped": 1}
"""

from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._migrate.raw_import import (
    RAW_IMPORT,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._module.module import (
    counting_module,
    run_module,
)

OPTIONS = {
    "raw_db": {"type": "path", "required": True},
    "log_name": {"type": "str", "required": True},
    "raw_dir": {"type": "path", "required": True},
    "hash_hosts": {"type": "bool", "default": False},
    "edge_days": {"type": "bool", "default": False},
}


def main() -> None:
    run_module(counting_module(OPTIONS, watched=True), RAW_IMPORT)


if __name__ == "__main__":
    main()
