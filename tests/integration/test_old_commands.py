"""The examples of docs/old-commands.md, one after the other, as they stand there."""

from __future__ import annotations

import csv
import re
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "old-commands.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"```sh\n(.*?)\n```", GUIDE, re.DOTALL)
GOLDEN = ROOT / "tests" / "data" / "golden"


class LogHost:
    """The folders of a log host below a temporary one."""

    def __init__(self, folder: Path) -> None:
        self.logs = folder / "combined-http"
        self.countme = folder / "countme"
        self.days = folder / "days"
        self.mirrors = folder / "mirrors"
        shutil.copytree(GOLDEN / "combined-http", self.logs)
        (self.countme / "raw").mkdir(parents=True)

    def run(self, number: int) -> str:
        command = COMMANDS[number]
        command = command.replace("/mnt/fedora_stats/combined-http", str(self.logs))
        command = command.replace("/mnt/fedora_stats/data/mirrors/days", str(self.days))
        command = command.replace("/var/www/html/csv-reports/mirrors", str(self.mirrors))
        command = command.replace("/var/lib/countme", str(self.countme))
        command = command.replace(
            "ansible localhost", f"{Path(sys.executable).parent}/ansible localhost"
        )
        done = subprocess.run(
            ["sh", "-c", command], cwd=ROOT, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def weeks(self, database: str = "totals.db") -> list[str]:
        with sqlite3.connect(self.countme / database) as connection:
            found = connection.execute("SELECT DISTINCT weeknum FROM countme_totals ORDER BY 1")
            return [week for (week,) in found]

    def rows(self, name: str) -> list[list[str]]:
        with (self.countme / name).open(encoding="utf-8", newline="") as text:
            return sorted(csv.reader(text))

    def raw_days(self) -> int:
        return len(list((self.countme / "raw").glob("*.parquet")))


@pytest.fixture(name="log_host")
def _log_host(tmp_path: Path) -> LogHost:
    return LogHost(tmp_path)


def test_every_old_command_is_done_by_its_example(log_host: LogHost) -> None:
    with (GOLDEN / "expected" / "totals.csv").open(encoding="utf-8", newline="") as text:
        expected = sorted(csv.reader(text))
    commands = iter(range(len(COMMANDS)))

    log_host.run(next(commands))  # the last days: these logs are older
    assert log_host.raw_days() == 0
    log_host.run(next(commands))  # countme-update-rawdb.sh --start
    assert log_host.raw_days() == 19
    log_host.run(next(commands))  # countme-totals
    assert log_host.rows("totals.csv") == expected
    log_host.run(next(commands))  # countme-trim-raw: all days are young enough
    assert log_host.raw_days() == 19
    assert '"status": "unchanged"' in log_host.run(next(commands))  # countme-delete-totals
    assert log_host.weeks() == ["2698", "2699", "2700"]
    log_host.run(next(commands))  # dropping a week
    assert log_host.weeks() == ["2699", "2700"]
    log_host.run(next(commands))  # countme-fix-dbs.sh
    log_host.run(next(commands))  # countme-regenerate-dbs.sh
    assert log_host.rows("anew/totals.csv") == expected
    log_host.run(next(commands))  # sqlite2csv, which finds the dropped week again
    assert log_host.rows("totals-copy.csv") == expected
    shutil.copy(log_host.countme / "totals-copy.csv", log_host.countme / "totals.csv")
    (log_host.countme / "restored").mkdir()
    log_host.run(next(commands))  # csv2sqlite
    assert log_host.weeks("restored/totals.db") == ["2698", "2699", "2700"]
    shown = log_host.run(next(commands))  # weekly-totals-ui
    assert '"week_status": "complete"' in shown
    log_host.run(next(commands))  # condense-mirrorlogs.sh
    rows = (log_host.mirrors / "mirrorsdata-all.csv").read_bytes()
    assert rows == (GOLDEN / "expected" / "mirrorsdata-all.csv").read_bytes()
    assert list(commands) == []
