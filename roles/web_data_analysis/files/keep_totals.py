# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Copy the SQLite file of totals in one consistent state, also while a program writes to it.

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
    """Copy the file. Raises sqlite3.Error if it cannot be read, OSError if it cannot be written."""
    unfinished = copy.with_name(f".{copy.name}.unfinished")
    unfinished.unlink(missing_ok=True)
    # The mode is for writing, so that SQLite removes the unfinished change of a killed program.
    with (
        closing(sqlite3.connect(f"file:{quote(str(source))}?mode=rw", uri=True, timeout=60)) as old,
        closing(sqlite3.connect(unfinished)) as new,
    ):
        old.backup(new)
        # The copy is one file without a journal beside it.
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
            "Replace it by a good copy, or end the program that locks it, then migrate again."
        )
    except OSError as error:
        sys.exit(
            f"{sys.argv[2]}: expected to write a copy, found {error}. "
            "Remove the cause, then migrate again."
        )
