# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one idea: every output records its inputs, and a stage makes the outputs that are out of date.

The record of an output lists the files from which it was made. A stage compares that list with the
present files and finds whether to make the output again, the reasons (diff mode), and the work of a
run (check mode). A crash leaves no record, so the output is made again. A late log is a new input,
so its day is made again as well.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeAlias


@dataclass(frozen=True, order=True)
class InputFile:
    """One file from which an output was made, with its size and time at that moment."""

    path: str
    """The path relative to the source folder of the stage, so that a tree can be moved."""
    size: int
    """The bytes on disk, which may be compressed."""
    mtime_ns: int

    @classmethod
    def seen(cls, path: Path, root: Path) -> InputFile:
        """Return the present size and time of a file; do not follow a symbolic link."""
        found = os.stat(path, follow_symlinks=False)
        return cls(str(path.relative_to(root)), found.st_size, found.st_mtime_ns)


@dataclass(frozen=True)
class _Differences:
    """The differences between recorded and present inputs; paths, sorted."""

    new: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.new or self.changed or self.gone)

    @property
    def reasons(self) -> list[str]:
        """One text for each difference, for diff mode and logs."""
        return [
            *(f"new input {path}" for path in self.new),
            *(f"changed input {path}" for path in self.changed),
            *(f"input gone {path}" for path in self.gone),
        ]


def differences(recorded: Iterable[InputFile], present: Iterable[InputFile]) -> _Differences:
    """Compare the recorded inputs of an output with the present ones.

    Each stage decides whether missing inputs invalidate an output. Source logs are a cache and are
    removed after a while, while outputs made from them stay valid.
    """
    before = {one.path: one for one in recorded}
    now = {one.path: one for one in present}
    return _Differences(
        new=tuple(sorted(now.keys() - before.keys())),
        changed=tuple(sorted(p for p in now.keys() & before.keys() if now[p] != before[p])),
        gone=tuple(sorted(before.keys() - now.keys())),
    )


#: The state of a unit of work. A plan gives the first ten: ``due`` (a run would make it),
#: ``unchanged`` (its record agrees with its inputs), ``missing`` (no inputs), ``waiting`` (inputs
#: are still to come), ``blocked`` (making it would lose something), ``kept`` (still needed),
#: ``gone`` and ``outdated`` (its inputs are trimmed, so it stays as it is), ``skipped``, and
#: ``unknown`` (its host has no address). Work ends in ``made``, ``trimmed`` or ``failed``, and a
#: comparison in ``equal`` or ``differs``.
Status: TypeAlias = Literal[
    "due",
    "unchanged",
    "missing",
    "waiting",
    "blocked",
    "kept",
    "gone",
    "outdated",
    "skipped",
    "unknown",
    "made",
    "trimmed",
    "failed",
    "equal",
    "differs",
]


@dataclass(frozen=True)
class WorkUnit:
    """One thing that a stage makes (a host-day, a combined log, a raw day, a week), and its state.

    A plan marks units as ``due``; a run turns these into ``made`` or ``failed``.
    """

    name: str
    """Its parts with a blank between them, such as ``proxy01 2021-09-28``."""
    status: Status
    reasons: tuple[str, ...] = ()
    """The reasons why it is due, stays unchanged, or failed."""
    figures: Mapping[str, Any] = field(default_factory=dict)
    """Counts, bytes and seconds, named with their units; JSON values only."""
    warnings: tuple[str, ...] = ()
    """The reasons that an operator should examine although the unit has not failed."""

    def parts(self, count: int = 2) -> tuple[str, ...]:
        """Return the parts of the name, at most ``count``; the last one has the rest of it."""
        return tuple(self.name.split(" ", count - 1))

    def to_json(self) -> dict[str, Any]:
        """Return the unit as a module returns it."""
        return {
            "name": self.name,
            "status": self.status,
            "reasons": list(self.reasons),
            **self.figures,
        }
