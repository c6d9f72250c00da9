# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What all stages do that make an output of each combined log: is it known, what to say of it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from ._errors import SourceError
from ._records import InputFile


def is_known(seen: InputFile, recorded: Iterable[InputFile]) -> bool:
    """Whether a log is one that an output was made from, or that one compressed since.

    Compressing keeps the time of modification and changes the size.
    """
    return any(
        seen == one or (seen.path != one.path and seen.mtime_ns == one.mtime_ns) for one in recorded
    )


def bytes_to_read(forms: Sequence[Path]) -> int:
    """The size of a log, of whose forms the first is read; 0 where it can't be looked at."""
    try:
        return forms[0].stat(follow_symlinks=False).st_size
    except OSError:  # its unit will tell
        return 0


def unreadable(error: OSError) -> SourceError:
    """An OSError met while looking for a log, in terms of what an operator can do."""
    return SourceError(
        error.filename,
        expected="to look at it",
        found=os.strerror(error.errno or 0),
        advice="Let the counting user read it; the next run goes on from here.",
    )


def without_address(line: str) -> str:
    """A line as it may be shown: not with the client's address, which stands first."""
    return "…" + line[len(line.split(maxsplit=1)[0]) :]
