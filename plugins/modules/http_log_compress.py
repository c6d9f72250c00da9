#!/usr/bin/python
# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compress the combined HTTP logs of past months."""

from __future__ import annotations

DOCUMENTATION = r"""
module: http_log_compress
short_description: Compress the combined HTTP logs of past months
version_added: 1.0.0
description:
  - Replaces plain logs in the tree that M(fedora_infra.dnf_counting.http_log_combine) makes by compressed ones.
  - A log is removed only after its compressed form was read back and compared. If a run is ended, the next one goes on.
  - The time of modification, owner and permissions stay, and so does the record of what the log was made from.
  - The newest day in the tree is left alone, as the links in C(latest) point to it.
author: Fedora Infrastructure (@fedora-infra)
extends_documentation_fragment:
  - fedora_infra.dnf_counting.days.run
  - fedora_infra.dnf_counting.watch
requirements:
  - zstandard
options:
  src:
    description: The tree of combined logs.
    type: path
    required: true
  before:
    description:
      - Compress the logs of days before this one, written as C(YYYY-MM-DD).
      - By default the first day of this month, in UTC.
    type: str
  keep_days:
    description: Compress the logs of days that are more than so many days ago; V(0) to V(10000).
    type: int
  form:
    description: How to compress.
    type: str
    choices: [xz, zst]
    default: xz
  level:
    description: How hard to try; 0 to 9 for V(xz) (by default 6), 1 to 19 for V(zst) (by default 12). More than V(6) takes much memory with V(xz).
    type: int
  workers:
    description: How many logs to compress at the same time; V(1) to V(1000), but never more than there are processors.
    type: int
    default: 1
  nice:
    description: The lowered priority to run with, from 0 (as others) to 19 (only when there is nothing else to do).
    type: int
    default: 19
seealso:
  - module: fedora_infra.dnf_counting.http_log_combine
"""

EXAMPLES = r"""
- name: Compress the combined logs of past months
  fedora_infra.dnf_counting.http_log_compress:
    src: /mnt/fedora_stats/combined-http

- name: See which logs are still plain after a month
  fedora_infra.dnf_counting.http_log_compress:
    src: /mnt/fedora_stats/combined-http
    keep_days: 31
  check_mode: true
"""

RETURN = r"""
units:
  description: One entry for each plain log of the days in question, called C(DAY NAME).
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: The day and the name of the log.
      type: str
      sample: 2021-08-28 mirrors.fedoraproject.org-access.log
    status:
      description: V(made), or V(due) in check mode; or V(failed), then the plain log is untouched.
      type: str
    reasons:
      description: Why it is due, or why it failed.
      type: list
      elements: str
    bytes:
      description: Size of the plain log.
      type: int
    bytes_compressed:
      description: Size of the compressed log.
      type: int
summary:
  description: How many units have each status.
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
        libraries=("zstandard",),
        with_days=False,
        watched=True,
        mutually_exclusive=[("before", "keep_days")],
    )
    run_module(module, COMPRESS)


if __name__ == "__main__":
    main()
