"""A run of the stage with nothing to do starts light."""

from __future__ import annotations

import pickle
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._publish.plan import (
    FileSettings,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._publish.profile import (
    Profile,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._site.settings import (
    SiteSettings,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._site.stage import (
    PUBLISH,
    PublishSettings,
)
from ansible_collections.fedora_infra.dnf_counting.tests.support.site import totals_of
from ansible_collections.fedora_infra.dnf_counting.tests.support.stages import outcome_of

NOW = datetime(2021, 10, 5, 9, 0, tzinfo=UTC)
LIBRARY = PUBLISH.plan.__module__.rpartition("._site")[0]

RUN = f"""
import pickle, sys
from datetime import UTC, datetime
from {LIBRARY}._base.stage import StageRun, run_stage
from {LIBRARY}._site.stage import PUBLISH
settings = pickle.loads(sys.stdin.buffer.read())
outcome = run_stage(PUBLISH, settings, StageRun(datetime.now(UTC)))
print(*sorted({{unit.status for unit in outcome.units}}), *sys.modules)
"""


def test_a_run_without_work_loads_no_charts_no_templates_and_no_large_library(
    tmp_path: Path,
) -> None:
    totals = totals_of(tmp_path, weeks=2)
    web = tmp_path / "web"
    profile = Profile("fedora", totals.db, totals.csv, "totals")
    site = SiteSettings(web, "Systems", "Fedora", web / "files", (profile,))
    settings = PublishSettings((profile,), FileSettings(web / "files"), site)
    outcome_of(PUBLISH, settings, now=NOW)
    done = subprocess.run(
        [sys.executable, "-c", RUN], input=pickle.dumps(settings), capture_output=True, check=True
    )
    status, *modules = done.stdout.decode().split()
    assert status == "unchanged"
    parts = ("_charts.draw", "_html.render", "_site.pages", "_site.run", "_publish.run")
    heavy = {*(f"{LIBRARY}.{part}" for part in parts), "pyarrow", "numpy", "jinja2", "duckdb"}
    assert heavy.isdisjoint(modules)
