# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of the modules that make or read combined logs."""

from __future__ import annotations


class ModuleDocFragment:
    """One combined log."""

    DOCUMENTATION = r"""
options:
  src:
    description:
      - The tree of combined logs, with the log of a day in C(YYYY/MM/DD/).
    type: path
  log_name:
    description:
      - The name of the log, without the ending of its compression. It may lie there plain or compressed by xz, gzip,
        zstd or bzip2. If it is there in several forms they must have the same content and count once.
    type: str
  workers:
    description: How many threads read, V(1) to V(1000); by default as many as there are processors.
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
      - Which logs of which hosts belong together. A log that is in several groups is combined from the hosts of all of them.
      - By default proxies, download hosts and people hosts, each with the logs they serve.
    type: list
    elements: dict
    suboptions:
      name:
        description: What the group is called.
        type: str
        required: true
      hosts:
        description: A pattern for the names of its hosts, such as V(proxy*).
        type: str
        required: true
      logs:
        description: A pattern for the names of the logs, without the ending of their compression, such as V(*access.log).
        type: str
        required: true
  settle_days:
    description:
      - How many days a day waits for the logs of all hosts that are expected, V(0) to V(10000).
        Then it is combined with what is there, and what is not there is missing.
    type: int
    default: 2
"""

    SHARE = r"""
options:
  require_mount:
    description:
      - Proves that the share with the logs is there. Either a file, which must exist, or a folder, which must be a mount point.
      - If it is missing, nothing is read there and nothing is written.
    type: path
"""
