# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A log host with some weeks of logs of a few hosts, counted by the stages' own code, quickly."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._base.days_and_weeks import (
    days_between,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._combine.plan import (
    CombineSettings,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._combine.stage import (
    COMBINE,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._compress.compression import (
    CompressSettings,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._compress.stage import (
    COMPRESS,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._condense.days import (
    CondensedDays,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._condense.mirrorsdata import (
    CsvSettings,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._condense.stage import (
    CONDENSE,
    CondenseSettings,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._hits.stage import (
    RAW,
    RawDays,
    RawSettings,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._logs.hosts_tree import (
    HostGroup,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._logs.paths import (
    host_day_folder,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._publish.plan import (
    FileSettings,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._publish.profile import (
    Profile,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._site.stage import (
    PUBLISH,
    PublishSettings,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._status.read import (
    read_status,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._status.settings import (
    ConfiguredStage,
    StatusSettings,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._status.status import Status
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._sync.hosts import (
    TransferSettings,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._sync.memory import (
    MEMORY_NAME,
    HostMemory,
    save_memory,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._sync.plan import HostSource
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._sync.stage import (
    SYNC,
    SyncSettings,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._totals.plan import (
    TotalsSettings,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._totals.stage import TOTALS
from ansible_collections.fedora_infra.dnf_counting.tests.support.stages import outcome_of

LOG = "mirrors.fedoraproject.org-access.log"
HOSTS = ("proxy01", "proxy02", "proxy03")
#: Three whole weeks, 2021-W38 to 2021-W40, and some days more; the run is of the day after.
FIRST, LAST = date(2021, 9, 20), date(2021, 10, 15)
DAYS = days_between(FIRST, LAST)
NOW = datetime.combine(LAST + timedelta(days=1), time(4), UTC)


@dataclass(frozen=True)
class CountingHost:
    """Everything below ``root``; call the stages in any order, then look at the status."""

    root: Path

    @property
    def profile(self) -> Profile:
        state = self.root / "countme"
        return Profile(
            "fedora",
            state / "totals.db",
            state / "totals.csv",
            "totals",
            log_name=LOG,
            raw_dir=state / "raw",
        )

    @property
    def combine_settings(self) -> CombineSettings:
        return CombineSettings(
            self.root / "hosts",
            self.root / "combined",
            groups=(HostGroup("proxies", "proxy*", "*access.log"),),
            expected_hosts=HOSTS,
        )

    def stages(
        self,
        *,
        combine: CombineSettings | None = None,
        condense: CondensedDays | None = None,
        compress: CompressSettings | None = None,
    ) -> tuple[ConfiguredStage, ...]:
        """The stages with their settings; some of them may be others than usual."""
        combine = combine or self.combine_settings
        profile, totals = self.profile, self.root / "countme"
        sources = tuple(HostSource(host, f"{host}::log/") for host in combine.expected_hosts)
        raw = RawDays(combine.dest, profile.log_name, profile.raw_days)
        found = [
            ConfiguredStage(
                SYNC, SyncSettings(sources, tuple(DAYS), TransferSettings(combine.src))
            ),
            ConfiguredStage(COMBINE, combine),
        ]
        if condense:
            rows = CsvSettings(condense.folder, totals / "mirrors")
            found.append(ConfiguredStage(CONDENSE, CondenseSettings(condense, rows)))
        found += [
            ConfiguredStage(RAW, RawSettings(raw), profile.name),
            ConfiguredStage(
                TOTALS,
                TotalsSettings(profile.raw_days, profile.totals_db, NOW, profile.totals_csv),
                profile.name,
            ),
        ]
        if compress:
            found.append(ConfiguredStage(COMPRESS, compress))
        publish = PublishSettings((profile,), FileSettings(self.root / "html"))
        return (*found, ConfiguredStage(PUBLISH, publish))

    def day_of(self, host: str, day: date) -> Path:
        return host_day_folder(self.root / "hosts", host, day)

    def __post_init__(self) -> None:
        (self.root / "hosts").mkdir(parents=True, exist_ok=True)

    def put(self, host: str, day: date, *, name: str = LOG, hits: int = 3) -> Path:
        """A log of a host: requests of the day before, with countme."""
        path = self.day_of(host, day) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(_hit(host, day, number) for number in range(hits)))
        return path

    def sync(self, *, without: Iterable[tuple[str, date]] = (), at: datetime = NOW) -> None:
        """Logs of all hosts and days but some, and what a sync remembers of them."""
        left_out = set(without)
        memory = {}
        for host in HOSTS:
            came = [day for day in DAYS if (host, day) not in left_out]
            for day in came:
                self.put(host, day)
            memory[host] = HostMemory(FIRST, 1.0, max(came), tuple(came))
        save_memory(self.root / "hosts", memory)
        self.synced_at(at)

    def synced_at(self, at: datetime) -> None:
        os.utime(self.root / "hosts" / MEMORY_NAME, (at.timestamp(), at.timestamp()))

    def combine(self, days: Iterable[date] = DAYS) -> None:
        outcome_of(COMBINE, replace(self.combine_settings, days=tuple(days)), now=NOW)

    def count(self, days: Iterable[date] = DAYS) -> None:
        profile = self.profile
        raw = RawDays(self.root / "combined", profile.log_name, profile.raw_days)
        outcome_of(RAW, RawSettings(raw, tuple(days)), now=NOW)
        totals = TotalsSettings(
            profile.raw_days, profile.totals_db, NOW, profile.totals_csv, workers=1
        )
        outcome_of(TOTALS, totals, now=NOW)

    def publish(self) -> None:
        settings = PublishSettings((self.profile,), FileSettings(self.root / "html"))
        outcome_of(PUBLISH, settings, now=NOW)

    def run(self) -> CountingHost:
        """All stages after the sync."""
        self.combine()
        self.count()
        self.publish()
        return self

    def status(
        self,
        *,
        now: datetime = NOW,
        days: Iterable[date] = DAYS,
        combine: CombineSettings | None = None,
        condense: CondensedDays | None = None,
        compress: CompressSettings | None = None,
        **changes: Any,
    ) -> Status:
        """The status, with some of the settings changed."""
        stages = self.stages(combine=combine, condense=condense, compress=compress)
        settings = StatusSettings(stages=stages, **changes)
        return read_status(settings, [*days], now=now, log_host="log01.example.org")


def _hit(host: str, day: date, number: int) -> str:
    at = datetime.combine(day - timedelta(days=1), time(12, number), UTC)
    return (
        f"192.0.2.{number + 10 * int(host[-2:])} - - [{at:%d/%b/%Y:%H:%M:%S +0000}] "
        '"GET /metalink?repo=fedora-34&arch=x86_64&countme=1 HTTP/2.0" 200 32000 "-" '
        '"libdnf (Fedora 34; server; Linux.x86_64)"\n'
    )


def whats(status: Status, severity: str = "") -> list[str]:
    """What the problems of a status are, the worst first; of one severity only."""
    return [p.what for p in status.problems if severity in ("", p.severity)]


def states(status: Status, stage: str) -> dict[str, str]:
    """The state of each unit of a stage."""
    (found,) = status.stages_called(stage)
    return {name: one.state for name, one in found.units.items()}


def of_host(status: Status, name: str) -> dict[date, str]:
    host = next(host for host in status.hosts if host.name == name)
    return {day: one.state for day, one in host.days.items()}


def everything_in(root: Path) -> dict[str, tuple[int, int]]:
    found = [(path, path.lstat()) for path in root.rglob("*")]
    return {str(path): (one.st_mtime_ns, one.st_size) for path, one in found}
