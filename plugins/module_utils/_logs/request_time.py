# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Parse the times of many lines at once, by numpy: ``… - - [27/Sep/2021:12:00:00 +0000] ``.

A client field of any other shape is left to ``access_log.parse_time``, which defines the rule.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from .._base.days_and_weeks import DAY_SECONDS
from .._base.libs import np
from .access_log import parse_day_of_time, parse_zone

#: Length of `` - - [27/Sep/2021:12:00:00 +0000] ``, the end of nearly every client field.
TAIL_BYTES = 34

# Tails are compared as five overlapping words of eight bytes, here by their distance from the end:
# ` - - [27`, `/Sep/202`, `1:12:00:`, `00 +0000`, `+0000] `. Equal words mean equal tails.
_WORDS_FROM_END = (34, 26, 18, 10, 8)

_DASHES = slice(0, 6)
_DAY = slice(6, 17)
_CLOCK = slice(17, 27)
_ZONE = slice(27, 32)
_CLOSE = slice(32, 34)
_CLOCK_DIGITS = [1, 2, 4, 5, 7, 8]

_PLAIN_DAY = re.compile(r"[0-9]{2}/[A-Z][a-z]{2}/[0-9]{4}")


def read_tails(client: Any) -> tuple[Any, Any]:
    """Return the times of client fields (int64, Unix seconds), and a mask of the readable fields.

    ``client`` is a pyarrow binary array. The time of a field that is not readable has no meaning.
    """
    return _read(client, _read_distinct)


def read_days(client: Any) -> tuple[Any, Any]:
    """Return the days as written, in any zone, and a mask of the readable fields.

    Days are int64, since the Unix epoch. A readable day has two digits; its time may be any text.
    """
    return _read(client, _read_distinct_days)


def _read(client: Any, read_distinct: Callable[[Any], tuple[Any, Any]]) -> tuple[Any, Any]:
    count = len(client)
    values = np.zeros(count, np.int64)
    readable = np.zeros(count, bool)
    _unused, offset_buffer, bytes_buffer = client.buffers()
    if not count or bytes_buffer is None:
        return values, readable
    offsets = np.frombuffer(offset_buffer, np.int32)[client.offset : client.offset + count + 1]
    long_enough = np.flatnonzero(np.diff(offsets) >= TAIL_BYTES)
    text = np.frombuffer(bytes_buffer, np.uint8)
    ends = offsets[1:][long_enough].astype(np.int64)
    if not len(ends):
        return values, readable
    first_of_run, run = _runs_of_equal_tails(text, ends)
    tails = text[(ends[first_of_run] - TAIL_BYTES)[:, None] + np.arange(TAIL_BYTES)]
    run_values, run_readable = read_distinct(tails)
    values[long_enough] = run_values[run]
    readable[long_enough] = run_readable[run]
    return values, readable


def _runs_of_equal_tails(text: Any, ends: Any) -> tuple[Any, Any]:
    """Group neighbours with equal tails, of which a log in order of time has many.

    Return the index of the first member of each group, and the number of the group of each tail.
    """
    words = np.ndarray((len(text) - 7,), "<u8", text, strides=(1,))
    changes = np.zeros(len(ends), bool)
    changes[0] = True
    for distance in _WORDS_FROM_END:
        word = words[ends - distance]
        changes[1:] |= word[1:] != word[:-1]
    return np.flatnonzero(changes), np.cumsum(changes) - 1


def _read_distinct(tails: Any) -> tuple[Any, Any]:
    """Return the times of tails, one in each row of bytes, and a mask of the readable ones."""
    clock = tails[:, _CLOCK]
    digits = clock[:, _CLOCK_DIGITS].astype(np.int64) - ord("0")
    hour, minute, second = (10 * digits[:, at] + digits[:, at + 1] for at in (0, 2, 4))
    readable = (
        _is_text(tails[:, _DASHES], b" - - [")
        & _is_text(tails[:, _CLOSE], b"] ")
        & _is_text(clock[:, [0, 3, 6, 9]], b"::: ")
        & ((digits >= 0) & (digits <= 9)).all(axis=1)
        & (hour < 24)
        & (minute < 60)
        & (second < 60)
    )
    day, day_readable = _by_run(tails[:, _DAY], parse_day_of_time)
    zone, zone_readable = _by_run(tails[:, _ZONE], parse_zone)
    times = day * DAY_SECONDS + hour * 3600 + minute * 60 + second - 60 * zone
    return times, readable & day_readable & zone_readable


def _read_distinct_days(tails: Any) -> tuple[Any, Any]:
    day, readable = _by_run(tails[:, _DAY], _parse_plain_day)
    readable &= (
        _is_text(tails[:, _DASHES], b" - - [")
        & (tails[:, _CLOCK.start] == ord(":"))
        & _is_text(tails[:, _CLOSE], b"] ")
    )
    return day, readable


def _parse_plain_day(text: str) -> int:
    if not _PLAIN_DAY.fullmatch(text):
        raise ValueError(f"not a plain day: {text}")
    return parse_day_of_time(text)


def _is_text(columns: Any, text: bytes) -> Any:
    return (columns == np.frombuffer(text, np.uint8)).all(axis=1)


def _by_run(columns: Any, rule: Any) -> tuple[Any, Any]:
    """Apply a rule to texts of fixed width, once for each group of equal neighbours.

    Return the values, and a mask of the texts that the rule can read.
    """
    changes = np.ones(len(columns), bool)
    changes[1:] = (columns[1:] != columns[:-1]).any(axis=1)
    first_of_run = np.flatnonzero(changes)
    values = np.zeros(len(first_of_run), np.int64)
    readable = np.zeros(len(first_of_run), bool)
    for at, text in enumerate(map(bytes, columns[first_of_run])):
        # with blanks or other than ASCII characters the field may end elsewhere in the line
        if text.isascii() and not any(byte <= 0x20 for byte in text):
            try:
                values[at] = rule(text.decode("ascii"))
                readable[at] = True
            except ValueError:
                pass
    run = np.cumsum(changes) - 1
    return values[run], readable[run]
