#!/usr/bin/python
# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Combine the HTTP logs of many hosts, by time, into one log a day and site."""

from __future__ import annotations

DOCUMENTATION = r"""
module: http_log_combine
short_description: Combine the HTTP logs of many hosts by time
version_added: 1.0.0
description:
  - Merges the same log of all hosts of a group into one, sorted by time, at C(DEST/YYYY/MM/DD/NAME).
    Lines of the same second are in the order of the hosts' names; a line without a time stays behind the one it followed.
  - Each day has a record C(.combine.json) of the files it was made from. A log is made again when a host's log is new or has changed,
    not when one is gone, as the hosts' logs are pruned after a while.
  - A host's log that is damaged is left out, and named in the record and the result. The day is made again when that file changes.
  - A log that is there plain and compressed counts once. If the two differ, both are left out.
  - Without O(dates), O(since) and O(days) it looks at 3 days. O(require_mount) is looked at before each log.
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
    description: The tree with the hosts' logs, C(SRC/HOST/YYYY/MM/DD/http/NAME), plain or compressed with xz, gz, zst or bz2.
    type: path
    required: true
  dest:
    description: The tree of combined logs.
    type: path
    required: true
  expected_hosts:
    description:
      - The names of all hosts that should deliver logs. Those that match a group are expected for its logs.
      - Without any there is nothing to wait for, and nothing can be missed.
    type: list
    elements: str
    default: []
  latest:
    description:
      - Where to keep links to the logs of the newest combined day. The links change all at once.
      - By default C(DEST/latest); an empty text means that there are no such links.
    type: str
  workers:
    description: How many logs to make at the same time, V(1) to V(1000). The memory is shared by them, the processors anyway.
    type: int
    default: 2
  temp_dir:
    description: Where to put parts of logs that are not sorted, while they are sorted, in a folder that nobody else can enter; by default in O(dest).
    type: path
  max_failed_days:
    description: Fail if logs of more days than this, V(0) or more, could not be combined. The others are combined all the same.
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

- name: See what a late log would change
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
    One entry for each combined log, called C(DAY NAME), for each day without any log, called C(DAY), and for the links, called C(latest).
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
        V(made), or V(due) in check mode; V(unchanged); V(waiting) for hosts that have not delivered;
        V(blocked) if it can't be made again because hosts' logs are gone, or none is sound; V(missing) for a day without any log; V(failed).
      type: str
    reasons:
      description: Why it is due, was left alone or failed, and which hosts' logs were left out.
      type: list
      elements: str
    hosts:
      description: How many hosts are in it.
      type: int
    hosts_missing:
      description: The expected hosts that are not in it.
      type: list
      elements: str
    lines:
      description: Lines of the combined log.
      type: int
    bytes:
      description: Its size, uncompressed.
      type: int
    undated:
      description: Lines without a time.
      type: int
    seconds:
      description: How long it took to make.
      type: float
summary:
  description: How many units have each status.
  returned: always
  type: dict
  sample: {made: 3, unchanged: 6}
ignored_folders:
  description: Folders in O(src) whose names can't be those of hosts.
  returned: always
  type: list
  elements: str
unexpected_hosts:
  description: Hosts of a group that have a folder in O(src), but are not among O(expected_hosts), if there are any. Their logs are combined all the same.
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
    libraries = ("numpy", "pyarrow", "zstandard")
    run_module(counting_module(OPTIONS, libraries=libraries, watched=True), COMBINE)


if __name__ == "__main__":
    main()
