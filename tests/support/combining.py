# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A hosts tree, a combined tree, and combine runs on them."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._base.records import (
    WorkUnit,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._base.stage import Outcome
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._combine.plan import (
    CombineSettings,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._combine.stage import (
    COMBINE,
)
from ansible_collections.fedora_infra.dnf_counting.tests.support.stages import outcome_of

DAY = date(2021, 9, 28)


TODAY = date(2021, 9, 30)
NOW = datetime.combine(TODAY, time(4), UTC)


LOG = "mirrors.fedoraproject.org-access.log"


UNIT = f"{DAY} {LOG}"


def line(second: int, text: str = "") -> bytes:
    return f'h - - [27/Sep/2021:12:00:{second:02} +0000] "GET / HTTP/1.1" 200 5 {text}\n'.encode()


class Trees:
    """A hosts tree and a combined tree, and runs on them."""

    def __init__(self, root: Path) -> None:
        self.settings = CombineSettings(
            root / "hosts", root / "combined", latest=root / "combined/latest"
        )
        self.settings.src.mkdir()

    def put(self, host: str, content: bytes, *, name: str = LOG, day: date = DAY) -> Path:
        path = self.settings.src / host / f"{day:%Y/%m/%d}/http" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path

    def run(self, *days: date, check_mode: bool = False, **options: Any) -> Outcome:
        settings = replace(self.settings, days=days or (DAY,), **options)
        return outcome_of(COMBINE, settings, now=NOW, check_mode=check_mode)

    def unit(self, name: str = UNIT, **options: Any) -> WorkUnit:
        return next(unit for unit in self.run(**options).units if unit.name == name)

    def combined(self, name: str = LOG, day: date = DAY) -> bytes:
        return (self.settings.dest / f"{day:%Y/%m/%d}" / name).read_bytes()

    def record(self, day: date = DAY) -> dict[str, Any]:
        path = self.settings.dest / f"{day:%Y/%m/%d}/.combine.json"
        return json.loads(path.read_text())["logs"][LOG]
