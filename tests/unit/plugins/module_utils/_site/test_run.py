"""Pages of which charts or single pages fail, with a stand-in that draws the charts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._base.errors import (
    LockedError,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._base.records import (
    WorkUnit,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._charts.chart import (
    ChartTable,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._charts.draw import (
    ChartSources,
    DrawnChart,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._publish.plan import (
    FileSettings,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._publish.profile import (
    Profile,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._site.run import (
    publish_site,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._site.settings import (
    SiteSettings,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._site.stage import (
    PUBLISH,
    PublishSettings,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._storage.files import (
    writer_lock,
)
from ansible_collections.fedora_infra.dnf_counting.tests.support.site import totals_of
from ansible_collections.fedora_infra.dnf_counting.tests.support.stages import outcome_of

NOW = datetime(2021, 10, 5, 9, 0, tzinfo=UTC)
Draw = Callable[..., Sequence[DrawnChart]]

SPEC = {
    "width": "container",
    "data": {"values": [{"x": 1, "y": 2}]},
    "mark": "bar",
    "encoding": {"x": {"field": "x", "type": "nominal"}, "y": {"field": "y"}},
}


def chart(name: str, **changes: Any) -> DrawnChart:
    given: dict[str, Any] = {
        "name": name,
        "title": f"Title of {name}",
        "description": "d",
        "alt": "a",
        "section": "machines",
        "spec": SPEC,
        "table": ChartTable(("week", "n"), (("2021-W39", "1,000"),), 1),
        "width": 800,
        "height": 460,
    }
    return DrawnChart(**{**given, **changes})


def drawing(*charts: DrawnChart, failed: Sequence[str] = (), picture: bytes = b"1") -> Draw:
    """Return a stand-in that draws some charts and reports that others failed."""

    def draw(_sources: ChartSources, folder: Path, *, notify: Any) -> list[DrawnChart]:
        for one in charts:
            for suffix in (".png", ".svg"):
                (folder / f"{one.name}{suffix}").write_bytes(picture)
        for name in failed:
            notify(WorkUnit(f"chart {name}", "failed", ("why",)))
        return list(charts)

    return draw


def _raising(*_unused: Any, **_unused_too: Any) -> list[DrawnChart]:
    raise ValueError("the library broke")


@pytest.fixture(name="site")
def _site(tmp_path: Path) -> SiteSettings:
    totals = totals_of(tmp_path, weeks=2)
    web = tmp_path / "web"
    profile = Profile("fedora", totals.db, totals.csv, "totals")
    settings = PublishSettings((profile,), FileSettings(web / "countme"))
    outcome_of(PUBLISH, settings, now=NOW)
    return SiteSettings(web, "Systems", "Fedora", web / "countme", (profile,))


def make(site: SiteSettings, draw: Draw, **options: Any) -> dict[str, str]:
    return {u.name: u.status for u in publish_site(site, draw=draw, now=NOW, **options)}


def text_of(site: SiteSettings, name: str) -> str:
    return (site.web_dir / name).read_text(encoding="utf-8")


def test_pages_list_the_charts_in_their_order(site: SiteSettings) -> None:
    make(site, drawing(chart("one"), chart("other", section="coverage")))
    page = text_of(site, "charts.html")
    assert page.index("Title of one") < page.index("Title of other")
    assert 'rel="next" href="other.html"' in text_of(site, "charts/one.html")


def test_a_chart_that_fails_keeps_its_old_files_and_is_made_by_the_next_run(
    site: SiteSettings,
) -> None:
    both = (chart("one"), chart("other"))
    make(site, drawing(*both))
    web = site.web_dir
    old = (web / "images" / "one.png").stat().st_ino
    (web / "charts" / "other.html").unlink()
    found = make(site, drawing(chart("other"), failed=["one"]))
    assert found["chart one"] == "failed"
    assert found["charts/other.html"] == "made"
    assert found["images/one.png"] == "unchanged"
    assert (web / "images" / "one.png").stat().st_ino == old
    assert "Title of one" in text_of(site, "charts.html")
    again = make(site, drawing(*both, picture=b"2"))
    assert again["images/one.png"] == "made"
    assert set(make(site, _raising).values()) == {"unchanged"}


def test_drawing_that_breaks_leaves_the_pictures_and_makes_the_pages(site: SiteSettings) -> None:
    found = make(site, _raising)
    assert found["charts"] == "failed"
    assert found["index.html"] == "made"
    (unit,) = [u for u in publish_site(site, draw=_raising, now=NOW) if u.status == "failed"]
    assert "the library broke" in unit.reasons[0]
    make(site, drawing(chart("one")))
    (site.web_dir / "index.html").unlink()
    assert make(site, _raising)["images/one.png"] == "unchanged"
    assert "Title of one" in text_of(site, "charts.html")


def test_a_page_that_fails_costs_only_itself(site: SiteSettings) -> None:
    broken = chart("one", table=None)
    found = make(site, drawing(broken, chart("other")))
    assert found["charts/one.html"] == "failed"
    assert {found[n] for n in ("index.html", "charts/other.html", "images/one.png")} == {"made"}
    found = make(site, drawing(chart("one"), chart("other")))
    assert found["charts/one.html"] == "made"


def test_a_chart_that_is_no_longer_there_goes(site: SiteSettings) -> None:
    make(site, drawing(chart("one"), chart("other")))
    (site.web_dir / "index.html").unlink()
    found = make(site, drawing(chart("other")))
    assert found["images/one.svg"] == "made"
    assert not list(site.web_dir.glob("*/one.*"))


def test_a_failed_profile_has_nothing_to_draw_and_keeps_its_charts(site: SiteSettings) -> None:
    make(site, drawing(chart("one")))
    (site.web_dir / "index.html").unlink()
    seen: list[ChartSources] = []

    def draw(sources: ChartSources, _folder: Path, *, notify: Any) -> list[DrawnChart]:
        seen.append(sources)
        return []

    make(site, draw, failed_profiles=["fedora"])
    assert [one.totals_db.exists() for one in seen[0].profiles] == [False]
    assert "Title of one" in text_of(site, "charts.html")


def test_a_damaged_record_has_all_made_again(site: SiteSettings) -> None:
    make(site, drawing(chart("one")))
    (site.web_dir / ".pages.json").write_text('{"format": 1, "files": {"../x": [1, 2, "3"]}}')
    assert make(site, drawing(chart("one")))["index.html"] == "unchanged"
    assert set(make(site, _raising).values()) == {"unchanged"}


def test_a_second_writer_is_refused(site: SiteSettings) -> None:
    profiles = site.profiles
    settings = PublishSettings(profiles, FileSettings(site.dest), site)
    with writer_lock(site.web_dir), pytest.raises(LockedError, match="another run at work"):
        outcome_of(PUBLISH, settings, now=NOW)
