# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a stage tells of its work while it is at it, to whoever looks."""

from __future__ import annotations

from .records import WorkUnit


class Observer:
    """Is told what happens in a stage; this one takes no notice.

    Called from any thread of the stage; never raises and never holds it up. Amounts of progress
    are in ``bytes``, ``days``, ``files``, ``hosts`` or ``weeks``; what a stage expects first is
    what its progress is shown by.
    """

    def started(self, unit: WorkUnit, *, kind: str = "") -> None:
        """Work on a unit begins. ``kind`` tells it from other units of the stage, where needed."""

    def ended(self, unit: WorkUnit, *, kind: str = "") -> None:
        """A unit is as it is going to be, for better or worse, whether work on it began or not."""

    def retrying(self, unit: WorkUnit, reason: str, *, kind: str = "") -> None:
        """A try at a unit failed, and another follows."""

    def expect(self, amount: str, total: int) -> None:
        """So much more is to be done."""

    def advance(self, amount: str, count: int = 1, *, unit: str = "") -> None:
        """So much more has been done, of the unit of that name."""


#: Nobody looks.
NOBODY = Observer()
