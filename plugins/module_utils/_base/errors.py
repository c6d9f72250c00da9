# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one error family: every message says where, what was expected, what was found, what to do."""

from __future__ import annotations


class CountingError(Exception):
    """Something an operator has to know about one place: a file, a host and day, a setting.

    ``place`` names it, ``expected`` and ``found`` complete "expected …, found …", ``advice`` is the
    next step as a full sentence. Text from logs, hosts or remote files goes through :func:`shown`.
    """

    def __init__(self, place: object, *, expected: str, found: str, advice: str) -> None:
        self.place = str(place)
        self.expected = expected
        self.found = found
        self.advice = advice
        super().__init__(f"{place}: expected {expected}, found {found}. {advice}")


class SettingsError(CountingError):
    """An option has a value that can't be used; nothing was read or written."""


def wrong_option(name: str, *, expected: str, found: str) -> SettingsError:
    """The error for an option of a module that can't be used as it is given."""
    return SettingsError(
        f"option {name}", expected=expected, found=found, advice="Correct the option."
    )


class SourceError(CountingError):
    """One input is unreadable, damaged or not what its name says; the others can go on."""


class OutputError(CountingError):
    """An output can't be written or is not ours to replace; what was there before is untouched."""


class LockedError(OutputError):
    """Another run writes to the same output tree."""


def printable(text: str | bytes, limit: int = 120) -> str:
    """Foreign text made safe to print: quoted, control characters escaped, shortened."""
    if isinstance(text, bytes):
        text = text[: limit * 4].decode("utf-8", "backslashreplace")
    quoted = ascii(text[:limit])
    return quoted if len(text) <= limit else f"{quoted}… ({len(text)} characters)"
