# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Copy a database of totals in one state, whoever writes it, and whatever a writer left undone.

keep_totals.py FROM TO
"""

from __future__ import annotations

import os
import sqlite3
import sys
from contextlib import closing
from pathlib import Path
from urllib.parse import quote


def keep(source: Path, copy: Path) -> None:
    """Raises sqlite3.Error where the source can't be read, OSError where the copy can't be made."""
    unfinished = copy.with_name(f".{copy.name}.unfinished")
    unfinished.unlink(missing_ok=True)
    # for writing, so that SQLite takes back a change that a killed program left
    with (
        closing(sqlite3.connect(f"file:{quote(str(source))}?mode=rw", uri=True, timeout=60)) as old,
        closing(sqlite3.connect(unfinished)) as new,
    ):
        old.backup(new)
        # a file of its own, with no log beside it
        new.execute("PRAGMA journal_mode = DELETE")
    unfinished.chmod(0o644)
    with unfinished.open("rb") as finished:
        os.fsync(finished.fileno())
    unfinished.replace(copy)


if __name__ == "__main__":
    try:
        keep(Path(sys.argv[1]), Path(sys.argv[2]))
    except sqlite3.Error as error:
        sys.exit(
            f"{sys.argv[1]}: expected a sound SQLite file, found {str(error)!r}. "
            "Put a good copy in its place, or end what holds it; then migrate again."
        )
    except OSError as error:
        sys.exit(
            f"{sys.argv[2]}: expected to make a copy, found {error}. "
            "See to that, then migrate again."
        )
