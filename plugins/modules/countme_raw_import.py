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
    form as those of M(fedora_infra.dnf_counting.countme_raw).
  - A day whose raw day was made from its log is left as it is. A day that was imported is made again by
    M(fedora_infra.dnf_counting.countme_raw) once its log is there.
  - A day that the database may hold a part of only, because it was trimmed or a log was not read yet, is left out.
  - The database does not say which log a hit is from, so its time tells its day. A hit that is dated hours off, in the log of another day,
    is lost where only the day that it is dated to is made again from its log.
  - The database is only read. Nothing should write to it meanwhile.
  - Without O(dates), O(since), O(until) and O(days) it looks at all days of the database.
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
    description: The name of the log that its hits are from, as given to M(fedora_infra.dnf_counting.countme_raw).
    type: str
    required: true
  raw_dir:
    description: The folder for the raw days of this log.
    type: path
    required: true
  hash_hosts:
    description: Write a keyed hash in place of each client's address; see M(fedora_infra.dnf_counting.countme_raw).
    type: bool
    default: false
  edge_days:
    description: Import days, too, that the database may hold a part of only. Their weeks are then counted as if these days were whole.
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
- name: Go on with the raw hits of the earlier system
  fedora_infra.dnf_counting.countme_raw_import:
    raw_db: /var/lib/countme/raw.db
    log_name: mirrors.fedoraproject.org-access.log
    raw_dir: /var/lib/countme/raw
"""

RETURN = r"""
units:
  description: What became of each day.
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: The rotation day, which holds the hits of the day before.
      type: str
      sample: "2021-09-28"
    status:
      description:
        - V(made), or V(due) in check mode; V(unchanged) if it was imported from this database before or made from its log;
          V(skipped) if it may not be whole; V(missing) if the database has no hits of it; V(blocked) if the raw day is damaged, and V(failed).
      type: str
      sample: made
    reasons:
      description: Why it is so.
      type: list
      elements: str
      sample: [not imported yet]
    rows:
      description: Distinct hits.
      type: int
      sample: 899120
    rejects:
      description: Rows that are no hits, by reason.
      type: dict
      sample: {}
    seconds:
      description: How long it took.
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
    libraries = ("numpy", "pyarrow", "duckdb")
    run_module(counting_module(OPTIONS, libraries=libraries, watched=True), RAW_IMPORT)


if __name__ == "__main__":
    main()
