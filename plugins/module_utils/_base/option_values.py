# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values of options that are checked before they are used; an error names the option."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import asdict
from typing import TYPE_CHECKING

from .errors import printable, wrong_option

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

_NAME = re.compile(r"[a-z0-9_.-]+")
_SLUG = re.compile(r"[a-z][a-z0-9_]*")


def pattern_from(option: str, text: str) -> re.Pattern[str]:
    """Return a regular expression. Raises SettingsError naming ``option``."""
    try:
        return re.compile(text)
    except re.error as error:
        raise wrong_option(
            option, expected="a regular expression", found=f"{printable(text)} ({error})"
        ) from error


def template_from(option: str, text: str, pattern: re.Pattern[str]) -> str:
    """Return a text whose ``{}`` stand for the groups of a pattern, and ``{release}`` for a release.

    Raises SettingsError naming ``option`` if it has more places than the pattern has groups, or if
    it gives anything but a name.
    """
    try:
        example = text.format(*["1"] * pattern.groups, release="1")
    except (IndexError, KeyError, ValueError) as error:
        raise wrong_option(
            option,
            expected=f"a text with at most {pattern.groups} places {{}}",
            found=printable(text),
        ) from error
    name_from(option, example)
    return text


def name_from(option: str, text: str) -> str:
    """Return a name that files and columns may have. Raises SettingsError naming ``option``."""
    if not _NAME.fullmatch(text):
        raise wrong_option(option, expected="a name of a-z, 0-9, _, . and -", found=printable(text))
    return text


def slug_from(option: str, text: str) -> str:
    """Return a name that SQL and links may have. Raises SettingsError naming ``option``."""
    if not _SLUG.fullmatch(text):
        raise wrong_option(
            option,
            expected="a name of a-z, 0-9 and _ that begins with a letter",
            found=printable(text),
        )
    return text


def rules_version(version: int, rules: DataclassInstance, usual: DataclassInstance) -> int:
    """Return the version of some rules: ``version`` for the usual ones, another number otherwise.

    Outputs that were made by another version are out of date.
    """
    if rules == usual:
        return version
    values = json.dumps(asdict(rules), sort_keys=True, default=lambda pattern: pattern.pattern)
    digest = hashlib.sha256(f"{version} {values}".encode()).hexdigest()
    return int(digest[:12], 16)
