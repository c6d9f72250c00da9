# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of the modules that make or read combined logs."""

from __future__ import annotations


class ModuleDocFragment:
    """The options for one combined log."""

    DOCUMENTATION = r"""
options:
  src:
    description:
      - The combined tree, with the logs of a day in C(YYYY/MM/DD/).
    type: path
  log_name:
    description:
      - The name of the log, without the ending of its compression. The log is plain or compressed by xz, gzip,
        zstd or bzip2. If there are several forms of it, they must have the same content, and the log counts once.
    type: str
  workers:
    description: The number of threads that read, V(1) to V(1000). By default one per processor.
    type: int
requirements:
  - python >= 3.11
  - pyarrow
  - numpy
  - duckdb
  - zstandard (for logs compressed with it)
"""

    GROUPS = r"""
options:
  groups:
    description:
      - The groups of hosts and logs that are combined. A log that is in several groups is combined from the hosts of all these groups.
      - By default proxies, download hosts and people hosts, each with their own logs.
    type: list
    elements: dict
    suboptions:
      name:
        description: The name of the group.
        type: str
        required: true
      hosts:
        description: The pattern for the names of its hosts, such as V(proxy*).
        type: str
        required: true
      logs:
        description: The pattern for the names of its logs, without the ending of their compression, such as V(*access.log).
        type: str
        required: true
  settle_days:
    description:
      - The days after which a day is combined although logs of expected hosts are missing, V(0) to V(10000).
    type: int
    default: 2
"""

    SHARE = r"""
options:
  require_mount:
    description:
      - The proof that the share with the logs is mounted. Either a file, which must exist, or a folder, which must be a mount point.
      - If it is missing, nothing is read from or written to the share.
    type: path
"""
