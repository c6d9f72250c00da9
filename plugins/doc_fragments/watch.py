# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of the modules that report their work."""

from __future__ import annotations


class ModuleDocFragment:
    """The options for messages, progress, system log and run history."""

    DOCUMENTATION = r"""
options:
  subject:
    description:
      - The subject of this step, such as the profile V(fedora). It is in messages, progress, system log and run history.
    type: str
    default: ""
  messaging_config:
    description:
      - The configuration file of fedora-messaging, with the broker and its TLS settings. With this option, the step and its units send messages.
      - An error of the bus or of this file causes only a warning.
    type: path
  messaging_spool:
    description:
      - The spool, an SQLite file on a local disk, with the messages that were not sent yet.
        The next run sends them in their order, with their original time and id.
      - Required with O(messaging_config).
    type: path
  messaging_prefix:
    description:
      - The beginning of topics, after the prefix in O(messaging_config).
    type: str
    default: logging.stats
  messaging_topic:
    description:
      - The beginning of the topics of this step, such as V(countme-centos-update). It replaces the default of the stage.
    type: str
    default: ""
  messaging_timeout:
    description:
      - The seconds until the broker must answer or confirm a message, V(1) to V(300). After that, the bus counts as down for the run.
    type: int
    default: 5
  progress_file:
    description:
      - The file with the progress of the step, one JSON object per line. Each step starts a new file. Beside the lines of units, there is at most one
        line per second.
    type: path
  system_log:
    description:
      - Write the step, its units and, once a minute, its progress to the system log, as JSON under the name C(dnf_counting).
    type: bool
    default: true
  history_db:
    description:
      - The run history, an SQLite file on a local disk. It has each step with its start, end, result, options, number of units, bytes and seconds.
    type: path
  history_days:
    description:
      - The days for which steps stay in the run history, V(1) to V(10000). The newest 500 steps always stay.
    type: int
    default: 400
"""
