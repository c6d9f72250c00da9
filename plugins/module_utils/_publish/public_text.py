# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make texts of clients fit for published files: without addresses, formulas and control characters.

Clients choose the names of systems and repositories, so these can hold anything. A repository that
is named like an address must neither be published as it is nor prevent that all else is published.
"""

from __future__ import annotations

import csv
import ipaddress
import re
import unicodedata
from collections.abc import Iterable
from pathlib import Path

from .._base.errors import OutputError, printable
from .._storage.files import open_regular

#: Replaces any text of a client that holds an address.
_ADDRESS = "(address)"

#: Versions of distributions may have four numbers ("2.0.8.1") and are published as they are.
_VERSION_COLUMNS = frozenset({"os_version"})

#: Columns about single requests. No published file has one.
_PRIVATE_COLUMNS = frozenset(
    {"host", "ip", "address", "client", "user", "identity", "timestamp", "time", "user_agent"}
)

# Candidates: runs of numbers with dots, and of hexadecimal groups with colons. ipaddress decides.
# The latter do not begin within a word, so that "std::" is none.
_CANDIDATE = re.compile(
    r"[0-9]{1,3}(?:\.[0-9]{1,3}){3,}|(?<![0-9A-Za-z])(?:[0-9A-Fa-f]{0,4}:){2,}[0-9A-Fa-f.]*",
    re.ASCII,
)
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
#: Some spreadsheets treat the wide forms alike.
_FORMULA_STARTS = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def has_address(text: str) -> bool:
    r"""Return true if a text, or its form in a file, holds an IPv4 or IPv6 address.

    A file has a control character as ``\x10``, whose digits may complete an address.
    """
    forms = {text, _without_controls(text)}
    return any(_is_address(found) for form in forms for found in _CANDIDATE.findall(form))


def _is_address(text: str) -> bool:
    quads = text.split(".")
    if ":" not in text:  # "1.2.3.4.5": four neighbours are enough
        runs = [".".join(quads[n : n + 4]) for n in range(len(quads) - 3)]
        return any(_parses(run) for run in runs)
    # "::" alone is punctuation in many languages, and no address of a client
    bare = text.strip(":.")
    return bare != "" and any(_parses(one) for one in (text, text.rstrip("."), bare))


def _parses(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def public_text(text: str, column: str = "") -> str:
    """Return a text of a client as it may be published in a column of that name."""
    return _ADDRESS if column not in _VERSION_COLUMNS and has_address(text) else text


def visible_text(text: str, limit: int = 80) -> str:
    r"""Return a public text in a short form in which every character can be seen.

    Characters that control a terminal, the direction of text or the length of a line are written
    as ``\u202e``.
    """
    visible = "".join(
        _escaped(char) if unicodedata.category(char)[0] in "CZ" and char != " " else char
        for char in text[: 2 * limit]
    )
    return f"{visible[: limit - 1]}…" if len(visible) > limit else visible


def _escaped(char: str) -> str:
    return f"\\x{ord(char):02x}" if ord(char) < 0x100 else f"\\u{ord(char):04x}"


def csv_text(text: str) -> str:
    r"""Return a public text as a cell of the new CSV files.

    A cell that a spreadsheet would take for a formula gets an apostrophe in front. Control
    characters are written as ``\x1b``, so that a row is always one line.
    """
    escaped = _without_controls(text)
    return f"'{escaped}" if escaped.startswith(_FORMULA_STARTS) else escaped


def _without_controls(text: str) -> str:
    return _CONTROLS.sub(lambda found: f"\\x{ord(found[0]):02x}", text)


def refuse_private_columns(columns: Iterable[str], place: object) -> None:
    """Raise OutputError if a column is about single requests."""
    private = sorted(_PRIVATE_COLUMNS.intersection(name.lower() for name in columns))
    if private:
        raise OutputError(
            place,
            expected="no column about single requests",
            found=f"the columns {', '.join(private)}",
            advice="This is a defect, please report it; nothing was published.",
        )


def refuse_private_text(path: Path) -> None:
    """Raise OutputError if a text file that is about to be published holds an address."""
    with open_regular(path) as opened:
        header: list[str] = []
        for number, line in enumerate(opened, start=1):
            if number == 1 and path.suffix == ".csv":
                header = line.decode("utf-8", "replace").strip().split(",")
            # the cheap test first: every address has three dots or two colons, and few lines have
            if line.count(b".") < 3 and line.count(b":") < 2:
                continue
            text = line.decode("utf-8", "replace")
            if any(has_address(cell) for cell in _cells_to_check(text, header)):
                raise OutputError(
                    f"{path.name}, line {number}",
                    expected="no address in a published file",
                    found=printable(line, 60),
                    advice="This is a defect, please report it; nothing was published.",
                )


def _cells_to_check(line: str, header: list[str]) -> list[str]:
    if not header:
        return [line]
    # a cell comes from a line of a log and may be as long as the line
    csv.field_size_limit(max(csv.field_size_limit(), len(line)))
    cells = next(csv.reader([line]), [])
    names = [*header, *[""] * len(cells)]
    return [cell for cell, name in zip(cells, names, strict=False) if name not in _VERSION_COLUMNS]
