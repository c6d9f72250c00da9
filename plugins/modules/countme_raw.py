#!/usr/bin/python

# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: countme_raw
short_description: Find the countme hits in combined access logs
version_added: 1.0.0
author: Fedora Infrastructure (@fedora-infra)
description:
  - Reads the combined access log of each day and writes its hits, the requests of DNF and its relatives for C(/metalink)
    or C(/mirrorlist), to one Parquet file a day, C(YYYY-MM-DD.parquet).
  - Each file records what it was made from. A day is made again when its log has changed, and only then, so a log that
    comes late or grows is counted right by the next run and nothing is counted twice.
  - The columns are C(timestamp) (seconds since 1970-01-01, UTC), C(host), C(os_name), C(os_version), C(os_variant),
    C(os_arch), C(sys_age) (V(-1) where the request has no countme), C(repo_tag) and C(repo_arch). Rows that are equal in
    all of them are kept once.
  - Lines that are no hits are counted by reason.
  - Without O(dates), O(since) and O(days) it looks at 14 days.
options:
  raw_dir:
    description: The folder for the Parquet files of this log.
    type: path
    required: true
  state:
    description:
      - With V(present), make the days that are missing or out of date. It needs O(src) and O(log_name).
      - With V(trimmed), remove days that are older than O(keep_weeks) allows. The days to look at play no role then.
    type: str
    choices: [present, trimmed]
    default: present
  keep_weeks:
    description:
      - With O(state=trimmed), keep the days of the newest week, of the one before it, and of so many weeks before that, V(0) to V(1000).
    type: int
    default: 2
  totals_db:
    description:
      - With O(state=trimmed), keep the days of weeks that are not counted yet in this file made by
        M(fedora_infra.dnf_counting.countme_totals).
    type: path
  hash_hosts:
    description:
      - Write a keyed hash in place of each client's address. The key is made anew for each week, kept in O(raw_dir) and
        destroyed when the days of that week are trimmed; until then the counts of distinct addresses stay exact.
      - Days that were made with another choice are made again.
    type: bool
    default: false
extends_documentation_fragment:
  - fedora_infra.dnf_counting.days
  - fedora_infra.dnf_counting.days.run
  - fedora_infra.dnf_counting.logs
  - fedora_infra.dnf_counting.watch
seealso:
  - module: fedora_infra.dnf_counting.http_log_combine
  - module: fedora_infra.dnf_counting.countme_totals
"""

EXAMPLES = r"""
- name: Find the hits of the last days, late logs included
  fedora_infra.dnf_counting.countme_raw:
    src: /mnt/fedora_stats/combined-http
    log_name: mirrors.fedoraproject.org-access.log
    raw_dir: /var/lib/countme/raw
    days: 14

- name: Find the hits of one month again after a repair
  fedora_infra.dnf_counting.countme_raw:
    src: /mnt/fedora_stats/combined-http
    log_name: mirrors.fedoraproject.org-access.log
    raw_dir: /var/lib/countme/raw
    since: "2024-12-01"
    until: "2025-01-07"

- name: Drop days that no week needs any more
  fedora_infra.dnf_counting.countme_raw:
    raw_dir: /var/lib/countme/raw
    state: trimmed
    keep_weeks: 2
    totals_db: /var/lib/countme/totals.db
"""

RETURN = r"""
units:
  description: What became of each day.
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: The rotation day.
      type: str
      sample: "2021-09-28"
    status:
      description:
        - V(made), or V(due) in check mode; V(unchanged) if the record agrees with the log; V(missing) if there is no log;
          V(failed) if it could not be read; V(trimmed), or V(kept) with the reason, with O(state=trimmed).
      type: str
      sample: made
    reasons:
      description: Why it is so.
      type: list
      elements: str
      sample: [not counted yet]
    lines:
      description: Lines in the log, empty ones left out.
      type: int
      sample: 1000000
    hits:
      description: Lines that are hits.
      type: int
      sample: 912004
    rows:
      description: Distinct hits.
      type: int
      sample: 899120
    rejects:
      description:
        - Lines that are no hits, by reason. C(unrelated) are other requests or answers, C(garbled) is what is no log line,
          C(bad_time) and C(bad_countme) are malformed hits, C(too_long) are lines beyond 128 MiB.
      type: dict
      sample: {"unrelated": 87990, "bad_countme": 6}
    samples:
      description: Some malformed lines, shortened and escaped.
      type: list
      elements: dict
      sample: []
    bytes_read:
      description: Size of the log as it lies there.
      type: int
      sample: 158000000
    seconds:
      description: How long it took.
      type: float
      sample: 0.71
summary:
  description: Number of days by status.
  returned: always
  type: dict
  sample: {"made": 1, "unchanged": 13}
"""

from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._hits.stage import RAW
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._module.module import (
    counting_module,
    run_module,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._totals.trim import TRIM

OPTIONS = {
    "src": {"type": "path"},
    "log_name": {"type": "str"},
    "raw_dir": {"type": "path", "required": True},
    "state": {"type": "str", "choices": ["present", "trimmed"], "default": "present"},
    "keep_weeks": {"type": "int", "default": 2, "bounds": (0, 1000)},
    "totals_db": {"type": "path"},
    "hash_hosts": {"type": "bool", "default": False},
    "workers": {"type": "int", "bounds": (1, 1000)},
}


def main() -> None:
    module = counting_module(
        OPTIONS,
        libraries=("numpy", "pyarrow", "duckdb"),
        watched=True,
        required_if=[("state", "present", ("src", "log_name"))],
    )
    run_module(module, RAW if module.params["state"] == "present" else TRIM)


if __name__ == "__main__":
    main()
