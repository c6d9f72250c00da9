# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The first half of condensing, which makes condensed days from combined logs."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import ClassVar

from .._base.errors import OutputError, printable
from .._daily.stage import DailyFiles, DayLog, WrittenDay, other_rules
from .condensed_days import CondensedRecord, read_record
from .repositories import FEDORA_REPOSITORIES, Repositories

#: The number of unknown repositories that are recorded for each day.
_SHOWN_REPOS = 20
#: The number of unknown repositories that are counted at the same time. If there are more, the
#: counts of the least requested repositories are dropped.
_COUNTED_REPOS = 20_000
#: The share of all requests from which a warning reports an unknown repository.
_WORTH_KNOWING = 0.01


@dataclass(frozen=True)
class CondensedDays(DailyFiles[CondensedRecord]):
    """The condensed days of one log."""

    new: ClassVar[str] = "not condensed yet"

    workers: int = 2
    """The number of blocks of a log that are read at the same time."""
    repositories: Repositories = FEDORA_REPOSITORIES

    def read_record(self, path: Path) -> CondensedRecord:
        return read_record(path)

    def out_of_date(self, day: date, record: CondensedRecord) -> list[str]:
        if record.log_name != self.log_name:
            # The rows of one log must never replace the rows of another log.
            raise OutputError(
                self.path(day),
                expected=f"the clients of {self.log_name}",
                found=f"those of {printable(record.log_name)}",
                advice="Give each log a data_dir and a csv_dir of its own, or correct log_name.",
            )
        return other_rules(record, self.repositories.version)

    def write(self, log: DayLog, unfinished: Path) -> WrittenDay:
        # These imports are expensive, so a run without a due day skips them.
        from .fast_path import ClientReader
        from .writer import CondensedDayWriter

        unknown = UnknownRepos()
        reader = ClientReader(log.day, self.repositories.release_of)
        with CondensedDayWriter(unfinished) as writer:
            for found in log.blocks.results(reader.clients, self.workers):
                unknown.add(found.unknown)
                writer.add(found)
            summary = writer.complete()
            record = CondensedRecord(
                **log.recorded(self.repositories.version),
                requests=log.blocks.accepted,
                rows=summary.rows,
                dates=dict(sorted(summary.dates.items())),
                unknown_requests=unknown.requests,
                unknown_repos=unknown.most_asked(),
            )
            writer.close(record.metadata())
        return _described(record)


def _described(record: CondensedRecord) -> WrittenDay:
    """Return the figures of a condensed day, and a warning for each frequent unknown repository."""
    unknown = [(printable(repo), requests) for repo, requests in record.unknown_repos]
    figures = {
        "requests": record.requests,
        "unknown_requests": record.unknown_requests,
        "unknown_repos": [{"repo": repo, "requests": requests} for repo, requests in unknown],
    }
    warnings = tuple(
        f"{requests} of {record.requests} requests are for {repo}, of no release known by that name"
        for repo, requests in unknown
        if requests >= _WORTH_KNOWING * record.requests
    )
    return WrittenDay(record, figures, warnings)


class UnknownRepos:
    """The requests for each repository of no known release.

    The counts of the least requested repositories are dropped when there are more than ``most``.
    """

    def __init__(self, *, most: int = _COUNTED_REPOS) -> None:
        self.requests = 0
        self._most = most
        self._by_repo: Counter[str] = Counter()

    def add(self, found: Counter[str]) -> None:
        """Add the requests for unknown repositories in one more block."""
        self.requests += found.total()
        self._by_repo.update(found)
        if len(self._by_repo) > self._most:
            self._by_repo = Counter(dict(self._by_repo.most_common(self._most // 2)))

    def most_asked(self) -> tuple[tuple[str, int], ...]:
        """Return the most requested repositories, sorted by requests and name."""
        ranked = sorted(self._by_repo.items(), key=lambda one: (-one[1], one[0]))
        return tuple(ranked[:_SHOWN_REPOS])
