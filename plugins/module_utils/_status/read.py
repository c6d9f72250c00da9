# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read the status of the pipeline from its trees, records and plans. Nothing is written.

A place that cannot be read becomes a problem, and everything else is read nevertheless.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TypeVar

from .._base.coverage import Calendar, CoverageContext, Reach, StageCoverage
from .._base.errors import CountingError
from .._base.libs import not_installed
from .._base.problem import CRITICAL, UNKNOWN, Problem, problem_of
from .._combine.plan import CombineSettings
from .._combine.strays import StrayHosts, stray_hosts
from .._logs.combined_tree import CombinedDay, read_combined_day
from .._logs.hosts_tree import HostsTree, existing_hosts_tree
from .._storage.files import check_mount, current_writer, write_error
from .._sync.coverage import HostsCoverage, HostsInputs, cover_hosts
from .._sync.memory import load_memory, synced_at
from .._sync.stage import SyncSettings
from .._watch.history import Step, read_steps
from .._watch.spool import Waiting, read_waiting
from .judge import judge
from .judge_hosts import JudgementInputs
from .runs import step_times
from .schedule import NextRun, next_of_timer
from .settings import ConfiguredStage, StatusSettings
from .status import Status
from .thresholds import worst_first
from .trees import Tree, measured

_SILENT = "its file system does not answer"
_SHARE_IS_SILENT = "the share does not answer"
_NO_SHARE = "the share is not there"
_NO_REACH: Reach = (None, None)

#: The days of the run history that are read.
_HISTORY_DAYS = 90
#: The days after which the logs of a day are missing, where combine never ran.
_SETTLE_DAYS = 2

_T = TypeVar("_T")


def read_status(
    settings: StatusSettings,
    days: Sequence[date],
    *,
    now: datetime,
    log_host: str = "",
    run_id: str = "",
    problems: Iterable[Problem] = (),
) -> Status:
    """Return the status of some days. ``problems`` were found before, and are added.

    Errors of the trees are problems in the status and are not raised.
    """
    reading = _Reading(settings, days, now)
    reading.problems += problems
    stages = [coverage for one in settings.stages for coverage in reading.cover(one)]
    status = Status(
        generated_at=now,
        log_host=log_host,
        days=tuple(days),
        run_id=run_id,
        stages=tuple(stages),
        hosts=reading.hosts.hosts,
        unmatched=reading.hosts.unmatched,
        weeks=tuple(week for stage in stages for week in stage.weeks),
        steps=tuple(step_times(reading.steps())),
        trees=tuple(reading.trees()),
        synced_at=reading.synced_at,
        next_run=reading.next_run(),
        at_work=tuple(reading.at_work()),
        unsent=reading.unsent(),
    )
    inputs = JudgementInputs(
        thresholds=settings.thresholds,
        begin=reading.calendar.begin,
        today=reading.calendar.today,
        stray=reading.stray,
        odd_names=reading.tree.odd_names,
        uncombined_hosts=reading.hosts.uncombined_hosts,
        is_scheduled=bool(settings.timer),
        is_blind=bool(settings.silent),
    )
    return replace(status, problems=tuple(worst_first([*reading.problems, *judge(status, inputs)])))


class _Reading:
    """The values that several parts of the status need, and the problems found in reading."""

    def __init__(self, settings: StatusSettings, days: Sequence[date], now: datetime) -> None:
        self.settings = settings
        self.now = now
        self.problems: list[Problem] = []
        self.unreadable = self._unreadable()
        self.reach = {
            one.name_of(tree): self._tried(one.stage.name, tree.reach, tree.path) or _NO_REACH
            for one in settings.stages
            for tree in one.trees()
        }
        sync: SyncSettings | None = settings.of_stage("sync")
        combine: CombineSettings | None = settings.of_stage("combine")
        self.hosts_dir = combine.src if combine else sync.transfer.dest if sync else None
        self.synced_at = self._synced_at()
        self.calendar = Calendar(
            days,
            now.astimezone(UTC).date(),
            combine.settle_days if combine else _SETTLE_DAYS,
            min((oldest for oldest, _newest in self.reach.values() if oldest), default=None),
            self.synced_at.date() - timedelta(days=1) if self.synced_at else None,
        )
        self.tree = self._hosts_tree()
        self.hosts = self._hosts(sync, combine)
        self.stray = stray_hosts(combine, self.tree) if combine and self.hosts_dir else StrayHosts()
        self.context = CoverageContext(self.calendar, self.hosts.hosts, self.unreadable)
        self._without: set[str] = set()

    def _unreadable(self) -> dict[Path, str]:
        """Return the places that cannot be read at all, with the reason."""
        found = dict.fromkeys(self.settings.silent, _SILENT)
        for one in self.settings.stages:
            for tree in one.trees():
                if tree.mount is None:
                    continue
                if not self.settings.answers(tree.path, tree.mount):
                    found[tree.path] = found[tree.mount] = _SHARE_IS_SILENT
                    continue
                try:
                    check_mount(tree.mount)
                except CountingError as error:
                    found[tree.path] = found[tree.mount] = _NO_SHARE
                    self.problems.append(problem_of(CRITICAL, one.stage.name, error))
        return found

    def _tried(self, stage: str, read: Callable[[], _T], *places: Path) -> _T | None:
        """Return what is read from some places; None if that fails, which is a problem.

        Return None as well if a place is known to be unreadable, which is a problem already.
        """
        if not self.unreadable.keys().isdisjoint(places):
            return None
        try:
            return read()
        except CountingError as error:
            self.problems.append(problem_of(CRITICAL, stage, error))
        except OSError as error:
            translated = write_error(Path(str(error.filename or "a file")), error)
            self.problems.append(
                Problem(
                    CRITICAL,
                    stage,
                    f"{translated.place}: expected to read there, found {translated.found}",
                    "",
                    "Let the counting user read it, or examine its file system.",
                )
            )
        return None

    def _synced_at(self) -> datetime | None:
        hosts_dir = self.hosts_dir
        if hosts_dir is None or hosts_dir in self.unreadable:
            return None
        return synced_at(hosts_dir)

    def _hosts_tree(self) -> HostsTree:
        root = self.hosts_dir or Path()
        empty = HostsTree(root, (), ())
        if self.hosts_dir is None:
            return empty
        return self._tried("sync", lambda: existing_hosts_tree(root), root) or empty

    def _hosts(self, sync: SyncSettings | None, combine: CombineSettings | None) -> HostsCoverage:
        if self.hosts_dir is None or self.hosts_dir in self.unreadable:
            return HostsCoverage()
        listed = [source.host for source in sync.sources] if sync else []
        inputs = HostsInputs(
            self.tree,
            tuple(listed or (combine.expected_hosts if combine else ())),
            load_memory(self.hosts_dir),
            self._records(combine.dest) if combine else {},
        )
        return cover_hosts(inputs, combine.groups if combine else (), self.calendar)

    def _records(self, dest: Path) -> dict[date, CombinedDay]:
        records = {}
        for day in self.calendar.days if dest not in self.unreadable else ():
            try:
                records[day] = read_combined_day(dest, day)
            except (CountingError, OSError):
                continue  # the coverage of that day reports it
        return records

    def cover(self, one: ConfiguredStage) -> list[StageCoverage]:
        """Return the coverage of a stage with its name and subject; none if it can't be found."""
        coverage, name = one.stage.coverage, one.stage.name
        if coverage is None or self._lacks(coverage.libraries):
            return []
        found = self._tried(name, lambda: coverage.cover(one.settings, self.context)) or ()
        self.problems += [problem for part in found for problem in part.problems]
        return [_named(part, name, part.profile or one.subject) for part in found]

    def _lacks(self, libraries: Sequence[str]) -> bool:
        """Return true if a library is missing; that is one problem, whichever stages need it."""
        lacking = not_installed(libraries)
        if lacking and not self._without:
            self.problems.append(
                Problem(
                    UNKNOWN,
                    "settings",
                    f"raw days and totals can't be judged: {', '.join(lacking)} is not installed",
                    "",
                    "Run the playbook deploy, which installs them.",
                )
            )
        self._without.update(lacking)
        return bool(lacking)

    def steps(self) -> list[Step]:
        """Return the steps of the run history."""
        path = self.settings.history_db
        if path is None:
            return []
        since = self.now - timedelta(days=_HISTORY_DAYS)
        return self._tried("history", lambda: read_steps(path, since=since), path) or []

    def unsent(self) -> Waiting | None:
        """Return the messages that wait; None if no messages are sent."""
        path = self.settings.messaging_spool
        return None if path is None else self._tried("messages", lambda: read_waiting(path), path)

    def next_run(self) -> NextRun | None:
        """Return the next run of the timer; None if there is none."""
        timer = self.settings.timer
        return self._tried("schedule", lambda: next_of_timer(timer)) if timer else None

    def at_work(self) -> list[str]:
        """Return the trees that a process writes to now, each with the process."""
        folders = {
            tree.path
            for one in self.settings.stages
            for tree in one.trees()
            if self._answers(tree.path)
        }
        writers = ((folder, current_writer(folder)) for folder in sorted(folders))
        return [f"{folder}: {writer}" for folder, writer in writers if writer]

    def trees(self) -> list[Tree]:
        """Return all trees, each once, with their space and their days."""
        found: dict[tuple[str, Path], Tree] = {}
        for one in self.settings.stages:
            for tree in one.trees():
                name = one.name_of(tree)
                if (name, tree.path) in found:
                    continue
                found[name, tree.path] = self._tree(Tree(name, tree.path), tree.folder_of_day)
        return list(found.values())

    def _tree(self, tree: Tree, folder_of_day: Callable[[date], Path] | None) -> Tree:
        if reason := self.unreadable.get(tree.path):
            return replace(tree, problem=reason)
        if not self._answers(tree.path):
            return replace(tree, problem=_SILENT)
        return measured(
            tree,
            self.calendar.days,
            reach=self.reach.get(tree.name, _NO_REACH),
            used_bytes=self.hosts.bytes if tree.path == self.hosts_dir else None,
            folder_of_day=folder_of_day,
        )

    def _answers(self, folder: Path) -> bool:
        # some places are files in the folder
        return not any(place.is_relative_to(folder) for place in self.settings.silent)


def _named(coverage: StageCoverage, stage: str, profile: str) -> StageCoverage:
    weeks = tuple(replace(week, profile=profile) for week in coverage.weeks)
    return replace(coverage, stage=stage, profile=profile, weeks=weeks)
