#!/usr/bin/python

# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: countme_raw
short_description: Find the hits in combined logs
version_added: 1.0.0
author: Fedora Infrastructure (@fedora-infra)
description:
  - Reads the combined log of each day and writes its hits to a raw day, the Parquet file C(YYYY-MM-DD.parquet). Hits are the
    requests of DNF and similar programs for C(/metalink) or C(/mirrorlist).
  - Each raw day has a record of its log. A raw day is made again only if its log has changed. So the next run counts a log that came late
    or has grown, and no hit counts twice.
  - The columns are C(timestamp) (seconds since 1970-01-01, UTC), C(host), C(os_name), C(os_version), C(os_variant),
    C(os_arch), C(sys_age) (V(-1) if the request has no C(countme)), C(repo_tag) and C(repo_arch). Of equal rows, one is kept.
  - The lines that are not hits are counted by reason.
  - Without O(dates), O(since) and O(days), the module checks 14 days.
options:
  raw_dir:
    description: The folder of the raw days of this log.
    type: path
    required: true
  state:
    description:
      - With V(present), make the raw days that are missing or out of date. Requires O(src) and O(log_name).
      - With V(trimmed), remove the raw days that are older than O(keep_weeks) allows. O(dates), O(since), O(until) and O(days) are then ignored.
    type: str
    choices: [present, trimmed]
    default: present
  keep_weeks:
    description:
      - With O(state=trimmed), keep the raw days of the newest week, of the week before, and of this number of further weeks, V(0) to V(1000).
    type: int
    default: 2
  totals_db:
    description:
      - The SQLite file of the totals that M(fedora_infra.dnf_counting.countme_totals) makes.
      - With O(state=trimmed), keep the raw days of weeks that are not counted in this file.
    type: path
  hash_hosts:
    description:
      - Write a keyed hash in place of each client's address. Each week has a new key, which is kept in O(raw_dir) and
        destroyed when the raw days of the week are trimmed. Until then, unique addresses stay exact.
      - Raw days that were made with the other value are made again.
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
- name: Find the hits of the last 14 days, including late logs
  fedora_infra.dnf_counting.countme_raw:
    src: /mnt/fedora_stats/combined-http
    log_name: mirrors.fedoraproject.org-access.log
    raw_dir: /var/lib/countme/raw
    days: 14

- name: Find the hits of one month again after a repair of its logs
  fedora_infra.dnf_counting.countme_raw:
    src: /mnt/fedora_stats/combined-http
    log_name: mirrors.fedoraproject.org-access.log
    raw_dir: /var/lib/countme/raw
    since: "2024-12-01"
    until: "2025-01-07"

- name: Remove raw days that no week needs any more
  fedora_infra.dnf_counting.countme_raw:
    raw_dir: /var/lib/countme/raw
    state: trimmed
    keep_weeks: 2
    totals_db: /var/lib/countme/totals.db
"""

RETURN = r"""
units:
  description: The result for each day.
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
        - V(made), or V(due) in check mode. V(unchanged) if the record agrees with the log. V(missing) if there is no log.
          V(failed) if the log could not be read.
        - With O(state=trimmed), V(trimmed), or V(kept) with the reason.
      type: str
      sample: made
    reasons:
      description: The reasons for the status.
      type: list
      elements: str
      sample: [not counted yet]
    lines:
      description: Lines in the log, without empty lines.
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
        - Lines that are not hits, by reason. C(unrelated) are other requests or answers, C(garbled) are not lines of an access log,
          C(bad_time) and C(bad_countme) are malformed hits, C(too_long) are longer than 128 MiB.
      type: dict
      sample: {"unrelated": 87990, "bad_countme": 6}
    samples:
      description: Some malformed lines, shortened and escaped.
      type: list
      elements: dict
      sample: []
    bytes_read:
      description: Size of the log in bytes, compressed if it is.
      type: int
      sample: 158000000
    seconds:
      description: Duration in seconds.
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
        watched=True,
        required_if=[("state", "present", ("src", "log_name"))],
    )
    run_module(module, RAW if module.params["state"] == "present" else TRIM)


if __name__ == "__main__":
    main()
