# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Parse the time field of an access log by the same rule as the earlier system."""

from __future__ import annotations

from datetime import date

from .._base.days_and_weeks import DAY_SECONDS, MONTHS, UNIX_EPOCH_DAY

_DAY_MINUTES = 24 * 60


def parse_time(text: str) -> int:
    """Return ``27/Sep/2021:12:00:00 +0200`` as seconds since the Unix epoch, UTC.

    Numbers are read by Python's ``int``, which accepts one digit, blanks around a number and an
    underscore inside it. Text after the zone is ignored. The earlier system did both. Raises
    ValueError for any other text, and for leap seconds.
    """
    moment, _unused, zone = text.partition(" ")
    day_text, hour_text, minute_text, second_text = moment.split(":", 3)
    hour, minute, second = int(hour_text), int(minute_text), int(second_text)
    if not (0 <= hour < 24 and 0 <= minute < 60 and 0 <= second < 60):
        raise ValueError(f"no such time of day: {hour}:{minute}:{second}")
    seconds = parse_day_of_time(day_text) * DAY_SECONDS + hour * 3600 + minute * 60 + second
    return seconds - 60 * parse_zone(zone)


def parse_day_of_time(text: str) -> int:
    """Return ``27/Sep/2021`` as days since the Unix epoch. Raises ValueError."""
    day, month, year = text.split("/", 2)
    try:
        return date(int(year), MONTHS[month], int(day)).toordinal() - UNIX_EPOCH_DAY
    except (KeyError, OverflowError) as error:
        raise ValueError(f"no such day: {text}") from error


def parse_zone(text: str) -> int:
    """Return ``+0530`` as minutes ahead of UTC. Only ``-`` as first character means behind UTC.

    Raises ValueError for a zone of a day or more, or without two numbers.
    """
    minutes = 60 * int(text[1:3]) + int(text[3:5])
    if text[0] == "-":
        minutes = -minutes
    if not -_DAY_MINUTES < minutes < _DAY_MINUTES:
        raise ValueError(f"no such zone: {text}")
    return minutes
