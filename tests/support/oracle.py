# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What mirrors-countme makes of combined logs: the totals ours are compared with."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

BIN = Path(sys.executable).parent


def oracle_totals(combined: Path, log_name: str, work: Path) -> list[bytes]:
    """The sorted rows of the totals it counts from all days of a log, its header among them."""
    logs = sorted(combined.glob(f"[0-9]*/*/*/{log_name}*"))  # plain or compressed
    raw, totals, dump = (work / name for name in ("raw.db", "totals.db", "totals.csv"))
    work.mkdir(parents=True, exist_ok=True)
    subprocess.run(
        [BIN / "countme-parse-access-log", "--sqlite", raw, *logs], check=True, capture_output=True
    )
    subprocess.run(
        [BIN / "countme-totals", "--update-from", raw, totals, "--csv-dump", dump],
        check=True,
        capture_output=True,
    )
    return sorted_rows(dump)


def sorted_rows(totals_csv: Path) -> list[bytes]:
    """The rows of a totals.csv, sorted, their line ends included."""
    return sorted(totals_csv.read_bytes().splitlines(keepends=True))
