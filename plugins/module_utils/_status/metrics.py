# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The status as metrics: OpenMetrics text that node_exporter's textfile collector takes as well.

That collector reads the older text format and knows fewer types, so all metrics are gauges, and
none has a time stamp of its own: both formats say the same then.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple

from .._base.coverage import MISSING, PARTIAL, PRESENT, STATES, UNREADABLE, HostCoverage, State
from .._base.problem import SEVERITIES
from .._watch.history import FAILED, NEVER_FINISHED
from .status import Status

PREFIX = "dnf_counting_"


class Sample(NamedTuple):
    """One value, with the labels that tell it from others of its metric."""

    value: float
    labels: Mapping[str, str] = {}


class Metric(NamedTuple):
    """A gauge: its name without the prefix, what it means, and its values."""

    name: str
    help: str
    samples: tuple[Sample, ...]


def metrics_text(status: Status) -> str:
    """The file: metrics without any value are left out."""
    lines = []
    for metric in metrics_of(status):
        if not metric.samples:
            continue
        name = PREFIX + metric.name
        lines += [f"# HELP {name} {_escaped(metric.help)}", f"# TYPE {name} gauge"]
        lines += [f"{name}{_labels(one.labels)} {one.value!r}" for one in metric.samples]
    return "\n".join([*lines, "# EOF", ""])


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


def _labels(labels: Mapping[str, str]) -> str:
    spelled = ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items())
    return f"{{{spelled}}}" if spelled else ""


def _end_of(day: date) -> float:
    return datetime.combine(day + timedelta(days=1), time(), UTC).timestamp()


def metrics_of(status: Status) -> Iterator[Metric]:
    """All metrics of a status."""
    yield _one(
        "status_timestamp_seconds",
        "When this status was made, in seconds since the Unix epoch.",
        status.generated_at.timestamp(),
    )
    severities = Counter(problem.severity for problem in status.problems)
    yield _many(
        "problems",
        "Open problems by severity.",
        [({"severity": severity}, severities[severity]) for severity in SEVERITIES],
    )
    yield from _of_stages(status)
    yield from _of_hosts(status.hosts)
    yield from _of_weeks(status)
    yield from _of_steps(status)
    yield from _of_trees(status)
    if status.synced_at:
        yield _one(
            "synced_timestamp_seconds", "When the last sync ended.", status.synced_at.timestamp()
        )
    if status.next_run:
        yield _one(
            "next_run_timestamp_seconds",
            "When the next run is scheduled.",
            status.next_run.at.timestamp(),
        )
    if status.unsent is not None:
        yield _one("unsent_messages", "Messages that wait for the bus.", status.unsent.messages)


def _one(name: str, meaning: str, value: float) -> Metric:
    return Metric(name, meaning, (Sample(value),))


def _many(name: str, meaning: str, samples: Iterable[tuple[Mapping[str, str], float]]) -> Metric:
    return Metric(name, meaning, tuple(Sample(value, labels) for labels, value in samples))


def _of_stages(status: Status) -> Iterator[Metric]:
    labelled = [({"stage": s.stage, "profile": s.profile}, s) for s in status.stages]
    yield _many(
        "newest_day_end_timestamp_seconds",
        "When the newest day ended that a stage has; of totals, its newest week.",
        [(labels, _end_of(s.newest)) for labels, s in labelled if s.newest],
    )
    yield _many(
        "units",
        "Days, weeks or profiles of a stage in the window that was looked at, by their state.",
        [
            ({**labels, "state": state}, stage.counts.get(state, 0))
            for labels, stage in labelled
            for state in STATES
        ],
    )


def _of_hosts(hosts: Iterable[HostCoverage]) -> Iterator[Metric]:
    states: tuple[State, ...] = (PRESENT, PARTIAL, MISSING, UNREADABLE)
    yield _many(
        "host_days",
        "Days of a log host in the window that was looked at, by their state.",
        [
            ({"host": host.name, "state": state}, len(host.days_that_are(state)))
            for host in hosts
            for state in states
        ],
    )
    yield _many(
        "host_newest_day_end_timestamp_seconds",
        "When the newest day ended that a log host has logs of.",
        [({"host": host.name}, _end_of(host.newest)) for host in hosts if host.newest],
    )


def _of_weeks(status: Status) -> Iterator[Metric]:
    recorded = [(one, one.quality) for one in status.weeks if one.quality is not None]
    qualities = Counter((one.profile, quality.status) for one, quality in recorded)
    yield _many(
        "weeks",
        "Counted weeks in the window that was looked at, by their quality.",
        [
            ({"profile": profile, "status": status_name}, count)
            for (profile, status_name), count in sorted(qualities.items())
        ],
    )
    suspects = Counter({one.profile: 0 for one in status.weeks})
    suspects.update(one.profile for one, quality in recorded if quality.suspect)
    yield _many(
        "weeks_suspect",
        "Counted weeks in the window that was looked at whose hits are out of the ordinary.",
        [({"profile": profile}, count) for profile, count in sorted(suspects.items())],
    )


def _of_steps(status: Status) -> Iterator[Metric]:
    steps = [({"stage": one.stage, "subject": one.subject}, one) for one in status.steps]
    yield _many(
        "step_started_timestamp_seconds",
        "When a step last started.",
        [(labels, one.last.started.timestamp()) for labels, one in steps],
    )
    yield _many(
        "step_duration_seconds",
        "How long a step took the last time it ended.",
        [(labels, one.last.seconds) for labels, one in steps if one.last.seconds is not None],
    )
    yield _many(
        "step_usual_duration_seconds",
        "The median duration of the last runs of a step that made something.",
        [(labels, one.usual_seconds) for labels, one in steps if one.usual_seconds is not None],
    )
    yield _many(
        "step_failed",
        "1 where a step last failed, or started and never finished.",
        [(labels, int(one.last.result in (FAILED, NEVER_FINISHED))) for labels, one in steps],
    )


def _of_trees(status: Status) -> Iterator[Metric]:
    trees = [({"tree": tree.name, "path": str(tree.path)}, tree) for tree in status.trees]
    yield _many(
        "tree_free_bytes",
        "What is free on the file system of a folder.",
        [(labels, tree.free_bytes) for labels, tree in trees if tree.free_bytes is not None],
    )
    yield _many(
        "tree_size_bytes",
        "The size of the file system of a folder.",
        [(labels, tree.total_bytes) for labels, tree in trees if tree.total_bytes is not None],
    )
    yield _many(
        "tree_used_bytes",
        "What a folder's files take, of trees of days in the window that was looked at.",
        [(labels, tree.used_bytes) for labels, tree in trees if tree.used_bytes is not None],
    )
    yield _many(
        "tree_oldest_day_end_timestamp_seconds",
        "When the oldest day ended that a tree has.",
        [(labels, _end_of(tree.oldest)) for labels, tree in trees if tree.oldest],
    )
