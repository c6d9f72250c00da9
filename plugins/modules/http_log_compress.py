#!/usr/bin/python
# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compress the combined logs of past months."""

from __future__ import annotations

DOCUMENTATION = r"""
module: http_log_compress
short_description: Compress the combined logs of past months
version_added: 1.0.0
description:
  - Replaces plain (uncompressed) logs by compressed logs, in the combined tree that M(fedora_infra.dnf_counting.http_log_combine) makes.
  - A plain log is removed only after the compressed log was read back and compared with it. If a run is interrupted, the next one continues.
  - The modification time, the owner, the permissions and the record of the log do not change.
  - The newest day stays plain, because the links in C(latest) point to it.
author: Fedora Infrastructure (@fedora-infra)
extends_documentation_fragment:
  - fedora_infra.dnf_counting.days.run
  - fedora_infra.dnf_counting.watch
requirements:
  - zstandard
options:
  src:
    description: The combined tree.
    type: path
    required: true
  before:
    description:
      - Compress the logs of days before this one, written as C(YYYY-MM-DD).
      - By default the first day of this month, in UTC.
    type: str
  keep_days:
    description: Compress the logs of days that are more than this number of days ago, V(0) to V(10000).
    type: int
  form:
    description: The form of compression.
    type: str
    choices: [xz, zst]
    default: xz
  level:
    description: The compression level, 0 to 9 for V(xz) (by default 6), 1 to 19 for V(zst) (by default 12). With V(xz), more than V(6) needs much memory.
    type: int
  workers:
    description: The number of logs that are compressed at the same time, V(1) to V(1000), at most one per processor.
    type: int
    default: 1
  nice:
    description: The nice value, from 0 (normal priority) to 19 (lowest priority).
    type: int
    default: 19
seealso:
  - module: fedora_infra.dnf_counting.http_log_combine
"""

EXAMPLES = r"""
- name: Compress the combined logs of past months
  fedora_infra.dnf_counting.http_log_compress:
    src: /mnt/fedora_stats/combined-http

- name: See the logs that are still plain after a month
  fedora_infra.dnf_counting.http_log_compress:
    src: /mnt/fedora_stats/combined-http
    keep_days: 31
  check_mode: true
"""

RETURN = r"""
units:
  description: The result for each plain log of these days, with the name C(DAY NAME).
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: The day and the name of the log.
      type: str
      sample: 2021-08-28 mirrors.fedoraproject.org-access.log
    status:
      description: V(made), or V(due) in check mode. V(failed), in which case the plain log is unchanged.
      type: str
    reasons:
      description: The reasons for the status.
      type: list
      elements: str
    bytes:
      description: Size of the plain log in bytes.
      type: int
    bytes_compressed:
      description: Size of the compressed log in bytes.
      type: int
summary:
  description: Number of units by status.
  returned: always
  type: dict
  sample: {made: 93}
before:
  description: The first day whose logs stay plain.
  returned: always
  type: str
  sample: "2021-09-01"
"""

from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._compress.stage import (
    COMPRESS,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._module.module import (
    counting_module,
    run_module,
)

OPTIONS = {
    "src": {"type": "path", "required": True},
    "before": {"type": "str"},
    "keep_days": {"type": "int", "bounds": (0, 10_000)},
    "form": {"type": "str", "choices": ["xz", "zst"], "default": "xz"},
    "level": {"type": "int"},
    "workers": {"type": "int", "default": 1, "bounds": (1, 1000)},
    "nice": {"type": "int", "default": 19, "bounds": (0, 19)},
}


def main() -> None:
    module = counting_module(
        OPTIONS,
        with_days=False,
        watched=True,
        mutually_exclusive=[("before", "keep_days")],
    )
    run_module(module, COMPRESS)


if __name__ == "__main__":
    main()
