# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Find the time by which a line is merged: ``line_time`` by the rule, ``scan_lines`` fast.

A line is *dated* if it has a white-space character followed by ``[27/Sep/2021:12:00:00 +0000]`` in
exactly this form: an English month name in this case, a day that exists, a zone below 24 hours. The
first such stamp counts. Every other line is *undated*.
"""

from __future__ import annotations

import re
from datetime import date
from typing import Any, NamedTuple

from .._base.days_and_weeks import MONTHS, UNIX_EPOCH_DAY
from .._base.libs import np

_STAMP = re.compile(
    rb"[ \t\v\f\r]\[(?P<day>[0-9]{2})/(?P<month>[A-Z][a-z]{2})/(?P<year>[0-9]{4})"
    rb":(?P<hour>[0-9]{2}):(?P<minute>[0-9]{2}):(?P<second>[0-9]{2})"
    rb" (?P<sign>[+-])(?P<zone_hours>[0-9]{2})(?P<zone_minutes>[0-9]{2})\]"
)

#: Bytes before the first and after the last line that :func:`scan_lines` may read.
PAD_BEFORE, PAD_AFTER = 8, 40

# The starts of the eight-byte words of a stamp, counted from the "[": ` [27/Sep`, `/2021:12`,
# `:00:00 +` and `0 +0000]`.
_WORDS = (-1, 7, 15, 20)
_NEWLINE, _BRACKET = 10, 91

# The word ":MM:SS +". Its fixed bits must equal those of _CLOCK_FORM; the sign is checked elsewhere.
# A digit above 9 loses the bit 0x10 when 6 is added. A tens digit above 5 gets 0x08 when 2 is added.
_CLOCK_FORM = int.from_bytes(b":00:00 \0", "little")
_CLOCK_FIXED = int.from_bytes(bytes([255, 0xF0, 0xF0, 255, 0xF0, 0xF0, 255, 0]), "little")
_NINE_CARRY = int.from_bytes(bytes([0, 6, 6, 0, 6, 6, 0, 0]), "little")
_NINE_KEPT = int.from_bytes(bytes([0, 0x10, 0x10, 0, 0x10, 0x10, 0, 0]), "little")
_FIFTY_CARRY = int.from_bytes(bytes([0, 2, 0, 0, 2, 0, 0, 0]), "little")
_FIFTY_OVER = int.from_bytes(bytes([0, 8, 0, 0, 8, 0, 0, 0]), "little")
# The last word without the last digit of the second and the blank after it.
_ZONE_BITS = int.from_bytes(bytes([0, 0, 255, 255, 255, 255, 255, 255]), "little")

#: Bytes scanned at a time, so that the helper arrays stay in the cache.
_SLICE = 256 << 10


def line_time(line: bytes) -> int | None:
    """Return the time of a line in seconds since the Unix epoch, UTC; None if it is undated."""
    for found in _STAMP.finditer(line):
        seconds = _stamp_seconds(found)
        if seconds is not None:
            return seconds
    return None


def _stamp_seconds(found: re.Match[bytes]) -> int | None:
    month = MONTHS.get(found["month"].decode())
    hour, minute, second, zone_hours, zone_minutes = (
        int(found[part]) for part in ("hour", "minute", "second", "zone_hours", "zone_minutes")
    )
    if month is None or max(hour, zone_hours) > 23 or max(minute, second, zone_minutes) > 59:
        return None
    try:
        days = date(int(found["year"]), month, int(found["day"])).toordinal() - UNIX_EPOCH_DAY
    except ValueError:
        return None
    east = (zone_hours * 60 + zone_minutes) * 60 * (-1 if found["sign"] == b"-" else 1)
    return days * 86400 + hour * 3600 + minute * 60 + second - east


class _ScannedLines(NamedTuple):
    """The lines of a block of bytes."""

    offsets: Any
    """int64: the start of each line, and at last the end of the last one."""
    times: Any
    """int64, seconds since the epoch; the time of an undated line has no meaning."""
    dated: Any
    """bool: a mask of the dated lines."""


def scan_lines(block: bytearray, start: int, end: int) -> _ScannedLines:
    """Return the lines in ``block[start:end]``, which ends with a line feed, with their times.

    ``block`` has at least PAD_BEFORE bytes before ``start`` and PAD_AFTER bytes after ``end``.
    Offsets count from ``start``.
    """
    marks, is_bracket = _marks(block, start, end)
    ends = np.flatnonzero(~is_bracket)
    offsets = np.empty(len(ends) + 1, np.int64)
    offsets[0] = start
    offsets[1:] = marks[ends] + 1
    # the mark after the end of a line is the first "[" of the next line, if it is a "[" at all
    first = np.zeros(len(ends), np.int64)
    first[1:] = ends[:-1] + 1
    lines = np.flatnonzero(is_bracket[first])
    times = np.zeros(len(ends), np.int64)
    dated = np.zeros(len(ends), bool)
    times[lines], dated[lines] = _fast_times(block, marks[first[lines]])
    content = memoryview(block)
    for line in lines[~dated[lines]].tolist():
        seconds = line_time(bytes(content[offsets[line] : offsets[line + 1]]))
        if seconds is not None:
            times[line], dated[line] = seconds, True
    return _ScannedLines(offsets - start, times, dated)


def _marks(block: bytearray, start: int, end: int) -> tuple[Any, Any]:
    """Return the places of line feeds and "[", ascending, and a mask of the "["."""
    content = np.frombuffer(block, np.uint8)
    places = [np.zeros(0, np.int64)]
    for begin in range(start, end, _SLICE):
        part = content[begin : min(end, begin + _SLICE)]
        places.append(np.flatnonzero((part == _NEWLINE) | (part == _BRACKET)) + begin)
    marks = np.concatenate(places)
    return marks, content[marks] == _BRACKET


def _fast_times(block: bytearray, brackets: Any) -> tuple[Any, Any]:
    """Return the times of the stamps at these "[", and a mask of the readable ones."""
    words = np.ndarray((len(block) - 7,), "<u8", buffer=block, strides=(1,))
    date_word, hour_word, clock, zone_word = (words[brackets + place] for place in _WORDS)
    zone_word &= np.uint64(_ZONE_BITS)
    hours, readable = _hour_times(block, brackets, (date_word, hour_word, zone_word))
    digits = [(clock >> np.uint64(8 * byte)) & np.uint64(0x0F) for byte in (1, 2, 4, 5)]
    seconds = (digits[0] * 10 + digits[1]) * 60 + digits[2] * 10 + digits[3]
    return hours + seconds.astype(np.int64), readable & _is_clock(clock)


def _is_clock(clock: Any) -> Any:
    """Return a mask of the words ``:MM:SS `` with two numbers below 60."""
    form_is_right = (clock & np.uint64(_CLOCK_FIXED)) == np.uint64(_CLOCK_FORM)
    up_to_nine = (clock + np.uint64(_NINE_CARRY)) & np.uint64(_NINE_KEPT) == np.uint64(_NINE_KEPT)
    low = clock & np.uint64(0x0F0F0F0F0F0F0F0F)
    over_fifty = (low + np.uint64(_FIFTY_CARRY)) & np.uint64(_FIFTY_OVER) != 0
    return form_is_right & up_to_nine & ~over_fifty


def _hour_times(block: bytearray, brackets: Any, words: tuple[Any, ...]) -> tuple[Any, Any]:
    """Return the time of the full hour of each stamp, and a mask of the readable stamps.

    The rule runs once for each group of neighbours with equal hours.
    """
    differs = np.zeros(len(brackets), bool)
    differs[:1] = True
    for word in words:
        differs[1:] |= word[1:] != word[:-1]
    heads = np.flatnonzero(differs)
    known: dict[bytes, int | None] = {}
    hours = np.zeros(len(heads), np.int64)
    readable = np.zeros(len(heads), bool)
    for number, place in enumerate(brackets[heads].tolist()):
        stamp = bytes(block[place - 1 : place + 15] + b":00:00 " + block[place + 22 : place + 28])
        if stamp not in known:
            known[stamp] = line_time(stamp)
        seconds = known[stamp]
        if seconds is not None:
            hours[number], readable[number] = seconds, True
    lengths = np.diff(heads, append=len(brackets))
    return np.repeat(hours, lengths), np.repeat(readable, lengths)
