"""What the role finds wrong before it sets a machine up, all at once and in words."""

from __future__ import annotations

import ast
import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

PROGRAM = Path(__file__).parents[2] / "roles" / "web_data_analysis" / "files" / "preflight.py"

Settings = dict[str, Any]


@pytest.fixture(scope="module")
def preflight() -> ModuleType:
    spec = importlib.util.spec_from_file_location("preflight", PROGRAM)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def good(tmp_path: Path) -> Settings:
    """A machine that can count."""
    (tmp_path / "fedora-messaging.toml").touch()
    return {
        "ansible_version": "2.19.1",
        "state": "present",
        "user": "countme",
        "group": "countme",
        "venv": "/srv/countme/venv",
        "python": sys.executable,
        "schedule": "none",
        "schedule_calendar": "daily",
        "schedule_delay": "15min",
        "cron_time": "0 6 * * *",
        "web_server": "",
        "web_server_name": "",
        "web_dir": f"{tmp_path}/html",
        "web_config": f"{tmp_path}/dnf_counting.conf",
        "require_mount": "",
        "share": "",
        "before_run": [],
        "files": [],
        "min_free_mib": 0,
        "messaging": False,
        "messaging_broker": False,
        "messaging_tls": False,
        "messaging_files": ["", "", ""],
        "hosts": ["localhost", {"name": "proxy02", "source": "/a/folder/"}],
        "source": "{host}::log/httpd/",
        "paths": {
            "web_data_analysis_state_dir": str(tmp_path),
            "web_data_analysis_messaging_config": f"{tmp_path}/fedora-messaging.toml",
            "web_data_analysis_status_dir": "",
        },
        "needed_paths": ["web_data_analysis_state_dir", "web_data_analysis_messaging_config"],
    }


def test_a_machine_that_can_count_is_let_through(preflight: ModuleType, good: Settings) -> None:
    assert preflight.problems(good) == []


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"ansible_version": "2.18.9"}, ["ansible-core: expected 2.19 or newer, found 2.18.9"]),
        ({"python": "/bin/false"}, ["expected 3.11 or newer, found none that runs (/bin/false)"]),
        ({"state": "abesnt"}, ["web_data_analysis_state: expected one of present, absent, found"]),
        ({"schedule": "at"}, ["web_data_analysis_schedule: expected one of systemd, cron, none"]),
        ({"user": "root"}, ["expected a user without privileges, found root"]),
        ({"group": "Count me"}, ["web_data_analysis_group: expected lower-case letters"]),
        (
            {"schedule": "cron", "user": "", "venv": ""},
            ["web_data_analysis_user: expected one for a", "web_data_analysis_venv: expected one"],
        ),
        ({"schedule": "cron", "cron_time": "6 o'clock"}, ["expected five fields of a time, found"]),
        (
            {"web_server": "nginx", "web_dir": ""},
            ["web_server_name: expected one for the web", "web_dir: expected one for the web"],
        ),
        ({"web_server_name": "stats;"}, ["web_server_name: expected the name of a host, found"]),
        ({"paths": {"a_dir": "/srv/my stats"}}, ["a_dir: expected an absolute path of letters"]),
        (
            {"paths": {"a_file": "/srv/my stats/file", "a_dir": "/srv/my stats"}},
            ["a_dir: expected an absolute path of letters"],
        ),
        ({"paths": {"a_dir": "relative"}}, ["a_dir: expected an absolute path of letters"]),
        ({"paths": {"a_dir": "/srv/../etc"}}, ["a_dir: expected an absolute path of letters"]),
        (
            {"paths": {"a_dir": ""}, "needed_paths": ["a_dir"]},
            ["a_dir: expected an absolute path, found an empty text"],
        ),
        ({"require_mount": "/nowhere"}, ["/nowhere: expected a mounted share or a file on it"]),
        ({"share": "nfs01:/stats"}, ["web_data_analysis_require_mount: expected a mount point"]),
        ({"min_free_mib": 1 << 40}, ["MiB free, found "]),
        ({"hosts": [{"nmae": "proxy01"}]}, ['expected a name, or name and source, found {"nmae"']),
        ({"hosts": [7]}, ["expected a name, or name and source, found 7"]),
        (
            {"hosts": ["no.such.name.invalid"]},
            ["no.such.name.invalid: expected the name of a host, found a name unknown to DNS"],
        ),
    ],
    ids=str,
)
def test_what_is_wrong_is_named(
    preflight: ModuleType, good: Settings, wrong: Settings, told: list[str]
) -> None:
    found = preflight.problems({**good, **wrong})
    assert len(found) == len(told), found
    for problem, words in zip(found, told, strict=True):
        assert words in problem


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"paths": {}}, "/missing.toml: expected the configuration of fedora-messaging"),
        (
            {"messaging_broker": True, "messaging_tls": True, "messaging_files": ["/no/ca.pem"]},
            "/no/ca.pem: expected a certificate or key",
        ),
    ],
    ids=["configuration", "certificate"],
)
def test_files_for_messages_are_looked_for(
    preflight: ModuleType, good: Settings, wrong: Settings, told: str
) -> None:
    settings = {**good, **wrong, "messaging": True}
    settings["paths"] = {"web_data_analysis_messaging_config": "/missing.toml"}
    (found,) = preflight.problems(settings)
    assert told in found
    assert preflight.problems({**settings, "messaging": False}) == []


@pytest.mark.parametrize(
    ("source", "host"),
    [
        ("proxy01::log/httpd/", "proxy01"),
        ("rsync://proxy01/log/httpd/", "proxy01"),
        ("rsync://reader@proxy01:8730/log/httpd/", "proxy01"),
        ("rsync://[2001:db8::1]:8730/log/httpd/", "2001:db8::1"),
        ("[2001:db8::1]::log/httpd/", "2001:db8::1"),
        ("/var/log/collected/proxy01/", ""),
        ("/var/log/a::b/", ""),
    ],
)
def test_the_host_of_a_source_is_known(preflight: ModuleType, source: str, host: str) -> None:
    assert preflight.host_in(source) == host


def test_all_that_is_wrong_is_told_at_once(good: Settings) -> None:
    settings = {**good, "state": "abesnt", "user": "root", "hosts": ["no.such.name.invalid"]}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.read_text(encoding="utf-8"), json.dumps(settings)],
        capture_output=True,
        check=True,
    )
    assert len(json.loads(done.stdout)) == 3


def test_nothing_newer_than_python_3_9_is_needed() -> None:
    """Enterprise Linux 9 has that one, before the role brings another."""
    ast.parse(PROGRAM.read_text(encoding="utf-8"), feature_version=(3, 9))
