# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Check the status of the counting, for Nagios, Icinga and other programs that run their plugins.

The command checks status.json, which each run writes, and its age. It writes one line with
performance data to standard output. The exit code is 0 (ok), 1 (warning), 2 (critical) or
3 (unknown). It needs only the standard library of Python 3.7 or newer.
"""

from __future__ import annotations

import argparse
import json
import os
import stat
import sys
from datetime import datetime, timezone

OK, WARNING, CRITICAL, UNKNOWN = 0, 1, 2, 3
CODES = {"ok": OK, "warning": WARNING, "critical": CRITICAL, "unknown": UNKNOWN}
WORDS = {code: word.upper() for word, code in CODES.items()}
#: The worst first. An unknown state must not hide a bad one.
ORDER = (CRITICAL, WARNING, UNKNOWN, OK)

FORMAT = 1
DEFAULT_STATUS = "/var/lib/countme-status/status.json"
LARGEST_STATUS = 64 << 20
#: The clock may be a little behind the clock of the machine that wrote the status.
AHEAD_SECONDS = 300
MOST_TEXT = 400


class StatusError(Exception):
    """The status cannot be judged."""


def read_status(path):
    """Return the status. Raises StatusError."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as opened:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise StatusError(f"{path} is not a regular file")
            status = json.loads(opened.read(LARGEST_STATUS).decode("utf-8"))
    except OSError as error:
        raise StatusError(f"{path}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise StatusError(f"{path} is not a status: {error}") from error
    if not isinstance(status, dict) or status.get("format") != FORMAT:
        raise StatusError(f"{path} is not of format {FORMAT}; update this command")
    return status


def age_of(status, now):
    """Return the age of the status in seconds. Raises StatusError."""
    try:
        made = datetime.fromisoformat(status["generated_at"])
        return (now - made).total_seconds()
    except (KeyError, TypeError, ValueError) as error:
        raise StatusError(f"the status has no valid time ({error!r})") from error


def judged_age(age, warning, critical):
    """Return the exit code for an age, and its description."""
    hours = "%.1f h" % (age / 3600)
    if age < -AHEAD_SECONDS:
        return UNKNOWN, f"the status is from the future ({hours}): check the clocks"
    if age >= critical:
        return CRITICAL, f"the status is {hours} old: no run since"
    if age >= warning:
        return WARNING, f"the status is {hours} old: no run since"
    return OK, ""


def judged_problems(status):
    """Return the exit code for the problems in the status, their descriptions, and their numbers."""
    try:
        problems = [(CODES[one["severity"]], str(one["what"])) for one in status["problems"]]
    except (KeyError, TypeError) as error:
        raise StatusError(f"the problems of the status cannot be read ({error!r})") from error
    counts = {code: [code for code, _what in problems].count(code) for code in ORDER[:3]}
    code = next((code for code in ORDER if counts.get(code)), OK)
    return code, [what for _code, what in problems], counts


def performance(status, age, limits, counts):
    """Return performance data: ``label=value[unit];warning;critical;least``."""
    found = [f"age={age:.0f}s;{limits[0]:.0f};{limits[1]:.0f};"]
    found += [f"{WORDS[code].lower()}={count};;;0" for code, count in counts.items()]
    hosts = [one for one in _list(status, "hosts") if isinstance(one.get("days"), dict)]
    missing = sum(state == "missing" for one in hosts for state in one["days"].values())
    found.append(f"host_days_missing={missing};;;0")
    for tree in _list(status, "trees"):
        free = tree.get("free_percent")
        if isinstance(free, (int, float)):
            found.append("'free {}'={:.1f}%;;;0;100".format(label(tree.get("name")), free))
    for step in _list(status, "steps"):
        last = step.get("last") if isinstance(step.get("last"), dict) else {}
        if isinstance(last.get("seconds"), (int, float)):
            name = label("{} {}".format(step.get("stage"), step.get("subject") or ""))
            found.append("'time {}'={:.1f}s;;;0".format(name, last["seconds"]))
    return " ".join(found)


def _list(status, name):
    found = status.get(name)
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def label(text):
    """Return a text for a quoted label, without quotes, equal signs and separators."""
    return "".join(c if c.isalnum() or c in " _.-" else "_" for c in plain(str(text))).strip()


def plain(text):
    """Return a text without line ends, performance data and commands for a terminal."""
    kept = "".join(c if c.isprintable() and c != "|" else " " for c in text)
    return kept.encode("ascii", "replace").decode("ascii")


def shortened(text):
    return text if len(text) <= MOST_TEXT else text[: MOST_TEXT - 3] + "..."


def check(path, warning, critical, verbose, now):
    """Return the exit code and the lines for standard output."""
    try:
        status = read_status(path)
        age = age_of(status, now)
        code, problems, counts = judged_problems(status)
    except StatusError as error:
        return UNKNOWN, [f"COUNTING UNKNOWN - {shortened(plain(str(error)))}"]
    age_code, words = judged_age(age, warning, critical)
    code = min((code, age_code), key=ORDER.index)
    lines = [plain(text) for text in ([words] if words else []) + problems]
    host = plain(str(status.get("log_host")))
    summary = lines[0] if lines else f"{host}, {age / 3600:.1f} h ago"
    more = f" (and {len(lines) - 1} more)" if len(lines) > 1 else ""
    data = performance(status, age, (warning, critical), counts)
    first = f"COUNTING {WORDS[code]} - {shortened(summary)}{more} | {data}"
    return code, [first, *([shortened(text) for text in lines[1:]] if verbose else [])]


class Parser(argparse.ArgumentParser):
    """A parser that ends with 3 for wrong arguments, because 2 would be a critical state."""

    def error(self, message):
        print(f"COUNTING UNKNOWN - {plain(message)}")
        sys.exit(UNKNOWN)


def main(arguments=None):
    parser = Parser(description=__doc__.partition("\n")[0])
    parser.add_argument("status", nargs="?", default=DEFAULT_STATUS, help="default: %(default)s")
    parser.add_argument(
        "-w", "--warning", type=float, default=26, metavar="HOURS",
        help="the age of the status for a warning; default: %(default)s",
    )  # fmt: skip
    parser.add_argument(
        "-c", "--critical", type=float, default=50, metavar="HOURS",
        help="the age for a critical state; default: %(default)s",
    )  # fmt: skip
    parser.add_argument(
        "-v", "--verbose", action="store_true", help="write a line for each problem"
    )
    options = parser.parse_args(arguments)
    code, lines = check(
        options.status,
        options.warning * 3600,
        options.critical * 3600,
        options.verbose,
        datetime.now(timezone.utc),  # noqa: UP017
    )
    print("\n".join(lines))
    return code


if __name__ == "__main__":
    sys.exit(main())
