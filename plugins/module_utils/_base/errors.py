# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one family of errors. Each message has the place, what was expected and found, and advice."""

from __future__ import annotations


class CountingError(Exception):
    """An error for an operator about one place: a file, a host and day, or a setting.

    ``place`` names it, ``expected`` and ``found`` complete "expected …, found …", and ``advice`` is
    the next step as a full sentence. Text from logs, hosts or remote files goes through
    :func:`printable`.
    """

    def __init__(self, place: object, *, expected: str, found: str, advice: str) -> None:
        self.place = str(place)
        self.expected = expected
        self.found = found
        self.advice = advice
        super().__init__(f"{place}: expected {expected}, found {found}. {advice}")


class SettingsError(CountingError):
    """An option has a value that cannot be used. Nothing was read or written."""


def wrong_option(name: str, *, expected: str, found: str) -> SettingsError:
    """Return the error for an option of a module with a wrong value."""
    return SettingsError(
        f"option {name}", expected=expected, found=found, advice="Correct the option."
    )


class SourceError(CountingError):
    """One input is unreadable, damaged or of another kind. Work on other inputs can continue."""


class OutputError(CountingError):
    """An output cannot be written or must not be replaced. The file before it is unchanged."""


class LockedError(OutputError):
    """Another run or program holds the lock of an output."""


def printable(text: str | bytes, limit: int = 120) -> str:
    """Return foreign text in a form that is safe to print: quoted, escaped and shortened."""
    if isinstance(text, bytes):
        text = text[: limit * 4].decode("utf-8", "backslashreplace")
    quoted = ascii(text[:limit])
    return quoted if len(text) <= limit else f"{quoted}… ({len(text)} characters)"
