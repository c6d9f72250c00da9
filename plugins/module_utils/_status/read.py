# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read the status of the pipeline from its trees, records and plans. Writes nothing.

What can't be read becomes a problem, and all else is read nevertheless.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TypeVar

from .._base.errors import CountingError
from .._combine.plan import plan
from .._combine.strays import StrayHosts, stray_hosts
from .._hits.raw_days import list_raw_days
from .._hits.stage import RawDays
from .._logs.combined_tree import CombinedDay, read_combined_day
from .._logs.hosts_tree import HostsTree, read_hosts_tree
from .._publish.plan import plan_files
from .._publish.profile import Profile
from .._storage.files import check_mount, write_error, writer_at_work
from .._sync.memory import load_memory, synced_at
from .._totals.plan import TotalsPlan, TotalsSettings, csv_plan, plan_totals, read_counted
from .._watch.history import Step, read_steps
from .._watch.spool import Waiting, read_waiting
from .cover_hosts import HostsCoverage, HostsSeen, cover_hosts, cover_sync
from .cover_stages import (
    WeekCoverage,
    cover_combine,
    cover_condensed,
    cover_published,
    cover_raw,
    cover_weeks,
    weeks_stage,
)
from .judge import judge
from .judge_hosts import Findings
from .problem import CRITICAL, UNKNOWN, WARNING, Problem, worst_first
from .runs import step_times
from .schedule import NextRun, next_of_cron, next_of_timer
from .settings import StatusSettings, problem_of
from .states import UNREADABLE, Calendar, Covered, StageCoverage
from .status import Status
from .trees import Tree, look_at, named_trees, reach_of_days, reach_of_hosts

#: Why a place is not looked at.
_SILENT = "its file system does not answer"
_SHARE_IS_SILENT = "the share does not answer"
#: What is no folder, for that tree.
_NOWHERE = Path("/nonexistent")

#: So far back the history of runs is read.
_HISTORY_DAYS = 90

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
    """Everything there is to know for some days. ``problems`` were found before.

    Raises nothing for what is wrong with the trees: that is what the status tells.
    """
    reading = _Reading(settings, days, now)
    reading.problems += problems
    hosts, stray = reading.hosts()
    stages = [reading.sync(hosts), reading.combine(), *reading.condense()]
    weeks: list[WeekCoverage] = []
    for profile in settings.profiles:
        stages += reading.count(profile, weeks)
    stages += reading.published()
    status = Status(
        generated_at=now,
        log_host=log_host,
        days=tuple(days),
        run_id=run_id,
        stages=tuple(stages),
        hosts=hosts.hosts,
        unmatched=hosts.unmatched,
        weeks=tuple(weeks),
        steps=tuple(step_times(reading.steps())),
        trees=tuple(reading.trees(hosts.bytes)),
        synced_at=reading.synced_at,
        next_run=reading.next_run(),
        at_work=tuple(reading.at_work()),
        unsent=reading.unsent(),
    )
    findings = Findings(
        thresholds=settings.thresholds,
        begin=reading.begin,
        today=reading.today,
        stray=stray,
        odd_names=reading.tree.odd_names,
        silently_unmatched=hosts.silently_unmatched,
        is_scheduled=bool(settings.timer or settings.cron_file),
        is_blind=bool(settings.silent),
    )
    return replace(
        status, problems=tuple(worst_first([*reading.problems, *judge(status, findings)]))
    )


class _Reading:
    """What several parts of the status need, and the problems met on the way."""

    def __init__(self, settings: StatusSettings, days: Sequence[date], now: datetime) -> None:
        self.settings = settings
        self.days = days
        self.now = now
        self.today = now.astimezone(UTC).date()
        self.problems: list[Problem] = []
        combine = settings.combine
        self.hosts_answer = settings.answers(combine.src)
        self.why_no_share = self._why_no_share()
        self.share_is_there = not self.why_no_share
        self.tree = self._hosts_tree()
        self.reach: dict[str, tuple[date | None, date | None]] = {
            "hosts": reach_of_hosts(combine.src, self.tree.hosts),
            "combined": self._reach_of_combined(),
        }
        for profile in settings.profiles:
            look = partial(list_raw_days, profile.raw_days)
            raw = self._tried("count_raw", look, profile.raw_days) or {}
            self.reach[f"raw {profile.name}"] = min(raw, default=None), max(raw, default=None)
        oldest = [first for first, _last in self.reach.values() if first is not None]
        self.begin = min(oldest, default=None)
        self.synced_at = synced_at(combine.src) if self.hosts_answer else None
        asked_through = self.synced_at and self.synced_at.date() - timedelta(days=1)
        self.calendar = Calendar(
            days, self.today, combine.settle_days, self.begin, asked_through or None
        )
        self.records = self._records()

    def _tried(self, stage: str, look: Callable[[], _T], *places: Path) -> _T | None:
        """What a look at some places gives; None where it fails, which is a problem.

        None as well where one of them is silent, which is told already.
        """
        if not self.settings.answers(*places):
            return None
        try:
            return look()
        except CountingError as error:
            self.problems.append(problem_of(CRITICAL, stage, error))
        except OSError as error:
            told = write_error(Path(str(error.filename or "a file")), error)
            self.problems.append(
                Problem(
                    CRITICAL,
                    stage,
                    f"{told.place}: expected to read there, found {told.found}",
                    "",
                    "Let the counting user read it, or look at its file system.",
                )
            )
        return None

    def _why_no_share(self) -> str:
        """Why the combined tree is not looked at; empty where it is."""
        combine = self.settings.combine
        if not self.settings.answers(combine.dest, combine.require_mount):
            return _SHARE_IS_SILENT

        def proof() -> bool:
            check_mount(combine.require_mount)
            return True

        return "" if self._tried("combine", proof) else "the share is not there"

    def _hosts_tree(self) -> HostsTree:
        root = self.settings.combine.src
        empty = HostsTree(root, (), ())
        if not self.hosts_answer:
            return empty
        try:
            return read_hosts_tree(root)
        except CountingError as error:
            # before the first run there is none
            if not isinstance(error.__cause__, FileNotFoundError):
                self.problems.append(problem_of(CRITICAL, "sync", error))
        return empty

    def _reach_of_combined(self) -> tuple[date | None, date | None]:
        if not self.share_is_there:
            return None, None
        dest = self.settings.combine.dest
        return self._tried("combine", lambda: reach_of_days(dest)) or (None, None)

    def _records(self) -> dict[date, CombinedDay]:
        records = {}
        for day in self.days if self.share_is_there else ():
            try:
                records[day] = read_combined_day(self.settings.combine.dest, day)
            except (CountingError, OSError):
                continue  # the plan of that day says so
        return records

    def hosts(self) -> tuple[HostsCoverage, StrayHosts]:
        combine = self.settings.combine
        if not self.hosts_answer:
            return HostsCoverage(), StrayHosts((), (), (), ())
        seen = HostsSeen(self.tree, combine.expected_hosts, load_memory(combine.src), self.records)
        return cover_hosts(seen, combine.groups, self.calendar), stray_hosts(combine, self.tree)

    def sync(self, hosts: HostsCoverage) -> StageCoverage:
        if not self.hosts_answer:
            return self._unreadable("sync", _SILENT)
        return cover_sync(hosts.hosts, self.days)

    def _unreadable(self, stage: str, why: str, profile: str = "") -> StageCoverage:
        covered = Covered(UNREADABLE, (why,))
        return StageCoverage(stage, profile, "day", {str(day): covered for day in self.days})

    def combine(self) -> StageCoverage:
        settings = self.settings.combine
        if not self.share_is_there:
            return self._unreadable("combine", self.why_no_share)
        if not self.hosts_answer:
            return self._unreadable("combine", f"the hosts' logs: {_SILENT}")
        planned = plan(settings, self.tree, self.days, today=self.today)
        newest = self.reach["combined"][1]
        return cover_combine(self.calendar, planned, settings.dest, newest=newest)

    def condense(self) -> list[StageCoverage]:
        settings = self.settings.condense
        if settings is None or self.settings.missing_libraries:
            return []
        data_dir = settings.folder
        if not self.settings.answers(data_dir):
            return [self._unreadable("condense", _SILENT)]
        found = self._tried(
            "condense",
            lambda: cover_condensed(
                self.calendar,
                replace(settings, src=self.combined).plan(self.days).days,
                data_dir,
                source_is_there=self.share_is_there,
            ),
        )
        return [found] if found else []

    @property
    def combined(self) -> Path:
        """The tree of combined logs; a place where nothing is while it does not answer."""
        dest = self.settings.combine.dest
        return dest if self.why_no_share != _SHARE_IS_SILENT else _NOWHERE

    def count(self, profile: Profile, weeks: list[WeekCoverage]) -> list[StageCoverage]:
        """The raw days and totals of a profile; its weeks are added to ``weeks``."""
        if self.settings.missing_libraries:
            self.problems.append(
                Problem(
                    UNKNOWN,
                    "settings",
                    "raw days and totals can't be looked at: "
                    f"{', '.join(self.settings.missing_libraries)} can't be imported",
                    "",
                    "Run the playbook deploy, which installs them.",
                )
            )
            return []
        if self.settings.answers(profile.raw_days):
            raw = self._tried("count_raw", lambda: self._raw(profile))
        else:
            raw = self._unreadable("count_raw", _SILENT, profile.name)
        needed = (profile.raw_days, profile.totals_db, profile.totals_csv)
        planned = self._tried("count_totals", lambda: self._totals(profile), *needed)
        found = [raw] if raw else []
        if planned is not None:
            of_profile = cover_weeks(self.calendar, profile.name, planned)
            weeks += of_profile
            found.append(weeks_stage(self.calendar, profile.name, of_profile, planned))
        return found

    def _raw(self, profile: Profile) -> StageCoverage:
        raw_days = RawDays(
            self.combined, profile.log_name, profile.raw_days, hash_hosts=self.settings.hash_hosts
        )
        return cover_raw(
            self.calendar,
            profile.name,
            raw_days.plan(self.days).days,
            profile.raw_days,
            source_is_there=self.share_is_there,
        )

    def _totals(self, profile: Profile) -> TotalsPlan:
        settings = TotalsSettings(
            raw_dir=profile.raw_days,
            totals_db=profile.totals_db,
            now=self.now,
            revise_weeks=self.settings.revise_weeks,
            settle_days=self.settings.totals_settle_days,
            lock_timeout_seconds=10,
        )
        if not profile.raw_days.is_dir():
            counted = read_counted(settings)
            if counted.weeks:
                self.problems.append(_no_raw_dir(profile))
            return TotalsPlan([], counted, {}, None)
        planned = plan_totals(settings)
        csv = csv_plan(
            replace(settings, totals_csv=profile.totals_csv), planned.counted.weeks, changes=False
        )
        if csv and csv.reason:
            self.problems.append(_csv_differs(profile, csv.reason))
        return planned

    def published(self) -> list[StageCoverage]:
        settings = self.settings.publish
        if settings is None or self.settings.missing_libraries:
            return []
        profiles = self.settings.profiles
        totals = [place for one in profiles for place in (one.totals_db, one.totals_csv)]
        look = partial(plan_files, profiles, settings)
        planned = self._tried("publish", look, settings.dest, *totals)
        return cover_published(planned.profiles) if planned else []

    def steps(self) -> list[Step]:
        path = self.settings.history_db
        if path is None:
            return []
        since = self.now - timedelta(days=_HISTORY_DAYS)
        return self._tried("history", lambda: read_steps(path, since=since), path) or []

    def unsent(self) -> Waiting | None:
        path = self.settings.messaging_spool
        return None if path is None else self._tried("messages", lambda: read_waiting(path), path)

    def next_run(self) -> NextRun | None:
        cron = self.settings.cron_file
        found = []
        if self.settings.timer:
            timer = self.settings.timer
            found.append(self._tried("schedule", lambda: next_of_timer(timer)))
        if cron is not None:
            local = self.now.astimezone()
            found.append(self._tried("schedule", lambda: next_of_cron(cron, local), cron))
        return min((one for one in found if one), default=None)

    def at_work(self) -> list[str]:
        folders = {
            tree.path for tree in named_trees(self.settings) if self._is_looked_at(tree.path)
        }
        writers = ((folder, writer_at_work(folder)) for folder in sorted(folders))
        return [f"{folder}: {writer}" for folder, writer in writers if writer]

    def trees(self, hosts_bytes: int) -> list[Tree]:
        return [self._tree(tree, hosts_bytes) for tree in named_trees(self.settings)]

    def _tree(self, tree: Tree, hosts_bytes: int) -> Tree:
        if tree.name == "combined" and not self.share_is_there:
            return replace(tree, problem=self.why_no_share)
        if not self._is_looked_at(tree.path):
            return replace(tree, problem=_SILENT)
        reach = self.reach.get(tree.name, (None, None))
        return look_at(tree, self.days, reach=reach, hosts_bytes=hosts_bytes)

    def _is_looked_at(self, folder: Path) -> bool:
        # totals are known by their files, which lie in the folder
        return not any(place.is_relative_to(folder) for place in self.settings.silent)


def _no_raw_dir(profile: Profile) -> Problem:
    return Problem(
        CRITICAL,
        "count_raw",
        f"{profile.raw_days}: expected the folder of raw days, found none, and weeks were counted",
        "",
        "Mount that file system, or correct the setting.",
    )


def _csv_differs(profile: Profile, reason: str) -> Problem:
    return Problem(
        WARNING,
        "count_totals",
        f"{profile.totals_csv}: {reason}",
        "",
        "The next run writes it; if it stays so, run countme_totals and see what it says.",
    )
