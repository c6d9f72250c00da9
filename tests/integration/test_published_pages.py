"""Charts and pages around the published files: made where inputs changed, and only then."""

from __future__ import annotations

import re
import shutil
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.fedora_infra.dnf_counting.tests.support.modules import statuses
from ansible_collections.fedora_infra.dnf_counting.tests.support.shared import made_once
from ansible_collections.fedora_infra.dnf_counting.tests.support.site import (
    WEEK,
    publish,
    rows,
    site_files,
    statuses_of,
    totals_of,
    write_mirrors,
)
from ansible_collections.fedora_infra.dnf_counting.tests.support.totals_files import (
    Files,
    Row,
    write_totals,
)

PAGES = {"index.html", "charts.html", "downloads.html", "dictionary.html", "quality.html"}


@pytest.fixture(name="made", scope="session")
def _made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The root of a site for tests that only look at it, or at a copy."""

    def make(root: Path) -> None:
        write_mirrors(root)
        publish(root, totals_of(root))

    return made_once(tmp_path_factory, "site", make)


@pytest.fixture(name="published")
def _published(made: Path, tmp_path: Path) -> Files:
    """A copy of that site, and the totals that it was made of."""
    subprocess.run(["cp", "-a", f"{made}/.", tmp_path], check=True)
    return Files(tmp_path / "lib" / "totals.db", tmp_path / "lib" / "totals.csv")


@pytest.fixture(name="totals")
def _totals(tmp_path: Path) -> Files:
    """The totals alone."""
    write_mirrors(tmp_path)
    return totals_of(tmp_path)


def made_of_site(result: dict[str, Any]) -> set[str]:
    published = {Path(path).name for path in result["published"]} - PAGES
    return {
        name
        for name, status in statuses(result).items()
        if status == "made" and name.split("/")[0] not in published
    }


def test_second_run_changes_nothing_and_check_mode_agrees(totals: Files, tmp_path: Path) -> None:
    planned = publish(tmp_path, totals, check=True)
    assert {name for name, status in statuses(planned).items() if status == "due"} >= PAGES
    assert not (tmp_path / "csv-reports" / "countme").exists()
    first = publish(tmp_path, totals)
    assert first["index_page"] == str(tmp_path / "csv-reports" / "index.html")
    assert {*PAGES, "assets/vega.js", "images/machines-by-release.png"} <= made_of_site(first)
    seen = {p: p.stat().st_mtime_ns for p in tmp_path.rglob("*") if p.is_file()}
    for check in (True, False):
        again = publish(tmp_path, totals, check=check)
        assert not again["changed"]
        assert set(statuses(again).values()) == {"unchanged"}
        assert set(statuses(again)) == set(statuses(first))
    assert seen == {p: p.stat().st_mtime_ns for p in tmp_path.rglob("*") if p.is_file()}


def test_without_a_web_root_there_are_no_pages(totals: Files, tmp_path: Path) -> None:
    result = publish(tmp_path, totals, web_dir=None)
    assert result["index_page"] == ""
    assert not PAGES & set(statuses(result))
    assert not (tmp_path / "csv-reports" / "index.html").exists()


def test_same_inputs_give_same_bytes(published: Files, tmp_path: Path) -> None:
    first = site_files(tmp_path)
    for name in ("images", "charts", "assets", "index.html", ".pages.json"):
        path = tmp_path / "csv-reports" / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    publish(tmp_path, published)
    assert site_files(tmp_path) == first


def test_only_what_changed_is_replaced(published: Files, tmp_path: Path) -> None:
    before = site_files(tmp_path)
    write_totals(published.db.parent, [*rows(), Row(WEEK, 5000)], status=statuses_of(4))
    result = publish(tmp_path, published)
    after = site_files(tmp_path)
    made = made_of_site(result)
    assert made == {name for name in after if after[name] != before.get(name)}
    assert {"index.html", "images/machines-by-release.svg"} <= made
    assert {"assets/vega.js", "images/mirrors-all-points.png", "dictionary.html"} & made == set()


def test_a_removed_or_altered_file_is_put_back(published: Files, tmp_path: Path) -> None:
    good = site_files(tmp_path)
    web = tmp_path / "csv-reports"
    (web / "index.html").write_text("<script>alert(1)</script>")
    (web / "images" / "machines-by-age.png").unlink()
    (web / "assets" / "vega.js").unlink()
    planned = publish(tmp_path, published, check=True)
    lost = {"index.html", "images/machines-by-age.png", "assets/vega.js"}
    assert {n for n, status in statuses(planned).items() if status == "due"} == lost
    assert made_of_site(publish(tmp_path, published)) == lost
    assert site_files(tmp_path) == good


def test_readers_may_read_all_and_the_record_is_private(made: Path) -> None:
    web = made / "csv-reports"
    for name in ("images", "charts", "assets"):
        assert stat.S_IMODE((web / name).stat().st_mode) == 0o755
    assert {stat.S_IMODE((web / name).stat().st_mode) for name in PAGES} == {0o644}
    assert stat.S_IMODE((web / ".pages.json").stat().st_mode) == 0o640
    assert not (web / ".publishing").exists()


def test_every_link_leads_to_a_file(made: Path) -> None:
    web = made / "csv-reports"
    pages = [web / name for name in PAGES] + list((web / "charts").iterdir())
    for page in pages:
        text = page.read_text(encoding="utf-8")
        links = re.findall(r'(?:href|src)="([^"]*)"', text)
        ids = set(re.findall(r' id="([^"]*)"', text))
        for link in links:
            path, _unused, anchor = link.partition("#")
            assert not path or (page.parent / path).is_file(), (page.name, link)
            assert not anchor or anchor in ids, (page.name, link)
    downloads = (web / "downloads.html").read_text(encoding="utf-8")
    assert "countme/weeks/2021-W39.csv" in downloads
    assert "mirrors/mirrorsdata-all.csv" in downloads


def test_the_newest_week_has_its_quality_and_its_change(made: Path) -> None:
    index = (made / "csv-reports" / "index.html").read_text(encoding="utf-8")
    text = " ".join(re.sub(r"<[^>]*>", " ", index).split()).replace(" ,", ",")
    assert "2021-W38, 2021-09-20 to 2021-09-26 complete" in text
    assert "6,797 machines +3 (+0.0%) on the week before." in text
    assert "13 of 14 host-days" in text
    assert "Newer, but not complete: 2021-W39 is provisional." in text
    quote = "Fedora, 6,797 machines in 2021-W38 (complete, revision 1), machines.csv"
    assert quote in text
    assert '<a href="countme/machines.csv" download>' in index


def test_the_most_useful_files_come_first(made: Path) -> None:
    downloads = (made / "csv-reports" / "downloads.html").read_text(encoding="utf-8")
    names = re.findall(r"<a [^>]*download>([^<]*)</a>", downloads)
    assert names[:5] == [
        "machines.csv",
        "machines.csv.gz",
        "machines-README.txt",
        "quality.csv",
        "quality.json",
    ]
    assert len(names) == len(set(names))
    meaning = downloads.partition(">totals.csv</a>")[2].partition("</tr>")[0]
    assert "sys_age of -1 are another statistic" in meaning


def test_few_machines_are_not_named(published: Files, tmp_path: Path) -> None:
    write_totals(published.db.parent, [*rows(), Row(WEEK - 1, 3, "Rare")], status=statuses_of(4))
    publish(tmp_path, published)
    assert b"Rare" in site_files(tmp_path)["index.html"]
    publish(tmp_path, published, min_hits=10)
    assert not any(b"Rare" in content for content in site_files(tmp_path).values())


def test_no_address_gets_into_pages_or_pictures(published: Files, tmp_path: Path) -> None:
    address = "192.0.2.77"
    leaky = [
        Row(week, 800, f"host {address}", "1", os_variant=address, os_arch=address)
        for week in range(WEEK - 3, WEEK + 1)
    ]
    write_totals(published.db.parent, [*rows(), *leaky], status=statuses_of(4))
    publish(tmp_path, published)
    files = site_files(tmp_path)
    assert [name for name, content in files.items() if address.encode() in content] == []
    assert b"(address)" in files["index.html"]


def test_a_profile_that_fails_keeps_its_charts_and_those_of_others(
    published: Files, tmp_path: Path
) -> None:
    good = site_files(tmp_path)
    write_totals(published.db.parent, rows()[:3], status={WEEK: "complete"})
    result = publish(tmp_path, published, ok=False)
    assert "published weeks missing" in result["msg"]
    assert site_files(tmp_path) == good


def test_charts_that_readers_have_stay_where_their_figures_are_away(
    published: Files, tmp_path: Path
) -> None:
    good = site_files(tmp_path)
    mirrors = tmp_path / "csv-reports" / "mirrors"
    mirrors.rename(tmp_path / "away")
    result = publish(tmp_path, published, ok=False)
    assert "mirrorsdata-all.csv" in result["msg"]
    assert statuses(result)["pages"] == "failed"
    assert {n: c for n, c in good.items() if not n.startswith("mirrors/")} == site_files(tmp_path)
    assert publish(tmp_path, published, allow_shrink=True)["changed"]
    assert "images/mirrors-all-points.png" not in site_files(tmp_path)


def test_published_files_outside_of_the_web_root_are_refused(totals: Files, tmp_path: Path) -> None:
    result = publish(tmp_path, totals, dest=tmp_path / "elsewhere", ok=False)
    assert "option dest" in result["msg"]
    assert not (tmp_path / "elsewhere").exists()


def test_nothing_counted_yet_is_no_failure(tmp_path: Path) -> None:
    none = Files(tmp_path / "lib" / "totals.db", tmp_path / "lib" / "totals.csv")
    result = publish(tmp_path, none)
    assert not result["changed"]
    assert statuses(result)["index.html"] == "waiting"
    assert result["index_page"] == ""


def test_a_web_root_that_cannot_be_written_leaves_the_published_files(
    totals: Files, tmp_path: Path
) -> None:
    (tmp_path / "csv-reports" / "images").write_text("in the way")
    result = publish(tmp_path, totals, ok=False)
    assert "pages: " in result["msg"]
    assert statuses(result)["totals.csv"] == "made"
    (tmp_path / "csv-reports" / "images").unlink()
    assert publish(tmp_path, totals)["changed"]
