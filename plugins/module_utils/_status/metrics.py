# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The status as metrics: OpenMetrics text that the textfile collector of node_exporter also reads.

That collector reads the older text format, which has fewer types. All metrics are therefore gauges
without time stamps, for which both formats are equal.
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

_PREFIX = "dnf_counting_"


class _Sample(NamedTuple):
    """One value, with the labels that distinguish it within its metric."""

    value: float
    labels: Mapping[str, str] = {}


class _Metric(NamedTuple):
    """A gauge: its name without the prefix, its meaning and its values."""

    name: str
    help: str
    samples: tuple[_Sample, ...]


def metrics_text(status: Status) -> str:
    """Return the text of the file. Metrics without any value are left out."""
    lines = []
    for metric in _metrics_of(status):
        if not metric.samples:
            continue
        name = _PREFIX + metric.name
        lines += [f"# HELP {name} {_escaped(metric.help)}", f"# TYPE {name} gauge"]
        lines += [f"{name}{_labels(one.labels)} {one.value!r}" for one in metric.samples]
    return "\n".join([*lines, "# EOF", ""])


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


def _labels(labels: Mapping[str, str]) -> str:
    joined = ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items())
    return f"{{{joined}}}" if joined else ""


def _end_of(day: date) -> float:
    return datetime.combine(day + timedelta(days=1), time(), UTC).timestamp()


def _metrics_of(status: Status) -> Iterator[_Metric]:
    """Yield all metrics of a status."""
    yield _one(
        "status_timestamp_seconds",
        "The time when this status was made, in seconds since the Unix epoch.",
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
            "synced_timestamp_seconds",
            "The time when the last sync ended.",
            status.synced_at.timestamp(),
        )
    if status.next_run:
        yield _one(
            "next_run_timestamp_seconds",
            "The time for which the next run is scheduled.",
            status.next_run.at.timestamp(),
        )
    if status.unsent is not None:
        yield _one("unsent_messages", "Messages that wait for the bus.", status.unsent.messages)


def _one(name: str, meaning: str, value: float) -> _Metric:
    return _Metric(name, meaning, (_Sample(value),))


def _many(name: str, meaning: str, samples: Iterable[tuple[Mapping[str, str], float]]) -> _Metric:
    return _Metric(name, meaning, tuple(_Sample(value, labels) for labels, value in samples))


def _of_stages(status: Status) -> Iterator[_Metric]:
    labelled = [({"stage": s.stage, "profile": s.profile}, s) for s in status.stages]
    yield _many(
        "newest_day_end_timestamp_seconds",
        "The end of the newest day of a stage; of its newest week for totals.",
        [(labels, _end_of(s.newest)) for labels, s in labelled if s.newest],
    )
    yield _many(
        "units",
        "Days, weeks or profiles of a stage in the window of the status, by their state.",
        [
            ({**labels, "state": state}, stage.counts.get(state, 0))
            for labels, stage in labelled
            for state in STATES
        ],
    )


def _of_hosts(hosts: Iterable[HostCoverage]) -> Iterator[_Metric]:
    states: tuple[State, ...] = (PRESENT, PARTIAL, MISSING, UNREADABLE)
    yield _many(
        "host_days",
        "Days of a log host in the window of the status, by their state.",
        [
            ({"host": host.name, "state": state}, len(host.days_that_are(state)))
            for host in hosts
            for state in states
        ],
    )
    yield _many(
        "host_newest_day_end_timestamp_seconds",
        "The end of the newest day with logs of a log host.",
        [({"host": host.name}, _end_of(host.newest)) for host in hosts if host.newest],
    )


def _of_weeks(status: Status) -> Iterator[_Metric]:
    recorded = [(one, one.quality) for one in status.weeks if one.quality is not None]
    qualities = Counter((one.profile, quality.status) for one, quality in recorded)
    yield _many(
        "weeks",
        "Counted weeks in the window of the status, by their quality.",
        [
            ({"profile": profile, "status": status_name}, count)
            for (profile, status_name), count in sorted(qualities.items())
        ],
    )
    suspects = Counter({one.profile: 0 for one in status.weeks})
    suspects.update(one.profile for one, quality in recorded if quality.suspect)
    yield _many(
        "weeks_suspect",
        "Counted weeks in the window of the status with unusual hits.",
        [({"profile": profile}, count) for profile, count in sorted(suspects.items())],
    )


def _of_steps(status: Status) -> Iterator[_Metric]:
    steps = [({"stage": one.stage, "subject": one.subject}, one) for one in status.steps]
    yield _many(
        "step_started_timestamp_seconds",
        "The time when a step last started.",
        [(labels, one.last.started.timestamp()) for labels, one in steps],
    )
    yield _many(
        "step_duration_seconds",
        "The duration of a step when it last ended.",
        [(labels, one.last.seconds) for labels, one in steps if one.last.seconds is not None],
    )
    yield _many(
        "step_usual_duration_seconds",
        "The median duration of the last runs of a step that made something.",
        [(labels, one.usual_seconds) for labels, one in steps if one.usual_seconds is not None],
    )
    yield _many(
        "step_failed",
        "1 if the last run of a step failed, or started and never finished.",
        [(labels, int(one.last.result in (FAILED, NEVER_FINISHED))) for labels, one in steps],
    )


def _of_trees(status: Status) -> Iterator[_Metric]:
    trees = [({"tree": tree.name, "path": str(tree.path)}, tree) for tree in status.trees]
    yield _many(
        "tree_free_bytes",
        "The free space on the file system of a folder.",
        [(labels, tree.free_bytes) for labels, tree in trees if tree.free_bytes is not None],
    )
    yield _many(
        "tree_size_bytes",
        "The size of the file system of a folder.",
        [(labels, tree.total_bytes) for labels, tree in trees if tree.total_bytes is not None],
    )
    yield _many(
        "tree_used_bytes",
        "The space of the files in a folder; in trees of days, of the window of the status.",
        [(labels, tree.used_bytes) for labels, tree in trees if tree.used_bytes is not None],
    )
    yield _many(
        "tree_oldest_day_end_timestamp_seconds",
        "The end of the oldest day of a tree.",
        [(labels, _end_of(tree.oldest)) for labels, tree in trees if tree.oldest],
    )
