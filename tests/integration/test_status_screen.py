# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The status as it comes on the screen: of a terminal, in a pipe, of several hosts, as a result."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from ansible_collections.fedora_infra.dnf_counting.tests.support.recorded_options import (
    options_of,
    record,
)
from ansible_collections.fedora_infra.dnf_counting.tests.support.terminal import (
    on_terminal,
    without_colours,
)

ANSIBLE = Path(sys.executable).with_name("ansible")
ROOT = Path(__file__).parents[2]
MODULE = "fedora_infra.dnf_counting.dnf_counting_info"
#: A folder's name may hold anything; this would clear the screen and change the title.
HOSTILE = "proxy\x1b[2J\x1b]0;owned\x07\n"


@pytest.fixture
def hosts_dir(tmp_path: Path) -> Path:
    """Two log hosts with logs of yesterday, a long name, and a folder that no host would make."""
    hosts = tmp_path / "hosts"
    day = f"{datetime.now(UTC).date() - timedelta(days=1):%Y/%m/%d}"
    for name in ("proxy01", f"proxy-{'with-a-long-name-' * 6}02"):
        folder = hosts / name / day / "http"
        folder.mkdir(parents=True)
        (folder / "mirrors.fedoraproject.org-access.log.xz").write_bytes(b"log")
    (hosts / HOSTILE).mkdir()
    record_stages(hosts)
    return hosts


def record_stages(hosts: Path) -> None:
    """Record that the sync and the combining of these hosts have just run."""
    now = datetime.now(UTC)
    synced = options_of("http_log_sync", hosts=["proxy01"], dest=str(hosts))
    record(history_of(hosts), "sync", synced, at=now)
    combined = options_of("http_log_combine", src=str(hosts), dest=f"{hosts}-combined")
    record(history_of(hosts), "combine", combined, at=now)


def history_of(hosts: Path) -> Path:
    return hosts.with_name("history.db")


def command(hosts_dir: Path, *arguments: str, show: bool = True) -> list[str]:
    options = {
        "history_db": str(history_of(hosts_dir)),
        "log_host": "{{ inventory_hostname }}",
        "show": show,
    }
    return [
        *(str(ANSIBLE), "all", "--inventory", "log01,log02", "--connection", "local"),
        *("-e", f"ansible_python_interpreter={sys.executable}"),
        *("--module-name", MODULE, "--args", json.dumps(options), *arguments),
    ]


def environment(**more: str) -> dict[str, str]:
    colours = ("NO_COLOR", "ANSIBLE_NOCOLOR", "ANSIBLE_FORCE_COLOR", "COLUMNS")
    kept = {name: value for name, value in os.environ.items() if name not in colours}
    return {**kept, "TERM": "xterm", **more}


def piped(arguments: list[str], **more: str) -> str:
    return subprocess.run(
        arguments, cwd=ROOT, env=environment(**more), capture_output=True, text=True, check=True
    ).stdout


def tables(output: str) -> list[list[str]]:
    """The lines of each host's status, from its verdict to its end."""
    lines = output.splitlines()
    begins = [n for n, line in enumerate(lines) if line.startswith("WARNING: log0")]
    return [lines[n : lines.index("Next run: none known", n) + 1] for n in begins]


@pytest.mark.parametrize("columns", [72, 140])
def test_a_terminal_shows_coloured_tables_that_are_no_wider(hosts_dir: Path, columns: int) -> None:
    output = on_terminal(command(hosts_dir), columns=columns, environment=environment(), cwd=ROOT)
    found = tables(without_colours(output))
    # whoever is first
    assert sorted(table[0].split()[1] for table in found) == ["log01,", "log02,"]
    for table in found:
        widest = max(map(len, table))
        assert columns - 15 < widest <= columns
        assert [line for line in table if line.startswith("proxy01 ")]
    assert output.count("\x1b[1;35mWARNING\x1b[0m") >= 4
    assert "\x1b[2J" not in output
    assert "\x07" not in output


def test_a_pipe_gets_plain_text_and_hosts_stay_apart(hosts_dir: Path, tmp_path: Path) -> None:
    log = tmp_path / "ansible.log"
    for options in ((), ("--check",)):
        output = piped(command(hosts_dir, *options), ANSIBLE_LOG_PATH=str(log))
        assert "\x1b" not in output
        found = tables(output)
        assert sorted(table[0].split()[1] for table in found) == ["log01,", "log02,"]
        for table in found:
            assert 85 < max(map(len, table)) <= 100
            assert len([line for line in table if line.startswith("STAGE ")]) == 1
    assert "\x1b" not in log.read_text()
    assert "STAGE " in log.read_text()


def test_the_result_stays_as_it_is(hosts_dir: Path) -> None:
    limited = command(hosts_dir, "--limit", "log01", "--one-line")
    line = piped(limited).strip().splitlines()[-1]
    result = json.loads(line.partition(" => ")[2])
    assert result["lines"][0].startswith("WARNING: log01, ")
    assert result["status"]["log_host"] == "log01"
    quiet = piped(command(hosts_dir, "--limit", "log01", "--one-line", show=False))
    assert tables(quiet) == []
    assert json.loads(quiet.partition(" => ")[2]).keys() == result.keys()


def test_a_program_that_reads_the_results_gets_nothing_else(hosts_dir: Path) -> None:
    output = piped(command(hosts_dir), ANSIBLE_STDOUT_CALLBACK="ansible.posix.json")
    assert "WARNING: log01" in output
    assert tables(output) == []
