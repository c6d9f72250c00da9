# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The number of clients of a day, from the condensed days that hold some of these clients."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from .._base.errors import OutputError
from .._storage.duckdb import Limits, connect, duckdb_errors
from .rules import UNKNOWN_REPO, Target


@dataclass(frozen=True)
class DateCounts:
    """The clients of one date as written."""

    clients: Mapping[Target, int]
    first: Target
    """The target of the first client, in the order of the bytes of ``HOST RELEASE ARCH``."""


@dataclass(frozen=True)
class DayCounts:
    """The clients of one day."""

    dates: Mapping[str, DateCounts]
    """The counts by date as written. Some lines have a day of one digit."""
    clients: Mapping[Target, int]
    """The clients of all these dates."""


# The queries contain constants only, so no input can change them. The rows of one file are already
# distinct, so one file needs no DISTINCT.
_ROWS = "FROM read_parquet($paths) WHERE list_contains($dates, date)"
_KNOWN = f"if(list_contains($to_come, release), '{UNKNOWN_REPO}', release) AS release"
_PLAIN = f"SELECT date, host, release, arch {_ROWS}"
_DISTINCT = f"SELECT DISTINCT date, host, {_KNOWN}, arch {_ROWS}"
_BY_DATE = "SELECT date, release, arch, count(*), min(host) FROM ({}) GROUP BY date, release, arch"
_OF_ALL = (
    "SELECT release, arch, count(*) FROM"  # noqa: S608
    f" (SELECT DISTINCT host, {_KNOWN}, arch {_ROWS}) GROUP BY release, arch"
)


def count_day(
    paths: Sequence[Path],
    dates: Collection[str],
    *,
    limits: Limits,
    to_come: Collection[str] = (),
) -> DayCounts:
    """Count the clients of a day. A client counts once, even if several files hold it.

    Releases in ``to_come`` count as unknown releases. Raises OutputError if a file is damaged or
    there is too little space.
    """
    of_plain = {"paths": [str(path) for path in paths], "dates": sorted(dates)}
    given = {**of_plain, "to_come": list(to_come)}
    with duckdb_errors(limits, partial(_damaged, paths)), connect(limits) as connection:
        by_date = []
        if len(paths) == 1:
            by_date = connection.execute(_BY_DATE.format(_PLAIN), of_plain).fetchall()
        if not by_date or not {row[1] for row in by_date}.isdisjoint(to_come):
            by_date = connection.execute(_BY_DATE.format(_DISTINCT), given).fetchall()
        of_all = connection.execute(_OF_ALL, given).fetchall() if len(dates) > 1 else None
    counted: dict[str, Counter[Target]] = {}
    # A blank sorts before every character of a host, so tuples sort as ``HOST RELEASE ARCH``.
    first: dict[str, tuple[str, Target]] = {}
    for written, release, arch, clients, lowest in by_date:
        target = Target(release, arch)
        counted.setdefault(written, Counter())[target] = clients
        own = (lowest, target)
        first[written] = min(first.get(written, own), own)
    found = {one: DateCounts(clients, first[one][1]) for one, clients in counted.items()}
    if of_all is None:
        return DayCounts(found, sum(counted.values(), Counter()))
    return DayCounts(found, {Target(release, arch): clients for release, arch, clients in of_all})


def _damaged(paths: Sequence[Path], found: str) -> OutputError:
    return OutputError(
        " and ".join(map(str, paths)),
        expected="condensed days",
        found=found,
        advice="Remove the damaged file and run again: it is made again from its log.",
    )
