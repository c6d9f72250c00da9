#!/usr/bin/python
# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: stats_publish
short_description: Publish weekly totals for their readers, with charts and pages
version_added: 1.0.0
description:
  - Puts the totals that M(fedora_infra.dnf_counting.countme_totals) counted into a folder of the web server, in stable formats
    at stable places. A reader always gets a whole file, the old one or the new one.
  - A file is replaced only where its content changed. The same totals always give the same bytes.
  - Under the old names, here with the prefix C(totals), it publishes C(totals.db), C(totals.csv), C(totals-unique.db) (only the
    unique addresses, C(sys_age) of -1) and C(totals-countme.db) (all others), with their old schema and all their rows.
  - Under new names it publishes C(totals.parquet); C(weeks/2021-W39.csv), one file a week; C(recent.csv), the newest 52 weeks;
    C(machines.csv), machines per week by two declared methods, described in C(machines-README.txt); C(quality.csv) and
    C(quality.json), how good each week is; and C(index.json), which lists all files with size, hash and time.
    What follows C(totals) in the prefix of a profile follows the new names too, as in C(machines-centos.csv) for C(totals-centos).
  - A C(.gz) lies beside each C(.db) and C(.csv), but for single weeks and quality.
  - In the new files a name that has an address in it is replaced by C((address)). In the new CSV files, text that a spreadsheet
    would take for a formula has an apostrophe in front, and control characters are escaped.
  - Good published totals aren't replaced by totals that lack one of their weeks, or have less than half of the rows or hits of one.
  - A profile that fails leaves its published files and all other profiles alone; the module fails at the end, naming each.
  - With O(web_dir) it draws charts and writes pages around the files, where any of their inputs changed. C(index.html) tells what
    the numbers are and the newest week at a glance; C(charts.html) leads to each chart in an interactive form with a table of its
    figures; C(downloads.html), C(dictionary.html) and C(quality.html) tell of the files, their columns and the weeks.
    Pictures are C(images/NAME.png) and C(images/NAME.svg). Pages need no network and no JavaScript, and work from a folder too.
  - A chart or page that fails leaves its own old file, the published files and all others alone; the module fails at the end.
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
          - What the profile is called in results.
        type: str
        required: true
      totals_db:
        description:
          - The SQLite database of the totals.
        type: path
        required: true
      totals_csv:
        description:
          - The CSV file of the same totals. Nothing is published where it belongs to another state than the database.
        type: path
        required: true
      prefix:
        description:
          - What the names of the published files begin with, such as V(totals) or V(totals-centos).
        type: str
        required: true
      title:
        description:
          - What pages call the profile; by default its O(profiles[].name).
        type: str
      log_name:
        description:
          - The name of its log in O(combined_dir), for the chart of the days that are there.
        type: str
      raw_dir:
        description:
          - The folder with its raw days, for that chart where nothing is recorded in O(combined_dir).
        type: path
  allow_shrink:
    description:
      - Publish totals that are much smaller than the published ones, or lack some of their weeks.
    type: bool
    default: false
  min_hits:
    description:
      - Leave rows with fewer hits (fewer machines in C(machines.csv)) out of the new files. The files of the old names always
        hold all rows.
    type: int
    default: 0
  web_dir:
    description:
      - The web root to draw charts and write pages to. O(dest) has to lie below it.
      - Without it there are no charts and no pages.
    type: path
  site_title:
    description:
      - The title of the pages.
    type: str
    default: Systems counted each week
  distribution:
    description:
      - What is counted, as pages name it.
    type: str
    default: Linux
  mirrors_csv_dir:
    description:
      - The folder below O(web_dir) with the CSV files of M(fedora_infra.dnf_counting.mirrorlist_condense), for charts of client
        addresses and to be listed among the downloads.
    type: path
  combined_dir:
    description:
      - The tree of combined logs, for a chart of the days that are there. Only its records are read.
    type: path
  git_history:
    description:
      - Keep a history of the files of single weeks in this Git repository, which is made where it is missing. A commit is made
        only where a week changed.
      - It has to lie outside of O(web_dir) and O(dest), where the web server doesn't show it. Without it no history is kept.
      - Git runs without hooks and without anybody's configuration. What fails here leaves the published files as they are.
    type: path
  git_identity:
    description:
      - Who the commits are by.
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
    - What became of each published file. The status is V(made), V(unchanged), V(due) (in check mode), V(waiting) (there are no
      totals yet) or V(blocked) (its profile failed).
    - A profile that failed is a unit of its own with the status V(failed).
  type: list
  elements: dict
  returned: always
  contains:
    name:
      description:
        - The name of the file below O(dest); or C(profile) and the name of a profile that failed.
        - For a page, picture or other file of the site the name below O(web_dir); V(images) for all pictures where none was
          ever drawn and check mode can't know which there will be.
        - V(charts), V(pages), or V(chart) with the name of one, for what failed in making them.
        - V(git history) stands for the commit to O(git_history).
      type: str
    status:
      description: What became of it.
      type: str
    reasons:
      description: Why it is so.
      type: list
      elements: str
    bytes:
      description: The size of a file that was published, or found as it should be while others were published.
      type: int
    commit:
      description: The commit that was made.
      type: str
    files:
      description: How many files of weeks were committed.
      type: int
  sample:
    - name: totals.csv
      status: made
      reasons: [changed input totals.csv]
      bytes: 633000111
summary:
  description: How many units have which status.
  type: dict
  returned: always
  sample: {made: 20, unchanged: 310}
newest_week:
  description: The newest complete week of each profile that has totals; or the newest week, where none is called complete.
  type: list
  elements: dict
  returned: always
  contains:
    profile:
      description: The name of the profile.
      type: str
    week:
      description: The week by ISO 8601.
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
      description: How many machines were seen.
      type: int
    by_release:
      description: Machines of each release, most first; at most 100 releases.
      type: list
      elements: dict
      sample:
        - os_name: Fedora Linux
          os_version: '34'
          machines: 301722
published:
  description: Paths of what is published, with the folder of single weeks for all of its files.
  type: list
  elements: str
  returned: always
index_page:
  description: The path of the first page; empty where there is none.
  type: str
  returned: always
  sample: /var/www/html/csv-reports/index.html
"""

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
    "combined_dir": {"type": "path"},
    "git_history": {"type": "path"},
    "git_identity": {"type": "str", "default": "DNF counting <countme@localhost>"},
}


def main() -> None:
    module = counting_module(OPTIONS, libraries=("numpy", "pyarrow"), with_days=False, watched=True)
    if module.params["web_dir"]:
        require(module, ("Jinja2", "vl-convert-python"))
    run_module(module, PUBLISH)


if __name__ == "__main__":
    main()
