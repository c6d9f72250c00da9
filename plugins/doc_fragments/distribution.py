# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options with the data of a distribution: its repositories, its releases and their columns."""

from __future__ import annotations


class ModuleDocFragment:
    """The data by which clients of the mirror list are counted."""

    DOCUMENTATION = r"""
options:
  repositories:
    description:
      - How the name of a repository in a request gives a release. By default the rules for Fedora and EPEL; the role has them in
        C(web_data_analysis_fedora.repositories).
      - The name is made lower case, O(repositories.replace) and O(repositories.cut_from) are applied to it, and its dashes are removed. The first of
        O(repositories.names) that fits the result as a whole gives the release. Other names are unknown.
      - With other rules, days are condensed again.
    type: dict
    suboptions:
      replace:
        description: Words that are replaced wherever they are, in this order.
        type: list
        elements: dict
        suboptions:
          words:
            description: The words.
            type: list
            elements: str
            required: true
          by:
            description: What takes their place; by default nothing.
            type: str
            default: ""
      cut_from:
        description: Words from which on the rest of the name is dropped.
        type: list
        elements: str
      names:
        description: The rules, of which the first that fits counts.
        type: list
        elements: dict
        required: true
        suboptions:
          name:
            description: A regular expression of Python for the whole name. Let numbers have two digits at most, so that nobody can make releases without end.
            type: str
            required: true
          release:
            description: The release, with C({}) for each group of the expression. It has only a-z, 0-9, C(_), C(.) and C(-).
            type: str
            required: true
  releases:
    description:
      - How clients of a release count. By default the rules for Fedora and EPEL; the role has them in C(web_data_analysis_fedora.releases).
      - The first rule that fits counts. Releases without a rule count in O(columns.unknown_release), and in the family C(unknown).
      - With other rules, all rows for which there are condensed days are made again.
    type: list
    elements: dict
    suboptions:
      release:
        description: A regular expression of Python for the whole release. Its first group is the release in C(mirrors-daily.csv).
        type: str
        required: true
      family:
        description: The family of repositories in C(mirrors-daily.csv).
        type: str
        required: true
      columns:
        description:
          - The columns of C(mirrorsdata-all.csv) in which a client counts, with C({}) for each group and C({release}) for the whole release. The last one
            is the column of the whole family.
        type: list
        elements: str
        required: true
      architectures:
        description: A further column for some architectures.
        type: dict
  columns:
    description:
      - The columns of C(mirrorsdata-all.csv). By default those of Fedora and EPEL; the role has them in C(web_data_analysis_fedora.columns).
      - A file with other columns is refused, so files of other data need another folder.
    type: dict
    suboptions:
      first:
        description: The names of the columns behind the date, in their order. They never move.
        type: list
        elements: str
        required: true
      added:
        description: Regular expressions for columns that are added behind these when a release appears; of several, the first kind comes first.
        type: list
        elements: str
      unknown_release:
        description: The column of unknown releases.
        type: str
        required: true
      unknown_architecture:
        description: The column of unknown architectures.
        type: str
        required: true
      architectures:
        description: The column of each architecture, whatever the release.
        type: dict
  newest_releases:
    description:
      - The newest releases that count in a year. A request for a release of a far future counts as unknown, since its column would stay for ever.
      - By default ten years of Fedora ahead, and thirty of EPEL; the role has these in C(web_data_analysis_fedora.newest_releases).
    type: list
    elements: dict
    suboptions:
      prefixes:
        description: What stands before the number in releases of this kind.
        type: list
        elements: str
        required: true
      number:
        description: The newest release in O(newest_releases[].year).
        type: int
        required: true
      year:
        description: A year.
        type: int
        required: true
      releases:
        description: How many releases come in O(newest_releases[].years).
        type: int
        required: true
      years:
        description: In how many years they come, V(1) or more.
        type: int
        required: true
      ahead:
        description: How many releases beyond the newest one count.
        type: int
        required: true
"""
