# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Elements of the status page: text put into them stays text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TypeAlias
from xml.etree.ElementTree import Element

Content: TypeAlias = "Element | str"

# what no page may hold: control characters, and halves of characters
_UNFIT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
# what turns the direction of the text around it
_TURNING = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def element(
    tag: str,
    *content: Content | Mapping[str, str],
    class_: str | None = None,
    **attributes: str,
) -> Element:
    """An element with texts and elements in it. A mapping gives further attributes."""
    made = Element(tag, {name: fit(value) for name, value in attributes.items()})
    if class_:
        made.set("class", class_)
    for part in content:
        if isinstance(part, str):
            _append_text(made, fit(part))
        elif isinstance(part, Element):
            made.append(part)
        else:
            made.attrib.update({name: fit(value) for name, value in part.items()})
    return made


def _append_text(made: Element, text: str) -> None:
    if len(made):
        made[-1].tail = (made[-1].tail or "") + text
    else:
        made.text = (made.text or "") + text


def fit(text: str) -> str:
    """Text as it may stand in a page."""
    return _TURNING.sub("", _UNFIT.sub("\ufffd", text))


def words(name: str) -> str:
    """A state or result in words."""
    return name.replace("_", " ")


def badge(name: str) -> Element:
    """A state or severity, with a colour of its own."""
    return element("span", words(name), class_=f"badge {name.replace(' ', '_')}")
