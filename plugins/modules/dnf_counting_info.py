#!/usr/bin/python
# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: dnf_counting_info
short_description: Report the status of the counting, day by day
version_added: 1.0.0
description:
  - Reports the state of each stage, day, host-day and week, the quality of the weeks, the duration of the last steps, the free space of the
    disks, the oldest and newest days of the folders, and the time of the next run.
  - Each stage records the options of its steps in the run history. The status reads these options and uses the plans and records
    of the stages, so it always agrees with the runs. A stage that never ran is not in the status.
  - A problem has a severity, the next step, and the day or time since when it exists. A place that cannot be read is a problem, and not a
    failure of this module.
  - The module changes nothing. With O(status_dir) or O(metrics_file), it writes files of the status, which is not reported as a change.
  - Without O(dates), O(since) and O(days), the status has 28 days.
author: Fedora Infrastructure (@fedora-infra)
extends_documentation_fragment:
  - fedora_infra.dnf_counting.days
  - fedora_infra.dnf_counting.days.run
  - fedora_infra.dnf_counting.thresholds
requirements:
  - duckdb, numpy and pyarrow for raw days and totals; without them the rest is reported
  - Jinja2 for C(status.html); without it everything else is written
options:
  history_db:
    description: The SQLite file with the run history of the stages, as in O(fedora_infra.dnf_counting.countme_raw#module:history_db).
    type: path
    required: true
  timer:
    description: The name of the systemd timer that starts the nightly run, such as V(dnf-counting.timer).
    type: str
  status_dir:
    description:
      - The folder for C(status.json) and the page C(status.html). Each file is replaced as a whole.
      - They contain names of hosts and folders, but no addresses of clients.
    type: path
  metrics_file:
    description:
      - The file for the textfile collector of node_exporter. Its name ends in C(.prom).
    type: path
  log_host:
    description: The name of the log host in the status. By default the name of the machine.
    type: str
  patience_seconds:
    description:
      - The seconds until a file system must answer, V(1) to V(3600). A file system that does not answer, such as a share whose server is down,
        is a problem, and the status reports everything else.
      - The whole module may take forty times as long.
    type: int
    default: 30
  show:
    description:
      - Show the lines of the status on the screen, in addition to the result.
      - Nothing is shown if the results are for programs, as with the callback plugin C(ansible.posix.json).
    type: bool
    default: false
  width:
    description:
      - The width of the lines of the status, at least V(60). A longer cell continues in the next line of its column. A calendar that is too wide
        shows its newest days.
      - By default V(100), or with O(show) the width of the terminal.
    type: int
"""

EXAMPLES = r"""
- name: Show the status
  fedora_infra.dnf_counting.dnf_counting_info:
    history_db: /var/lib/countme/history.db
    show: true

- name: Write the status for monitors, with another threshold for totals
  fedora_infra.dnf_counting.dnf_counting_info:
    history_db: /var/lib/countme/history.db
    status_dir: /var/lib/countme-status
    metrics_file: /var/lib/node_exporter/dnf_counting.prom
    thresholds:
      totals_age_days: [9, 14]
"""

RETURN = r"""
state:
  description: V(ok), or the severity of the worst problem, which is V(critical), V(warning) or V(unknown).
  returned: always
  type: str
  sample: ok
problems:
  description: The problems, the worst first.
  returned: always
  type: list
  elements: dict
  contains:
    severity:
      description: V(critical), V(warning) or V(unknown).
      type: str
    stage:
      description: The place of the problem, which is a stage, or V(runs), V(disk), V(schedule), V(clock), V(messages), V(history) or V(settings).
      type: str
    what:
      description: The problem in words.
      type: str
      sample: "proxy03: no log of 2021-09-27 to 2021-09-28"
    since:
      description: The day or time since when it exists; empty if this is unknown.
      type: str
    next_step:
      description: The remedy.
      type: str
lines:
  description: The whole status as lines for a terminal, in aligned columns.
  returned: always
  type: list
  elements: str
status:
  description: The whole status, as in C(status.json).
  returned: always
  type: dict
  contains:
    format:
      description: The version of this structure.
      type: int
    generated_at:
      description: The time of the status, ISO 8601, UTC.
      type: str
    log_host:
      description: The name of the log host.
      type: str
    run_id:
      description: The run that the status belongs to.
      type: str
    state:
      description: As above.
      type: str
    window:
      description: The days of the status as C(since), C(until) and the number C(days).
      type: dict
    problems:
      description: As above.
      type: list
      elements: dict
    stages:
      description:
        - An entry for each stage and profile, with its C(newest) day, the C(counts) of states, and its C(units).
        - A unit is a day, a week or a profile, depending on C(kind), with its C(name), C(state) and C(reasons).
        - A C(state) is V(present), V(partial), V(late), V(missing), V(out_of_date), V(blocked), V(unreadable), V(trimmed), V(waiting) or V(not_expected).
      type: list
      elements: dict
    hosts:
      description: The hosts. For each, C(listed) is true if it is in the host list, with its C(newest) day, the state of its C(days), and C(reasons).
      type: list
      elements: dict
    unmatched_logs:
      description: Logs in the hosts' tree that belong to no group.
      type: list
      elements: dict
    weeks:
      description: The weeks with at least one of these days, with their quality from the totals.
      type: list
      elements: dict
    steps:
      description: Each step with its C(last) run, its last C(runs), and C(usual_seconds), the median of its last 14 runs that made something.
      type: list
      elements: dict
    trees:
      description: The folders with their size, free space, and C(oldest) and C(newest) day.
      type: list
      elements: dict
    synced_at:
      description: The time at which the last sync ended; null if this is unknown.
      type: str
    next_run:
      description: The time of the next run and the source of this information; null if this is unknown.
      type: dict
    at_work:
      description: The processes that write to one of the folders at this moment.
      type: list
      elements: str
    unsent_messages:
      description: Number of messages in the spool; null if this is unknown.
      type: int
files:
  description: The files that were written, or would be written in check mode.
  returned: always
  type: list
  elements: str
"""

import platform
from datetime import UTC, datetime

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._base.days_and_weeks import (
    days_from,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._module.module import (
    counting_module,
    run,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._module.status_options import (
    OPTIONS,
    path_of,
    settings_from,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._status.files import (
    status_files,
    write_status_files,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._status.patience import (
    read_patiently,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._status.text import (
    WIDTH,
    status_lines,
)


def report(module: AnsibleModule) -> None:
    """Read the status, write the files that are wanted, and end the module."""
    options = module.params
    now = datetime.now(UTC)
    settings, problems = settings_from(options, now)
    status, silent = read_patiently(
        settings,
        days_from(options, today=now.date(), default_days=28),
        patience_seconds=options["patience_seconds"],
        now=now,
        log_host=options["log_host"] or platform.node(),
        run_id=options["run_id"],
        problems=problems,
    )
    files = status_files(
        status,
        status_dir=path_of(options["status_dir"]),
        metrics_file=path_of(options["metrics_file"]),
    )
    files = {
        path: text
        for path, text in files.items()
        if not any(path.is_relative_to(place) for place in silent)
    }
    if not module.check_mode:
        write_status_files(files)
    result = status.to_json()
    module.exit_json(
        changed=False,
        state=status.state,
        problems=result["problems"],
        lines=status_lines(status, width=options["width"] or WIDTH),
        status=result,
        files=[str(path) for path in files],
    )


def main() -> None:
    module = counting_module(OPTIONS)
    run(module, lambda: report(module))


if __name__ == "__main__":
    main()
