#!/usr/bin/python
# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Condense combined logs to the clients of each day, and those to one row a day."""

from __future__ import annotations

DOCUMENTATION = r"""
module: mirrorlist_condense
short_description: Count the addresses that ask the mirror list for each release, day by day
version_added: 1.0.0
author: Fedora Infrastructure (@fedora-infra)
description:
  - Reads the combined access log of each day and writes the distinct clients in it, each a date, address, release and
    architecture, to one Parquet file a day, C(DATA_DIR/YYYY-MM-DD.parquet). Every line that mentions C(/metalink) or
    C(/mirrorlist) counts, whatever was answered.
  - From these it makes the rows of C(mirrorsdata-all.csv) and C(mirrorsdata-YYYY.csv), one a date, which people read by
    column number. The first 85 columns are as they ever were, their oddities included. In particular the first client of a
    date, by the order of its text, does not count in them, and C(x86_32_f), C(x86_64_f) and C(ppc_f) have only Fedora up to 29
    and Rawhide in them.
  - Beside them it makes C(mirrors-daily.csv) with C(date), C(family), C(release), C(arch) and C(clients), where every client counts.
    Its figures are of addresses that asked for a release and architecture; whoever asks for two counts twice.
  - Releases are told by rule. A new one gets a column at the end under its own name on its first day, and keeps that place, for
    the header of C(mirrorsdata-all.csv) is the memory of the columns.
  - Each file records what it was made from. A day is made again when its log has changed, and only then, and replaces its
    own clients, so a log that comes late or grows is counted right by the next run and nothing is counted twice.
  - The clients of a date are in two logs, a few in that rotated just after the midnight it began with and most in the next. Its row appears
    with the first log that was rotated on a later day and is made from all days that hold some of its clients.
  - Rows for which there are no days in O(data_dir), such as those of an earlier system, stay as they are, shorter ones filled
    up with zeros. Where the log of the date's own day is not there, a row is only replaced by one with as many clients or more.
  - Dates more than 366 days before the day of rotation, or more than one day behind it, are not counted.
  - Without O(dates), O(since) and O(days) it looks at 14 days. Rows are made from all days in O(data_dir) whatever these say.
options:
  src:
    required: true
  log_name:
    required: true
  data_dir:
    description:
      - The folder for the Parquet files of this log. They hold addresses and are not for the public.
      - Files of days long past may be removed; their rows stay.
    type: path
    required: true
  csv_dir:
    description: The folder for the CSV files, which hold no addresses.
    type: path
    required: true
  memory_mib:
    description: How much memory the counting of rows may use, in MiB; V(64) or more.
    type: int
    default: 384
extends_documentation_fragment:
  - fedora_infra.dnf_counting.days
  - fedora_infra.dnf_counting.days.run
  - fedora_infra.dnf_counting.logs
  - fedora_infra.dnf_counting.logs.share
  - fedora_infra.dnf_counting.watch
seealso:
  - module: fedora_infra.dnf_counting.http_log_combine
  - module: fedora_infra.dnf_counting.countme_raw
"""

EXAMPLES = r"""
- name: Count the clients of the mirror list of the last days, late logs included
  fedora_infra.dnf_counting.mirrorlist_condense:
    src: /mnt/fedora_stats/combined-http
    log_name: mirrors.fedoraproject.org-access.log
    data_dir: /mnt/fedora_stats/data/mirrors/days
    csv_dir: /var/www/html/csv-reports/mirrors
    require_mount: /mnt/fedora_stats
    days: 14

- name: Count a year again that an earlier system lost a day of
  fedora_infra.dnf_counting.mirrorlist_condense:
    src: /mnt/fedora_stats/combined-http
    log_name: mirrors.fedoraproject.org-access.log
    data_dir: /mnt/fedora_stats/data/mirrors/days
    csv_dir: /var/www/html/csv-reports/mirrors
    since: "2021-12-31"
    until: "2022-01-02"
"""

RETURN = r"""
units:
  description: What became of each day, and in the last one, C(csv), of the rows.
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
        - V(made), or V(due) in check mode; V(unchanged) if the record agrees with what is there; V(missing) if there is no log;
          V(failed) if it could not be read or written.
      type: str
      sample: made
    reasons:
      description: Why it is so.
      type: list
      elements: str
      sample: [not condensed yet]
    lines:
      description: Lines in the log, empty ones left out.
      type: int
      sample: 1000000
    requests:
      description: Lines that name a client.
      type: int
      sample: 912004
    rows:
      description: Distinct clients, for C(csv) the days whose rows were made.
      type: int
      sample: 255120
    rejects:
      description:
        - Lines that name no client, by reason. C(unrelated) mention neither path, C(garbled) are no log lines of an address, C(bad_date)
          have no day of the calendar, C(odd_date) one too far from that of the rotation, C(too_long) are lines beyond 128 MiB.
      type: dict
      sample: {"unrelated": 87990, "odd_date": 6}
    unknown_requests:
      description: Requests for repositories of no known release. They count as C(unk_rel), and in the family C(unknown).
      type: int
      sample: 31020
    unknown_repos:
      description:
        - Those repositories that are asked for most, each with C(repo), shortened and escaped, and C(requests). A new family of
          repositories shows here on its first day; one with a hundredth of all requests is a warning, too.
      type: list
      elements: dict
      sample: [{"repo": "'epel-cisco-openh264-9'", "requests": 12011}]
    bytes_read:
      description: Size of the log as it lies there.
      type: int
      sample: 158000000
    seconds:
      description: How long it took.
      type: float
      sample: 0.71
    files:
      description: For C(csv), the files that were written.
      type: list
      elements: str
      sample: [/var/www/html/csv-reports/mirrors/mirrorsdata-all.csv]
    new_columns:
      description: For C(csv), columns that were added at the end.
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
}


def main() -> None:
    libraries = ("numpy", "pyarrow", "duckdb")
    run_module(counting_module(OPTIONS, libraries=libraries, watched=True), CONDENSE)


if __name__ == "__main__":
    main()
