#!/usr/bin/python
# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Condense combined logs to the clients of each day, and the clients to one row per day."""

from __future__ import annotations

DOCUMENTATION = r"""
module: mirrorlist_condense
short_description: Count the addresses that request the mirror list, by day and release
version_added: 1.0.0
author: Fedora Infrastructure (@fedora-infra)
description:
  - Reads the combined log of each day and writes a condensed day, the Parquet file C(DATA_DIR/YYYY-MM-DD.parquet), with the clients of the log.
    A client is a combination of date, address, release and architecture. Every line that mentions C(/metalink) or C(/mirrorlist)
    counts, with any answer.
  - From the condensed days, it makes the rows of C(mirrorsdata-all.csv) and C(mirrorsdata-YYYY.csv), one per date. Readers use the
    column numbers of these files. The first 85 columns are counted by the rules of the earlier system, with their peculiarities. In
    particular, the first client of a date, in the order of text, does not count in them, and C(x86_32_f), C(x86_64_f) and C(ppc_f) have
    only Fedora up to 29 and Rawhide.
  - It also makes C(mirrors-daily.csv) with C(date), C(family), C(release), C(arch) and C(clients), where every client counts.
    An address that requests two releases or architectures counts twice.
  - Rules recognize the releases. A new release gets a column at the end, with its own name, on its first day. The column never moves, because
    the header of C(mirrorsdata-all.csv) is the only record of the columns.
  - The rules and the columns are those of Fedora and EPEL, unless O(repositories), O(releases), O(columns) and O(newest_releases) give others.
  - Each condensed day has a record of its log. It is made again only if its log has changed, and is replaced as a whole. So the next run
    counts a log that came late or has grown, and no client counts twice.
  - The clients of a date are in two logs, a few in the log of its own rotation day and most in the next one. The row of a date appears
    with the first log of a later rotation day, and is made from all condensed days with clients of this date.
  - A row without condensed days in O(data_dir), such as a row of an earlier system, stays as it is. Shorter rows are filled with zeros. If the
    log of the date's own rotation day is missing, the row is replaced only by a row with at least as many clients.
  - Dates more than 366 days before the rotation day, or more than one day after it, do not count.
  - Without O(dates), O(since) and O(days), the module checks 14 days. The rows are always made from all condensed days in O(data_dir).
options:
  src:
    required: true
  log_name:
    required: true
  data_dir:
    description:
      - The folder of the condensed days of this log. They contain addresses, so do not publish them.
      - You can remove old condensed days. Their rows stay.
    type: path
    required: true
  csv_dir:
    description: The folder for the CSV files, which contain no addresses.
    type: path
    required: true
  memory_mib:
    description: The most memory for making the rows in MiB, V(64) or more.
    type: int
    default: 384
extends_documentation_fragment:
  - fedora_infra.dnf_counting.days
  - fedora_infra.dnf_counting.days.run
  - fedora_infra.dnf_counting.distribution
  - fedora_infra.dnf_counting.logs
  - fedora_infra.dnf_counting.logs.share
  - fedora_infra.dnf_counting.watch
seealso:
  - module: fedora_infra.dnf_counting.http_log_combine
  - module: fedora_infra.dnf_counting.countme_raw
"""

EXAMPLES = r"""
- name: Count the clients of the last 14 days, including late logs
  fedora_infra.dnf_counting.mirrorlist_condense:
    src: /mnt/fedora_stats/combined-http
    log_name: mirrors.fedoraproject.org-access.log
    data_dir: /mnt/fedora_stats/data/mirrors/days
    csv_dir: /var/www/html/csv-reports/mirrors
    require_mount: /mnt/fedora_stats
    days: 14

- name: Count a day that the earlier system lost
  fedora_infra.dnf_counting.mirrorlist_condense:
    src: /mnt/fedora_stats/combined-http
    log_name: mirrors.fedoraproject.org-access.log
    data_dir: /mnt/fedora_stats/data/mirrors/days
    csv_dir: /var/www/html/csv-reports/mirrors
    since: "2021-12-31"
    until: "2022-01-02"

- name: Count the clients of another distribution
  fedora_infra.dnf_counting.mirrorlist_condense:
    src: /mnt/fedora_stats/combined-http
    log_name: mirrors.almalinux.org-access.log
    data_dir: /mnt/fedora_stats/data/almalinux/days
    csv_dir: /var/www/html/csv-reports/mirrors-almalinux
    repositories:
      cut_from: [debug, source]
      names:
        - name: "(?:baseos|appstream)([89]|[1-9][0-9])"
          release: almalinux{}
    releases:
      - release: almalinux([0-9]+)
        family: almalinux
        columns: ["{release}", almalinux]
    columns:
      first: [almalinux8, almalinux9, almalinux, unknown, x86_64, aarch64, other]
      added: ["almalinux[0-9]{2}"]
      unknown_release: unknown
      unknown_architecture: other
      architectures: {x86_64: x86_64, aarch64: aarch64}
    newest_releases: []
"""

RETURN = r"""
units:
  description: The result for each day. The last unit, C(csv), is the result for the rows.
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: The rotation day, or V(csv).
      type: str
      sample: "2021-09-28"
    status:
      description:
        - V(made), or V(due) in check mode. V(unchanged) if the record agrees with the present inputs. V(missing) if there is no log.
          V(failed) if it could not be read or written.
      type: str
      sample: made
    reasons:
      description: The reasons for the status.
      type: list
      elements: str
      sample: [not condensed yet]
    lines:
      description: Lines in the log, without empty lines.
      type: int
      sample: 1000000
    requests:
      description: Lines with a client.
      type: int
      sample: 912004
    rows:
      description: Clients, each counted once. For C(csv), the number of days whose rows were made.
      type: int
      sample: 255120
    rejects:
      description:
        - Lines without a client, by reason. C(unrelated) mention neither path, C(garbled) are not log lines with an address, C(bad_date)
          have no valid date, C(odd_date) have a date too far from the rotation day, C(too_long) are longer than 128 MiB.
      type: dict
      sample: {"unrelated": 87990, "odd_date": 6}
    unknown_requests:
      description: Requests for repositories of unknown releases. They count as C(unk_rel), and in the family C(unknown).
      type: int
      sample: 31020
    unknown_repos:
      description:
        - The unknown repositories with most requests, each with C(repo), shortened and escaped, and C(requests). A new family of
          repositories appears here on its first day. A repository with 1 % of all requests or more also causes a warning.
      type: list
      elements: dict
      sample: [{"repo": "'epel-cisco-openh264-9'", "requests": 12011}]
    bytes_read:
      description: Size of the log in bytes, compressed if it is.
      type: int
      sample: 158000000
    seconds:
      description: Duration in seconds.
      type: float
      sample: 0.71
    files:
      description: For C(csv), the files that were written.
      type: list
      elements: str
      sample: [/var/www/html/csv-reports/mirrors/mirrorsdata-all.csv]
    new_columns:
      description: For C(csv), the columns that were added at the end.
      type: list
      elements: str
      sample: [86-f40]
summary:
  description: Number of units by status.
  returned: always
  type: dict
  sample: {"made": 2, "unchanged": 13}
"""

from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._condense.stage import (
    CONDENSE,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._module.distribution_options import (
    CLIENT_OPTIONS,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._module.module import (
    counting_module,
    run_module,
)

OPTIONS = {
    "src": {"type": "path", "required": True},
    "log_name": {"type": "str", "required": True},
    "data_dir": {"type": "path", "required": True},
    "csv_dir": {"type": "path", "required": True},
    "require_mount": {"type": "path"},
    "workers": {"type": "int", "bounds": (1, 1000)},
    "memory_mib": {"type": "int", "default": 384, "bounds": (64, None)},
    **CLIENT_OPTIONS,
}


def main() -> None:
    run_module(counting_module(OPTIONS, watched=True), CONDENSE)


if __name__ == "__main__":
    main()
