# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write the files of a status: JSON, a page and metrics. Each is complete at any time."""

from __future__ import annotations

import json
from pathlib import Path

from .._base.errors import wrong_option
from .._base.libs import not_installed
from .._storage.files import write_bytes
from .metrics import metrics_text
from .page import status_page
from .status import Status

_STATUS_NAME = "status.json"
_PAGE_NAME = "status.html"


def status_files(
    status: Status, *, status_dir: Path | None = None, metrics_file: Path | None = None
) -> dict[Path, bytes]:
    """Return the wanted files with their content.

    The page is left out where Jinja2 is missing. Raises SettingsError for a file of metrics that
    node_exporter would not read.
    """
    files: dict[Path, bytes] = {}
    if status_dir is not None:
        text = json.dumps(status.to_json(), indent=1)
        if not not_installed(["Jinja2"]):
            files[status_dir / _PAGE_NAME] = status_page(status)
        # it is written last, so that a reader of it also finds the new page
        files[status_dir / _STATUS_NAME] = text.encode() + b"\n"
    if metrics_file is not None:
        if metrics_file.suffix != ".prom":
            raise wrong_option(
                "metrics_file",
                expected="a file whose name ends in .prom, because node_exporter reads no other",
                found=str(metrics_file),
            )
        files[metrics_file] = metrics_text(status).encode()
    return files


def write_status_files(files: dict[Path, bytes]) -> None:
    """Write each file to its place. Raises OutputError."""
    for path, content in files.items():
        write_bytes(path, content)
