# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one idea: every output records its inputs, and a stage makes what is out of date.

An output's record lists the files it was made from. Comparing that list with what is there now
tells everything else: whether to make it again, why (diff mode), and what a run would do (check
mode). A crash leaves no record, so the output is made again; a late log is a new input, so its day
is too.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeAlias


@dataclass(frozen=True, order=True)
class InputFile:
    """One file an output was made from, as it was then."""

    path: str
    """Relative to the source folder of the stage, so that a tree can be moved."""
    size: int
    """Bytes on disk, compressed as it is."""
    mtime_ns: int

    @classmethod
    def seen(cls, path: Path, root: Path) -> InputFile:
        """The file as it is now; a symbolic link is not followed."""
        found = os.stat(path, follow_symlinks=False)
        return cls(str(path.relative_to(root)), found.st_size, found.st_mtime_ns)


@dataclass(frozen=True)
class Differences:
    """How the inputs of an output differ from those it was made of; paths, sorted."""

    new: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.new or self.changed or self.gone)

    @property
    def reasons(self) -> list[str]:
        """One text per difference, for diff mode and logs."""
        return [
            *(f"new input {path}" for path in self.new),
            *(f"changed input {path}" for path in self.changed),
            *(f"input gone {path}" for path in self.gone),
        ]


def differences(recorded: Iterable[InputFile], present: Iterable[InputFile]) -> Differences:
    """Compare the inputs an output was made of with those that are there now.

    Whether ``gone`` inputs make an output out of date is for the stage to say: source logs are a
    cache and go after a while, and what was made from them stays good.
    """
    before = {one.path: one for one in recorded}
    now = {one.path: one for one in present}
    return Differences(
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

    A plan says which units are ``due``; a run turns these into ``made`` or ``failed``.
    """

    name: str
    """Its parts with a blank between them, such as ``proxy01 2021-09-28``."""
    status: Status
    reasons: tuple[str, ...] = ()
    """Why it is due, was left alone, or failed."""
    figures: Mapping[str, Any] = field(default_factory=dict)
    """Counts, bytes and seconds, named with their units; JSON values only."""
    warnings: tuple[str, ...] = ()
    """The reasons that somebody has to look at although the unit has not failed."""

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
