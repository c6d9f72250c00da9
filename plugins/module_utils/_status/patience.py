# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read the status within a limited time, even if shares do not answer."""

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

#: Reading is abandoned after this many times the patience, even if all places answer.
_MOST_PATIENCE = 40


def read_patiently(
    settings: StatusSettings,
    days: Sequence[date],
    *,
    patience_seconds: float,
    now: datetime,
    problems: Sequence[Problem] = (),
    **more: Any,
) -> tuple[Status, frozenset[Path]]:
    """Return the status, and the places that did not answer, which are problems in it.

    A child process reads the status. If it hangs because a place does not answer, another child
    reads everything but that place. ``more`` are further arguments of :func:`read_status`. Raises
    SourceError if no child succeeds in time.
    """
    silent: set[Path] = set()
    give_up_at = time.monotonic() + _MOST_PATIENCE * patience_seconds

    def find_silent_places() -> bool:
        """Add new silent places to ``silent``; return whether there are any."""
        others = settings.places().keys() - silent
        found = silent_places(others, patience_seconds=patience_seconds)
        silent.update(found)
        return bool(found)

    def is_stuck() -> bool:
        return find_silent_places() or time.monotonic() > give_up_at

    find_silent_places()
    status = None
    while status is None:
        if time.monotonic() > give_up_at:
            raise SourceError(
                "the status",
                expected=f"to be read within {_MOST_PATIENCE * patience_seconds:g} seconds",
                found="that it took longer, although all places answer",
                advice="Check the load of the disks and the network of this machine, then try again.",
            )
        read = partial(
            read_status,
            replace(settings, silent=frozenset(silent)),
            days,
            now=now,
            problems=[*problems, *_problems_of_shares(settings, silent, now)],
            **more,
        )
        status = run_in_child(read, patience_seconds=patience_seconds, is_stuck=is_stuck)
    return status, frozenset(silent)


def _problems_of_shares(
    settings: StatusSettings, silent: Collection[Path], now: datetime
) -> list[Problem]:
    """Return a problem for each share that does not answer."""
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
