# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The events of a stage while it works, and the interface that receives them."""

from __future__ import annotations

from .records import WorkUnit


class Observer:
    """Receives the events of a stage. This base class ignores them.

    Any thread of the stage may call it. It never raises and never blocks. Amounts of progress are
    in ``bytes``, ``days``, ``files``, ``hosts`` or ``weeks``. The progress of a stage is shown by
    the amount that it expects first.
    """

    def started(self, unit: WorkUnit, *, kind: str = "") -> None:
        """Receive the start of work on a unit. ``kind`` is its kind if the stage has several."""

    def ended(self, unit: WorkUnit, *, kind: str = "") -> None:
        """Receive the final state of a unit, even if there was no work on it."""

    def retrying(self, unit: WorkUnit, reason: str, *, kind: str = "") -> None:
        """Receive the failure of an attempt at a unit that another attempt follows."""

    def expect(self, amount: str, total: int) -> None:
        """Add ``total`` to the expected amount of work."""

    def advance(self, amount: str, count: int = 1, *, unit: str = "") -> None:
        """Add ``count`` to the amount of work done, for the unit of that name."""


#: The observer that ignores all events.
NOBODY = Observer()
