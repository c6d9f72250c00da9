# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All that publishing does, in its order: the files first, which nothing after them can spoil."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from .._base.observer import NOBODY, Observer
from .._base.records import WorkUnit
from .._publish.git_history import History, keep_history, plan_history
from .._publish.profile import Profile
from .._publish.run import Outcome, Settings, plan, publish
from .run import PAGES, Show, plan_site, publish_site


class Published(NamedTuple):
    """What is to become, or became, of all that readers see."""

    units: list[WorkUnit]
    failure: str
    paths: list[str]
    """What is published: files, and folders that stand for all of their files."""
    index_page: str = ""
    """The first page of the site; empty where there is none."""


def plan_all(
    profiles: Sequence[Profile],
    settings: Settings,
    *,
    show: Show | None = None,
    history: History | None = None,
) -> Published:
    """What is out of date, and why. Reads only."""
    outcome = plan(profiles, settings)
    later = []
    if history:
        folders = _week_folders(profiles)
        weeks_due = any(
            u.status == "due" and u.name.split("/")[0] in folders for u in outcome.units
        )
        later.append(plan_history(history, settings.dest, folders, weeks_due=weeks_due))
    if show:
        later += plan_site(show, files_due=any(u.status == "due" for u in outcome.units))
    return _published(outcome, settings, later, show)


def publish_all(
    profiles: Sequence[Profile],
    settings: Settings,
    *,
    show: Show | None = None,
    history: History | None = None,
    run_id: str = "",
    now: datetime | None = None,
    observer: Observer = NOBODY,
) -> Published:
    """Publish what is out of date; what fails leaves all else alone."""
    now = now or datetime.now(UTC)
    outcome = publish(profiles, settings, run_id=run_id, now=now, observer=observer)
    later = []
    if history:
        later.append(keep_history(history, settings.dest, _week_folders(profiles), now=now))
        observer.ended(later[-1], kind="history")
    if show:
        failed = [one.profile.name for one in outcome.profiles if one.status == "failed"]
        later += publish_site(
            show, failed_profiles=failed, run_id=run_id, now=now, observer=observer
        )
    return _published(outcome, settings, later, show)


def _week_folders(profiles: Sequence[Profile]) -> list[str]:
    return [profile.week_folder for profile in profiles]


def _published(
    outcome: Outcome, settings: Settings, later: Sequence[WorkUnit], show: Show | None
) -> Published:
    failed = [f"{u.name}: {'; '.join(u.reasons)}" for u in later if u.status == "failed"]
    pages = [show.site.web_dir / name for name in PAGES] if show else []
    there = [str(page) for page in pages if page.is_file()]
    index = show and show.site.web_dir / "index.html"
    return Published(
        [*outcome.units, *later],
        "; ".join(filter(None, [outcome.failure, *failed])),
        [*(str(settings.dest / name) for name in outcome.paths), *there],
        str(index) if index and index.is_file() else "",
    )
