# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Check the log host before it is set up, and report all errors together.

The settings are a JSON object in the first argument. The program writes the errors to standard
output, as a JSON list of texts. It runs before anything is installed, so it needs only the
standard library of Python 3.9.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

SCHEDULES = ("systemd", "cron", "none")
WEB_SERVERS = ("", "nginx", "httpd")
STATES = ("present", "absent")
UNKNOWN_NAME = (socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME))
PLAIN_PATH = re.compile(r"(/[A-Za-z0-9_@+.-]+)+")
#: HOST::MODULE/ or rsync://[USER@]HOST[:PORT]/MODULE/; the host may be an IPv6 address in brackets.
DAEMON = re.compile(
    r"(?:rsync://(?:[^/@]*@)?|(?=[^/]*::)(?:[^/@]*@)?)(?:\[(?P<address>[^\]/]+)\]|(?P<name>[^/:\[\]]+))"
)
HOST_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]*")
USER_NAME = re.compile(r"[a-z_][a-z0-9_-]{0,31}")
CRON_TIME = re.compile(r"@(daily|hourly|weekly|midnight)|([0-9*,/A-Za-z-]+ +){4}[0-9*,/A-Za-z-]+")


def wrong_versions(settings):
    found = tuple(int(part) for part in settings["ansible_version"].split(".")[:2])
    if found < (2, 19):
        yield (
            f"ansible-core: expected 2.19 or newer, found {settings['ansible_version']}; "
            "update it where you run Ansible"
        )
    if not settings["venv"] and sys.version_info < (3, 11):
        yield (
            f"Python: expected 3.11 or newer, found {sys.version.split()[0]} ({sys.executable}); "
            "set ansible_python_interpreter, or set web_data_analysis_venv to a path"
        )
    # A missing Python is installed later.
    if settings["venv"] and os.access(settings["python"], os.X_OK):
        done = subprocess.run(
            [settings["python"], "-c", "import sys; print(*sys.version_info[:2], sep='.')"],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        version = done.stdout.strip() or "none that runs"
        if version in ("none that runs", "3.6", "3.7", "3.8", "3.9", "3.10"):
            yield (
                f"Python: expected 3.11 or newer, found {version} ({settings['python']}); "
                "update the system to a release with a newer Python"
            )


def wrong_choices(settings):
    for name, choices in (("schedule", SCHEDULES), ("web_server", WEB_SERVERS), ("state", STATES)):
        if settings[name] not in choices:
            wanted = ", ".join(choice or "an empty text" for choice in choices)
            yield f"web_data_analysis_{name}: expected one of {wanted}, found {settings[name]}"
    if settings["user"] == "root":
        yield "web_data_analysis_user: expected a user without privileges, found root; set another user"
    for name in ("user", "group"):
        if settings[name] and not USER_NAME.fullmatch(settings[name]):
            yield (
                f"web_data_analysis_{name}: expected lower-case letters, digits, - and _, "
                f"found {settings[name]}"
            )
    if settings["web_server_name"] and not HOST_NAME.fullmatch(settings["web_server_name"]):
        yield (
            "web_data_analysis_web_server_name: expected the name of a host, "
            f"found {settings['web_server_name']}"
        )


def wrong_needs(settings):
    """Yield errors of settings that need other settings."""
    if settings["schedule"] in ("systemd", "cron"):
        for name in ("user", "venv"):
            if not settings[name]:
                yield (
                    f"web_data_analysis_{name}: expected one for a schedule, found an empty text; "
                    "or set web_data_analysis_schedule to none"
                )
    if settings["web_server"]:
        for name in ("web_server_name", "web_dir"):
            if not settings[name]:
                yield (
                    f"web_data_analysis_{name}: expected one for the web server, "
                    "found an empty text; or empty web_data_analysis_web_server"
                )


def wrong_times(settings):
    if settings["schedule"] == "cron" and not CRON_TIME.fullmatch(settings["cron_time"]):
        yield (
            "web_data_analysis_schedule_cron: expected five fields of a time, "
            f"found {settings['cron_time']}"
        )
    analyze = shutil.which("systemd-analyze")
    if settings["schedule"] == "systemd" and not analyze:
        yield "systemd: expected it for web_data_analysis_schedule, found none; use cron or none"
    elif settings["schedule"] == "systemd":
        for verb, name in (("calendar", "schedule_calendar"), ("timespan", "schedule_delay")):
            done = subprocess.run(
                [analyze, verb, "--", settings[name]], capture_output=True, check=False
            )
            if done.returncode:
                yield (
                    f"web_data_analysis_{name}: expected what systemd.time(7) describes, "
                    f"found {settings[name]}; test it with systemd-analyze {verb}"
                )


def wrong_paths(settings):
    wrong = []
    for name, path in sorted(settings["paths"].items(), key=lambda named: (len(named[1]), named)):
        if not path:
            if name in settings["needed_paths"]:
                yield f"{name}: expected an absolute path, found an empty text"
        elif not PLAIN_PATH.fullmatch(path) or ".." in path.split("/"):
            # One error is enough for a path and all paths below it.
            if not any(path.startswith(f"{above}/") for above in wrong):
                yield (
                    f"{name}: expected an absolute path of letters, digits and _ @ + . -, "
                    f"found {path}"
                )
            wrong.append(path)
    if settings["schedule"] in ("systemd", "cron"):
        for path in settings["files"]:
            if not os.path.isfile(path):
                yield (
                    f"{path}: expected a file with tasks on the log host, found none; put it "
                    "there, or correct web_data_analysis_before_run or web_data_analysis_after_run"
                )
    folder = os.path.dirname(settings["web_config"])
    if settings["web_server"] in WEB_SERVERS[1:] and not os.path.isdir(folder):
        yield f"{folder}: expected the folder of {settings['web_server']}, found none; install it"


def wrong_messaging(settings):
    if not settings["messaging"]:
        return
    config = settings["paths"]["web_data_analysis_messaging_config"]
    if not settings["messaging_broker"] and not os.path.isfile(config):
        yield (
            f"{config}: expected the configuration of fedora-messaging, found none; write it, or "
            "set web_data_analysis_messaging_url to the URL of the broker"
        )
    if settings["messaging_tls"]:
        for path in filter(None, settings["messaging_files"]):
            if not os.path.isfile(path):
                yield (
                    f"{path}: expected a certificate or key for the message bus, found none; put "
                    "it there, or correct web_data_analysis_messaging_ca_cert, certfile or keyfile"
                )


def wrong_mounts(settings):
    mount = settings["require_mount"]
    comes_later = settings["share"] or settings["before_run"]
    if mount and not comes_later and not os.path.ismount(mount) and not os.path.isfile(mount):
        yield (
            f"{mount}: expected a mounted share or a file on it, found none; mount it, set "
            "web_data_analysis_share, or set web_data_analysis_require_mount to an empty text"
        )
    if settings["share"] and not mount:
        yield "web_data_analysis_require_mount: expected a mount point for the share, found none"


def nearest_folder(path):
    while not os.path.isdir(path) and path not in ("", "/"):
        path = os.path.dirname(path)
    return path or "/"


def wrong_space(settings):
    short = {}
    for path in settings["paths"].values():
        if not path.startswith("/") or (settings["share"] and path == settings["require_mount"]):
            continue
        folder = nearest_folder(path)
        free = shutil.disk_usage(folder).free >> 20
        if free < settings["min_free_mib"]:
            short[os.stat(folder).st_dev] = (
                f"{folder}: expected {settings['min_free_mib']} MiB free, found {free}; "
                "free some space, or lower web_data_analysis_min_free_mib"
            )
    return short.values()


def host_in(source):
    """Return the host of an rsync source; empty for a folder on this machine."""
    found = DAEMON.match(source)
    return (found["address"] or found["name"]) if found else ""


def sources_of(settings):
    """Yield the sources of all hosts whose entries are valid."""
    for host in settings["hosts"]:
        named = {"name": host} if isinstance(host, str) else host
        if is_host(named):
            yield (named.get("source") or settings["source"]).replace("{host}", named["name"])


def is_host(named):
    return (
        isinstance(named, dict)
        and {"name"} <= set(named) <= {"name", "source"}
        and all(isinstance(value, str) for value in named.values())
    )


def wrong_hosts(settings):
    for host in settings["hosts"]:
        if not isinstance(host, str) and not is_host(host):
            yield (
                "web_data_analysis_hosts: expected a name, or name and source, "
                f"found {json.dumps(host)}"
            )


def is_unknown(name):
    try:
        socket.getaddrinfo(name, None)
    except socket.gaierror as error:
        return error.errno in UNKNOWN_NAME
    except (OSError, UnicodeError):
        return True
    return False


def wrong_names(settings):
    names = sorted({host_in(source) for source in sources_of(settings)} - {""})
    with ThreadPoolExecutor(16) as pool:
        for name, unknown in zip(names, pool.map(is_unknown, names)):  # noqa: B905 (Python 3.9)
            if unknown:
                yield (
                    f"{name}: expected the name of a host, found a name unknown to DNS; "
                    "correct web_data_analysis_hosts, or add the name to DNS"
                )


def problems(settings):
    """Return all errors, in the best order to correct them."""
    checks = (wrong_versions, wrong_choices, wrong_needs, wrong_times, wrong_paths, wrong_messaging,
              wrong_mounts, wrong_space, wrong_hosts, wrong_names)  # fmt: skip
    return [problem for check in checks for problem in check(settings)]


if __name__ == "__main__":
    print(json.dumps(problems(json.loads(sys.argv[1]))))
