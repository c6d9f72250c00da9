#!/usr/bin/python
# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: stats_publish
short_description: Publish the totals, charts and pages
version_added: 1.0.0
description:
  - Publishes the totals of M(fedora_infra.dnf_counting.countme_totals) in a folder of the web server, in stable formats
    at stable places. A reader always gets a complete file, the old one or the new one.
  - A file is replaced only if its content changed. The same totals always give the same bytes.
  - Published files of the earlier system are C(totals.db), C(totals.csv), C(totals-unique.db) (only unique addresses, C(sys_age) of -1) and
    C(totals-countme.db) (only countme hits), with their old schema and all their rows. C(totals) is the prefix of the profile.
  - Newer published files are C(totals.parquet); C(weeks/2021-W39.csv), one file per week; C(recent.csv), the newest 52 weeks;
    C(machines.csv), machines per week by two declared methods, which C(machines-README.txt) describes; C(quality.csv) and
    C(quality.json), the quality of each week; and C(index.json), a list of all files with size, hash and time.
    The part of a profile's prefix after C(totals) is added to these names, such as C(machines-centos.csv) for C(totals-centos).
  - There is also a C(.gz) of each C(.db) and C(.csv), except for single weeks and quality.
  - In the newer files, a name with an address in it is replaced by C((address)). In the newer CSV files, a text that a spreadsheet
    would treat as a formula begins with an apostrophe, and control characters are escaped.
  - Published totals are not replaced by totals that lack one of their weeks, or have less than half of the rows or hits of one week.
  - If a profile fails, its published files stay, and all other profiles are published. The module fails at its end and reports each failure.
  - With O(web_dir), it draws charts and writes pages around the files, if any of their inputs changed. C(index.html) describes
    the numbers and shows the newest week. C(charts.html) leads to an interactive form of each chart with a table of its
    numbers. C(downloads.html), C(dictionary.html) and C(quality.html) describe the files, their columns and the weeks.
    Pictures are C(images/NAME.png) and C(images/NAME.svg). The pages need no network and no JavaScript. A browser can also open them from a folder.
  - If a chart or page fails, its old file stays, and everything else is published. The module fails at its end.
author:
  - Fedora Infrastructure (@fedora-infra)
extends_documentation_fragment:
  - fedora_infra.dnf_counting.days.run
  - fedora_infra.dnf_counting.watch
requirements:
  - python >= 3.11
  - numpy
  - pyarrow
  - Jinja2 and vl-convert-python for O(web_dir)
  - git for O(git_history)
options:
  dest:
    description:
      - The folder to publish to.
    type: path
    required: true
  profiles:
    description:
      - The totals to publish.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description:
          - The name of the profile in results.
        type: str
        required: true
      totals_db:
        description:
          - The SQLite file of the totals.
        type: path
        required: true
      totals_csv:
        description:
          - The CSV file of the same totals. Nothing is published if it does not agree with the SQLite file.
        type: path
        required: true
      prefix:
        description:
          - The beginning of the names of the published files, such as V(totals) or V(totals-centos).
        type: str
        required: true
      title:
        description:
          - The title of the profile on pages. By default its O(profiles[].name).
        type: str
      log_name:
        description:
          - The name of its log in O(combined_dir), for the chart of the coverage of days.
        type: str
      raw_dir:
        description:
          - The folder of its raw days, for the same chart if O(combined_dir) has no records.
        type: path
      base_repositories:
        description:
          - The repositories that every system of the distribution has. Their hits are the last column of C(machines.csv). By default
            those of Fedora; the role has them in C(web_data_analysis_fedora.base_repositories).
        type: dict
        suboptions:
          column:
            description: The name of the column, of a-z, 0-9 and C(_).
            type: str
            required: true
          repositories:
            description: Repository tags. V(NN) at the end stands for a number, such as V(fedora-NN).
            type: list
            elements: str
            required: true
          absent_in:
            description: The systems without such a repository, in words for readers.
            type: str
      add_ons:
        description:
          - Repositories that several distributions use. Each gets a chart of the machines with them by distribution, and a section of
            charts. By default EPEL; the role has it in C(web_data_analysis_fedora.add_ons).
        type: list
        elements: dict
        suboptions:
          name:
            description: The beginning of the name of the chart, of a-z, 0-9 and C(_).
            type: str
            required: true
          title:
            description: The name for readers.
            type: str
            required: true
          repositories:
            description: A pattern for repository tags, such as V(*epel*).
            type: str
            required: true
  allow_shrink:
    description:
      - Also publish totals that are much smaller than the published ones, or lack some of their weeks.
    type: bool
    default: false
  min_hits:
    description:
      - The fewest hits of a row (fewest machines in C(machines.csv)) in the newer files. The files of the earlier system always have all rows.
    type: int
    default: 0
  web_dir:
    description:
      - The web root, for charts and pages. O(dest) must be below it.
      - Without this option, there are no charts and no pages.
    type: path
  site_title:
    description:
      - The title of the pages.
    type: str
    default: Systems counted each week
  distribution:
    description:
      - The name on the pages of what is counted.
    type: str
    default: Linux
  mirrors_csv_dir:
    description:
      - The folder below O(web_dir) with the CSV files of M(fedora_infra.dnf_counting.mirrorlist_condense), for charts of client
        addresses and for the list of downloads.
    type: path
  condensed_logs:
    description:
      - The CSV files of several condensed logs, in place of O(mirrors_csv_dir) or behind it. Charts of the first have the names
        that O(condensed_logs[].address_charts) gives. The names of the others end in the name of their log.
    type: list
    elements: dict
    suboptions:
      name:
        description: The name of the log in file names and messages.
        type: str
        required: true
      csv_dir:
        description: The folder below O(web_dir) with its CSV files.
        type: path
        required: true
      title:
        description: The name for readers. By default its O(condensed_logs[].name).
        type: str
      address_charts:
        description:
          - The charts of client addresses. By default those of Fedora and EPEL; the role has them in
            C(web_data_analysis_fedora.address_charts).
        type: dict
        suboptions:
          groups:
            description: Columns of C(mirrorsdata-all.csv) that charts show together.
            type: list
            elements: dict
            required: true
            suboptions:
              name:
                description: The name of the group.
                type: str
                required: true
              releases:
                description: A regular expression of Python for columns of releases. Its first group is the number of the release.
                type: str
              label:
                description: The label of such a release, with C({}) for the number.
                type: str
              columns:
                description: Further columns, with their labels.
                type: dict
          charts:
            description: The charts, in their order.
            type: list
            elements: dict
            required: true
            suboptions:
              name:
                description: The name of its files, of a-z, 0-9 and dashes.
                type: str
                required: true
              title:
                description: The title.
                type: str
                required: true
              group:
                description: The name of the group that it shows.
                type: str
                required: true
              kind:
                description: Layers on top of each other, lines, or a dot for each day.
                type: str
                choices: [stack, lines, dots]
                default: stack
              show:
                description:
                  - V(all) columns of the group, the V(latest) releases, the V(newest_year), or all columns V(reversed), with the newest
                    release at the bottom.
                type: str
                choices: [all, latest, newest_year, reversed]
                default: all
              most:
                description: The largest number of series, V(0) to V(100). The others are added up. V(0) for no limit.
                type: int
                default: 0
              section:
                description: V(addresses), or the name of an add-on, under whose heading the chart is listed.
                type: str
                default: addresses
  combined_dir:
    description:
      - The combined tree, for a chart of the coverage of days. Only its records are read.
    type: path
  git_history:
    description:
      - The Git repository for the history of the files of single weeks. It is made if it is missing. A commit is made
        only if a week changed.
      - It must be outside of O(web_dir) and O(dest), so that the web server does not serve it. Without this option, no history is kept.
      - Git runs without hooks and without any user's configuration. If Git fails, the published files stay as they are.
    type: path
  git_identity:
    description:
      - The author of the commits.
    type: str
    default: DNF counting <countme@localhost>
"""

EXAMPLES = r"""
- name: Publish the totals of Fedora and CentOS
  fedora_infra.dnf_counting.stats_publish:
    dest: /var/www/html/csv-reports/countme
    profiles:
      - name: fedora
        totals_db: /var/lib/countme/totals.db
        totals_csv: /var/lib/countme/totals.csv
        prefix: totals
      - name: centos
        totals_db: /var/lib/countme/totals-centos.db
        totals_csv: /var/lib/countme/totals-centos.csv
        prefix: totals-centos
    web_dir: /var/www/html/csv-reports
    site_title: Fedora and CentOS, counted each week
    distribution: Fedora and CentOS
    mirrors_csv_dir: /var/www/html/csv-reports/mirrors
  register: published

- name: Show the newest week
  ansible.builtin.debug:
    msg: "{{ item.profile }}, {{ item.week }} ({{ item.status }}): {{ item.machines }} machines"
  loop: "{{ published.newest_week }}"
"""

RETURN = r"""
units:
  description:
    - The result for each published file. The status is V(made), V(unchanged), V(due) (in check mode), V(waiting) (there are no
      totals yet) or V(blocked) (its profile failed).
    - A profile that failed is a unit of its own with the status V(failed).
  type: list
  elements: dict
  returned: always
  contains:
    name:
      description:
        - The name of the file below O(dest), or C(profile) and the name of a profile that failed.
        - For a page, a picture or another file of the site, the name below O(web_dir). In check mode, V(images) stands for all pictures if none was
          drawn before.
        - V(charts), V(pages), or V(chart) with the name of a chart, if making them failed.
        - V(git history) stands for the commit to O(git_history).
      type: str
    status:
      description: The result.
      type: str
    reasons:
      description: The reasons for the status.
      type: list
      elements: str
    bytes:
      description: The size of the file in bytes, if any file was published.
      type: int
    commit:
      description: The commit that was made.
      type: str
    files:
      description: Number of files of weeks in the commit.
      type: int
  sample:
    - name: totals.csv
      status: made
      reasons: [changed input totals.csv]
      bytes: 633000111
summary:
  description: Number of units by status.
  type: dict
  returned: always
  sample: {made: 20, unchanged: 310}
newest_week:
  description: The newest complete week of each profile with totals, or the newest week if no week is complete.
  type: list
  elements: dict
  returned: always
  contains:
    profile:
      description: The name of the profile.
      type: str
    week:
      description: The name of the week by ISO 8601.
      type: str
      sample: 2021-W39
    week_start:
      description: Its Monday.
      type: str
      sample: '2021-09-27'
    week_end:
      description: Its Sunday.
      type: str
      sample: '2021-10-03'
    status:
      description: V(complete), V(partial), V(provisional), or V(unknown) for a week that an earlier system counted.
      type: str
    machines:
      description: Number of machines.
      type: int
    by_release:
      description: Machines by release, in descending order, at most 100 releases.
      type: list
      elements: dict
      sample:
        - os_name: Fedora Linux
          os_version: '34'
          machines: 301722
published:
  description: Paths of the published files. The folder of single weeks stands for all its files.
  type: list
  elements: str
  returned: always
index_page:
  description: The path of the first page; empty if there is none.
  type: str
  returned: always
  sample: /var/www/html/csv-reports/index.html
"""

from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._module.distribution_options import (
    ADDRESS_CHARTS_OPTION,
    PROFILE_DATA_OPTIONS,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._module.module import (
    counting_module,
    require,
    run_module,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._site.stage import PUBLISH

PROFILE_OPTIONS = {
    "name": {"type": "str", "required": True},
    "totals_db": {"type": "path", "required": True},
    "totals_csv": {"type": "path", "required": True},
    "prefix": {"type": "str", "required": True},
    "title": {"type": "str"},
    "log_name": {"type": "str"},
    "raw_dir": {"type": "path"},
    **PROFILE_DATA_OPTIONS,
}

CONDENSED_LOG_OPTIONS = {
    "name": {"type": "str", "required": True},
    "csv_dir": {"type": "path", "required": True},
    "title": {"type": "str"},
    "address_charts": ADDRESS_CHARTS_OPTION,
}

OPTIONS = {
    "dest": {"type": "path", "required": True},
    "profiles": {"type": "list", "elements": "dict", "required": True, "options": PROFILE_OPTIONS},
    "allow_shrink": {"type": "bool", "default": False},
    "min_hits": {"type": "int", "default": 0, "bounds": (0, None)},
    "web_dir": {"type": "path"},
    "site_title": {"type": "str", "default": "Systems counted each week"},
    "distribution": {"type": "str", "default": "Linux"},
    "mirrors_csv_dir": {"type": "path"},
    "condensed_logs": {"type": "list", "elements": "dict", "options": CONDENSED_LOG_OPTIONS},
    "combined_dir": {"type": "path"},
    "git_history": {"type": "path"},
    "git_identity": {"type": "str", "default": "DNF counting <countme@localhost>"},
}


def main() -> None:
    module = counting_module(OPTIONS, with_days=False, watched=True)
    if module.params["web_dir"]:
        require(module, ("Jinja2", "vl-convert-python"))
    run_module(module, PUBLISH)


if __name__ == "__main__":
    main()
