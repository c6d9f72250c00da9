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
  - Reports what is there, missing, late or out of date of each stage and day, which days came from which log host, how good the weeks are,
    how long the last runs took, how full the disks are, how far back logs reach, and when the next run is scheduled.
  - Each stage records the options that it runs with in the run history. The status reads them from there and takes the plans and records
    of the stages themselves, so it cannot disagree with the runs. A stage that never ran is not in the status.
  - What is not as it should be is a problem, with a severity, the next step, and since when. A place that cannot be read is a problem, not a failure of this module.
  - It changes nothing. Only files of the status are written, where O(status_dir) or O(metrics_file) ask for them; that is not reported as a change.
  - Without O(dates), O(since) and O(days) it covers 28 days.
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
    description: The SQLite file with the run history, O(fedora_infra.dnf_counting.countme_raw#module:history_db) of the stages.
    type: path
    required: true
  timer:
    description: The name of the systemd timer that starts the nightly run, such as V(dnf-counting.timer).
    type: str
  status_dir:
    description:
      - A folder for C(status.json) and the page C(status.html), which are written so that readers never see half of one.
      - They name hosts and folders, and no addresses.
    type: path
  metrics_file:
    description:
      - A file for node_exporter's textfile collector; its name ends in C(.prom).
    type: path
  log_host:
    description: What this log host is called in the status; by default its own name.
    type: str
  patience_seconds:
    description:
      - How long a file system may take to answer, V(1) to V(3600). One that does not, such as a share whose server is gone, is a problem, and all else is told.
      - All of the look may take forty times as long.
    type: int
    default: 30
  show:
    description:
      - Whether the lines of the status are shown on the screen as they are, beside the result.
      - Not where the results are for programs, as with the callback plugin C(ansible.posix.json).
    type: bool
    default: false
  width:
    description:
      - How wide the lines of the status may be; longer cells go on in the next line of their column, and of a long calendar the newest days are shown.
      - V(60) at least. By default V(100), and with O(show) what the terminal has.
    type: int
"""

EXAMPLES = r"""
- name: Show the status
  fedora_infra.dnf_counting.dnf_counting_info:
    history_db: /var/lib/countme/history.db
    show: true

- name: Write the status for monitors, and be patient with totals
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
  description: What is not as it should be, the worst first.
  returned: always
  type: list
  elements: dict
  contains:
    severity:
      description: V(critical), V(warning) or V(unknown).
      type: str
    stage:
      description: Where it is; a stage, or V(runs), V(disk), V(schedule), V(clock), V(messages), V(history) or V(settings).
      type: str
    what:
      description: What it is.
      type: str
      sample: "proxy03: no log of 2021-09-27 to 2021-09-28"
    since:
      description: The day or time since when; empty where that is not known.
      type: str
    next_step:
      description: What to do.
      type: str
lines:
  description: All of the status as lines for a terminal, in aligned columns.
  returned: always
  type: list
  elements: str
status:
  description: All of the status, as it stands in C(status.json).
  returned: always
  type: dict
  contains:
    format:
      description: The version of this structure.
      type: int
    generated_at:
      description: When it was made, ISO 8601, UTC.
      type: str
    log_host:
      description: The name of the log host.
      type: str
    run_id:
      description: The run it belongs to.
      type: str
    state:
      description: As above.
      type: str
    window:
      description: The days that were looked at, C(since), C(until) and how many C(days).
      type: dict
    problems:
      description: As above.
      type: list
      elements: dict
    stages:
      description:
        - What is there of each stage and profile, with its C(newest) day, the C(counts) of states, and its C(units).
        - A unit is a day, a week or a profile, as C(kind) says, with its C(name), C(state) and C(reasons).
        - A C(state) is V(present), V(partial), V(late), V(missing), V(out_of_date), V(blocked), V(unreadable), V(trimmed), V(waiting) or V(not_expected).
      type: list
      elements: dict
    hosts:
      description: The hosts that logs are fetched from, whether each is C(listed), its C(newest) day, the state of its C(days), and C(reasons).
      type: list
      elements: dict
    unmatched_logs:
      description: Logs in the hosts tree that no group combines.
      type: list
      elements: dict
    weeks:
      description: The weeks that these days touch, with what the totals say of their quality.
      type: list
      elements: dict
    steps:
      description: Each step with its C(last) run, its C(usual_seconds), which is the median of the last 14 runs that made something, and its last C(runs).
      type: list
      elements: dict
    trees:
      description: The folders, what they use, what is free, and from which C(oldest) to which C(newest) day they reach.
      type: list
      elements: dict
    synced_at:
      description: When the last sync ended; null where that is not known.
      type: str
    next_run:
      description: When the next run is scheduled, and who says so; null where that is not known.
      type: dict
    at_work:
      description: Who writes to one of the folders just now.
      type: list
      elements: str
    unsent_messages:
      description: How many messages wait for the bus; null where that is not known.
      type: int
files:
  description: The files that were written, or would be in check mode.
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
