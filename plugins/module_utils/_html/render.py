# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Turn values into HTML: each value is escaped, and a missing value is an error."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from .._base.libs import jinja2

_UNITS = ("bytes", "kB", "MB", "GB", "TB")
_DATE = re.compile(r"([0-9]{4}-(?:[0-9]{2}-[0-9]{2}|W[0-9]{2}))(?: to [0-9]{4}-[0-9]{2}-[0-9]{2})?")
_SCRIPT_ESCAPES = {ord(char): f"\\u{ord(char):04x}" for char in "<>&\u2028\u2029"}

# control characters and halves of characters, which HTML forbids
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
# characters that reverse the direction of the text around them
_BIDIRECTIONAL = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def environment_of(
    templates: Mapping[str, str], filters: Mapping[str, Callable[..., Any]] | None = None
) -> Any:
    """Return a Jinja2 environment for templates by name, with the filters of this package."""
    environment = jinja2.Environment(
        loader=jinja2.DictLoader(dict(templates)),
        autoescape=True,
        finalize=_without_forbidden,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        {
            "thousands": thousands,
            "size": format_size,
            "iso": _iso_time,
            "minute": _format_minute,
            "whole_dates": whole_dates,
            **(filters or {}),
        }
    )
    return environment


def _without_forbidden(value: object) -> object:
    """Return the text of a value as it may stand in a page."""
    # HTML was made from values that passed through here, or is a constant of this library
    if hasattr(value, "__html__"):
        return value
    return _BIDIRECTIONAL.sub("", _FORBIDDEN.sub("\ufffd", str(value)))


def script_json(value: object) -> Any:
    """Return JSON that can stand in a ``script`` element, whatever texts are in it."""
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=True)
    # no text in it can end the element or begin a comment
    return jinja2.utils.markupsafe.Markup(text.translate(_SCRIPT_ESCAPES))


def whole_dates(text: str) -> Any:
    """Return a text as HTML in which no line breaks within a day, a week or a span of days."""
    escaped = str(jinja2.utils.markupsafe.escape(_without_forbidden(text)))
    return jinja2.utils.markupsafe.Markup(_DATE.sub(r'<span class="keep">\g<0></span>', escaped))


def thousands(number: int | None) -> str:
    """Format a number as ``1,234,567``, or as an empty text if it is not known."""
    return "" if number is None else f"{number:,}"


def format_size(size: int) -> str:
    """Format a number of bytes as ``512 bytes`` or ``1.2 MB``."""
    amount, unit = float(size), 0
    while amount >= 999.5 and unit < len(_UNITS) - 1:
        amount, unit = amount / 1000, unit + 1
    digits = 0 if unit == 0 or amount >= 99.95 else 1
    return f"{amount:.{digits}f} {_UNITS[unit]}"


def _iso_time(seconds: int) -> str:
    """Format seconds since the Unix epoch as ISO 8601, UTC."""
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")


def _format_minute(seconds: int) -> str:
    """Format seconds since the Unix epoch to the minute, UTC."""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M}"
