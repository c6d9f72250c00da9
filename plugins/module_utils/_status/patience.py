# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read the status within bounded time, whichever shares have stopped answering."""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import Any

from .._base.errors import SourceError
from .._base.problem import CRITICAL, Problem
from .._storage.shares import ADVICE, mount_of, run_in_child, silent_places
from .read import read_status
from .settings import StatusSettings
from .status import Status

#: A status that takes so many times one's patience is given up although all places answer.
_MOST_PATIENCE = 40


def read_patiently(
    settings: StatusSettings,
    days: Sequence[date],
    *,
    patience_seconds: float,
    now: datetime,
    problems: Sequence[Problem] = (),
    **told: Any,
) -> tuple[Status, frozenset[Path]]:
    """The status, and the places that did not answer, which are problems.

    A process of its own reads; where it stops as a place has become silent, another one reads all
    but that place. Raises SourceError where none comes to an end. See also :func:`read_status`.
    """
    silent: set[Path] = set()
    give_up_at = time.monotonic() + _MOST_PATIENCE * patience_seconds

    def has_news_of_silence() -> bool:
        asked = settings.places().keys() - silent
        found = silent_places(asked, patience_seconds=patience_seconds)
        silent.update(found)
        return bool(found)

    def is_stuck() -> bool:
        return has_news_of_silence() or time.monotonic() > give_up_at

    has_news_of_silence()
    status = None
    while status is None:
        if time.monotonic() > give_up_at:
            raise SourceError(
                "the status",
                expected=f"to be read within {_MOST_PATIENCE * patience_seconds:g} seconds",
                found="that it is not, although all places answer",
                advice="See what the disks and the network of this machine do, then look again.",
            )
        look = partial(
            read_status,
            replace(settings, silent=frozenset(silent)),
            days,
            now=now,
            problems=[*problems, *_told(settings, silent, now)],
            **told,
        )
        status = run_in_child(look, patience_seconds=patience_seconds, is_stuck=is_stuck)
    return status, frozenset(silent)


def _told(settings: StatusSettings, silent: Collection[Path], now: datetime) -> list[Problem]:
    """A problem for each share that does not answer."""
    of_shares: dict[str, tuple[str, list[str]]] = {}
    for place, (stage, name) in settings.places().items():
        if place not in silent:
            continue
        mount = mount_of(place)
        share = str(place) if mount.point == Path("/") else str(mount)
        _stage, names = of_shares.setdefault(share, (stage, []))
        if name not in names:
            names.append(name)
    return [
        Problem(
            CRITICAL,
            stage,
            f"{share} does not answer, so nothing is known of {', '.join(names)}",
            now.isoformat(timespec="seconds"),
            ADVICE,
        )
        for share, (stage, names) in of_shares.items()
    ]
