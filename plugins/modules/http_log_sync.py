#!/usr/bin/python
# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fetch the logs of the hosts."""

from __future__ import annotations

DOCUMENTATION = r"""
module: http_log_sync
short_description: Fetch the logs of the hosts
version_added: 1.0.0
description:
  - Fetches the rotated logs of some days from many hosts, in parallel, with one rsync connection per host.
  - On a host, a log has the name C(NAME-YYYYMMDD) or C(NAME-YYYYMMDD.xz) (or C(gz), C(zst), C(bz2)), and C(NAME) ends in C(log). In the hosts'
    tree it has the name C(HOST/YYYY/MM/DD/http/NAME) or C(NAME.xz). A log is replaced only as a whole.
  - For days that are complete, only the list of the host's files is read. A log that has changed on its host is fetched again.
    An interrupted transfer continues in the next try.
  - Earlier days that may be incomplete are requested, too; see O(catch_up_days).
  - If a host fails, all other hosts are still fetched; see O(max_failed_hosts).
author: Fedora Infrastructure (@fedora-infra)
extends_documentation_fragment:
  - fedora_infra.dnf_counting.days
  - fedora_infra.dnf_counting.days.run
  - fedora_infra.dnf_counting.watch
requirements:
  - rsync 3.2 or newer
options:
  hosts:
    description:
      - The hosts. Each element is the name of a host, or a mapping of C(name) and C(source), which overrides O(source) for this host.
    type: list
    elements: raw
    required: true
  dest:
    description:
      - The hosts' tree, with a folder for each host.
    type: path
    required: true
  source:
    description:
      - The source of a host's rotated logs. C({host}) stands for the name of the host.
      - Either V(HOST::MODULE/FOLDER/) or V(rsync://HOST:PORT/MODULE/FOLDER/), served by an rsync daemon, or the absolute path of a folder on this machine.
    type: str
    default: "{host}::log/httpd/"
  days:
    description:
      - The number of days, counted back from O(until). By default V(3), if no other option names the days.
  catch_up_days:
    description:
      - The number of days, counted back from the last day, in which earlier days are requested again if they may be incomplete. V(0) to V(10000).
      - So the days of an outage are fetched later, as long as the hosts still have their logs.
      - Not used with O(dates) or O(since).
    type: int
    default: 14
  missing_after_days:
    description:
      - The number of days up to the last day, V(1) to V(10000). A listed host without a log on these days is in RV(silent_hosts), with a warning.
    type: int
    default: 3
  max_failed_hosts:
    description:
      - The number of hosts, V(0) or more, that may fail or be unknown before the module fails at its end.
      - By default it fails only if all hosts failed.
    type: int
  workers:
    description:
      - The number of hosts that are fetched from at the same time, V(1) to V(1000). The hosts that took longest in earlier runs come first.
    type: int
    default: 10
  attempts:
    description:
      - The number of tries for a host if another try can help, V(1) to V(1000).
    type: int
    default: 3
  retry_delay:
    description:
      - The seconds before the second try, V(0) to V(86400). They double before each further try, with a random change by up to a half.
    type: float
    default: 10
  connect_timeout:
    description:
      - The seconds until an rsync daemon must answer, V(1) to V(86400).
    type: int
    default: 30
  stall_timeout:
    description:
      - The seconds without new data after which a connection is ended, V(1) to V(86400).
    type: int
    default: 120
  host_timeout:
    description:
      - The seconds for all work with one host, including all tries, V(1) to V(1000000).
    type: int
    default: 7200
  bandwidth_limit:
    description:
      - The limit of a connection in KiB per second, V(0) or more. V(0) means no limit. At most O(workers) connections are open at the same time.
    type: int
    default: 0
  max_file_size:
    description:
      - The largest file that is fetched, in bytes or with a unit such as V(16G). Larger files are refused.
    type: bytes
    default: 16G
  max_host_size:
    description:
      - The most that a host may send in a run, in bytes or with a unit such as V(256G). Beyond it, the connection is ended.
    type: bytes
    default: 256G
  max_host_files:
    description:
      - The most files that a host may send in a run, V(1) or more. Beyond it, the connection is ended.
    type: int
    default: 10000
  mode:
    description:
      - The permissions of fetched logs, as an octal number. Whoever may read the logs may also enter their folders.
    type: str
    default: "0640"
seealso:
  - module: fedora_infra.dnf_counting.http_log_combine
"""

EXAMPLES = r"""
- name: Fetch the logs of the last three days
  fedora_infra.dnf_counting.http_log_sync:
    hosts: [proxy01, proxy02, dl01]
    dest: /var/log/hosts

- name: Fetch one day again, with another source for one of the hosts
  fedora_infra.dnf_counting.http_log_sync:
    hosts:
      - proxy01
      - name: proxy02
        source: rsync://proxy02.example.org:8873/log/httpd/
    dest: /var/log/hosts
    dates: ["2026-11-20"]
    max_failed_hosts: 0
"""

RETURN = r"""
units:
  description: The result for each host-day.
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: The host and the day.
      type: str
      sample: proxy01 2026-11-20
    status:
      description:
        - V(made), or V(due) in check mode. V(unchanged). V(missing) if neither the host nor the hosts' tree has a log of this day.
          V(failed). V(unknown) if the name of the host is unknown to DNS.
      type: str
    reasons:
      description: The reasons for the status, and the files that were refused. An earlier day has a unit only if a log of it came or was refused.
      type: list
      elements: str
    files:
      description: Number of logs that were fetched, or would be fetched in check mode.
      type: int
    bytes:
      description: Their size in bytes.
      type: int
    attempts:
      description: Number of tries for the host.
      type: int
    seconds:
      description: Duration in seconds for the host, because all its days are fetched together.
      type: float
summary:
  description: Number of host-days by status.
  returned: always
  type: dict
hosts:
  description:
    - The result for each host, with C(name), C(status), C(files), C(bytes), C(attempts), C(seconds) and C(reason).
    - The reason also names refused files that belong to no requested day.
  returned: always
  type: list
  elements: dict
silent_hosts:
  description: Hosts without a log for O(missing_after_days), with C(name), C(last_log) and C(listed_since).
  returned: always
  type: list
  elements: dict
gaps:
  description: For each host, the earlier days on which it was listed and for which no log has come yet, as text.
  returned: always
  type: dict
  sample:
    proxy02: 2026-11-12 to 2026-11-13
seconds:
  description: Duration of the step in seconds.
  returned: always
  type: float
"""

from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._module.module import (
    counting_module,
    run_module,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._sync.stage import SYNC

OPTIONS = {
    "hosts": {"type": "list", "elements": "raw", "required": True},
    "dest": {"type": "path", "required": True},
    "source": {"type": "str", "default": "{host}::log/httpd/"},
    "catch_up_days": {"type": "int", "default": 14, "bounds": (0, 10_000)},
    "missing_after_days": {"type": "int", "default": 3, "bounds": (1, 10_000)},
    "max_failed_hosts": {"type": "int", "bounds": (0, None)},
    "workers": {"type": "int", "default": 10, "bounds": (1, 1000)},
    "attempts": {"type": "int", "default": 3, "bounds": (1, 1000)},
    "retry_delay": {"type": "float", "default": 10, "bounds": (0, 86_400)},
    "connect_timeout": {"type": "int", "default": 30, "bounds": (1, 86_400)},
    "stall_timeout": {"type": "int", "default": 120, "bounds": (1, 86_400)},
    "host_timeout": {"type": "int", "default": 7200, "bounds": (1, 1_000_000)},
    "bandwidth_limit": {"type": "int", "default": 0, "bounds": (0, None)},
    "max_file_size": {"type": "bytes", "default": "16G", "bounds": (1, None)},
    "max_host_size": {"type": "bytes", "default": "256G", "bounds": (1, None)},
    "max_host_files": {"type": "int", "default": 10000, "bounds": (1, None)},
    "mode": {"type": "str", "default": "0640"},
}


def main() -> None:
    run_module(counting_module(OPTIONS, watched=True), SYNC)


if __name__ == "__main__":
    main()
