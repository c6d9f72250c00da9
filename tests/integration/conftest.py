"""What tests of one module share that are in several files by topic."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.fedora_infra.dnf_counting.tests.support.publishing import ROWS, STATUS
from ansible_collections.fedora_infra.dnf_counting.tests.support.rsync_hosts import serving
from ansible_collections.fedora_infra.dnf_counting.tests.support.sync_hosts import (
    LogHosts,
    served,
)
from ansible_collections.fedora_infra.dnf_counting.tests.support.totals_files import (
    Files,
    write_totals,
)
from ansible_collections.fedora_infra.dnf_counting.tests.support.totals_site import (
    Site,
    three_weeks,
)


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, int]]:
    """One daemon for all tests of a file; each puts its hosts below a folder of its own."""
    folder = tmp_path_factory.mktemp("daemon")
    with serving(folder, {"hosts": folder}) as port:
        yield folder, port


@pytest.fixture
def hosts(daemon: tuple[Path, int], tmp_path: Path) -> Iterator[LogHosts]:
    """Two hosts that serve their logs, for http_log_sync."""
    with served(tmp_path, daemon) as hosts:
        yield hosts


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """Raw days of three weeks, for countme_totals."""
    return three_weeks(tmp_path)


@pytest.fixture
def totals(tmp_path: Path) -> Files:
    """Totals of three weeks, for stats_publish."""
    return write_totals(tmp_path / "lib", ROWS, status=STATUS)
