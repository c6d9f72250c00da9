"""An observer that notes all it is told."""

from __future__ import annotations

import threading
from collections import Counter

from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._base.observer import (
    Observer,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._base.records import (
    WorkUnit,
)


class Noted(Observer):
    """What was told, in its order; ``done`` and ``total`` by what is counted."""

    def __init__(self) -> None:
        self.events: list[tuple[str, str, str]] = []
        """Event or status, kind and name of the unit."""
        self.done: Counter[str] = Counter()
        self.total: Counter[str] = Counter()
        self._lock = threading.Lock()

    def _note(self, event: str, unit: WorkUnit, kind: str) -> None:
        with self._lock:
            self.events.append((event, kind, unit.name))

    def started(self, unit: WorkUnit, *, kind: str = "") -> None:
        self._note("start", unit, kind)

    def retrying(self, unit: WorkUnit, reason: str, *, kind: str = "") -> None:
        self._note("retry", unit, kind)

    def ended(self, unit: WorkUnit, *, kind: str = "") -> None:
        self._note(unit.status, unit, kind)

    def expect(self, amount: str, total: int) -> None:
        with self._lock:
            self.total[amount] += total

    def advance(self, amount: str, count: int = 1, *, unit: str = "") -> None:
        with self._lock:
            self.done[amount] += count

    def of(self, name: str, kind: str = "") -> list[str]:
        """What happened to one unit."""
        return [event for event, its_kind, its in self.events if (its_kind, its) == (kind, name)]
