# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Turn values into HTML: each value is escaped, and a missing value is an error."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from .._base.libs import jinja2

_UNITS = ("bytes", "kB", "MB", "GB", "TB")
_DATE = re.compile(r"([0-9]{4}-(?:[0-9]{2}-[0-9]{2}|W[0-9]{2}))(?: to [0-9]{4}-[0-9]{2}-[0-9]{2})?")
_SCRIPT_ESCAPES = {ord(char): f"\\u{ord(char):04x}" for char in "<>&\u2028\u2029"}


def environment_of(templates: Mapping[str, str]) -> Any:
    """Return a Jinja2 environment for templates by name, with the filters of this package."""
    environment = jinja2.Environment(
        loader=jinja2.DictLoader(dict(templates)),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        {
            "thousands": thousands,
            "size": spell_size,
            "iso": iso_time,
            "minute": spell_minute,
            "whole_dates": whole_dates,
        }
    )
    return environment


def script_json(value: object) -> Any:
    """JSON that can stand in a ``script`` element, whatever texts are in it."""
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=True)
    # nothing of it can end the element or begin a comment
    return jinja2.utils.markupsafe.Markup(text.translate(_SCRIPT_ESCAPES))


def whole_dates(text: str) -> Any:
    """A text as HTML in which no line ends within a day, week or span of days."""
    escaped = str(jinja2.utils.markupsafe.escape(text))
    return jinja2.utils.markupsafe.Markup(_DATE.sub(r'<span class="keep">\g<0></span>', escaped))


def thousands(number: int | None) -> str:
    """``1,234,567``; empty where it isn't known."""
    return "" if number is None else f"{number:,}"


def spell_size(size: int) -> str:
    """``512 bytes``, ``1.2 MB``."""
    amount, unit = float(size), 0
    while amount >= 999.5 and unit < len(_UNITS) - 1:
        amount, unit = amount / 1000, unit + 1
    digits = 0 if unit == 0 or amount >= 99.95 else 1
    return f"{amount:.{digits}f} {_UNITS[unit]}"


def iso_time(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")


def spell_minute(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M}"
