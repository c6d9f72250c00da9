"""The pages as readers see them, in a real Chromium.

A page is loaded once for all tests that look at it in the same way.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._status.page import (
    status_page,
)
from ansible_collections.fedora_infra.dnf_counting.tests.support.browser import (
    Visit,
    browser,
    needs_chromium,
    needs_nginx,
    nginx,
    visiting,
)
from ansible_collections.fedora_infra.dnf_counting.tests.support.counting_host import (
    DAYS,
    CountingHost,
)
from ansible_collections.fedora_infra.dnf_counting.tests.support.site import (
    HOSTILE_NAMES,
    publish,
    totals_of,
    write_mirrors,
)

pytestmark = [needs_chromium, pytest.mark.xdist_group("browser")]

PAGES = ["index.html", "charts.html", "downloads.html", "dictionary.html", "quality.html"]
CHARTS = [
    f"charts/{name}.html"
    for name in ("machines-by-release", "machines-by-variant", "fedora-os-all", "coverage-weeks")
]
GROUND = {"light": "rgb(255, 255, 255)", "dark": "rgb(22, 25, 29)"}


@pytest.fixture(name="web", scope="module")
def _web(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site with names of clients that try to break out."""
    root = tmp_path_factory.mktemp("site")
    write_mirrors(root)
    publish(root, totals_of(root, hostile=True))
    return root / "csv-reports"


@pytest.fixture(name="status_file", scope="module")
def _status_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The operator's page of a log host that lacks two days of a host."""
    root = tmp_path_factory.mktemp("status")
    log_host = CountingHost(root)
    log_host.sync(without=[("proxy03", DAYS[-9]), ("proxy03", DAYS[-8])])
    path = root / "status.html"
    path.write_bytes(status_page(log_host.run().status()))
    return path


@pytest.fixture(name="chromium", scope="module")
def _chromium() -> Iterator[Any]:
    with browser() as started:
        yield started


class Opened(NamedTuple):
    """A page that was loaded from a folder."""

    name: str
    scheme: str
    visit: Visit


@pytest.fixture(name="opened", scope="module", params=[*PAGES, *CHARTS])
def _opened(request: pytest.FixtureRequest, web: Path, chromium: Any) -> Iterator[Opened]:
    """Each page on a wide screen, in light colours."""
    with visiting(chromium, f"file://{web}/{request.param}", color_scheme="light") as visit:
        yield Opened(request.param, "light", visit)


@pytest.fixture(
    name="on_telephone",
    scope="module",
    params=[(name, scheme) for name in [*PAGES, *CHARTS] for scheme in GROUND],
    ids=lambda one: f"{one[0]}-{one[1]}",
)
def _on_telephone(request: pytest.FixtureRequest, web: Path, chromium: Any) -> Iterator[Opened]:
    """Each page on a narrow screen, without its policy, which forbids to put programs into it."""
    name, scheme = request.param
    settings = {"color_scheme": scheme, "viewport": {"width": 390, "height": 900}}
    with visiting(chromium, f"file://{web}/{name}", bypass_csp=True, **settings) as visit:
        yield Opened(name, scheme, visit)


def test_pages_open_from_a_folder_without_complaint(opened: Opened) -> None:
    assert opened.visit.page.locator("h1").count() == 1
    assert opened.visit.complaints == []


@needs_nginx
def test_pages_open_from_a_web_server_without_complaint(
    web: Path, chromium: Any, tmp_path: Path
) -> None:
    with nginx(web, tmp_path / "nginx") as url:
        for name in [*PAGES, *CHARTS]:
            with visiting(chromium, url + name) as visit:
                assert visit.complaints == [], name
                assert visit.page.url == url + name
        context = chromium.new_context()
        for private in (".pages.json", "countme/.publish.json"):
            assert context.request.get(url + private).status == 403
        context.close()


def ink_of(picture: bytes) -> int:
    """How many pixels of a PNG differ from that in its middle left."""
    import zlib

    import numpy as np

    width, height = (int.from_bytes(picture[n : n + 4], "big") for n in (16, 20))
    assert picture[24:26] == b"\x08\x02", "8 bits, RGB"
    packed = b""
    stream = io.BytesIO(picture[8:])
    while head := stream.read(8):
        body = stream.read(int.from_bytes(head[:4], "big"))
        stream.read(4)
        packed += body if head[4:] == b"IDAT" else b""
    lines = np.frombuffer(zlib.decompress(packed), np.uint8).reshape(height, width * 3 + 1)
    # a filtered line of one colour is zeros but for its beginning
    return int(np.count_nonzero(lines[:, 8:]))


def assert_that_the_chart_is_drawn(page: Any, scheme: str) -> None:
    assert page.locator("#picture").is_hidden()
    assert page.locator("#live svg path").count() > 3
    assert page.locator("#live .role-axis-label text").count() > 3
    assert ink_of(page.locator("#live").screenshot()) > 1500
    grounds = page.evaluate(
        "['.card', '#live svg'].map(e => getComputedStyle(document.querySelector(e)))"
        ".map(style => style.backgroundColor)"
    )
    assert len(set(grounds)) == 1, grounds
    assert GROUND[scheme] in grounds


@pytest.mark.parametrize("opened", CHARTS, indirect=True)
def test_charts_draw_in_the_place_of_their_pictures(opened: Opened) -> None:
    assert_that_the_chart_is_drawn(opened.visit.page, opened.scheme)


@pytest.mark.parametrize("name", CHARTS)
def test_charts_draw_in_dark_colours(web: Path, chromium: Any, name: str) -> None:
    with visiting(chromium, f"file://{web}/{name}", color_scheme="dark") as visit:
        assert_that_the_chart_is_drawn(visit.page, "dark")


def test_pictures_are_there_and_not_blank(web: Path, chromium: Any) -> None:
    with visiting(chromium, f"file://{web}/charts.html") as visit:
        images = visit.page.locator("figure img")
        count = images.count()
        assert count > 15
        for number in range(count):
            image = images.nth(number)
            image.scroll_into_view_if_needed()
            visit.page.wait_for_function(
                "image => image.complete && image.naturalWidth > 300",
                arg=image.element_handle(),
            )
            assert len(image.get_attribute("alt")) > 40
        assert ink_of(images.first.screenshot()) > 1500


def test_hostile_names_are_shown_as_text_and_do_not_run(opened: Opened) -> None:
    page = opened.visit.page
    if opened.name in CHARTS:
        page.locator("#live").hover(position={"x": 500, "y": 150})
    page.wait_for_timeout(100)
    assert page.evaluate("window.ran") is None
    assert page.locator("img[src='x'], script:not([src]):not([type])").count() == 0
    if opened.name in ("index.html", "charts/machines-by-variant.html"):
        text = page.locator("main").inner_text()
        for hostile in HOSTILE_NAMES:
            assert hostile[:20] in text, hostile
    assert opened.visit.complaints == []


def test_pages_can_be_read_and_files_downloaded_without_javascript(
    web: Path, chromium: Any
) -> None:
    off = {"java_script_enabled": False}
    with visiting(chromium, f"file://{web}/{CHARTS[0]}", **off) as visit:
        assert visit.page.locator("#picture").is_visible()
        assert visit.page.locator("#live").is_hidden()
        assert visit.page.locator("table").inner_text().count("2021-W") == 4
        assert visit.complaints == []
    with visiting(chromium, f"file://{web}/downloads.html", **off) as visit:
        with visit.page.expect_download() as download:
            visit.page.get_by_role("link", name="machines.csv", exact=True).click()
        saved = Path(download.value.path()).read_bytes()
        assert saved == (web / "countme" / "machines.csv").read_bytes()
        visit.page.locator("summary").first.click()
        assert visit.page.get_by_role("link", name="weeks/2021-W39.csv").is_visible()


def test_no_page_scrolls_sideways_on_a_telephone(on_telephone: Opened) -> None:
    page = on_telephone.visit.page
    for width in (390, 320):
        page.set_viewport_size({"width": width, "height": 844})
        # a chart is drawn again for its new width
        page.wait_for_function("width => document.documentElement.scrollWidth <= width", arg=width)


def test_axe_finds_nothing(on_telephone: Opened) -> None:
    from axe_playwright_python.sync_playwright import Axe

    page = on_telephone.visit.page
    for width in (390, 1280):
        page.set_viewport_size({"width": width, "height": 900})
        result = Axe().run(page)
        found = [(one["id"], one["nodes"][0]["html"]) for one in result.response["violations"]]
        assert found == [], width


def test_all_can_be_reached_by_the_keyboard(web: Path, chromium: Any) -> None:
    with visiting(chromium, f"file://{web}/{CHARTS[0]}") as visit:
        page = visit.page
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
        box = page.locator(".skip").bounding_box()
        assert box["y"] >= 0
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "content"
        reached = set()
        for _unused in range(30):
            page.keyboard.press("Tab")
            reached.add(
                page.evaluate(
                    "() => { const e = document.activeElement, s = getComputedStyle(e);"
                    " return e.className + '|' + e.textContent.slice(0, 20) + '|'"
                    " + s.outlineStyle; }"
                )
            )
        assert any(one.startswith("scroll tall|") for one in reached)
        assert any("|PNG|" in one for one in reached)
        assert {one.rsplit("|", 1)[1] for one in reached if not one.startswith("|")} == {"solid"}


@pytest.mark.parametrize("name", [*PAGES, *CHARTS])
def test_pages_are_valid_html(web: Path, name: str) -> None:
    check_html(web / name)


def test_the_status_page_is_valid_html(status_file: Path) -> None:
    check_html(status_file)


def check_html(path: Path) -> None:
    import html5lib

    text = path.read_text(encoding="utf-8")
    parser = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False)
    tree = parser.parse(text)
    ids = [element.get("id") for element in tree.iter() if element.get("id")]
    assert len(ids) == len(set(ids))
    for table in tree.iter("table"):
        assert table.find("caption") is not None
        assert all(head.get("scope") for head in table.iter("th"))
    levels = [int(e.tag[1]) for e in tree.iter() if re.fullmatch("h[1-6]", str(e.tag))]
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
