# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of the modules that are watched while they work."""

from __future__ import annotations


class ModuleDocFragment:
    """Messages, progress and the run history."""

    DOCUMENTATION = r"""
options:
  subject:
    description:
      - Which of several this is, such as the profile V(fedora); it is named in messages, progress, log and run history.
    type: str
    default: ""
  messaging_config:
    description:
      - The configuration file of fedora-messaging, with the broker and its TLS. With it, the step and its units are announced on the bus.
      - Whatever is wrong with the bus or this file is never more than a warning.
    type: path
  messaging_spool:
    description:
      - The file with the messages that are not sent yet, on a local disk.
        They go out with the next run, in their order, with the time and id that they had.
      - Required with O(messaging_config).
    type: path
  messaging_prefix:
    description:
      - What topics begin with, behind the prefix that O(messaging_config) sets.
    type: str
    default: logging.stats
  messaging_topic:
    description:
      - What the topics of this step begin with, in place of those that its stage has; such as V(countme-centos-update).
    type: str
    default: ""
  messaging_timeout:
    description:
      - Seconds that the broker may take to answer and to confirm a message, V(1) to V(300). After that, the bus counts as down for the run.
    type: int
    default: 5
  progress_file:
    description:
      - A file that says how far the step is, one JSON object a line, at most one a second beside those of the units. It starts anew with each step.
    type: path
  system_log:
    description:
      - Whether the step, its units and, once a minute, its progress are told to the system's log, as JSON under the name C(dnf_counting).
    type: bool
    default: true
  history_db:
    description:
      - The run history, an SQLite file on a local disk. It has each step with its start, end, result, number of units, bytes and seconds.
    type: path
  history_days:
    description:
      - How many days steps stay in the run history, V(1) to V(10000). The newest 500 always stay.
    type: int
    default: 400
"""
