#!/usr/bin/python
# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bring the HTTP logs of many hosts to the log host."""

from __future__ import annotations

DOCUMENTATION = r"""
module: http_log_sync
short_description: Bring the HTTP logs of many hosts to the log host
version_added: 1.0.0
description:
  - Fetches the rotated logs of some days from many hosts, in parallel, over one rsync connection a host.
  - A host has them as C(NAME-YYYYMMDD) or C(NAME-YYYYMMDD.xz) (or C(gz), C(zst), C(bz2)), C(NAME) ending in C(log); here they become
    C(HOST/YYYY/MM/DD/http/NAME) and C(NAME.xz). A log changes its content here only as a whole.
  - Days that are complete cost nothing but the list of the host's files. A log that has changed on its host is fetched again.
    A transfer that broke off goes on where it ended.
  - Days before the window that are not known to be complete are asked for as well; see O(catch_up_days).
  - A host that fails never keeps the others from being fetched; see O(max_failed_hosts).
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
      - The hosts. Each element is a host name, or a mapping of C(name) and C(source), which overrides O(source) for that host.
    type: list
    elements: raw
    required: true
  dest:
    description:
      - The folder that gets a folder for each host.
    type: path
    required: true
  source:
    description:
      - The folder with the rotated logs on a host; C({host}) stands for the host's name.
      - Either V(HOST::MODULE/FOLDER/) or V(rsync://HOST:PORT/MODULE/FOLDER/), served by an rsync daemon, or the absolute path of a folder on this machine.
    type: str
    default: "{host}::log/httpd/"
  days:
    description:
      - How many days to look at, counted back from O(until); V(3) where no other option says which days.
  catch_up_days:
    description:
      - How far back to ask for days that are not known to be complete here, counted from the last day of the window.
      - So the days of an outage come in by themselves while the hosts still have their logs.
      - Not applied where O(dates) or O(since) name the days. V(0) to V(10000).
    type: int
    default: 14
  missing_after_days:
    description:
      - A listed host without a log for so many days up to the last day of the window is reported in RV(silent_hosts), with a warning. V(1) to V(10000).
    type: int
    default: 3
  max_failed_hosts:
    description:
      - How many hosts, V(0) or more, may fail or be unknown before the module fails at its end.
      - By default it fails only when all hosts failed.
    type: int
  workers:
    description:
      - How many hosts are fetched from at a time, V(1) to V(1000). The hosts that took longest in earlier runs come first.
    type: int
    default: 10
  attempts:
    description:
      - How often a host is tried where another try can help; V(1) to V(1000).
    type: int
    default: 3
  retry_delay:
    description:
      - Seconds before the second try, V(0) to V(86400); doubled before each further one, and varied by up to a half.
    type: float
    default: 10
  connect_timeout:
    description:
      - Seconds to wait for an rsync daemon to answer; V(1) to V(86400).
    type: int
    default: 30
  stall_timeout:
    description:
      - Seconds without anything arriving after which a connection is ended; V(1) to V(86400).
    type: int
    default: 120
  host_timeout:
    description:
      - Seconds for everything with one host, all tries included; V(1) to V(1000000).
    type: int
    default: 7200
  bandwidth_limit:
    description:
      - KiB per second that a connection may take, V(0) or more; at most O(workers) connections are open at a time. V(0) is no limit.
    type: int
    default: 0
  max_file_size:
    description:
      - Larger files are refused; bytes, or a number with a unit such as V(16G).
    type: bytes
    default: 16G
  max_host_size:
    description:
      - A host is ended that sends more than this in a run; bytes, or a number with a unit such as V(256G).
    type: bytes
    default: 256G
  max_host_files:
    description:
      - A host is ended that sends more files than this, V(1) or more, in a run.
    type: int
    default: 10000
  mode:
    description:
      - The permissions of fetched logs, as an octal number. Folders made for them may be entered by whom they may be read.
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

- name: Fetch one day again, one of the hosts from elsewhere
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
  description: What became of each host and day.
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: Host and day.
      type: str
      sample: proxy01 2026-11-20
    status:
      description:
        - V(made), that is synced; V(due) in its place in check mode; V(unchanged); V(missing) where neither the host nor we have a log of that day;
          V(failed); V(unknown) where the host's name is.
      type: str
    reasons:
      description: Why, and what was refused. A day before the window has a unit if a log of it came or was refused.
      type: list
      elements: str
    files:
      description: Logs that were fetched, or would be.
      type: int
    bytes:
      description: Their size.
      type: int
    attempts:
      description: How often the host was tried.
      type: int
    seconds:
      description: How long the host took; all its days come together.
      type: float
summary:
  description: How many host-days there are of each status.
  returned: always
  type: dict
hosts:
  description:
    - What became of each host, with C(name), C(status), C(files), C(bytes), C(attempts), C(seconds) and C(reason).
    - The reason also tells what was refused and belongs to no day that was asked for.
  returned: always
  type: list
  elements: dict
silent_hosts:
  description: Hosts that have given no log for O(missing_after_days), with C(name), C(last_log) and C(listed_since).
  returned: always
  type: list
  elements: dict
gaps:
  description: By host the days before the window for which it was listed and no log has come yet, as text.
  returned: always
  type: dict
  sample:
    proxy02: 2026-11-12 to 2026-11-13
seconds:
  description: How long all took.
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
