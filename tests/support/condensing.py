"""Logs to condense, and what the module makes of them."""

from __future__ import annotations

import csv
from datetime import date
from pathlib import Path
from typing import Any

from ansible_collections.fedora_infra.dnf_counting.tests.support.modules import run_module

LOG = "mirrors.fedoraproject.org-access.log"


def line(host: str, day: str, repo: str = "fedora-33", arch: str = "x86_64") -> str:
    written = date.fromisoformat(day).strftime("%d/%b/%Y")
    return (
        f'{host} - - [{written}:12:00:00 +0000] "GET /metalink?repo={repo}&arch={arch} HTTP/2.0"'
        ' 200 18336 "-" "libdnf (Fedora 33; server; Linux.x86_64)"\n'
    )


def lines(count: int, day: str, repo: str = "fedora-33", *, network: int = 0) -> str:
    return "".join(line(f"192.0.{network}.{n}", day, repo) for n in range(count))


class Place:
    """A combined tree, and where the module puts what it makes of it."""

    def __init__(self, path: Path) -> None:
        self.src, self.data_dir, self.csv_dir = path / "combined", path / "days", path / "csv"

    def write(self, rotated: str, content: str | bytes, *, ending: str = "") -> Path:
        path = self.src.joinpath(*rotated.split("-"), LOG + ending)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def run(self, *rotated: str, **options: Any) -> dict[str, Any]:
        given = {"src": self.src, "log_name": LOG, "data_dir": self.data_dir}
        days = {"dates": list(rotated)} if rotated else {}
        return run_module(
            "mirrorlist_condense", **{**given, "csv_dir": self.csv_dir, **days, **options}
        )

    def rows(self, name: str = "mirrorsdata-all.csv") -> dict[str, dict[str, int]]:
        """The cells that aren't zero, by date and column without its number."""
        with (self.csv_dir / name).open(newline="") as text:
            return {
                row["1970-01-01"]: {
                    column[3:]: int(cell)
                    for column, cell in row.items()
                    if cell != "0" and column != "1970-01-01"
                }
                for row in csv.DictReader(text)
                if row["1970-01-01"] != "1970-01-02"
            }

    def daily(self, family: str) -> dict[str, int]:
        with (self.csv_dir / "mirrors-daily.csv").open(newline="") as text:
            found = csv.DictReader(text)
            return {
                f"{row['date']} {row['release']}": int(row["clients"])
                for row in found
                if row["family"] == family
            }

    def content(self) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in self.csv_dir.glob("*.csv")}
