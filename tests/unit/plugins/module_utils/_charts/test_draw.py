"""All charts: what is drawn, that it can be seen, and that it is drawn again only where needed."""

from __future__ import annotations

import json
import math
from datetime import date, timedelta
from io import BytesIO
from itertools import pairwise, starmap
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import altair
import pytest
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._base.records import (
    WorkUnit,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._charts.address_charts import (
    AddressCharts,
    AddressSource,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._charts.chart import (
    sections_of,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._charts.draw import (
    ChartSources,
    DrawnChart,
    draw_charts,
    file_part,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._charts.figures import (
    MOST_SERIES_OF_ALL,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._charts.style import (
    PALETTE,
    chart_theme,
    series_colours,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._publish.distribution import (
    FEDORA_ADD_ONS,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._publish.profile import (
    Profile,
)
from ansible_collections.fedora_infra.dnf_counting.tests.support.totals_files import (
    Row,
    write_totals,
)
from PIL import Image

GOLDEN = Path(__file__).parents[4] / "data" / "golden" / "expected" / "mirrorsdata-all.csv"
WEEK = 2699
HOSTILE = "<script>alert(1)</script>&\"]'\u202e"


def profile(totals_db: Path, name: str = "fedora", **more: Any) -> Profile:
    return Profile(name, totals_db, totals_db.with_suffix(".csv"), "totals", **more)


def addresses_in(folder: Path) -> tuple[AddressSource, ...]:
    return (AddressSource("mirrors", folder),)


def sources(folder: Path, *, weeks: int = 5, mirrors: bool = True) -> ChartSources:
    rows = [
        Row(WEEK + n, 100 + n * release, os_version=str(release), sys_age=1 + n % 4)
        for n in range(weeks)
        for release in range(33, 36)
    ]
    rows += [Row(WEEK + n, 40, os_name=HOSTILE, repo_tag="epel-8") for n in range(weeks)]
    status = {WEEK + n: ("complete", "partial", "provisional")[n % 3] for n in range(weeks)}
    totals = write_totals(folder / "totals", rows, status=status).db
    return ChartSources((profile(totals),), addresses_in(GOLDEN.parent) if mirrors else ())


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[DrawnChart]]:
    folder = tmp_path_factory.mktemp("charts")
    return folder / "images", draw_charts(sources(folder), folder / "images")


def test_every_chart_is_drawn_twice_and_both_can_be_seen(
    drawn: tuple[Path, list[DrawnChart]],
) -> None:
    folder, charts = drawn
    assert len(charts) == 21
    for chart in charts:
        svg = ElementTree.fromstring((folder / f"{chart.name}.svg").read_bytes())
        assert (int(svg.attrib["width"]), int(svg.attrib["height"])) == (chart.width, chart.height)
        assert [one.text for one in svg[:2]] == [chart.title, chart.alt]
        picture = Image.open(BytesIO((folder / f"{chart.name}.png").read_bytes())).convert("RGB")
        assert picture.size == (chart.width * 2, chart.height * 2)
        assert picture.getpixel((1, 1)) == (255, 255, 255)
        colours = {colour for _count, colour in picture.getcolors(1 << 22)}
        assert len(colours) > 20, f"{chart.name} is blank"
        assert set(map(_rgb, _series_colours(chart))) <= colours, chart.name


def _series_colours(chart: DrawnChart) -> list[str]:
    stacked = chart.name.startswith(("machines", "epel-by"))
    return series_colours(list(reversed(chart.table.header[1:-1]))) if stacked else []


def _rgb(text: str) -> tuple[int, int, int]:
    return (int(text[1:3], 16), int(text[3:5], 16), int(text[5:7], 16))


def test_the_interactive_form_is_vega_lite_with_its_figures_in_it(
    drawn: tuple[Path, list[DrawnChart]],
) -> None:
    for chart in drawn[1]:
        themed = {**chart.spec, "config": chart_theme(dark=True)}
        altair.LayerChart.from_dict(themed, validate=True)
        assert "http" not in json.dumps({k: v for k, v in chart.spec.items() if k != "$schema"})
        assert json.loads(json.dumps(chart.spec)) == chart.spec


def test_incident_hostile_request_is_text_in_pictures_and_no_part_of_expressions(
    drawn: tuple[Path, list[DrawnChart]],
) -> None:
    folder, charts = drawn
    by_name = {chart.name: chart for chart in charts}
    svg = (folder / "epel-by-distribution.svg").read_text()
    assert "<script" not in svg
    assert "&lt;script&gt;alert(1)&lt;/script" in svg
    spec = json.dumps(by_name["epel-by-distribution"].spec)
    for word in ("expr", "calculate", "filter", "labelExpr"):
        parts = spec.split(f'"{word}": ')[1:]
        assert all("script" not in part[: part.index("}")].split('", "')[0] for part in parts)


def test_charts_come_in_the_order_of_their_sections(drawn: tuple[Path, list[DrawnChart]]) -> None:
    order = list(sections_of(FEDORA_ADD_ONS))
    sections = [order.index(chart.section) for chart in drawn[1]]
    assert sections == sorted(sections)
    assert drawn[1][0].name == "machines-by-release"


def test_a_chart_has_a_text_and_a_table(drawn: tuple[Path, list[DrawnChart]]) -> None:
    charts = {chart.name: chart for chart in drawn[1]}
    ages = charts["machines-by-age"]
    assert ages.title == "Machines per week by age, 2021-09-27 to 2021-10-31"
    assert ages.alt == (
        "Stacked bars: Machines per week by age, 2021-09-27 to 2021-10-31. "
        "In 2021-W43: 748 in all; first week 748."
    )
    assert ages.table.header == (
        "week",
        "first week",
        "up to 4 weeks",
        "up to 24 weeks",
        "more than 24 weeks",
        "care",
    )
    assert ages.table.rows[0] == (
        "2021-W43 (2021-10-25 to 2021-10-31)",
        "748",
        "0",
        "0",
        "0",
        "partial",
    )
    assert (len(ages.table.rows), ages.table.rows_in_all) == (5, 5)
    coverage = charts["coverage-weeks"]
    assert coverage.alt.startswith("Calendar: Host-days received per week, 2021-09-27 to")
    assert coverage.table.rows[0][1:] == ("13", "14", "50 % to 95 %", "partial")


def test_the_same_figures_give_the_same_bytes_and_replace_nothing(tmp_path: Path) -> None:
    given, folder = sources(tmp_path, mirrors=False), tmp_path / "images"
    draw_charts(given, folder)
    before = {path: (path.read_bytes(), path.stat().st_ino) for path in folder.iterdir()}
    units: list[WorkUnit] = []
    draw_charts(given, folder, notify=units.append)
    after = {path: (path.read_bytes(), path.stat().st_ino) for path in folder.iterdir()}
    assert before == after
    assert {unit.status for unit in units} == {"unchanged"}
    assert len(units) == len(before) == 12


def test_one_week_is_a_bar_that_can_be_seen(tmp_path: Path) -> None:
    folder = tmp_path / "images"
    draw_charts(sources(tmp_path, weeks=1, mirrors=False), folder)
    picture = Image.open(folder / "machines-by-age.png").convert("RGB")
    counts = {colour: count for count, colour in picture.getcolors(1 << 22)}
    expected = _rgb(series_colours(["first week"])[0])
    assert counts[expected] > 20_000


def test_layers_lie_on_each_other_in_the_order_of_the_releases(tmp_path: Path) -> None:
    releases = [f"Fedora Linux {n}" for n in range(30, 43)]
    totals = write_totals(tmp_path, [Row(WEEK, 100, os_version=one[-2:]) for one in releases]).db
    draw_charts(ChartSources((profile(totals),)), tmp_path)
    picture = Image.open(tmp_path / "machines-by-release.png").convert("RGB")
    wanted = [_rgb(colour) for colour in series_colours(releases)]
    seen: list[tuple[int, ...]] = []
    for y in range(picture.height - 1, 0, -1):
        colour = picture.getpixel((picture.width * 2 // 5, y))
        if colour in wanted and colour not in seen:
            seen.append(colour)
    assert seen == wanted


def test_an_absent_source_has_no_charts(tmp_path: Path) -> None:
    units: list[WorkUnit] = []
    nothing = ChartSources(
        (profile(tmp_path / "totals.db", log_name=LOG_NAME, raw_dir=tmp_path / "raw"),),
        addresses_in(tmp_path),
        tmp_path / "combined-http",
    )
    assert draw_charts(nothing, tmp_path / "images", notify=units.append) == []
    assert draw_charts(ChartSources(), tmp_path / "images", notify=units.append) == []
    assert units == []
    assert not (tmp_path / "images").exists()


LOG_NAME = "mirrors.fedoraproject.org-access.log"


def test_a_source_that_cannot_be_read_stops_no_other(tmp_path: Path) -> None:
    given = sources(tmp_path, weeks=1, mirrors=False)
    broken = tmp_path / "broken.db"
    broken.write_bytes(b"no database" * 100)
    bad_csv = tmp_path / "mirrorsdata-all.csv"
    bad_csv.write_text("<html>")
    units: list[WorkUnit] = []
    mixed = ChartSources((profile(broken, "Broken One!"), *given.profiles), addresses_in(tmp_path))
    charts = draw_charts(mixed, tmp_path / "images", notify=units.append)
    assert charts[0].name == "machines-by-release-fedora"
    failed = {unit.name: unit.reasons[0] for unit in units if unit.status == "failed"}
    assert set(failed) == {"charts of Broken One!", "charts of client addresses"}
    assert "csv:1: expected a date and a number" in failed["charts of client addresses"]


def test_titles_name_the_profile_if_there_are_several(tmp_path: Path) -> None:
    totals = write_totals(tmp_path, [Row(WEEK, 9)]).db
    alma = profile(totals, "almalinux", title="AlmaLinux")
    titles = {}
    for profiles in ((alma,), (profile(totals), alma)):
        charts = draw_charts(ChartSources(profiles), tmp_path / "images")
        titles[len(profiles)] = [c.title for c in charts if c.name.startswith("machines-by-rel")]
    assert titles == {
        1: ["Machines per week by release, 2021-09-27 to 2021-10-03"],
        2: [
            "Machines per week by release, fedora, 2021-09-27 to 2021-10-03",
            "Machines per week by release, AlmaLinux, 2021-09-27 to 2021-10-03",
        ],
    }


def test_texts_distinguish_bars_from_areas(tmp_path: Path) -> None:
    kinds = {}
    for weeks in (12, 13):
        charts = draw_charts(sources(tmp_path, weeks=weeks, mirrors=False), tmp_path / "images")
        kinds[weeks] = {one.alt.partition(":")[0] for one in charts if one.section == "machines"}
    assert kinds == {12: {"Stacked bars"}, 13: {"Stacked areas"}}


def test_names_of_emoji_are_drawn(tmp_path: Path) -> None:
    name = "\U0001f469" * 30
    totals = write_totals(tmp_path, [Row(WEEK, 9), Row(WEEK, 9, os_name=name)]).db
    failed: list[WorkUnit] = []
    charts = draw_charts(
        ChartSources((profile(totals),)),
        tmp_path,
        notify=lambda unit: failed.append(unit) if unit.status == "failed" else None,
    )
    assert not failed
    assert "machines-by-release" in {chart.name for chart in charts}


def test_a_missing_week_is_a_gap_in_the_picture(tmp_path: Path) -> None:
    rows = [Row(WEEK + n, 100) for n in range(40) if n not in (20, 21)]
    totals = write_totals(tmp_path, rows).db
    given = ChartSources((profile(totals),))
    draw_charts(given, tmp_path / "gap")
    assert _white_columns(tmp_path / "gap" / "machines-by-age.png") > 20


def _white_columns(path: Path) -> int:
    """Columns without ink at a height at which every week has some."""
    picture = Image.open(path).convert("RGB")
    line = [picture.getpixel((x, 600)) for x in range(picture.width)]
    ink = [x for x, colour in enumerate(line) if colour == _rgb(series_colours(["first week"])[0])]
    return sum(colour == (255, 255, 255) for colour in line[ink[0] : ink[-1]])


@pytest.mark.parametrize(
    ("name", "part"), [("centos", "centos"), ("../Étc", "tc"), ("", "profile"), ("A b", "a-b")]
)
def test_names_of_profiles_choose_no_paths(name: str, part: str) -> None:
    assert file_part(name) == part


def test_neighbours_have_different_colours_and_releases_keep_theirs() -> None:
    labels = [f"Fedora {n}" for n in range(20, 42)]
    colours = series_colours(labels)
    assert all(colours[n] not in colours[n + 1 : n + 20] for n in range(len(colours)))
    assert series_colours(labels[10:]) == colours[10:]
    names = [f"variant {'x' * n}" for n in range(len(PALETTE))]
    assert len(set(series_colours(names))) == len(PALETTE) == MOST_SERIES_OF_ALL


def test_no_colour_lies_beside_one_like_it() -> None:
    names = [f"variant {'x' * n}" for n in range(12)]
    for labels in (names, [f"Fedora {n}" for n in range(20, 42)], ["Fedora 2", "CentOS 6"]):
        colours = [_rgb(colour) for colour in series_colours(labels)]
        assert min(starmap(math.dist, pairwise(colours))) > 90


def test_years_of_days_end_in_the_newest(tmp_path: Path) -> None:
    first = date(2015, 1, 1)
    rows = [f"{first + timedelta(days=n)},{n}" for n in range(1, 4000)]
    path = tmp_path / "mirrorsdata-all.csv"
    path.write_text("1970-01-01,02-epel8\n" + "\n".join(rows) + "\n")
    charts = {
        one.name: one for one in draw_charts(ChartSources((), addresses_in(tmp_path)), tmp_path)
    }
    table = charts["epel-all"].table
    assert (len(table.rows), table.rows_in_all) == (60, 572)
    assert table.rows[0][0].startswith("2025-W50")


def test_a_second_condensed_log_has_charts_of_its_own_names_and_titles(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "mirrorsdata-all.csv").write_text("1970-01-01,02-alma9,03-all\n2031-09-27,5,7\n")
    charts = AddressCharts.from_option(
        {
            "groups": [{"name": "alma", "releases": "alma([0-9]+)", "label": "AlmaLinux {}"}],
            "charts": [{"name": "alma", "title": "Addresses of AlmaLinux", "group": "alma"}],
        }
    )
    both = (*addresses_in(GOLDEN.parent), AddressSource("Alma Linux", other, "AlmaLinux", charts))
    drawn = {one.name: one for one in draw_charts(ChartSources((), both), tmp_path / "images")}
    title = "Addresses of AlmaLinux, AlmaLinux, 2031-09-27 to 2031-09-27"
    assert drawn["alma-alma-linux"].title == title
    assert drawn["alma-alma-linux"].table.header[1:] == ("AlmaLinux 9",)
    assert "by EPEL release, mirrors" in drawn["epel-stacked"].title
