#!/usr/bin/python
# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: dnf_counting_info
short_description: Tell how the counting stands, day by day
version_added: 1.0.0
description:
  - Tells what of each stage is there, missing, late or out of date for each day, which days came from which log host, how good the weeks are,
    how long the last runs took, how full the disks are, how far back logs reach, and when the next run is scheduled.
  - What is out of date is judged by the plans and records of the stages themselves, so give it the same settings as them.
  - What is not as it should be is a problem, with a severity, the next step, and since when. What can't be read is a problem, not a failure of this module.
  - It changes nothing. Only files of the status are written, where O(status_dir) or O(metrics_file) ask for them; that is not reported as a change.
  - Without O(dates), O(since) and O(days) it looks at 28 days.
author: Fedora Infrastructure (@fedora-infra)
extends_documentation_fragment:
  - fedora_infra.dnf_counting.days
  - fedora_infra.dnf_counting.days.run
requirements:
  - duckdb, numpy and pyarrow to look at raw days and totals; without them the rest is told
options:
  hosts:
    description:
      - The host list, as for M(fedora_infra.dnf_counting.http_log_sync).
    type: list
    elements: raw
    default: []
  hosts_dir:
    description: The tree with the hosts' logs.
    type: path
    required: true
  combined_dir:
    description: The tree of combined logs.
    type: path
    required: true
  require_mount:
    description: What proves that the share with the combined logs is there, as for M(fedora_infra.dnf_counting.http_log_combine).
    type: path
  groups:
    description: Which logs of which hosts are combined, as for M(fedora_infra.dnf_counting.http_log_combine).
    type: list
    elements: dict
    suboptions:
      name:
        description: What the group is called.
        type: str
        required: true
      hosts:
        description: A pattern for the names of its hosts.
        type: str
        required: true
      logs:
        description: A pattern for the names of the logs.
        type: str
        required: true
  settle_days:
    description: Days after which a log that has not come is missing; until then it is late.
    type: int
    default: 2
  profiles:
    description: What is counted, one set of totals each.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: What it is called.
        type: str
        required: true
      log_name:
        description: The combined log that is read.
        type: str
        required: true
      raw_dir:
        description: The folder of its raw days.
        type: path
        required: true
      totals_db:
        description: Its totals as an SQLite file.
        type: path
        required: true
      totals_csv:
        description: Its totals as CSV.
        type: path
        required: true
      prefix:
        description: The beginning of the names of its published files.
        type: str
        required: true
  condense_log:
    description: The combined log whose clients M(fedora_infra.dnf_counting.mirrorlist_condense) tells. Without it nothing is said about condensing.
    type: str
  condense_dir:
    description: The folder with the clients of each day. Required with O(condense_log).
    type: path
  hash_hosts:
    description: Whether raw days hold hashes in place of addresses, as for M(fedora_infra.dnf_counting.countme_raw).
    type: bool
    default: false
  revise_weeks:
    description: As for M(fedora_infra.dnf_counting.countme_totals).
    type: int
    default: 4
  totals_settle_days:
    description: O(fedora_infra.dnf_counting.countme_totals#module:settle_days) of that module.
    type: int
    default: 7
  publish_dir:
    description: The published folder. Without it nothing is said about publishing.
    type: path
  min_hits:
    description: As for M(fedora_infra.dnf_counting.stats_publish).
    type: int
    default: 0
  allow_shrink:
    description: As for M(fedora_infra.dnf_counting.stats_publish).
    type: bool
    default: false
  history_db:
    description: The SQLite file with the history of runs. Without it nothing is said about runs.
    type: path
  messaging_spool:
    description: The SQLite file with the messages that wait for the bus. Without it nothing is said about them.
    type: path
  timer:
    description: The name of the systemd timer that starts the nightly run, such as V(dnf-counting.timer).
    type: str
  cron_file:
    description: The file with the cron job that starts the nightly run, such as one in C(/etc/cron.d).
    type: path
  thresholds:
    description:
      - From where on something is a problem. Each is a list of two numbers, that for a warning and that for a critical problem; V(0) to V(100) for a share.
      - Ages are in days and may have a fraction.
    type: dict
    default: {}
    suboptions:
      combined_age_days:
        description: Since the newest combined day ended. At the end of a nightly run that is some hours.
        type: list
        elements: float
        default: [1, 2]
      raw_age_days:
        description: The same of raw days.
        type: list
        elements: float
        default: [1, 2]
      totals_age_days:
        description: Since the newest counted week could be counted, which is two days after it ended.
        type: list
        elements: float
        default: [7, 8]
      host_missing_days:
        description: Days of one host that did not come.
        type: list
        elements: float
        default: [1, 7]
      hosts_missing_percent:
        description: Share of the hosts whose logs of the newest day should be there and are not.
        type: list
        elements: float
        default: [25, 50]
      disk_free_percent:
        description: Share of a file system that is free; less is worse.
        type: list
        elements: float
        default: [10, 5]
      run_time_factor:
        description: How many times longer than usual the last run of a step took, if that was at least a minute more.
        type: list
        elements: float
        default: [3, 10]
      unsent_messages:
        description: Messages that wait for the bus.
        type: list
        elements: float
        default: [1, 1000]
      judged_days:
        description:
          - Days and weeks that ended longer ago are shown, and what they lack is no problem any more, as it will hardly come.
        type: int
        default: 14
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
- name: See how the counting stands
  fedora_infra.dnf_counting.dnf_counting_info:
    hosts: [proxy01, proxy02]
    hosts_dir: /var/log/hosts
    combined_dir: /mnt/fedora_stats/combined-http
    profiles:
      - name: fedora
        log_name: mirrors.fedoraproject.org-access.log
        raw_dir: /var/lib/countme/raw
        totals_db: /var/lib/countme/totals.db
        totals_csv: /var/lib/countme/totals.csv
        prefix: totals
    publish_dir: /var/www/html/csv-reports/countme
    show: true

- name: Keep the status for monitors, and be patient with totals
  fedora_infra.dnf_counting.dnf_counting_info:
    hosts: [proxy01, proxy02]
    hosts_dir: /var/log/hosts
    combined_dir: /mnt/fedora_stats/combined-http
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
      description: The log hosts, whether each is C(listed), its C(newest) day, the state of its C(days), and C(reasons).
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
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._combine_plan import (
    CombineSettings,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._errors import (
    SettingsError,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._host_logs import (
    DEFAULT_GROUPS,
    Group,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._libs import missing
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._log_paths import (
    checked_log_name,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._mirrorlist_condense import (
    CondenseSettings,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._module import (
    counting_module,
    run,
    window,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._problems import (
    Bounds,
    Thresholds,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._publish import Settings
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._status_files import (
    status_files,
    write_status_files,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._status_patience import (
    read_patiently,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._status_settings import (
    CountedProfile,
    StatusSettings,
    listed_hosts,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._status_text import (
    NARROWEST,
    WIDTH,
    status_lines,
)


def _bounds_option(warning: float, critical: float) -> dict[str, Any]:
    return {"type": "list", "elements": "float", "default": [warning, critical]}


OPTIONS: dict[str, dict[str, Any]] = {
    "hosts": {"type": "list", "elements": "raw", "default": []},
    "hosts_dir": {"type": "path", "required": True},
    "combined_dir": {"type": "path", "required": True},
    "require_mount": {"type": "path"},
    "groups": {
        "type": "list",
        "elements": "dict",
        "options": {
            "name": {"type": "str", "required": True},
            "hosts": {"type": "str", "required": True},
            "logs": {"type": "str", "required": True},
        },
    },
    "settle_days": {"type": "int", "default": 2},
    "profiles": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "name": {"type": "str", "required": True},
            "log_name": {"type": "str", "required": True},
            "raw_dir": {"type": "path", "required": True},
            "totals_db": {"type": "path", "required": True},
            "totals_csv": {"type": "path", "required": True},
            "prefix": {"type": "str", "required": True},
        },
    },
    "condense_log": {"type": "str"},
    "condense_dir": {"type": "path"},
    "hash_hosts": {"type": "bool", "default": False},
    "revise_weeks": {"type": "int", "default": 4},
    "totals_settle_days": {"type": "int", "default": 7},
    "publish_dir": {"type": "path"},
    "min_hits": {"type": "int", "default": 0},
    "allow_shrink": {"type": "bool", "default": False},
    "history_db": {"type": "path"},
    "messaging_spool": {"type": "path"},
    "timer": {"type": "str"},
    "cron_file": {"type": "path"},
    "thresholds": {
        "type": "dict",
        "default": {},
        "options": {
            "combined_age_days": _bounds_option(1, 2),
            "raw_age_days": _bounds_option(1, 2),
            "totals_age_days": _bounds_option(7, 8),
            "host_missing_days": _bounds_option(1, 7),
            "hosts_missing_percent": _bounds_option(25, 50),
            "disk_free_percent": _bounds_option(10, 5),
            "run_time_factor": _bounds_option(3, 10),
            "unsent_messages": _bounds_option(1, 1000),
            "judged_days": {"type": "int", "default": 14},
        },
    },
    "status_dir": {"type": "path"},
    "metrics_file": {"type": "path"},
    "log_host": {"type": "str"},
    "patience_seconds": {"type": "int", "default": 30},
    # for the action plugin
    "show": {"type": "bool", "default": False},
    "width": {"type": "int"},
}
BOUNDS = {
    "patience_seconds": (1, 3600),
    "width": (NARROWEST, 10_000),
    "settle_days": (0, 10_000),
    "revise_weeks": (0, 10_000),
    "totals_settle_days": (0, 10_000),
    "min_hits": (0, None),
}


def path_of(option: str | None) -> Path | None:
    return Path(option) if option else None


def thresholds_from(options: dict[str, Any]) -> Thresholds:
    """The thresholds that are given, and the defaults of the others. Raises SettingsError."""
    found: dict[str, Any] = {}
    for name, value in options.items():
        if value is None:
            continue
        if isinstance(value, list) and len(value) != 2:
            raise SettingsError(
                f"option thresholds, {name}",
                expected="two numbers, for a warning and for a critical problem",
                found=f"{len(value)}",
                advice="Correct the option.",
            )
        found[name] = Bounds(*value) if isinstance(value, list) else value
    return Thresholds(**found)


def settings_from(options: dict[str, Any], hosts: list[str]) -> StatusSettings:
    """The library's settings from the module's options. Raises SettingsError."""
    groups = options["groups"]
    publish_dir = path_of(options["publish_dir"])
    condensed, condense_dir = options["condense_log"], path_of(options["condense_dir"])
    profiles = [
        CountedProfile(
            name=one["name"],
            log_name=checked_log_name(one["log_name"]),
            raw_dir=Path(one["raw_dir"]),
            totals_db=Path(one["totals_db"]),
            totals_csv=Path(one["totals_csv"]),
            prefix=one["prefix"],
        )
        for one in options["profiles"]
    ]
    return StatusSettings(
        combine=CombineSettings(
            src=Path(options["hosts_dir"]),
            dest=Path(options["combined_dir"]),
            groups=DEFAULT_GROUPS if groups is None else tuple(Group(**group) for group in groups),
            expected_hosts=tuple(hosts),
            settle_days=options["settle_days"],
            require_mount=path_of(options["require_mount"]),
        ),
        profiles=tuple(profiles),
        publish=publish_dir and Settings(publish_dir, options["allow_shrink"], options["min_hits"]),
        condense=CondenseSettings(
            Path(options["combined_dir"]), checked_log_name(condensed), condense_dir
        )
        if condensed and condense_dir
        else None,
        hash_hosts=options["hash_hosts"],
        revise_weeks=options["revise_weeks"],
        totals_settle_days=options["totals_settle_days"],
        history_db=path_of(options["history_db"]),
        messaging_spool=path_of(options["messaging_spool"]),
        timer=options["timer"] or "",
        cron_file=path_of(options["cron_file"]),
        written=tuple(
            Path(options[name]) for name in ("status_dir", "metrics_file") if options[name]
        ),
        thresholds=thresholds_from(options["thresholds"]),
        missing_libraries=tuple(sorted(missing({"duckdb", "numpy", "pyarrow"}))),
    )


def tell(module: AnsibleModule) -> None:
    """Read the status, write the files that are wanted, and end the module."""
    options = module.params
    hosts, problems = listed_hosts(options["hosts"])
    now = datetime.now(UTC)
    status, silent = read_patiently(
        settings_from(options, hosts),
        window(module, default_days=28, today=now.date()),
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
    told = status.to_json()
    module.exit_json(
        changed=False,
        state=status.state,
        problems=told["problems"],
        lines=status_lines(status, width=options["width"] or WIDTH),
        status=told,
        files=[str(path) for path in files],
    )


def main() -> None:
    module = counting_module(
        OPTIONS, bounds=BOUNDS, required_by={"condense_log": ("condense_dir",)}
    )
    run(module, lambda: tell(module))


if __name__ == "__main__":
    main()
