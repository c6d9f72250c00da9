"""What is left of a log host after the role was removed."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.mark.parametrize(
    "path",
    [
        "/etc/dnf_counting",
        "/etc/systemd/system/dnf-counting.service",
        "/etc/systemd/system/dnf-counting.timer",
        "/etc/systemd/system/timers.target.wants/dnf-counting.timer",
        "/etc/nginx/conf.d/dnf_counting.conf",
        "/srv/countme/venv",
        "/srv/countme/venv-versions",
        "/srv/countme/bin/run_dnf_counting",
        "/srv/countme/bin/run_dnf_counting.json",
        "/srv/countme/bin/check_dnf_counting",
    ],
)
def test_what_was_installed_is_gone(host: Any, path: str) -> None:
    assert not host.file(path).exists


@pytest.mark.parametrize(
    "folder",
    [
        "/var/log/hosts",
        "/srv/stats/combined-http",
        "/srv/stats/mirrors",
        "/var/lib/countme/raw",
        "/var/www/html/csv-reports/countme",
    ],
)
def test_what_was_counted_stays_with_its_owner(host: Any, folder: str) -> None:
    assert host.file(f"{folder}/kept").content_string == "kept"
    assert host.file(folder).user == "countme"
    assert host.user("countme").exists
