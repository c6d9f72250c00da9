# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Combined logs of any size for benchmarks, with the published mix of systems and repositories."""

from __future__ import annotations

import csv
import lzma
from datetime import date, datetime, timedelta
from itertools import accumulate
from pathlib import Path
from random import Random

_DISTRIBUTION = Path(__file__).parents[2] / "sample" / "distribution.csv.xz"
#: One hit in so many carries countme: a system sends it once a week, and asks some times a day.
_COUNTME_ONE_IN = 4
_HOSTS = 200_000
_LARGEST_VISIT = 4


def write_day_log(path: Path, *, day: date, lines: int) -> None:
    """The log rotated on ``day``: the requests of the day before, evenly spread over it."""
    chance = Random(day.toordinal())
    with lzma.open(_DISTRIBUTION, "rt", encoding="utf-8", newline="") as text:
        rows = list(csv.DictReader(text))
    weights = [sum(int(row[f"age_{age}"]) for age in (1, 2, 3, 4)) for row in rows]
    requests = [_request(row) for row in rows]
    asked = iter(chance.choices(requests, cum_weights=list(accumulate(weights)), k=lines))
    hosts = [
        ".".join(str(chance.randrange(1, 255)) for _unused in range(4)) for _unused in range(_HOSTS)
    ]
    midnight = datetime(day.year, day.month, day.day) - timedelta(days=1)
    written = visit = 0
    host = hosts[0]
    with path.open("w", encoding="utf-8") as log:
        for start, end in asked:
            if not visit:
                # few addresses ask often (networks behind one), many seldom
                host = hosts[int(chance.random() ** 2 * _HOSTS)]
                visit = chance.randint(1, _LARGEST_VISIT)
            visit -= 1
            time = midnight + timedelta(seconds=written * 86400 // lines)
            countme = (
                "" if chance.randrange(_COUNTME_ONE_IN) else f"&countme={chance.randint(1, 4)}"
            )
            size = chance.randrange(5000, 20_000)
            log.write(
                f"{host} - - [{time:%d/%b/%Y:%H:%M:%S} +0000] {start}{countme}"
                f' HTTP/2.0" 200 {size} "-" {end}\n'
            )
            written += 1


def day_log(tree: Path, log_name: str, day: date, lines: int) -> Path:
    """A log in a tree of combined ones, made if it isn't there."""
    path = tree / f"{day:%Y/%m/%d}" / log_name
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        write_day_log(path.with_suffix(".new"), day=day, lines=lines)
        path.with_suffix(".new").rename(path)
    return path


def _request(row: dict[str, str]) -> tuple[str, str]:
    start = f'"GET /metalink?repo={row["repo_tag"]}&arch={row["repo_arch"]}'
    system = f"{row['os_name']} {row['os_version']}; {row['os_variant']}; Linux.{row['os_arch']}"
    return start, f'"libdnf ({system})"'
