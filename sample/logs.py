# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make the logs of simulated hosts: some weeks of requests, rotated as on real proxies.

    python sample/logs.py sample-run/log-hosts --days 28

The program writes ``HOST/httpd/NAME-YYYYMMDD.xz`` for four proxies, a download host and a people
host. Systems, repositories and ages are drawn from ``distribution.csv.xz``, four weeks of totals
that Fedora published. The files of a day depend only on the seed, the number of systems and the
day. A second start makes only the days that are missing.
"""

from __future__ import annotations

import argparse
import csv
import lzma
import os
import sys
from bisect import bisect
from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from itertools import accumulate
from pathlib import Path
from random import Random
from typing import NamedTuple
from urllib.parse import quote

PROXIES = ("proxy01", "proxy02", "proxy03", "proxy04")
FEDORA, CENTOS = "mirrors.fedoraproject.org", "mirrors.centos.org"
DOWNLOADS, PEOPLE = "dl.fedoraproject.org", "fedorapeople.org"

#: The place where requests are logged: (host, site).
Place = tuple[str, str]
PLACES: tuple[Place, ...] = (
    *((host, site) for host in PROXIES for site in (FEDORA, CENTOS)),
    ("dl01", DOWNLOADS),
    ("people01", PEOPLE),
)

#: The published totals have no requests for the CentOS mirror list, so these are made up.
CENTOS_REPOS = ("centos-baseos-9-stream", "centos-appstream-9-stream", "centos-crb-9-stream")

WEEK_0 = date(1970, 1, 5)
#: Weeks after which a system of an age class is replaced by a new one, so that shares stay equal.
LIFETIME_WEEKS = {1: 1, 2: 3, 3: 20, 4: 60}
#: Lines go back in time by up to 241 s, because a request is logged when its answer ends.
LONGEST_ANSWER_SECONDS = 241
LATEST_ROTATION_SECONDS = 200


class Request(NamedTuple):
    """One request, without the site and host that serve it."""

    logged: int
    """The time at which its line is written, in seconds since 1970; at least ``started``."""
    started: int
    client: str
    request: str
    status: int
    size: int
    agent: str

    @property
    def time(self) -> str:
        return datetime.fromtimestamp(self.started, UTC).strftime("%d/%b/%Y:%H:%M:%S +0000")

    @property
    def line(self) -> bytes:
        return (
            f'{self.client} - - [{self.time}] "{self.request}" {self.status} {self.size} "-" '
            f'"{self.agent}"\n'
        ).encode()


@dataclass(frozen=True)
class Kind:
    """A kind of equal systems, with their name, number and repositories."""

    agent: str
    machines_by_age: tuple[int, ...]
    repos: tuple[tuple[str, float], ...]
    """The query for each repository, and the share of systems in which it is enabled."""
    site: str = FEDORA


@cache
def kinds() -> tuple[list[Kind], list[int]]:
    """Return the kinds of systems, and the running sum of their machines."""
    rows = defaultdict(list)
    with lzma.open(Path(__file__).with_name("distribution.csv.xz"), "rt", encoding="utf-8") as text:
        for row in csv.DictReader(text):
            system = (row["os_name"], row["os_version"], row["os_variant"], row["os_arch"])
            rows[system].append(row)
    found = [_kind(system, repos) for system, repos in rows.items() if system[0].isascii()]
    stream = "libdnf (CentOS Stream 9; generic; Linux.x86_64)"
    centos = tuple((f"repo={name}&arch=x86_64", 1.0) for name in CENTOS_REPOS)
    found.append(Kind(stream, (30_000, 20_000, 30_000, 10_000), centos, CENTOS))
    return found, list(accumulate(sum(kind.machines_by_age) for kind in found))


def _kind(system: tuple[str, ...], rows: Sequence[dict[str, str]]) -> Kind:
    name, version, variant, arch = system
    client = "rpm-ostree" if variant in ("coreos", "silverblue", "iot") else "libdnf"
    hits = [[int(row[f"age_{age}"]) for age in LIFETIME_WEEKS] for row in rows]
    most = max(sum(one) for one in hits)
    return Kind(
        f"{client} ({name} {version}; {variant}; Linux.{arch})",
        tuple(max(column) for column in zip(*hits, strict=True)),
        tuple(
            (f"repo={quote(row['repo_tag'])}&arch={quote(row['repo_arch'])}", sum(one) / most)
            for row, one in zip(rows, hits, strict=True)
        ),
    )


@dataclass(frozen=True)
class System:
    """One place for a system. A new system replaces it when it reaches the next age class."""

    kind: Kind
    age: int
    queries: tuple[str, ...]
    busy: float
    """The probability of a request on a day, beside its one countme request a week."""
    proxy: str

    @classmethod
    def drawn(cls, seed: str, number: int) -> System:
        chance = Random(f"{seed}/system/{number}")
        all_kinds, machines = kinds()
        kind = all_kinds[bisect(machines, chance.randrange(machines[-1]))]
        age = chance.choices(list(LIFETIME_WEEKS), kind.machines_by_age)[0]
        queries = tuple(query for query, share in kind.repos if chance.random() < share)
        return cls(
            kind, age, queries or (kind.repos[0][0],), chance.random() * 0.5, chance.choice(PROXIES)
        )

    def address(self, seed: str, number: int, week: int) -> str:
        """Return the address of the system in this place in a week."""
        chance = Random(f"{seed}/address/{number}/{week // LIFETIME_WEEKS[self.age]}")
        if chance.random() < 0.12:
            return f"2001:db8:{chance.randrange(1 << 16):x}::{chance.randrange(1, 1 << 16):x}"
        return f"10.{chance.randrange(256)}.{chance.randrange(256)}.{chance.randrange(1, 255)}"

    def requests(self, seed: str, number: int, day: date) -> Iterator[Request]:
        """Yield its requests of a day: one countme hit per week and repository, and others."""
        week = (day - WEEK_0).days // 7
        chance = Random(f"{seed}/week/{number}/{week}")
        counted_on, second = chance.randrange(7), chance.randrange(86_400)
        if day.weekday() == counted_on:
            yield from self._ask(chance, day, second, self.address(seed, number, week), self.age)
        chance = Random(f"{seed}/day/{number}/{day}")
        if chance.random() < self.busy:
            second = chance.randrange(86_400)
            yield from self._ask(chance, day, second, self.address(seed, number, week), None)

    def _ask(
        self, chance: Random, day: date, second: int, address: str, age: int | None
    ) -> Iterator[Request]:
        midnight = int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())
        for query in self.queries:
            started = midnight + min(second, 86_399)
            second += chance.randrange(3)
            suffix = "" if age is None else f"&countme={age}"
            path = "mirrorlist" if "epel-7" in query else "metalink"
            yield Request(
                started + _answer_seconds(chance),
                started,
                address,
                f"GET /{path}?{query}{suffix} HTTP/2.0",
                302 if chance.random() < 0.01 else 200,
                chance.randrange(4_000, 40_000),
                self.kind.agent,
            )


def _answer_seconds(chance: Random) -> int:
    return chance.randrange(2, LONGEST_ANSWER_SECONDS + 1) if chance.random() < 0.002 else 0


def unrelated(chance: Random, site: str, day: date, count: int) -> Iterator[Request]:
    """Yield other requests to a site: files, missing files, and requests that are not hits."""
    midnight = int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())
    paths = {
        FEDORA: (
            ("GET /static/fedora.css HTTP/1.1", 200),
            ("GET /publiclist HTTP/1.1", 200),
            ("GET /metalink HTTP/1.1", 200),
            ("GET /metalink?repo=fedora-99&arch=x86_64&countme=1 HTTP/1.1", 404),
            ("GET /wp-login.php HTTP/1.1", 404),
            ("POST /metalink?repo=fedora-33&arch=x86_64&countme=1 HTTP/1.1", 405),
            ("HEAD /mirrorlist?repo=epel-7&arch=x86_64 HTTP/1.1", 200),
            ("GET /metalink?repo=&arch= HTTP/1.1", 200),
        ),
        CENTOS: (("GET / HTTP/1.1", 200), ("GET /.env HTTP/1.1", 404)),
        DOWNLOADS: (
            ("GET /pub/fedora/linux/releases/33/Everything/x86_64/iso/ HTTP/1.1", 200),
            ("GET /pub/epel/8/Everything/x86_64/Packages/ HTTP/1.1", 200),
            ("GET /pub/nothing HTTP/1.1", 404),
        ),
        PEOPLE: (("GET /~someone/notes.txt HTTP/1.1", 200), ("GET /cgit/ HTTP/1.1", 404)),
    }[site]
    agents = ("Mozilla/5.0 (X11; Linux x86_64)", "curl/7.71.1", "urlgrabber/3.10 yum/3.4.3", "-")
    for _dummy in range(count):
        started = midnight + chance.randrange(86_400)
        request, status = chance.choice(paths)
        address = f"10.{chance.randrange(256)}.{chance.randrange(256)}.{chance.randrange(1, 255)}"
        yield Request(
            started + _answer_seconds(chance),
            started,
            address,
            request,
            status,
            chance.randrange(100, 9_000),
            chance.choice(agents),
        )


#: Lines that match no rule, as scanners and broken disks write them. TIME is replaced.
GARBAGE = (
    b'10.9.9.9 - - [TIME] "\\x16\\x03\\x01\\x02" 400 226 "-" "-"\n',
    b"\x00\x00\x00\x00\x00\x00\x00\x00\n",
    b"\xff\xfe\x80 \xc3\x28 not a log line\n",
    b'10.9.9.9 - - [99/Foo/2021:77:00:00 +0000] "GET /metalink?repo=fedora-33&countme=1 '
    b'HTTP/1.1" 200 5 "-" "libdnf (Fedora 33; server; Linux.x86_64)"\n',
    b'10.9.9.9 - - [TIME] "GET /metalink?repo=fedora-33&arch=x86_64&coun\n',
    b"\n",
)


def rotation(seed: str, host: str, day: date) -> int:
    """Return the time of a host's rotation on a day, shortly after midnight."""
    midnight = int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())
    return midnight + Random(f"{seed}/rotation/{host}/{day}").randrange(1, LATEST_ROTATION_SECONDS)


def asked_on(seed: str, systems: Sequence[System], day: date) -> dict[Place, list[Request]]:
    """Return all requests of a calendar day."""
    asked: dict[Place, list[Request]] = defaultdict(list)
    for number, system in enumerate(systems):
        asked[system.proxy, system.kind.site].extend(system.requests(seed, number, day))
    for host, site in PLACES:
        chance = Random(f"{seed}/unrelated/{host}/{site}/{day}")
        count = 20 + len(systems) // 40
        asked[host, site].extend(unrelated(chance, site, day, count))
    return asked


def rotated_logs(
    seed: str, systems: Sequence[System], days: Sequence[date]
) -> Iterator[tuple[date, str, str, bytes]]:
    """Yield (rotation day, host, log name, content) of each log of consecutive rotation days."""
    lines: dict[Place, list[Request]] = defaultdict(list)
    for day in [days[0] - timedelta(days=2), days[0] - timedelta(days=1)]:
        for place, requests in asked_on(seed, systems, day).items():
            lines[place] += requests
    for day in days:
        for place, requests in asked_on(seed, systems, day).items():
            lines[place] += requests
        for (host, site), requests in lines.items():
            since = rotation(seed, host, day - timedelta(days=1))
            until = rotation(seed, host, day)
            chosen = [request for request in requests if since <= request.logged < until]
            chosen.sort(key=lambda request: request.logged)
            chance = Random(f"{seed}/garbage/{host}/{site}/{day}")
            yield day, host, f"{site}-access.log", _with_garbage(chance, chosen)
            yield day, host, f"{site}-error.log", _errors(chance, day)
            lines[host, site] = [request for request in requests if request.logged >= until]


def _with_garbage(chance: Random, requests: Sequence[Request]) -> bytes:
    lines = [request.line for request in requests]
    for garbage in GARBAGE:
        time = chance.choice(requests).time.encode() if requests else b"-"
        lines.insert(chance.randrange(len(lines) + 1), garbage.replace(b"TIME", time))
    return b"".join(lines)


def _errors(chance: Random, day: date) -> bytes:
    yesterday = day - timedelta(days=1)
    return "".join(
        f"[{yesterday:%a %b %d} 12:{minute:02}:00.000000 {yesterday:%Y}] [core:error] "
        f"[client 10.0.0.{chance.randrange(1, 255)}:4711] AH00124: request exceeded the limit\n"
        for minute in range(0, 60, 20)
    ).encode()


def write_log(path: Path, content: bytes, modified: int) -> None:
    """Write a compressed log as a whole, with the time of its rotation."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.unfinished")
    unfinished.write_bytes(lzma.compress(content, preset=1))
    os.utime(unfinished, (modified, modified))
    unfinished.replace(path)


def make_days(root: Path, seed: str, count: int, days: Sequence[date]) -> None:
    """Write all logs of consecutive rotation days."""
    systems = [System.drawn(seed, number) for number in range(count)]
    for day, host, name, content in rotated_logs(seed, systems, days):
        path = root / host / "httpd" / f"{name}-{day:%Y%m%d}.xz"
        write_log(path, content, rotation(seed, host, day))


def missing_runs(root: Path, days: Sequence[date], longest: int) -> list[list[date]]:
    """Return the days with a missing log, in sequences of consecutive days."""
    names = [
        f"{host}/httpd/{site}-{kind}.log" for host, site in PLACES for kind in ("access", "error")
    ]
    runs: list[list[date]] = []
    for day in days:
        if all((root / f"{name}-{day:%Y%m%d}.xz").exists() for name in names):
            continue
        if runs and day - runs[-1][-1] == timedelta(days=1) and len(runs[-1]) < longest:
            runs[-1].append(day)
        else:
            runs.append([day])
    return runs


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Make the logs of simulated hosts.")
    parser.add_argument("root", type=Path, help="folder with one folder per host")
    parser.add_argument("--days", type=int, default=28, help="number of rotation days")
    parser.add_argument(
        "--until", type=date.fromisoformat, help="last rotation day; default: yesterday"
    )
    parser.add_argument("--systems", type=int, default=12_000, help="number of systems")
    parser.add_argument("--seed", default="sample", help="another seed gives other systems")
    options = parser.parse_args(arguments)

    last = options.until or datetime.now(UTC).date() - timedelta(days=1)
    days = [last - timedelta(days=back) for back in reversed(range(options.days))]
    workers = os.cpu_count() or 1
    runs = missing_runs(options.root, days, -(-len(days) // workers))
    with ProcessPoolExecutor(workers) as pool:
        for done in [
            pool.submit(make_days, options.root, options.seed, options.systems, run) for run in runs
        ]:
            done.result()
    made = sum(len(run) for run in runs)
    print(f"made the logs of {made} days" if made else "the logs of all days are there")
    return 0


if __name__ == "__main__":
    sys.exit(main())
