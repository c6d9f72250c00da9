#!/usr/bin/python
# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Combine the logs of the hosts by time."""

from __future__ import annotations

DOCUMENTATION = r"""
module: http_log_combine
short_description: Combine the logs of the hosts by time
version_added: 1.0.0
description:
  - Merges the logs of one name from all hosts of a group into one combined log, C(DEST/YYYY/MM/DD/NAME), sorted by time.
    Lines of the same second are in the order of the hosts' names. A line without a time stays behind the line that it followed.
  - Each day has a record C(.combine.json) of its input files. A combined log is made again if a host's log is new or has changed. It is not
    made again if a host's log is gone, because the hosts' tree is a cache.
  - A damaged log of a host is left out, and named in the record and the result. The combined log is made again when this file changes.
  - If a log is there plain and compressed, it counts once. If both differ, both are left out.
  - Without O(dates), O(since) and O(days), the module checks 3 days. O(require_mount) is checked before each log.
author: Fedora Infrastructure (@fedora-infra)
extends_documentation_fragment:
  - fedora_infra.dnf_counting.days
  - fedora_infra.dnf_counting.days.run
  - fedora_infra.dnf_counting.logs.groups
  - fedora_infra.dnf_counting.logs.share
  - fedora_infra.dnf_counting.watch
requirements:
  - numpy
  - pyarrow
  - zstandard
options:
  src:
    description: The hosts' tree, C(SRC/HOST/YYYY/MM/DD/http/NAME). Logs are plain or compressed with xz, gz, zst or bz2.
    type: path
    required: true
  dest:
    description: The combined tree.
    type: path
    required: true
  expected_hosts:
    description:
      - The names of all hosts that should have logs. Hosts that match a group are expected in its combined logs.
      - With an empty list, no host is expected, so no day waits for hosts and no host is missing.
    type: list
    elements: str
    default: []
  latest:
    description:
      - The folder with links to the combined logs of the newest day. All links change at the same time.
      - By default C(DEST/latest). With an empty text, there are no such links.
    type: str
  workers:
    description: The number of logs that are made at the same time, V(1) to V(1000). They share the memory and the processors.
    type: int
    default: 2
  temp_dir:
    description: The place of a private, temporary folder for parts of logs while they are sorted. By default O(dest).
    type: path
  max_failed_days:
    description: The number of days, V(0) or more, whose logs may fail before the module fails. The other days are always combined.
    type: int
    default: 0
seealso:
  - module: fedora_infra.dnf_counting.http_log_compress
"""

EXAMPLES = r"""
- name: Combine the logs of the last three days
  fedora_infra.dnf_counting.http_log_combine:
    src: /var/log/hosts
    dest: /mnt/fedora_stats/combined-http
    require_mount: /mnt/fedora_stats
    expected_hosts: "{{ groups['proxies'] + groups['download'] }}"

- name: See the changes by a late log
  fedora_infra.dnf_counting.http_log_combine:
    src: /var/log/hosts
    dest: /mnt/fedora_stats/combined-http
    since: "2021-09-20"
    until: "2021-09-28"
  check_mode: true
  diff: true

- name: Combine other logs of other hosts
  fedora_infra.dnf_counting.http_log_combine:
    src: /var/log/hosts
    dest: /srv/combined
    groups:
      - {name: mirrors, hosts: "mirror[0-9]*", logs: "mirrors.almalinux.org-access.log"}
"""

RETURN = r"""
units:
  description: >-
    The result for each combined log, with the name C(DAY NAME), for each day without any log, with the name C(DAY), and for the links, with the
    name C(latest).
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: The day and the name of the log.
      type: str
      sample: 2021-09-28 mirrors.fedoraproject.org-access.log
    status:
      description: >-
        V(made), or V(due) in check mode. V(unchanged). V(waiting) while logs of expected hosts may still come.
        V(blocked) if it cannot be made because hosts' logs are gone, or all are damaged. V(missing) for a day without any log. V(failed).
      type: str
    reasons:
      description: The reasons for the status, and the hosts' logs that were left out.
      type: list
      elements: str
    hosts:
      description: Number of hosts in it.
      type: int
    hosts_missing:
      description: The expected hosts that are not in it.
      type: list
      elements: str
    lines:
      description: Lines of the combined log.
      type: int
    bytes:
      description: Its size in bytes, uncompressed.
      type: int
    undated:
      description: Lines without a time.
      type: int
    seconds:
      description: Duration in seconds.
      type: float
summary:
  description: Number of units by status.
  returned: always
  type: dict
  sample: {made: 3, unchanged: 6}
ignored_folders:
  description: Folders in O(src) whose names cannot be names of hosts.
  returned: always
  type: list
  elements: str
unexpected_hosts:
  description: Hosts of a group that have a folder in O(src) but are not in O(expected_hosts), unless that list is empty. Their logs are combined, too.
  returned: always
  type: list
  elements: str
groups_without_hosts:
  description: Groups whose pattern matches no folder in O(src).
  returned: always
  type: list
  elements: str
"""

from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._combine.stage import (
    COMBINE,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._module.log_options import (
    GROUP_OPTIONS,
    SHARE_OPTIONS,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._module.module import (
    counting_module,
    run_module,
)

OPTIONS = {
    **GROUP_OPTIONS,
    **SHARE_OPTIONS,
    "src": {"type": "path", "required": True},
    "dest": {"type": "path", "required": True},
    "expected_hosts": {"type": "list", "elements": "str", "default": []},
    "latest": {"type": "str"},
    "workers": {"type": "int", "default": 2, "bounds": (1, 1000)},
    "temp_dir": {"type": "path"},
    "max_failed_days": {"type": "int", "default": 0, "bounds": (0, None)},
}


def main() -> None:
    run_module(counting_module(OPTIONS, watched=True), COMBINE)


if __name__ == "__main__":
    main()
